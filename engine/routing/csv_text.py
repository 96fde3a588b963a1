"""Writes CSV by columns: quotes where they must be, LF line ends, a block of rows at a time.

Here: text. Not here: which rows, and in what order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

_NEEDS_QUOTES = re.compile('[,"\r\n]')
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A column of names: row i holds `names[index[i]]`."""

    names: Sequence[str]
    index: IntArray


Written = Named | IntArray
"""A column to be written: names, or whole numbers."""


def csv_blocks(columns: dict[str, Written], rows: int) -> Iterator[bytes]:
    """Yield a CSV file of `columns`, each `rows` long, in blocks: first its header, then its rows as they stand."""
    yield f"{','.join(map(quoted, columns))}\n".encode()
    ready = [_ready(column) for column in columns.values()]
    for first in range(0, rows, _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        lines = map(",".join, zip(*(_texts(column, part) for column in ready), strict=True))
        yield ("\n".join(lines) + "\n").encode()


def quoted(text: str) -> str:
    """Return a value as it stands in a CSV file; only what would be read differently has quotes."""
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _ready(column: Written) -> tuple[NDArray[Any] | None, IntArray]:
    """Return the names of a column as they are written, and the indices; or None, and the numbers."""
    if not isinstance(column, Named):
        return None, column
    odd = _NEEDS_QUOTES.search("".join(column.names))
    return np.array([quoted(name) for name in column.names] if odd else column.names, object), column.index


def _texts(column: tuple[NDArray[Any] | None, IntArray], part: slice) -> Iterable[str]:
    names, values = column
    return map(str, values[part].tolist()) if names is None else names[values[part]].tolist()
