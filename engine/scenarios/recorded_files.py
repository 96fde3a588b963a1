"""Reads recorded orders and returns from CSV files with a row a line, and from JSON files, each plain or `.gz`.

Here: columns, and rows that belong to one order. Not here: what is made of the orders (recorded.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.errors import Fault, InvalidInput
from engine.faults import read_document
from engine.routing.csv_table import MOST_FAULTS, Column, CsvTable, read_bytes, read_table
from engine.scenarios.recorded_document import (
    OrdersFile,
    RecordedLineDocument,
    RecordedOrderDocument,
    RecordedReturnDocument,
    ReturnsFile,
)

_MOST_UNITS = 10**6
_ORDERS = (
    Column(name="order_id"),
    Column(name="placed_at"),
    Column(name="channel", blank=0, optional=True),
    Column(name="latitude", kind=float, least=-90, most=90, blank=np.nan, optional=True),
    Column(name="longitude", kind=float, least=-180, most=180, blank=np.nan, optional=True),
    Column(name="country", blank=0, optional=True),
    Column(name="postal_code", blank=0, optional=True),
    Column(name="need_by", blank=0, optional=True),
    Column(name="sku"),
    Column(name="quantity", kind=int, least=1, most=_MOST_UNITS),
)
_RETURNS = (
    Column(name="returned_at"),
    Column(name="sku"),
    Column(name="quantity", kind=int, least=1, most=_MOST_UNITS),
)
_AN_INSTANT = "an instant as 'YYYY-MM-DDTHH:MM'"
Parsed = TypeVar("Parsed")
_ONE_AN_ORDER = ("placed_at", "channel", "latitude", "longitude", "country", "postal_code", "need_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrders:
    """Orders of a file, where each of them stands there, and the file's SHA-256 before it was packed."""

    orders: Sequence[RecordedOrderDocument]
    paths: Sequence[str]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReturns:
    """Returns of a file, where each of them stands there, and the file's SHA-256 before it was packed."""

    returns: Sequence[RecordedReturnDocument]
    paths: Sequence[str]
    sha256: str


def read_orders(path: Path) -> ReadOrders:
    """Read a file of orders; raises InvalidInput naming file, line, column, value and remedy."""
    if _is_json(path):
        body = read_bytes(path)
        listed = read_document(OrdersFile, body, path.name).orders
        paths = [f"{path.name}:$.orders[{number}]" for number in range(len(listed))]
        return ReadOrders(orders=listed, paths=paths, sha256=hashlib.sha256(body).hexdigest())
    table = read_table(path, _ORDERS)
    faults: list[Fault] = []
    instants = _parsed(table, "placed_at", _instant, _AN_INSTANT, faults)
    needed = _parsed(table, "need_by", date.fromisoformat, "a day as 'YYYY-MM-DD'", faults)
    first_rows = _first_rows(table, faults)
    if faults:
        raise InvalidInput(faults)
    lines: dict[int, list[RecordedLineDocument]] = {row: [] for row in dict.fromkeys(first_rows)}
    for row, sku, quantity in zip(first_rows, table.text["sku"], table.number["quantity"].tolist(), strict=True):
        lines[row].append(RecordedLineDocument.model_construct(sku=sku, quantity=quantity))
    columns = _columns(table)
    orders = [
        RecordedOrderDocument.model_construct(
            **{name: columns[name][row] for name in columns},
            placed_at=instants[row],
            need_by=needed[row],
            lines=tuple(found),
        )
        for row, found in lines.items()
    ]
    return ReadOrders(orders=orders, paths=[f"{table.file}:{table.line(row)}" for row in lines], sha256=table.sha256)


def read_returns(path: Path) -> ReadReturns:
    """Read a file of returns; raises InvalidInput naming file, line, column, value and remedy."""
    if _is_json(path):
        body = read_bytes(path)
        returns = read_document(ReturnsFile, body, path.name).returns
        paths = [f"{path.name}:$.returns[{number}]" for number in range(len(returns))]
        return ReadReturns(returns=returns, paths=paths, sha256=hashlib.sha256(body).hexdigest())
    table = read_table(path, _RETURNS)
    faults: list[Fault] = []
    instants = _parsed(table, "returned_at", _instant, _AN_INSTANT, faults)
    if faults:
        raise InvalidInput(faults)
    rows = zip(instants, table.text["sku"], table.number["quantity"].tolist(), strict=True)
    return ReadReturns(
        returns=[
            RecordedReturnDocument.model_construct(returned_at=at, sku=sku, quantity=quantity)
            for at, sku, quantity in rows
        ],
        paths=[f"{table.file}:{table.line(row)}" for row in range(table.rows)],
        sha256=table.sha256,
    )


def _is_json(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(".json")


def _columns(table: CsvTable) -> dict[str, list[Any]]:
    """Return the columns that an order takes as they are; what is blank or missing is None, a channel `web`."""
    found: dict[str, list[Any]] = {"order_id": list(table.text["order_id"])}
    for name in ("country", "postal_code"):
        found[name] = [text or None for text in table.text[name]] or [None] * table.rows
    for name in ("latitude", "longitude"):
        found[name] = [None if np.isnan(value) else value for value in table.number[name].tolist()]
    found["channel"] = [text or "web" for text in table.text["channel"]] or ["web"] * table.rows
    return found


def _first_rows(table: CsvTable, faults: list[Fault]) -> list[int]:
    """Return the first row of each row's order, noting rows that say otherwise than it of the order."""
    first: dict[str, int] = {}
    rows = [first.setdefault(order_id, row) for row, order_id in enumerate(table.text["order_id"])]
    chosen = np.array(rows)
    for name in _ONE_AN_ORDER:
        values = table.number[name] if name in table.number else np.array(table.text[name])
        if not len(values):
            continue
        differs = values != values[chosen]
        if name in table.number:
            differs &= ~(np.isnan(values) & np.isnan(values[chosen]))
        for row in np.flatnonzero(differs)[:MOST_FAULTS].tolist():
            message = f"differs from line {table.line(rows[row])} of the same order; write it alike on all of its lines"
            faults.append(table.fault(row, name, message))
    return rows


def _instant(text: str) -> datetime:
    if len(text) <= len("YYYY-MM-DD"):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _parsed(
    table: CsvTable, column: str, parse: Callable[[str], Parsed], remedy: str, faults: list[Fault]
) -> list[Any]:
    """Return a column's values; blank ones, and those that are wrong and noted, are None."""
    values: dict[str, Parsed | None] = {"": None}
    found = []
    for row, text in enumerate(table.text[column]):
        if text not in values:
            try:
                values[text] = parse(text)
            except ValueError:
                values[text] = None
                faults.append(table.fault(row, column, f"{text!r} is not valid; give {remedy}"))
                if len(faults) >= MOST_FAULTS:
                    break
        found.append(values[text])
    return found or [None] * table.rows
