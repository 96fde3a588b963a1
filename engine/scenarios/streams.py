"""The one place of random numbers of scenarios: a stream for each cause, and draws that belong to an entity.

A draw depends on the story's seed, the replication, the name of its cause and, for `uniforms`, the key of what it is
drawn for: never on how many draws came before for others. So policies meet the same orders and the same luck, and a
change of the story leaves what it does not touch as it was. Not here: what the numbers are used for.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def stream(seed: int, replication: int, cause: str) -> np.random.Generator:
    """Return a generator of its own for a cause: the same three give the same numbers, others independent ones.

    Philox of Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", keyed by BLAKE2b of the three.
    """
    return np.random.Generator(np.random.Philox(key=_key(seed, replication, cause)))


def uniforms(seed: int, replication: int, cause: str, keys: ArrayLike) -> Floats:
    """Return a number in [0, 1) for each of `keys`, which depends on the cause and on that key alone.

    `keys` are any 64-bit integers, of any shape (of one alone: an array of one); equal ones get equal numbers. The bits
    are SplitMix64 of Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", twice, with the
    two halves of the cause's key.
    """
    shift, salt = _key(seed, replication, cause)
    words = _mixed(_mixed(_words(keys) * _STEP + shift) ^ salt)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def joined(keys: ArrayLike, parts: ArrayLike) -> Integers:
    """Return keys of parts of entities: of an order's lines, of its parcels, of its copies; the shapes broadcast.

    Different pairs get different keys, but for one in 2^64.
    """
    return _mixed(_mixed(_words(keys) + _STEP) + _words(parts) * _STEP).view(np.int64)


def _key(seed: int, replication: int, cause: str) -> Words:
    """Return 128 bits of the three; the numbers come first, so that no two triples are written alike."""
    digest = blake2b(f"{seed} {replication} {cause}".encode(), digest_size=16).digest()
    return np.frombuffer(digest, "<u8").astype(np.uint64)


def _words(keys: ArrayLike) -> Words:
    return np.atleast_1d(np.asarray(keys, np.int64)).view(np.uint64)


def _mixed(words: Words) -> Words:
    """Return the finalizer of SplitMix64 of every word: a permutation of 64-bit words; overflow wraps."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))
