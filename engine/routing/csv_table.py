"""One CSV table of a problem folder as typed columns; every fault names file, line, column, value and remedy.

Here: finding the file (`.csv` or `.csv.gz`), its header, and what its values may be; every fault is found and told
here. Not here: cells (`csv_cells.py`), the numbers that are written plainly (`csv_numbers.py`), what the tables mean
together (`folder.py`).
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.routing.csv_cells import NO_CELLS, Cells, Split, split_plain, split_records
from engine.routing.csv_numbers import plain_decimals, plain_integers

NEWLINE = b"\n"
_WHOLE = re.compile(r"[0-9]{1,16}|-[1-9][0-9]{0,15}")
_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MOST_FAULTS = 20
"""Faults of one column that are told; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column may hold: text, or numbers in a range; a blank is `blank`, or an error when that is None."""

    name: str
    kind: type[str] | type[int] | type[float] = str
    least: float = 0
    most: float = 2**53 - 1
    blank: float | None = None
    optional: bool = False
    """The column may be missing; then every value is the blank one."""


class Texts(Mapping[str, list[str]]):
    """Columns of text by name; a column becomes strings each time it is asked for, `cells` keeps it as it was read."""

    def __init__(self, cells: dict[str, Cells]) -> None:
        self.cells = cells

    def __getitem__(self, name: str) -> list[str]:
        """Return a column as strings, one per row."""
        return self.cells[name].texts()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self.cells)

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """One table that was read: `text[name]` for columns of ids, `number[name]` for int64 and float64 columns."""

    file: str
    """The name of the file inside its folder."""
    rows: int
    text: Texts
    number: dict[str, NDArray[Any]]
    sha256: str
    """Of the uncompressed bytes."""
    line: Callable[[int], int]
    """The line of the file that a row (counted from 0) stands on."""

    def fault(self, row: int, column: str, message: str) -> Fault:
        """Return a fault at a row and column of this file."""
        return Fault(path=f"{self.file}:{self.line(row)}:{column}", message=message)


def find_table(folder: Path, name: str) -> Path | None:
    """Return the file that holds a table, or None; raise InvalidInput if it is there twice."""
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    if plain.exists() and packed.exists():
        raise InvalidInput(Fault(path=str(folder), message=f"has both {plain.name} and {packed.name}; remove one"))
    return plain if plain.exists() else packed if packed.exists() else None


def read_bytes(path: Path) -> bytes:
    """Return the uncompressed content of a file; raise InvalidInput if it cannot be read."""
    try:
        body = path.read_bytes()
        return gzip.decompress(body) if path.suffix == ".gz" else body
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        remedy = "write the file again, it is cut short or damaged"
        raise InvalidInput(Fault(path=path.name, message=f"is not a whole gzip file ({error}); {remedy}")) from None
    except OSError as error:
        raise InvalidInput(Fault(path=str(path), message=f"cannot be read: {error.strerror or error}")) from None


def read_table(path: Path, columns: Sequence[Column], *, may_be_empty: bool = False) -> CsvTable:
    """Read one table; raise InvalidInput naming every fault of its header, or the first faults of its values.

    With `may_be_empty` a file without even a header is a table without rows.
    """
    body = read_bytes(path)
    _check_encoding(path.name, body)
    split = split_plain(body) or split_records(path.name, body)
    header = split.header
    if not header and may_be_empty:
        header = [column.name for column in columns]
    _check_header(path.name, header, columns)
    cells = dict(zip(header, split.columns or [NO_CELLS] * len(header), strict=True))
    table = CsvTable(
        file=path.name,
        rows=split.rows,
        text=Texts({column.name: cells.get(column.name, NO_CELLS) for column in columns if column.kind is str}),
        number={},
        sha256=hashlib.sha256(body).hexdigest(),
        line=split.line,
    )
    _check_widths(table, split)
    faults: list[Fault] = []
    for column in columns:
        found = cells.get(column.name)
        if column.kind is not str:
            table.number[column.name] = _numbers(table, column, found, faults)
        elif found is not None and column.blank is None:
            blank = np.flatnonzero(found.width == 0)[:MOST_FAULTS].tolist()
            faults += [table.fault(row, column.name, "is blank; give an id") for row in blank]
    if faults:
        raise InvalidInput(faults)
    return table


def _check_encoding(file: str, body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        message = f"byte {body[error.start]:#x} is not UTF-8; save the file as UTF-8"
        raise InvalidInput(Fault(path=f"{file}:{body.count(NEWLINE, 0, error.start) + 1}", message=message)) from None


def _check_header(file: str, header: list[str], columns: Sequence[Column]) -> None:
    if not header:
        names = ", ".join(column.name for column in columns)
        raise InvalidInput(Fault(path=f"{file}:1", message=f"is empty; the first line must name the columns: {names}"))
    known = [column.name for column in columns]
    faults = [
        Fault(path=f"{file}:1:{name}", message=f"unknown column {name!r}; {nearest(name, known)}")
        for name in header
        if name not in known
    ]
    faults += [
        Fault(path=f"{file}:1:{name}", message=f"column {name!r} stands twice; keep one")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    faults += [
        Fault(path=f"{file}:1:{column.name}", message=f"column {column.name!r} is missing; add it")
        for column in columns
        if column.name not in header and not column.optional
    ]
    if faults:
        raise InvalidInput(faults)


def _check_widths(table: CsvTable, split: Split) -> None:
    if split.ragged:
        raise InvalidInput(
            [
                Fault(
                    path=f"{table.file}:{table.line(row)}",
                    message=f"has {width} values; the header names {len(split.header)} columns",
                )
                for row, width in islice(split.ragged.items(), MOST_FAULTS)
            ]
        )


def _numbers(table: CsvTable, column: Column, cells: Cells | None, faults: list[Fault]) -> NDArray[Any]:
    """Return the column as numbers; append the faults of the values that are none, or out of range."""
    if cells is None:
        return np.full(table.rows, column.blank, np.int64 if column.kind is int else np.float64)
    values, right = plain_integers(cells) if column.kind is int else plain_decimals(cells)
    right &= (values >= column.least) & (values <= column.most)
    if column.blank is not None:
        blank = cells.width == 0
        values[blank] = column.blank
        right |= blank
    told = len(faults) + MOST_FAULTS
    rows = np.flatnonzero(~right)
    for row, text in zip(rows.tolist(), cells.texts(rows), strict=True):
        value = _number(column, text)
        if value is not None:
            values[row] = value
        elif len(faults) < told:
            faults.append(table.fault(row, column.name, _wrong(column, text)))
    return values


def _number(column: Column, text: str) -> float | None:
    """Return the number that a text stands for in a column, or None if it is none or out of range."""
    if column.kind is int:
        value: float | None = int(text) if _WHOLE.fullmatch(text) else None
    else:
        value = float(text) if _DECIMAL.fullmatch(text) else None
    return value if value is not None and column.least <= value <= column.most else None


def _wrong(column: Column, text: str) -> str:
    what = "a whole number" if column.kind is int else "a finite number"
    least, most = f"{column.least:.15g}", f"{column.most:.15g}"
    blank = ", or leave it blank" if column.blank is not None else ""
    return f"{text!r} is not valid; give {what} from {least} to {most}{blank}"
