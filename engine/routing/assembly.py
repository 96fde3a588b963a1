"""Turns the tables of a problem folder into a `RoutingProblem`: ids into indices, rows into canonical order.

Here: how tables refer to each other, and what is wrong between them. Not here: the tables themselves (`folder.py`,
`csv_table.py`), how ids become indices (`ids.py`), which line a row of `pins.csv` or `current_plan.csv` is of
(`earlier.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.routing.csv_table import MOST_FAULTS, CsvTable
from engine.routing.earlier import OrderLines, current_nodes, pinned_nodes
from engine.routing.ids import UNKNOWN, name_together, sort_rows
from engine.routing.settings import ProblemSettings
from engine.routing.worst_cost import check_worst_cost
from solvers.problem import (
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

_INFINITY = float("inf")
_EARLIER = ("pins", "current_plan")


class Assembly:
    """Turns tables into arrays: ids into indices, rows into canonical order, collecting faults on the way."""

    def __init__(self, settings: ProblemSettings, tables: dict[str, CsvTable]) -> None:
        self.settings, self.tables = settings, tables
        self.explicit_lanes = "lanes" in tables
        self._index: dict[tuple[str, str], IntArray] = {}
        priced = "lanes" if self.explicit_lanes else "rates"
        self.nodes = self._ids("node_id", "nodes", "stock", "lanes", *_EARLIER)
        self.orders = self._ids("order_id", "orders", "order_lines", "lanes", *_EARLIER)
        self.services = self._names("service", [priced])
        if not self.explicit_lanes:
            self.zones = self._ids("zone", "zones", "rates")
            self.skus = self._ids("sku", "products", "stock", "order_lines", *_EARLIER)
        else:
            self.skus = self._names("sku", ["stock", "order_lines"], list(_EARLIER))

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
                move_cost_cents=settings.move_cost_cents,
                max_distance_km=_INFINITY if settings.max_distance_km is None else settings.max_distance_km,
            ),
            nodes=self._nodes(),
            skus=self.skus,
            weight_g=self._weights(),
            stock=self._stock(),
            orders=self._orders(),
            services=self.services,
            rates=self._rates(),
            lanes=self._lanes() if self.explicit_lanes else None,
        )
        check_worst_cost(problem, "problem.json")
        return problem.freeze()

    def _names(self, column: str, defining: list[str], referring: list[str] | None = None) -> tuple[str, ...]:
        """Return the ids of a column that the defining tables have, by code point, and index it in all tables."""
        known = defining, [table for table in referring or () if table in self.tables]
        cells = [[self.tables[table].text.cells[column] for table in tables] for tables in known]
        found = name_together(*cells)
        for table, index in zip(chain(*known), chain(found.defining, found.referring), strict=True):
            self._index[table, column] = index
        return found.names

    def _ids(self, column: str, defining: str, *referring: str) -> tuple[str, ...]:
        """Return the ids of a table, by code point; refuse ids that stand twice."""
        names = self._names(column, [defining], list(referring))
        if len(names) < self.tables[defining].rows:
            self._refuse_repeats(defining, (column,), self.tables[defining].text[column])
        return names

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

    def _refer(self, table: str, column: str, known: Collection[str], where: str) -> IntArray:
        """Return the indices that a column of ids refers to."""
        index = self._index[table, column]
        unknown = np.flatnonzero(index == UNKNOWN)[:MOST_FAULTS]
        if len(unknown):
            source = self.tables[table]
            values = zip(unknown.tolist(), source.text.cells[column].texts(unknown), strict=True)
            raise InvalidInput(
                [
                    source.fault(row, column, f"{value!r} is not in {where}; {nearest(value, known)}")
                    for row, value in values
                ]
            )
        return index

    def _sorted(self, table: str, columns: tuple[str, ...], keys: tuple[IntArray, ...]) -> IntArray:
        """Return the order of rows by `keys`, which are the indices of `columns`; refuse rows that agree in all."""
        order, repeats = sort_rows(keys)
        if repeats:
            source = self.tables[table]
            shown = [source.text.get(column) or source.number[column].astype(str).tolist() for column in columns]
            self._refuse_repeats(table, columns, list(zip(*shown, strict=True)))
        return order

    def _sorted_numbers(self, table: str, column: str) -> dict[str, NDArray[Any]]:
        order = np.argsort(self._index[table, column], kind="stable")
        return {name: values[order] for name, values in self.tables[table].number.items()}

    def _nodes(self) -> Nodes:
        self._need_coordinates("nodes")
        return Nodes(node_ids=self.nodes, **self._sorted_numbers("nodes", "node_id"))

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
        return self._sorted_numbers("products", "sku")["weight_g"]

    def _stock(self) -> Stock:
        node = self._refer("stock", "node_id", self.nodes, "nodes.csv")
        sku = self._refer("stock", "sku", self.skus, "products.csv")
        available = self.tables["stock"].number["available"]
        order = self._sorted("stock", ("node_id", "sku"), (sku, node))
        order = order[available[order] > 0]
        return Stock(start=_starts(sku[order], len(self.skus)), node=node[order], available=available[order])

    def _orders(self) -> Orders:
        self._need_coordinates("orders")
        numbers = self._sorted_numbers("orders", "order_id")
        order = self._refer("order_lines", "order_id", self.orders, "orders.csv")
        sku = self._refer("order_lines", "sku", self.skus, "products.csv")
        rank = self._sorted("order_lines", ("order_id", "sku"), (order, sku))
        default = self.settings.max_nodes_per_order
        most = numbers["max_nodes"]
        lines = OrderLines(order=order[rank], sku=sku[rank], skus=len(self.skus))
        return Orders(
            order_ids=self.orders,
            latitude=numbers["latitude"],
            longitude=numbers["longitude"],
            due_days=numbers["due_days"],
            max_parcels=np.where(most >= 0, most, UNLIMITED if default is None else default),
            line_start=_starts(order[rank], len(self.orders)),
            line_sku=sku[rank],
            line_quantity=self.tables["order_lines"].number["quantity"][rank],
            line_pinned_node=self._pinned_nodes(lines),
            line_current_node=self._current_nodes(lines),
        )

    def _pinned_nodes(self, lines: OrderLines) -> IntArray | None:
        """Return the only node that may ship each line, or -1; None if nothing is pinned."""
        if "pins" not in self.tables:
            return None
        node = self._refer("pins", "node_id", self.nodes, "nodes.csv")
        order = self._refer("pins", "order_id", self.orders, "orders.csv")
        pinned = pinned_nodes(self.tables["pins"], lines, order, self._index["pins", "sku"], node)
        self._sorted("pins", ("order_id", "sku"), (order, self._index["pins", "sku"]))
        return pinned

    def _current_nodes(self, lines: OrderLines) -> IntArray | None:
        """Return where an earlier plan has each line, or -1; None without one."""
        if "current_plan" not in self.tables:
            return None
        columns = ("order_id", "sku", "node_id")
        cells = [self.tables["current_plan"].text.cells[column] for column in columns]
        self._sorted("current_plan", columns, tuple(name_together([column]).defining[0] for column in cells))
        order, sku, node = (self._index["current_plan", column] for column in columns)
        return current_nodes(lines, order, sku, node)

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
        in_reach = self._index["zones", "zone"][by_reach]
        names = [self.zones[zone] for zone in in_reach]
        service = self._index["rates", "service"]
        zone = np.argsort(in_reach)[self._refer("rates", "zone", names, "zones.csv")]
        numbers = self.tables["rates"].number
        keys = (service, zone, numbers["max_weight_g"])
        order = self._sorted("rates", ("service", "zone", "max_weight_g"), keys)
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
        service = self._index["lanes", "service"]
        rank = self._sorted("lanes", ("node_id", "order_id", "service"), (order, node, service))
        numbers = self.tables["lanes"].number
        return Lanes(
            start=_starts(order[rank], len(self.orders)),
            node=node[rank],
            service=service[rank],
            cost_cents=numbers["cost_cents"][rank],
            transit_days=numbers["transit_days"][rank],
        )


def _starts(index: IntArray, size: int) -> IntArray:
    """Return the compressed row starts of sorted indices."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(index, minlength=size))]).astype(np.int64)
