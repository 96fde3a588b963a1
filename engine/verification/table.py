"""Reading one CSV file of a problem folder, plain or gzipped, with a place for every complaint.

Here: bytes, header, rows, cells as text, whole numbers or decimals, and faults of rows that stand twice or refer to
nothing. Not here: what the cells mean (reading.py), and the result folder, whose faults are findings rather than bad
input (result.py).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
import re
import zlib
from collections.abc import Container, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault, InvalidInput

MOST = 2**53 - 1
"""The largest whole number of a problem folder: the worst total stays below 2^53 cents."""
MOST_UNITS = 10**6
"""The most units of an order line."""
MOST_FAULTS = 100

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Faults:
    """Collects what is wrong with a folder, so that its author sees many faults at once (at most 100)."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: str, message: str) -> None:
        """Record one fault; raise at once when there are so many that more would not help."""
        self._found.append(Fault(path=path, message=message))
        if len(self._found) >= MOST_FAULTS:
            self.stop_if_any()

    def stop_if_any(self) -> None:
        """Raise InvalidInput with everything recorded so far, if there is anything."""
        if self._found:
            raise InvalidInput(self._found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as text: `columns[name][i]` is a cell of row i, `lines[i]` the line it begins on."""

    file: str
    columns: dict[str, list[str]]
    lines: list[int]
    faults: Faults

    def fault(self, row: int, column: str, message: str) -> None:
        """Record a fault of one cell as `file:line:column`."""
        self.faults.add(f"{self.file}:{self.lines[row]}:{column}", message)

    def names(self, column: str) -> list[str]:
        """Return a column of identifiers, none of which may be blank."""
        cells = self.columns[column]
        if "" in cells:
            for row, cell in enumerate(cells):
                if not cell:
                    self.fault(row, column, "is blank; give an identifier")
        return cells

    def whole(self, column: str, *, least: int = 0, most: int = MOST) -> list[int]:
        """Return a column of whole numbers between `least` and `most`."""
        return [least if value is None else value for value in self._whole(column, least, most, blank=False)]

    def whole_or_blank(self, column: str, *, least: int = 0, most: int = MOST) -> list[int | None]:
        """Return a column of whole numbers in which a blank cell is None."""
        return self._whole(column, least, most, blank=True)

    def _whole(self, column: str, least: int, most: int, *, blank: bool) -> list[int | None]:
        values: list[int | None] = []
        for row, cell in enumerate(self.columns[column]):
            if len(cell) <= 16 and cell.isascii() and cell.isdigit() and least <= (value := int(cell)) <= most:
                values.append(value)
                continue
            values.append(None)
            if cell or not blank:
                self.fault(row, column, _wrong_whole(cell, least, most))
        return values

    def decimal_or_blank(self, column: str, *, least: float, most: float, blank: bool) -> list[float | None]:
        """Return a column of finite decimals; a blank cell is None where `blank` allows it, else a fault."""
        values: list[float | None] = []
        for row, cell in enumerate(self.columns[column]):
            value = float(cell) if _DECIMAL.fullmatch(cell) else None
            if value is not None and not (math.isfinite(value) and least <= value <= most):
                value = None
            if value is None and not (blank and not cell):
                self.fault(row, column, f"{_shown(cell)}; give a number from {least:g} to {most:g}")
            values.append(value)
        return values


def refuse_duplicates(table: Table, column: str, keys: Sequence[Hashable]) -> None:
    """Record a fault for each row whose key an earlier row has too; blank keys are faults of their own."""
    if len(set(keys)) == len(keys):
        return
    first: dict[Hashable, int] = {}
    for row, key in enumerate(keys):
        line = first.setdefault(key, table.lines[row])
        if line != table.lines[row] and key != "":
            shown = ", ".join(map(repr, key)) if isinstance(key, tuple) else repr(key)
            table.fault(row, column, f"{shown} was already given on line {line}; remove one of the two")


def refuse_unknown(
    table: Table, column: str, cells: Sequence[tuple[int, str]], known: Container[str], where: str
) -> None:
    """Record a fault for each (row, cell) that is not known in the file `where`."""
    for row, cell in cells:
        if cell and cell not in known:
            table.fault(row, column, f"{cell!r} is not in {where}; add it there or correct it here")


def find_file(folder: Path, name: str, faults: Faults) -> Path | None:
    """Return `name.csv` or `name.csv.gz`, None if there is neither, and record a fault if there are both."""
    found = [path for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz") if path.is_file()]
    if len(found) == 2:
        faults.add(f"{name}.csv", f"{name}.csv and {name}.csv.gz are both there; remove one of them")
    return found[0] if found else None


def read_bytes(path: Path) -> bytes:
    """Return the uncompressed bytes of a file; raise InvalidInput if it cannot be read or is cut short."""
    try:
        body = path.read_bytes()
        return gzip.decompress(body) if path.suffix == ".gz" else body
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"cannot be decompressed ({error}); the file is truncated or is not gzip: write it again"
        raise InvalidInput(Fault(path=path.name, message=message)) from None
    except OSError as error:
        raise InvalidInput(Fault(path=path.name, message=f"cannot be read: {error.strerror}")) from None


def digest(body: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def read_table(file: str, body: bytes, needed: Sequence[str], optional: Sequence[str], faults: Faults) -> Table:
    """Read a CSV file with a header row into columns; an absent optional column is all blank.

    Raises InvalidInput at once where nothing sensible can follow: undecodable text, a broken header, broken quotes.
    """
    rows, lines = _records(file, body)
    if not rows:
        faults.add(f"{file}:1", f"the file is empty; begin with the header {','.join(needed)}")
        faults.stop_if_any()
    header = rows[0]
    known = [*needed, *optional]
    for name in header:
        if name not in known:
            faults.add(f"{file}:1:{name}", f"unknown column {_shown(name)}; the columns are {', '.join(known)}")
    for name in sorted({name for name in header if header.count(name) > 1}):
        faults.add(f"{file}:1:{name}", "the column is there twice; remove one")
    for name in needed:
        if name not in header:
            faults.add(f"{file}:1:{name}", f"the column is missing; the columns are {', '.join(known)}")
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(header):
            faults.add(f"{file}:{line}", f"has {len(row)} cells where the header has {len(header)}")
    faults.stop_if_any()
    del rows[0], lines[0]
    cells = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    columns = {name: cells.get(name, [""] * len(rows)) for name in known}
    return Table(file=file, columns=columns, lines=lines, faults=faults)


def _records(file: str, body: bytes) -> tuple[list[list[str]], list[int]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"byte {body[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise InvalidInput(Fault(path=f"{file}:{line}", message=message)) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        for row in reader:
            if row:  # a blank line holds no row
                rows.append(row)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(Fault(path=f"{file}:{begins}", message=f"is not CSV: {error}; mend the quotes")) from None
    return rows, lines


def _wrong_whole(cell: str, least: int, most: int) -> str:
    if not cell:
        return f"is blank; give a whole number from {least} to {most}"
    if _WHOLE.fullmatch(cell):
        return f"{_shown(cell)} is out of range; give a whole number from {least} to {most}"
    return f"{_shown(cell)} is not a whole number; give one from {least} to {most}"


def _shown(cell: str) -> str:
    return repr(cell) if len(cell) <= 40 else repr(cell[:37] + "…")
