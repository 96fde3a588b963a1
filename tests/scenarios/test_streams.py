"""Random numbers of scenarios: the same everywhere, one per entity, uniform and independent of each other."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest

from engine.scenarios.streams import joined, stream, uniforms

DRAWS = 200_000


def test_the_same_seed_replication_and_cause_give_these_numbers_on_every_machine() -> None:
    # A change of these is a change of every simulation's result, and goes with a note in the changelog.
    assert uniforms(7, 0, "demand.sku", [0, 1, -1, 2**63 - 1]).tolist() == GOLDEN_UNIFORMS
    assert stream(7, 0, "transit").random(3).tolist() == GOLDEN_STREAM
    assert joined([1, 2], [0, 1]).tolist() == GOLDEN_JOINED


def test_draws_are_those_of_the_published_recipe() -> None:
    keys = [0, 1, 2, -1, -(2**63), 2**63 - 1, 123_456_789_012]
    assert uniforms(5, 3, "any cause", keys).tolist() == [plain_uniform(5, 3, "any cause", key) for key in keys]


def test_every_part_of_the_name_of_a_stream_counts() -> None:
    names = [(7, 0, "a"), (8, 0, "a"), (7, 1, "a"), (7, 0, "b"), (70, 0, "a"), (7, 0, "0 a"), (-7, 0, "a")]
    assert len({stream(*name).random() for name in names}) == len(names)
    assert len({float(uniforms(*name, [5])[0]) for name in names}) == len(names)


def test_a_draw_for_a_key_does_not_depend_on_the_other_keys() -> None:
    alone = [float(uniforms(1, 2, "luck", key)[0]) for key in range(50)]
    assert uniforms(1, 2, "luck", np.arange(50)[::-1])[::-1].tolist() == alone


def test_numbers_of_consecutive_keys_are_uniform() -> None:
    drawn = uniforms(3, 1, "uniform", np.arange(DRAWS))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert chi_square(np.bincount((drawn * 100).astype(int), minlength=100)) < 150  # 99 degrees: P = 0.0007
    low_bits = (drawn * 2**53).astype(np.int64) % 64
    assert chi_square(np.bincount(low_bits, minlength=64)) < 105  # 63 degrees: P = 0.0007


@pytest.mark.parametrize(
    "other",
    [
        uniforms(3, 1, "uniform", np.arange(DRAWS) + 1),
        uniforms(3, 1, "another", np.arange(DRAWS)),
        uniforms(3, 2, "uniform", np.arange(DRAWS)),
        uniforms(4, 1, "uniform", np.arange(DRAWS)),
        uniforms(3, 1, "uniform", joined(np.arange(DRAWS), 1)),
        uniforms(3, 1, "uniform", np.arange(DRAWS) << 32),
    ],
    ids=["next key", "cause", "replication", "seed", "part", "far keys"],
)
def test_numbers_of_two_causes_or_keys_are_independent(other: np.ndarray) -> None:
    drawn = uniforms(3, 1, "uniform", np.arange(DRAWS))
    cells = (drawn * 10).astype(int) * 10 + (other * 10).astype(int)
    assert chi_square(np.bincount(cells, minlength=100)) < 150
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 4 / np.sqrt(DRAWS)


def test_parts_of_entities_have_keys_of_their_own() -> None:
    keys = joined(np.arange(1000)[:, None], np.arange(200)[None, :])
    assert keys.shape == (1000, 200)
    assert len(np.unique(keys)) == keys.size
    assert joined(3, 5)[0] != joined(5, 3)[0]


def chi_square(counts: np.ndarray) -> float:
    """Return the statistic of equal shares, with one degree of freedom less than there are counts."""
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def plain_uniform(seed: int, replication: int, cause: str, key: int) -> float:
    """Return what `uniforms` returns for one key, in plain integers."""
    digest = blake2b(f"{seed} {replication} {cause}".encode(), digest_size=16).digest()
    shift, salt = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
    first = finalized((key * 0x9E3779B97F4A7C15 + shift) % 2**64)
    return (finalized(first ^ salt) >> 11) * 2.0**-53


def finalized(word: int) -> int:
    """Return the finalizer of SplitMix64."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)


GOLDEN_UNIFORMS = [0.39435801279352456, 0.6280696701740403, 0.6191047929552818, 0.26488596266490383]
GOLDEN_STREAM = [0.42118719458918785, 0.7870837516777781, 0.49128595660672825]
GOLDEN_JOINED = [-2529857523242969672, 7235116703822611636]
