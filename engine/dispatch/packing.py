"""Values on their way between processes: a pickle and its buffers, and of buffers that are mostly zeros only the rest.

What comes out is equal bit by bit to what went in. Not here: who sends (`ray.py`), and what (`worker.py`).
"""

from __future__ import annotations

import ctypes
import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_BYTES, MOST_FULL = 4096, 0.25
"""Buffers from this size on are sent sparse, if at most this share of their words is not zero."""

Bytes = NDArray[np.uint8]


class Sparse(NamedTuple):
    """So many words of 64 bits, all zero but these."""

    size: int
    place: NDArray[np.int64]
    word: NDArray[np.uint64]


Packed = tuple[bytes, list[Bytes | Sparse]]


def pack(value: Any, *, sparse: bool = True) -> Packed:
    """Return a value as a pickle and the buffers of its arrays."""
    buffers = list[pickle.PickleBuffer]()
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return head, [_packed(np.frombuffer(buffer.raw(), np.uint8), sparse=sparse) for buffer in buffers]


def _packed(raw: Bytes, *, sparse: bool) -> Bytes | Sparse:
    if not sparse or len(raw) < LEAST_BYTES or len(raw) % 8:
        return raw
    words = raw.view(np.uint64)
    place = np.flatnonzero(words)
    return Sparse(len(words), place, words[place]) if len(place) <= MOST_FULL * len(words) else raw


def unpack(packed: Packed) -> Any:
    """Return the value again; its arrays are its own, and may be written."""
    head, buffers = packed
    return pickle.loads(head, buffers=[_full(buffer) for buffer in buffers])


def _full(buffer: Bytes | Sparse) -> Any:
    if isinstance(buffer, Sparse):
        words = np.zeros(buffer.size, np.uint64)
        words[buffer.place] = buffer.word
        return words.view(np.uint8).data
    return bytearray(buffer.tobytes())


def unpack_in_place(head: bytes, buffers: Sequence[Bytes]) -> Any:
    """Return the value over the very memory of the buffers, which must outlive it.

    Its arrays say that they may be written, since kernels compiled for such do not take others; nobody may write them.
    """
    return pickle.loads(head, buffers=[_same_memory(buffer) for buffer in buffers])


def _same_memory(buffer: Bytes) -> memoryview:
    if not len(buffer):
        return memoryview(bytearray())
    return memoryview((ctypes.c_uint8 * len(buffer)).from_address(buffer.ctypes.data)).cast("B")
