"""One CSV table of a problem folder as typed columns; every fault names file, line, column, value and remedy.

Here: finding the file (`.csv` or `.csv.gz`), its header, and turning text into numbers. Not here: what the tables mean
together (`folder.py`).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.faults import nearest

NEWLINE = b"\n"
MOST_FAULTS = 20
"""Faults of one column that are told; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column may hold: text, or numbers in a range; a blank is `blank`, or an error when that is None."""

    name: str
    kind: type[str] | type[int] | type[float] = str
    least: float = 0
    most: float = 2**53
    blank: float | None = None
    optional: bool = False
    """The column may be missing; then every value is the blank one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """One table that was read: `text[name]` for columns of ids, `number[name]` for int64 and float64 columns."""

    file: str
    """The name of the file inside its folder."""
    rows: int
    text: dict[str, list[str]]
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
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte {body[error.start]:#x} is not UTF-8; save the file as UTF-8"
        raise InvalidInput(
            Fault(path=f"{path.name}:{body.count(NEWLINE, 0, error.start) + 1}", message=message)
        ) from None
    try:
        records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    except csv.Error as error:
        raise InvalidInput(Fault(path=path.name, message=f"is not CSV: {error}; check its quotes")) from None
    if not records and may_be_empty:
        records = [[column.name for column in columns]]
    header = _check_header(path.name, records, columns)
    records = records[1:]
    rows = len(records)

    def line(row: int) -> int:
        reader = csv.reader(io.StringIO(text, newline=""))
        seen = -1
        for record in reader:
            seen += bool(record)
            if seen == row + 1:
                break
        return reader.line_num

    table = CsvTable(file=path.name, rows=rows, text={}, number={}, sha256=hashlib.sha256(body).hexdigest(), line=line)
    _check_widths(table, records, len(header))
    values = dict(zip(header, zip(*records, strict=True) if records else [()] * len(header), strict=True))
    faults: list[Fault] = []
    for column in columns:
        found = values.get(column.name)
        if column.kind is str:
            table.text[column.name] = list(found or ())
            if found and column.blank is None:
                blanks = (row for row, value in enumerate(found) if not value)
                faults += [table.fault(row, column.name, "is blank; give an id") for row in list(blanks)[:MOST_FAULTS]]
        else:
            table.number[column.name] = _numbers(table, column, found, faults)
    if faults:
        raise InvalidInput(faults)
    return table


def _check_header(file: str, records: list[list[str]], columns: Sequence[Column]) -> list[str]:
    if not records:
        names = ", ".join(column.name for column in columns)
        raise InvalidInput(Fault(path=f"{file}:1", message=f"is empty; the first line must name the columns: {names}"))
    header = records[0]
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
    return header


def _check_widths(table: CsvTable, records: list[list[str]], width: int) -> None:
    wrong = [row for row, record in enumerate(records) if len(record) != width]
    if wrong:
        raise InvalidInput(
            [
                Fault(
                    path=f"{table.file}:{table.line(row)}",
                    message=f"has {len(records[row])} values; the header names {width} columns",
                )
                for row in wrong[:MOST_FAULTS]
            ]
        )


def _numbers(table: CsvTable, column: Column, found: Sequence[str] | None, faults: list[Fault]) -> NDArray[Any]:
    """Return the column as numbers; append the faults of the values that are none, or out of range."""
    dtype = np.int64 if column.kind is int else np.float64
    if found is None:
        return np.full(table.rows, column.blank, dtype)
    values: list[Any] = []
    told = len(faults) + MOST_FAULTS
    for row, text in enumerate(found):
        try:
            value: Any = column.kind(text) if text else column.blank
        except ValueError:
            value = None
        in_range = value is not None and (not text or column.least <= value <= column.most)
        if in_range and text.isascii() and "_" not in text:
            values.append(value)
        elif len(faults) < told:
            faults.append(table.fault(row, column.name, _wrong(column, text)))
    return np.array(values if len(values) == table.rows else [0] * table.rows, dtype)


def _wrong(column: Column, text: str) -> str:
    what = "a whole number" if column.kind is int else "a finite number"
    least, most = f"{column.least:.15g}", f"{column.most:.15g}"
    blank = ", or leave it blank" if column.blank is not None else ""
    return f"{text!r} is not valid; give {what} from {least} to {most}{blank}"
