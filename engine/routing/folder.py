"""Reads a problem folder (docs/reference/problem-folder.md) into a `RoutingProblem`.

Here: which files and columns there are, how they refer to each other, and the canonical order that makes file order
irrelevant. Not here: CSV and numbers (`csv_table.py`), writing (`folder_writer.py`), solving.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.routing.csv_table import MOST_FAULTS, Column, CsvTable, find_table, read_bytes, read_table
from engine.routing.settings import ProblemSettings, read_settings
from engine.routing.worst_cost import check_worst_cost
from solvers.problem import (
    NO_DUE_DATE,
    UNLIMITED,
    IntArray,
    Lanes,
    Nodes,
    Orders,
    RateCards,
    RoutingProblem,
    Stock,
    Terms,
)

MOST_UNITS = 10**6
"""Units of one order line."""

_NAN, _INFINITY = float("nan"), float("inf")
_COORDINATES = (
    Column(name="latitude", kind=float, least=-90, most=90, blank=_NAN),
    Column(name="longitude", kind=float, least=-180, most=180, blank=_NAN),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "nodes": (
        Column(name="node_id"),
        Column(name="kind", blank=0),
        *_COORDINATES,
        Column(name="parcel_cost_cents", kind=int),
        Column(name="unit_cost_cents", kind=int),
        Column(name="capacity_units", kind=int, blank=UNLIMITED),
        Column(name="capacity_parcels", kind=int, blank=UNLIMITED),
        Column(name="priority", kind=int, least=-(2**53), blank=UNLIMITED, optional=True),
    ),
    "products": (Column(name="sku"), Column(name="weight_g", kind=int, most=2**31)),
    "stock": (Column(name="node_id"), Column(name="sku"), Column(name="available", kind=int, most=2**40)),
    "orders": (
        Column(name="order_id"),
        *_COORDINATES,
        Column(name="due_days", kind=int, most=2**31, blank=NO_DUE_DATE, optional=True),
        Column(name="max_nodes", kind=int, blank=-1, optional=True),
    ),
    "order_lines": (
        Column(name="order_id"),
        Column(name="sku"),
        Column(name="quantity", kind=int, least=1, most=MOST_UNITS),
    ),
    "zones": (Column(name="zone"), Column(name="max_km", kind=float, most=1e9, blank=_INFINITY)),
    "rates": (
        Column(name="service"),
        Column(name="zone"),
        Column(name="max_weight_g", kind=int),
        Column(name="cost_cents", kind=int),
        Column(name="transit_days", kind=int, most=3650),
    ),
    "lanes": (
        Column(name="node_id"),
        Column(name="order_id"),
        Column(name="service"),
        Column(name="cost_cents", kind=int),
        Column(name="transit_days", kind=int, most=3650),
    ),
}
ALWAYS = ("nodes", "stock", "orders", "order_lines")
_WITHOUT_LANES = ("products", "zones", "rates")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFolder:
    """A problem as it was read, with the hash that names it."""

    problem: RoutingProblem
    sha256: str


def read_problem(folder: Path) -> ProblemFolder:
    """Read and check a problem folder.

    Raises InvalidInput naming file, line, column, value and remedy; the same facts in any order of rows and columns
    give the same problem.
    """
    if not folder.is_dir():
        raise InvalidInput(Fault(path=str(folder), message="is not a folder; give the path of a problem folder"))
    if not (folder / "problem.json").is_file():
        message = "has no problem.json; a problem folder holds problem.json, nodes.csv, stock.csv, orders.csv, …"
        raise InvalidInput(Fault(path=str(folder), message=message))
    body = read_bytes(folder / "problem.json")
    settings = read_settings(body)
    tables = _read_tables(folder)
    digests = {table.file.removesuffix(".gz"): table.sha256 for table in tables.values()}
    digests["problem.json"] = hashlib.sha256(body).hexdigest()
    return ProblemFolder(problem=_Assembly(settings, tables).problem(), sha256=problem_sha256(digests))


def problem_sha256(digests: dict[str, str]) -> str:
    """Return the hash that names a problem: over the sorted lines `file name, NUL, sha256 of its bytes`."""
    lines = sorted(f"{name}\0{digest}" for name, digest in digests.items())
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _read_tables(folder: Path) -> dict[str, CsvTable]:
    """Read every table; beside lanes those that they replace are only checked for their columns, and may be empty."""
    found = {name: find_table(folder, name) for name in TABLES}
    explicit = found["lanes"] is not None
    needed = ALWAYS if explicit else (*ALWAYS, *_WITHOUT_LANES)
    missing = [name for name in needed if found[name] is None]
    if missing:
        raise InvalidInput(
            [Fault(path=str(folder), message=f"has no {name}.csv (or {name}.csv.gz); add it") for name in missing]
        )
    return {
        name: read_table(path, _columns(name, explicit), may_be_empty=explicit and name in _WITHOUT_LANES)
        for name, path in found.items()
        if path is not None
    }


def _columns(table: str, explicit_lanes: bool) -> tuple[Column, ...]:
    """Return what a table may hold; lanes make coordinates optional, and replace weights, zones and rates."""
    columns = TABLES[table]
    if not explicit_lanes:
        return columns
    if table in _WITHOUT_LANES:
        return tuple(Column(name=column.name, blank=0, optional=True) for column in columns)
    return tuple(replace(column, optional=True) if column in _COORDINATES else column for column in columns)


class _Assembly:
    """Turns tables into arrays: ids into indices, rows into canonical order, collecting faults on the way."""

    def __init__(self, settings: ProblemSettings, tables: dict[str, CsvTable]) -> None:
        self.settings, self.tables = settings, tables
        self.explicit_lanes = "lanes" in tables
        self.nodes = self._ids("nodes", "node_id")
        self.orders = self._ids("orders", "order_id")
        priced = tables["lanes" if self.explicit_lanes else "rates"]
        self.services = _ranked(priced.text["service"])
        if not self.explicit_lanes:
            self._ids("zones", "zone")
            self.skus = self._ids("products", "sku")
        else:
            self.skus = _ranked(tables["stock"].text["sku"] + tables["order_lines"].text["sku"])

    def problem(self) -> RoutingProblem:
        """Return the whole problem, or raise with the faults of the first table that has any."""
        settings = self.settings
        problem = RoutingProblem(
            name=settings.name,
            currency=settings.currency,
            terms=Terms(
                split_cost_cents=settings.split_cost_cents,
                backorder_cost_cents_per_unit=settings.backorder_cost_cents_per_unit,
                late_day_cost_cents=settings.late_day_cost_cents,
                line_split=settings.line_split == "allowed",
                max_distance_km=_INFINITY if settings.max_distance_km is None else settings.max_distance_km,
            ),
            nodes=self._nodes(),
            skus=tuple(self.skus),
            weight_g=self._weights(),
            stock=self._stock(),
            orders=self._orders(),
            services=tuple(self.services),
            rates=self._rates(),
            lanes=self._lanes() if self.explicit_lanes else None,
        )
        check_worst_cost(problem, "problem.json")
        return problem.freeze()

    def _ids(self, table: str, column: str) -> dict[str, int]:
        """Return the index of every id, by code point; refuse ids that stand twice."""
        values = self.tables[table].text[column]
        ranked = _ranked(values)
        if len(ranked) < len(values):
            self._refuse_repeats(table, (column,), values)
        return ranked

    def _refuse_repeats(self, table: str, columns: tuple[str, ...], keys: list[Any]) -> None:
        source, seen, faults = self.tables[table], dict[Any, int](), list[Fault]()
        for row, key in enumerate(keys):
            first = seen.setdefault(key, row)
            if first != row and len(faults) < MOST_FAULTS:
                shown = ", ".join(key) if isinstance(key, tuple) else key
                message = f"{shown!r} stands twice (first on line {source.line(first)}); keep one"
                faults.append(source.fault(row, columns[-1], message))
        if faults:
            raise InvalidInput(faults)

    def _refer(self, table: str, column: str, known: dict[str, int], where: str) -> IntArray:
        """Return the indices that a column of ids refers to."""
        source = self.tables[table]
        values = source.text[column]
        unknown = [row for row, value in enumerate(values) if value not in known]
        if unknown:
            raise InvalidInput(
                [
                    source.fault(row, column, f"{values[row]!r} is not in {where}; {nearest(values[row], known)}")
                    for row in unknown[:MOST_FAULTS]
                ]
            )
        return np.fromiter(map(known.__getitem__, values), np.int64, len(values))

    def _unique(self, table: str, columns: tuple[str, ...], order: IntArray, keys: tuple[IntArray, ...]) -> None:
        """Refuse rows that agree in all of `columns`; `keys` are their indices and `order` sorts by them."""
        same = np.ones(max(len(order) - 1, 0), np.bool_)
        for key in keys:
            same &= np.diff(key[order]) == 0
        if same.any():
            source = self.tables[table]
            shown = [source.text.get(column) or source.number[column].astype(str).tolist() for column in columns]
            self._refuse_repeats(table, columns, list(zip(*shown, strict=True)))

    def _sorted_numbers(self, table: str, ids: dict[str, int], column: str) -> dict[str, NDArray[Any]]:
        source = self.tables[table]
        order = np.argsort(np.fromiter(map(ids.__getitem__, source.text[column]), np.int64, source.rows))
        return {name: values[order] for name, values in source.number.items()}

    def _nodes(self) -> Nodes:
        self._need_coordinates("nodes")
        return Nodes(node_ids=tuple(self.nodes), **self._sorted_numbers("nodes", self.nodes, "node_id"))

    def _need_coordinates(self, table: str) -> None:
        source, faults = self.tables[table], list[Fault]()
        for name in ("latitude", "longitude"):
            blank = np.isnan(source.number[name])
            other = np.isnan(source.number["longitude" if name == "latitude" else "latitude"])
            wrong = blank & ~other if self.explicit_lanes else blank
            message = "is blank; give both coordinates in degrees"
            faults += [source.fault(int(row), name, message) for row in np.flatnonzero(wrong)[:MOST_FAULTS]]
        if faults:
            raise InvalidInput(faults)

    def _weights(self) -> IntArray:
        if self.explicit_lanes:
            return np.zeros(len(self.skus), np.int64)
        return self._sorted_numbers("products", self.skus, "sku")["weight_g"]

    def _stock(self) -> Stock:
        node = self._refer("stock", "node_id", self.nodes, "nodes.csv")
        sku = self._refer("stock", "sku", self.skus, "products.csv")
        available = self.tables["stock"].number["available"].astype(np.int64)
        order = np.lexsort((node, sku))
        self._unique("stock", ("node_id", "sku"), order, (sku, node))
        order = order[available[order] > 0]
        return Stock(start=_starts(sku[order], len(self.skus)), node=node[order], available=available[order])

    def _orders(self) -> Orders:
        self._need_coordinates("orders")
        numbers = self._sorted_numbers("orders", self.orders, "order_id")
        order = self._refer("order_lines", "order_id", self.orders, "orders.csv")
        sku = self._refer("order_lines", "sku", self.skus, "products.csv")
        rank = np.lexsort((sku, order))
        self._unique("order_lines", ("order_id", "sku"), rank, (order, sku))
        default = self.settings.max_nodes_per_order
        most = numbers["max_nodes"]
        return Orders(
            order_ids=tuple(self.orders),
            latitude=numbers["latitude"],
            longitude=numbers["longitude"],
            due_days=numbers["due_days"],
            max_parcels=np.where(most >= 0, most, UNLIMITED if default is None else default),
            line_start=_starts(order[rank], len(self.orders)),
            line_sku=sku[rank],
            line_quantity=self.tables["order_lines"].number["quantity"].astype(np.int64)[rank],
        )

    def _rates(self) -> RateCards:
        if self.explicit_lanes:
            none = np.zeros(0, np.int64)
            return RateCards(
                zones=(), zone_max_km=np.zeros(0), start=none, max_weight_g=none, cost_cents=none, transit_days=none
            )
        zones, max_km = self.tables["zones"], self.tables["zones"].number["max_km"]
        by_reach = np.argsort(max_km, kind="stable")
        if len(np.unique(max_km)) < len(max_km):
            row = int(by_reach[1:][np.diff(max_km[by_reach]) == 0][0]) if np.isfinite(max_km).all() else zones.rows - 1
            raise InvalidInput(
                zones.fault(row, "max_km", "stands twice; give each zone its own reach, one blank at most")
            )
        names = [zones.text["zone"][row] for row in by_reach]
        service = self._refer("rates", "service", self.services, "rates.csv")
        zone = self._refer("rates", "zone", {name: at for at, name in enumerate(names)}, "zones.csv")
        numbers = {name: values.astype(np.int64) for name, values in self.tables["rates"].number.items()}
        order = np.lexsort((numbers["max_weight_g"], zone, service))
        self._unique("rates", ("service", "zone", "max_weight_g"), order, (service, zone, numbers["max_weight_g"]))
        return RateCards(
            zones=tuple(names),
            zone_max_km=max_km[by_reach].astype(np.float64),
            start=_starts((service * len(names) + zone)[order], len(self.services) * len(names)),
            max_weight_g=numbers["max_weight_g"][order],
            cost_cents=numbers["cost_cents"][order],
            transit_days=numbers["transit_days"][order],
        )

    def _lanes(self) -> Lanes:
        node = self._refer("lanes", "node_id", self.nodes, "nodes.csv")
        order = self._refer("lanes", "order_id", self.orders, "orders.csv")
        service = self._refer("lanes", "service", self.services, "lanes.csv")
        rank = np.lexsort((service, node, order))
        self._unique("lanes", ("node_id", "order_id", "service"), rank, (order, node, service))
        numbers = self.tables["lanes"].number
        return Lanes(
            start=_starts(order[rank], len(self.orders)),
            node=node[rank],
            service=service[rank],
            cost_cents=numbers["cost_cents"].astype(np.int64)[rank],
            transit_days=numbers["transit_days"].astype(np.int64)[rank],
        )


def _ranked(values: list[str]) -> dict[str, int]:
    """Return the index of every distinct value, in code point order."""
    return {value: at for at, value in enumerate(sorted(set(values)))}


def _starts(index: IntArray, size: int) -> IntArray:
    """Return the compressed row starts of sorted indices."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(index, minlength=size))]).astype(np.int64)
