"""Turns columns of ids into indices, by code point, without a Python string for each row.

Bytes of UTF-8 sort as code points do, so eight bytes at a time are compared as one whole number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.routing.csv_cells import PADDING, Cells

IntArray = NDArray[np.int64]
UNKNOWN = -1
"""The index of a value that no defining column has."""
WIDEST = 64
"""Longer ids are sorted as Python strings."""
_WORD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The distinct ids of some columns in code point order, and the index of every row's id."""

    names: tuple[str, ...]
    defining: list[IntArray]
    """One array per defining column."""
    referring: list[IntArray]
    """One array per referring column; `UNKNOWN` where its id is defined nowhere."""


def name_together(defining: Sequence[Cells], referring: Sequence[Cells] = ()) -> Vocabulary:
    """Give every id that a defining column holds its index, and find those that the referring columns mean."""
    ranks = _ranks([*defining, *referring])
    count = 1 + max((int(rank.max(initial=-1)) for rank in ranks), default=-1)
    index = np.full(count, UNKNOWN, np.int64)
    for rank in ranks[: len(defining)]:
        index[rank] = 0
    known = index != UNKNOWN
    index[known] = np.arange(np.count_nonzero(known))
    indices = [index[rank] for rank in ranks]
    return Vocabulary(
        names=_names(defining, indices, int(np.count_nonzero(known))),
        defining=indices[: len(defining)],
        referring=indices[len(defining) :],
    )


def sort_rows(keys: Sequence[IntArray]) -> tuple[IntArray, bool]:
    """Return the order of rows by `keys` (none negative, the first counts most), and whether any rows agree in all."""
    sizes = [int(key.max(initial=0)) + 1 for key in keys]
    if math.prod(sizes) >= 2**63:
        order = np.lexsort(keys[::-1])
        same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
        return order, bool(same.any())
    packed = np.zeros(len(keys[0]), np.int64)
    for key, size in zip(keys, sizes, strict=True):
        packed = packed * size + key
    order = np.argsort(packed, kind="stable")
    return order, bool((np.diff(packed[order]) == 0).any())


def _names(defining: Sequence[Cells], indices: Sequence[IntArray], count: int) -> tuple[str, ...]:
    names = [""] * count
    missing = np.ones(count, np.bool_)
    for cells, index in zip(defining, indices, strict=False):
        row = np.zeros(count, np.int64)
        row[index] = np.arange(len(cells))
        here = np.zeros(count, np.bool_)
        here[index] = True
        places = np.flatnonzero(here & missing)
        missing[places] = False
        if len(places) == count:
            return tuple(cells.texts(row))
        for place, name in zip(places.tolist(), cells.texts(row[places]), strict=True):
            names[place] = name
    return tuple(names)


def _ranks(columns: Sequence[Cells]) -> list[IntArray]:
    """Return the rank of each value among the distinct values of all columns, column by column."""
    sizes = [len(cells) for cells in columns]
    widest = max((int(cells.width.max(initial=0)) for cells in columns), default=0)
    if widest > WIDEST or any(_has_zero_byte(cells) for cells in columns):
        rank = _ranks_of_texts([text for cells in columns for text in cells.texts()])
    else:
        rank = _dense(np.concatenate([_word(cells, 0) for cells in columns]))
        for first in range(_WORD, widest, _WORD):
            more = _dense(np.concatenate([_word(cells, first) for cells in columns]))
            most = int(more.max(initial=0))
            if most:
                rank = _dense(rank * (most + 1) + more)
    return np.split(rank, np.cumsum(sizes)[:-1])


def _ranks_of_texts(texts: list[str]) -> IntArray:
    place = {text: at for at, text in enumerate(sorted(set(texts)))}
    return np.fromiter(map(place.__getitem__, texts), np.int64, len(texts))


def _has_zero_byte(cells: Cells) -> bool:
    """Return whether a cell may hold a zero byte, which could not be told from the end of a shorter one."""
    return cells.body.find(b"\0") < len(cells.body) - PADDING


def _word(cells: Cells, first: int) -> NDArray[np.uint64]:
    """Return bytes `first` to `first + 7` of every cell as one number that sorts as they do; zeros follow its end."""
    words = np.ndarray((len(cells.body) - _WORD + 1,), ">u8", cells.body, strides=(1,))
    here = np.clip(cells.width - first, 0, _WORD)
    word = words[np.where(here > 0, cells.start + first, 0)].astype(np.uint64)
    beyond = (8 * (_WORD - np.maximum(here, 1))).astype(np.uint64)
    return np.where(here > 0, (word >> beyond) << beyond, np.uint64(0))


def _dense(values: NDArray[np.uint64] | IntArray) -> IntArray:
    """Return the rank of each value among the distinct values."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    rank = np.zeros(len(values), np.int64)
    rank[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return rank
