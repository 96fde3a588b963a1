"""Splits the text of a CSV file into cells, without making a Python string of each.

Here: two ways to the same cells. `split_plain` finds commas and line ends by array operations and takes only text
where nothing can be meant otherwise; `split_records` takes everything that is CSV, row by row. Not here: what columns
there are and what they may hold (`csv_table.py`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput

Positions = NDArray[np.int64]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PADDING = 8
"""Bytes behind the text of cells, so that eight bytes can be taken from any place in it."""

_COMMA, _NEWLINE, _QUOTE = b',\n"'
_BYTES_AT_ONCE = 2**18
_RECORDS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """One column: cell i is `body[start[i]:end[i]]`, in UTF-8; `PADDING` zero bytes follow the text."""

    body: bytes
    start: Positions
    end: Positions

    @property
    def width(self) -> Positions:
        """The bytes of each cell."""
        return self.end - self.start

    def __len__(self) -> int:
        """Return how many cells there are."""
        return len(self.start)

    def texts(self, rows: Positions | slice = slice(None)) -> list[str]:
        """Return some cells, or all, as strings."""
        body = self.body
        places = zip(self.start[rows].tolist(), self.end[rows].tolist(), strict=True)
        return [body[start:end].decode() for start, end in places]


NO_CELLS = Cells(body=bytes(PADDING), start=np.zeros(0, np.int64), end=np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A CSV text in cells: the names in its first record, and one column of the other records per name."""

    header: list[str]
    rows: int
    columns: list[Cells]
    """Empty if there are `ragged` rows."""
    ragged: dict[int, int]
    """How many cells each row has that has not as many as the header."""
    line: Callable[[int], int]
    """The line that a row (counted from 0) ends on."""


def split_plain(body: bytes) -> Split | None:
    """Split a CSV text (valid UTF-8) by array operations, or return None where `split_records` must decide.

    Not plain is text with a quote or a line end inside of quotes, a lone carriage return, a zero byte, a row too short
    or too long, a cell longer than the csv module takes, or nothing at all. Blank lines do not count.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    if b"\r" in body or b"\0" in body:
        return None
    text = b"".join((body, b"\n", bytes(PADDING)))
    data = np.frombuffer(text, np.uint8)
    start, end = _between_stops(data, quotes=b'"' in body)
    ends_line = data[end] == _NEWLINE
    if np.count_nonzero(ends_line) != text.count(b"\n"):
        return None
    blank = _blank_lines(start, end, ends_line)
    if blank.any():
        start, end, ends_line = start[~blank], end[~blank], ends_line[~blank]
    width = int(ends_line.argmax()) + 1 if len(end) else 0
    if not width or len(end) % width or int((end - start).max()) > csv.field_size_limit():
        return None
    rows = len(end) // width
    if np.count_nonzero(ends_line) != rows or not ends_line[width - 1 :: width].all():
        return None
    if b'"' in body and not _unquote(text, start, end):
        return None
    columns = [
        Cells(body=text, start=start[width + at :: width].copy(), end=end[width + at :: width].copy())
        for at in range(width)
    ]
    first = columns[0].start
    return Split(
        header=Cells(body=text, start=start[:width], end=end[:width]).texts(),
        rows=rows - 1,
        columns=columns,
        ragged={},
        line=lambda row: text.count(b"\n", 0, int(first[row])) + 1,
    )


def _between_stops(data: NDArray[np.uint8], *, quotes: bool) -> tuple[Positions, Positions]:
    """Return where each cell starts and ends, at commas and line ends; with `quotes`, at those outside of them."""
    ends, inside = [], np.uint8(0)
    for first in range(0, len(data), _BYTES_AT_ONCE):
        block = data[first : first + _BYTES_AT_ONCE]
        is_stop = (block == _COMMA) | (block == _NEWLINE)
        if quotes:
            is_inside = np.bitwise_xor.accumulate((block == _QUOTE).view(np.uint8)) ^ inside
            inside = is_inside[-1]
            is_stop &= is_inside == 0
        ends.append(first + np.flatnonzero(is_stop))
    end = np.concatenate(ends)
    return np.concatenate([np.zeros(1, np.int64), end + 1])[: len(end)], end


def _blank_lines(start: Positions, end: Positions, ends_line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells are all that their line has, and empty."""
    blank: NDArray[np.bool_] = ends_line & (start == end)
    blank[1:] &= ends_line[:-1]
    return blank


def _unquote(text: bytes, start: Positions, end: Positions) -> bool:
    """Take the quotes from around cells; return whether there are none elsewhere."""
    data = np.frombuffer(text, np.uint8)
    quoted = (end - start >= 2) & (data[start] == _QUOTE) & (data[end - 1] == _QUOTE)
    start += quoted
    end -= quoted
    return text.count(b'"') == 2 * int(np.count_nonzero(quoted))


def split_records(file: str, body: bytes) -> Split:
    """Split any CSV text (valid UTF-8) with the csv module; raise InvalidInput, at `file`, where it is none."""
    text = body.decode("utf-8-sig")
    records = (record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record)
    rows, ragged, parts = 0, dict[int, int](), list[list[_Part]]()
    try:
        header = next(records, [])
        while block := list(islice(records, _RECORDS_AT_ONCE)):
            ragged.update((rows + at, len(record)) for at, record in enumerate(block) if len(record) != len(header))
            rows += len(block)
            if not ragged:
                parts.append([_packed(column) for column in zip(*block, strict=True)])
    except csv.Error as error:
        raise InvalidInput(Fault(path=file, message=f"is not CSV: {error}; check its quotes")) from None
    columns = [_joined(column) for column in zip(*parts, strict=True)] if parts else [NO_CELLS] * len(header)
    return Split(
        header=header,
        rows=rows,
        columns=[] if ragged else columns,
        ragged=ragged,
        line=lambda row: _line_of_record(text, row + 1),
    )


_Part = tuple[bytes, list[int]]


def _packed(column: tuple[str, ...]) -> _Part:
    """Return cells as bytes one after another, and the width of each."""
    packed = "".join(column).encode()
    return packed, [len(cell) if cell.isascii() else len(cell.encode()) for cell in column]


def _joined(parts: tuple[_Part, ...]) -> Cells:
    width = np.fromiter(chain.from_iterable(widths for _, widths in parts), np.int64)
    end = np.cumsum(width)
    return Cells(body=b"".join((*(packed for packed, _ in parts), bytes(PADDING))), start=end - width, end=end)


def _line_of_record(text: str, number: int) -> int:
    """Return the line that a record (counted from 0, without blank ones) ends on."""
    reader = csv.reader(io.StringIO(text, newline=""))
    seen = -1
    for record in reader:
        seen += bool(record)
        if seen == number:
            break
    return reader.line_num
