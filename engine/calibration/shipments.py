"""Recorded shipments as columns, from a CSV file; every fault names file, line, column, value and remedy.

Here: what the file may hold. Not here: what is learned from it (`learning.py`). Days are calendar days as written in
the file: no time is moved to another zone.
"""

from __future__ import annotations

import csv
import gc
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.calibration.repeats import each_once
from engine.errors import Fault, InvalidInput
from engine.faults import nearest

REQUIRED = ("shipment_id", "ordered_at", "delivered_at")
OPTIONAL = ("node_id", "service", "zone", "distance_km", "weight_g", "promised_on")
COLUMNS = (*REQUIRED, *OPTIONAL)
EPOCH = 719_163
"""The ordinal of 1970-01-01."""
SECONDS_OF_DAY = 86_400.0
MOST_FAULTS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipments:
    """Shipments of one file, in its order; days count from 1970-01-01 as written, NaN where there is none."""

    file: str
    shipment_id: list[str]
    ordered_day: Floats
    """With the time of day as a fraction."""
    has_time: NDArray[np.bool_]
    delivered_day: Floats
    promised_day: Floats
    node_id: list[str]
    service: list[str]
    zone: list[str]
    distance_km: Floats
    weight_g: Floats
    notes: list[str] = field(default_factory=list)
    """What a person should know: columns that are not used, rows that were taken otherwise than they stand."""

    def __len__(self) -> int:
        """Return how many shipments there are."""
        return len(self.shipment_id)

    @property
    def days(self) -> Floats:
        """Calendar days from order to delivery; negative where delivery stands before the order."""
        return self.delivered_day - np.floor(self.ordered_day)


def read_history(path: Path) -> Shipments:
    """Read shipments to learn from; each needs its id, order and delivery. Raise InvalidInput naming every fault."""
    shipments = each_once(_read(path, delivered=True))
    early = np.flatnonzero(shipments.days < 0)
    if len(early):
        shipments.notes.append(
            f"{shipments.file}:{_line(path, int(early[0]))}:delivered_at: delivered before it was ordered, "
            f"as {len(early)} in all; taken as delivered on the day of the order"
        )
        np.copyto(shipments.delivered_day, np.maximum(shipments.delivered_day, np.floor(shipments.ordered_day)))
    return shipments


def read_tests(path: Path) -> Shipments:
    """Read shipments to predict; a blank `delivered_at` is one that cannot be scored. Ids stand once."""
    shipments = _read(path, delivered=False)
    first: dict[str, int] = {}
    faults = []
    for row, shipment_id in enumerate(shipments.shipment_id):
        before = first.setdefault(shipment_id, row)
        if before != row:
            place = f"{shipments.file}:{_line(path, row)}:shipment_id"
            said = f"{shipment_id!r} stands on line {_line(path, before)} too; a prediction is by id, keep one of them"
            faults.append(Fault(path=place, message=said))
    if faults:
        raise InvalidInput(faults)
    return shipments


def _text(path: Path) -> str:
    try:
        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"byte {error.object[error.start]:#x} is not UTF-8; save the file as UTF-8"
        raise InvalidInput(Fault(path=f"{path.name}:{line}", message=message)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"is not a whole gzip file ({error}); write the file again"
        raise InvalidInput(Fault(path=path.name, message=message)) from None
    except OSError as error:
        raise InvalidInput(Fault(path=str(path), message=f"cannot be read: {error.strerror or error}")) from None


def _line(path: Path, row: int) -> int:
    """Return the line on which a row (from 0) begins; lines are only counted once something is wrong."""
    reader, before = csv.reader(io.StringIO(_text(path), newline=""), strict=True), 1
    place = -2
    for record in reader:
        place += bool(record)
        if place == row:
            break
        before = reader.line_num + 1
    return before


def _read(path: Path, *, delivered: bool) -> Shipments:
    """Read a file; looking for garbage among a million rows that all stay would take a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return _read_rows(path, delivered=delivered)
    finally:
        if collects:
            gc.enable()


def _read_rows(path: Path, *, delivered: bool) -> Shipments:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        records = [record for record in reader if record]
    except csv.Error as error:
        line = reader.line_num
        raise InvalidInput(Fault(path=f"{path.name}:{line}", message=f"{error}; mend the quotes")) from None
    if not records:
        raise InvalidInput(Fault(path=path.name, message=f"is empty; give a header: {','.join(COLUMNS)}"))
    header, rows = [name.strip() for name in records[0]], records[1:]
    notes = _check_header(path.name, header, REQUIRED if delivered else REQUIRED[:2])
    ragged = [row for row, record in enumerate(rows) if len(record) != len(header)][:MOST_FAULTS]
    if ragged:
        raise InvalidInput(
            [
                Fault(
                    path=f"{path.name}:{_line(path, row)}",
                    message=f"has {len(rows[row])} values; the header has {len(header)} columns",
                )
                for row in ragged
            ]
        )
    if not rows:
        raise InvalidInput(Fault(path=path.name, message="has no shipment; give at least one row under the header"))
    return _typed(path, dict(zip(header, zip(*rows, strict=True), strict=True)), len(rows), delivered, notes)


def _check_header(file: str, header: Sequence[str], required: Sequence[str]) -> list[str]:
    faults = [
        Fault(path=f"{file}:1:{name}", message="stands twice in the header; keep one")
        for name in dict.fromkeys(name for name in header if header.count(name) > 1)
        if name in COLUMNS
    ]
    missing = [name for name in required if name not in header]
    others = [name for name in header if name not in COLUMNS]
    for name in missing:
        hint = f" (there is {', '.join(map(repr, others))})" if others else ""
        faults.append(Fault(path=f"{file}:1:{name}", message=f"the column is missing{hint}; add it"))
    if faults:
        raise InvalidInput(faults)
    return [f"{file}:1:{name}: this column is not used; {nearest(name, COLUMNS)}" for name in others]


def _typed(path: Path, cells: dict[str, tuple[str, ...]], rows: int, delivered: bool, notes: list[str]) -> Shipments:
    faults: list[Fault] = []

    def at(row: int, column: str, message: str) -> None:
        if len(faults) < MOST_FAULTS:
            faults.append(Fault(path=f"{path.name}:{_line(path, row)}:{column}", message=message))

    def text(column: str) -> list[str]:
        return [value.strip() for value in cells.get(column, ("",) * rows)]

    ids = text("shipment_id")
    for row in [row for row, value in enumerate(ids) if not value][:MOST_FAULTS]:
        at(row, "shipment_id", "is blank; give an id")
    ordered_day, has_time = _days(text("ordered_at"), "ordered_at", at, required=True)
    delivered_day, _ = _days(text("delivered_at"), "delivered_at", at, required=delivered)
    promised_day, _ = _days(text("promised_on"), "promised_on", at, required=False)
    distance_km = _numbers(text("distance_km"), "distance_km", at)
    weight_g = _numbers(text("weight_g"), "weight_g", at)
    if faults:
        raise InvalidInput(faults)
    return Shipments(
        file=path.name,
        shipment_id=ids,
        ordered_day=ordered_day,
        has_time=has_time,
        delivered_day=np.floor(delivered_day),
        promised_day=np.floor(promised_day),
        node_id=text("node_id"),
        service=text("service"),
        zone=text("zone"),
        distance_km=distance_km,
        weight_g=weight_g,
        notes=notes,
    )


Report = Callable[[int, str, str], None]


def _days(values: list[str], column: str, at: Report, *, required: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """Return days since 1970-01-01 as written, and whether a time of day was given."""
    result, timed = np.full(len(values), np.nan), np.zeros(len(values), bool)
    known: dict[str, float] = {}
    for row, value in enumerate(values):
        if not value:
            if required:
                at(row, column, "is blank; give a date, or leave the shipment out until it has one")
            continue
        day = known.get(value)
        if day is None:
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                at(row, column, f"{value[:40]!r} is no date; write 2026-03-01 or 2026-03-01T14:05:00+01:00")
                continue
            seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
            day = known[value] = moment.toordinal() - EPOCH + seconds / SECONDS_OF_DAY
        result[row] = day
        timed[row] = len(value) > 10
    return result, timed


def _numbers(values: list[str], column: str, at: Report) -> Floats:
    result = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if not value:
            continue
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if 0 <= number < float("inf"):
            result[row] = number
        else:
            at(row, column, f"{value[:40]!r} is not a number of 0 or more; write it like 12.5, or leave it blank")
    return result
