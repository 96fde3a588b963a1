"""Reads the numbers of a column by array operations, where they are written plainly.

Plainly: digits for a whole number; digits with at most one point and one minus sign for a fraction; fifteen digits at
most. Everything else, right or wrong, is left to whoever asks (`csv_table.py`), one value at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.routing.csv_cells import Cells, Positions

MOST_DIGITS = 15
"""Whole numbers of so many digits, and the powers of ten below them, are exact in floating point.

So one division gives the nearest float, the same as Python's `float` (Clinger 1990, "How to read floating point numbers
accurately").
"""
_ROWS_AT_ONCE = 2**15
_POWERS_OF_TEN = 10.0 ** np.arange(MOST_DIGITS + 1)
_ZERO, _POINT, _MINUS = b"0.-"


def plain_integers(cells: Cells) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the whole numbers of a column, and which of them are written plainly; the others are meaningless."""
    values, plain = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.bool_)
    for part, text, start, width in _blocks(cells):
        values[part], digits, _ = _digits(text, start, width)
        plain[part] = (digits == width) & (digits > 0)
    return values, plain


def plain_decimals(cells: Cells) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of a column, and which of them are written plainly; the others are meaningless."""
    values, plain = np.zeros(len(cells), np.float64), np.zeros(len(cells), np.bool_)
    for part, text, start, width in _blocks(cells):
        minus = (text[start] == _MINUS) & (width > 0)
        magnitude, digits, point = _digits(text, start + minus, width - minus)
        decimals = np.where(point >= 0, digits - point, 0)
        values[part] = np.where(minus, -1.0, 1.0) * (magnitude / _POWERS_OF_TEN[decimals])
        plain[part] = (digits + (point >= 0) == width - minus) & (digits > 0)
    return values, plain


def _blocks(cells: Cells) -> Iterator[tuple[slice, NDArray[np.uint8], Positions, Positions]]:
    """Yield slices of a column that fit the processor's cache: (rows, text, start, width)."""
    text = np.frombuffer(cells.body, np.uint8)
    for first in range(0, len(cells), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        start = cells.start[part]
        yield part, text, start, cells.end[part] - start


def _digits(
    text: NDArray[np.uint8], start: Positions, width: Positions
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each cell the number that its leading digits make, how many they are, and how many precede a point.

    Reading stops at the first byte that is neither a digit nor the first point, and after `MOST_DIGITS`; without a
    point the last result is −1.
    """
    value, digits = np.zeros(len(start), np.int64), np.zeros(len(start), np.int64)
    point = np.full(len(start), -1, np.int64)
    going = np.ones(len(start), np.bool_)
    last = len(text) - 1
    for at in range(min(int(width.max(initial=0)), MOST_DIGITS + 1)):
        byte = text[np.minimum(start + at, last)]
        going &= width > at
        digit = byte - np.uint8(_ZERO)
        is_digit = going & (digit < 10) & (digits < MOST_DIGITS)
        is_point = going & (byte == _POINT) & (point < 0)
        value = np.where(is_digit, 10 * value + digit, value)
        point = np.where(is_point, digits, point)
        digits += is_digit
        going = is_digit | is_point
    return value, digits, point
