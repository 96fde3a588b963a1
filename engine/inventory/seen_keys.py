"""Which keys were seen already, in eight bytes for each: a scan of the store may show one twice.

A key is known by a digest of 64 bits that nobody outside can foresee; that two of ten million share one is a chance of
three in a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from secrets import token_bytes

import numpy as np
from numpy.typing import NDArray

Digests = NDArray[np.uint64]


class SeenKeys:
    """A set of keys that only grows, in sorted blocks of which each is at least twice as large as the next."""

    def __init__(self) -> None:
        self._salt = token_bytes(16)
        self._blocks: list[Digests] = []

    def digests(self, keys: Sequence[bytes]) -> Digests:
        """Return the digests of keys, in order."""
        joined = b"".join(blake2b(key, digest_size=8, key=self._salt).digest() for key in keys)
        return np.frombuffer(joined, dtype=np.uint64)

    def fresh(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return those that come for the first time, each once, in order; they are known from now on."""
        digests = self.digests(keys)
        unique, first = np.unique(digests, return_index=True)
        is_new = np.ones(len(unique), dtype=np.bool_)
        for block in self._blocks:
            places = np.minimum(np.searchsorted(block, unique), len(block) - 1)
            is_new &= block[places] != unique
        if is_new.any():
            self._add(unique[is_new])
        return [keys[place] for place in sorted(first[is_new].tolist())]

    def _add(self, block: Digests) -> None:
        self._blocks.append(block)
        while len(self._blocks) > 1 and len(self._blocks[-2]) < 2 * len(self._blocks[-1]):
            last = self._blocks.pop()
            self._blocks[-1] = np.sort(np.concatenate([self._blocks[-1], last]))
