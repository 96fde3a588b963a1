"""Writes a problem folder (one routing batch as plain files), canonically sorted, all or nothing.

Here: the order of columns and rows, number and text forms, compression. Not here: what goes into the tables, and
reading (`folder.py`).
"""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.routing.settings import ProblemSettings

Columns: TypeAlias = Mapping[str, Sequence[Any] | NDArray[Any]]
"""One table by columns: name → values (text, integers, floats; None is a blank), all of one length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemTables:
    """Everything a problem folder holds, table by table; an optional table that is None is not written."""

    settings: ProblemSettings
    nodes: Columns
    stock: Columns
    orders: Columns
    order_lines: Columns
    products: Columns | None = None
    zones: Columns | None = None
    rates: Columns | None = None
    lanes: Columns | None = None
    pins: Columns | None = None
    current_plan: Columns | None = None


def _zone_place(row: tuple[Any, ...]) -> tuple[bool, float]:
    return (row[1] is None, 0.0 if row[1] is None else float(row[1]))


def _line_place(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(cell or "" for cell in row[:3])


def _rate_place(row: tuple[Any, ...]) -> tuple[str, str, int]:
    return (row[0], row[1], row[2])


@dataclass(frozen=True, slots=True)
class _Layout:
    columns: tuple[str, ...]
    optional: tuple[str, ...]
    place: Callable[[tuple[Any, ...]], Any]  # the sort key of a row given in the order of `columns`


_LAYOUTS: dict[str, _Layout] = {
    "nodes": _Layout(
        (
            "node_id",
            "kind",
            "latitude",
            "longitude",
            "parcel_cost_cents",
            "unit_cost_cents",
            "capacity_units",
            "capacity_parcels",
        ),
        ("priority",),
        lambda row: row[0],
    ),
    "products": _Layout(("sku", "weight_g"), (), lambda row: row[0]),
    "stock": _Layout(("node_id", "sku", "available"), (), lambda row: (row[0], row[1])),
    "orders": _Layout(("order_id", "latitude", "longitude"), ("due_days", "max_nodes"), lambda row: row[0]),
    "order_lines": _Layout(("order_id", "sku", "quantity"), (), lambda row: (row[0], row[1])),
    "zones": _Layout(("zone", "max_km"), (), _zone_place),
    "rates": _Layout(("service", "zone", "max_weight_g", "cost_cents", "transit_days"), (), _rate_place),
    "lanes": _Layout(("node_id", "order_id", "service", "cost_cents", "transit_days"), (), lambda row: row[:3]),
    "pins": _Layout(("order_id", "sku", "node_id"), (), _line_place),
    "current_plan": _Layout(("order_id", "sku", "node_id"), ("quantity", "service"), _line_place),
}


def write_problem_folder(folder: Path, tables: ProblemTables, *, compress_above_bytes: int | None = None) -> None:
    """Write `tables` into `folder`, which must be absent or empty; either all files appear or none.

    Rows are sorted by their identifiers' code points, lines end in LF, and the same tables give the same bytes.
    A CSV file longer than `compress_above_bytes` is written as `.csv.gz`. Raises InvalidInput if the folder holds
    anything; ValueError if a table lacks a column or has one the contract does not know.
    """
    refuse_occupied(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        staging.chmod(0o755)
        (staging / "problem.json").write_text(_settings_text(tables.settings), encoding="utf-8")
        for table in _LAYOUTS:
            columns: Columns | None = getattr(tables, table)
            if columns is None:
                continue
            body = _csv_bytes(table, columns)
            if compress_above_bytes is not None and len(body) > compress_above_bytes:
                (staging / f"{table}.csv.gz").write_bytes(gzip.compress(body, compresslevel=9, mtime=0))
            else:
                (staging / f"{table}.csv").write_bytes(body)
        staging.rename(folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _settings_text(settings: ProblemSettings) -> str:
    """Return problem.json; a move cost of 0 is left out, so that a folder without one keeps its bytes and its hash."""
    left_out = None if settings.move_cost_cents else {"move_cost_cents"}
    return f"{settings.model_dump_json(indent=2, exclude=left_out)}\n"


def refuse_occupied(folder: Path) -> None:
    """Raise InvalidInput unless `folder` is absent or an empty folder; call it before long work."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is a file; name a new or empty folder"))
    if any(folder.iterdir()):
        raise InvalidInput(Fault(path=str(folder), message="is not empty; name a new folder or empty this one first"))


def _csv_bytes(table: str, columns: Columns) -> bytes:
    layout = _LAYOUTS[table]
    names = [*layout.columns, *(name for name in layout.optional if name in columns)]
    unknown = sorted(set(columns) - set(names))
    missing = [name for name in names if name not in columns]
    if unknown or missing:
        raise ValueError(f"{table}: unknown columns {unknown}, missing columns {missing}")
    values = [_plain(columns[name]) for name in names]
    rows = sorted(zip(*values, strict=True), key=layout.place)
    lines = _Lines()
    writer = csv.writer(lines, lineterminator=_Lines.ENDED_BY)
    writer.writerow(names)
    writer.writerows(rows)
    return lines.text.getvalue().encode()


class _Lines:
    """Takes records from a csv writer and ends each in LF.

    The csv module of Python 3.11 quotes a line end in a value only if its own lines end so: a lone carriage return in
    an id would be read as the end of a line.
    """

    ENDED_BY = "\r\n"

    def __init__(self) -> None:
        self.text = io.StringIO(newline="")

    def write(self, line: str) -> None:
        """Take one record."""
        self.text.write(f"{line.removesuffix(self.ENDED_BY)}\n")


def _plain(column: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    """Return plain Python values: numpy's scalars are slow to sort and to print."""
    return column.tolist() if isinstance(column, np.ndarray) else column
