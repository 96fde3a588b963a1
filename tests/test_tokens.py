"""Random names do not meet: in one process, over threads, and in processes that are forked."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from engine.tokens import MOST_BYTES, new_token


def test_names_have_their_length_and_never_meet() -> None:
    names = [new_token(12) for _ in range(5_000)]
    assert {len(name) for name in names} == {24}
    assert len(set(names)) == len(names)
    assert len(new_token(MOST_BYTES)) == 2 * MOST_BYTES


def test_threads_never_get_the_same_name() -> None:
    with ThreadPoolExecutor(8) as pool:
        names = [name for found in pool.map(lambda _: [new_token(12) for _ in range(500)], range(16)) for name in found]
    assert len(set(names)) == len(names)


def test_a_forked_process_gives_other_names_than_its_parent() -> None:
    """The seeded bug: bytes that were drawn before the fork are used by both."""
    new_token(12)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_token(12).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 24).decode() != new_token(12)
    os.close(reader)
    os.close(writer)
