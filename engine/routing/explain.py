"""Why each line of an order went where it went: every node that has the SKU, with its cost difference or its reason.

The difference is exact for the order: what it would cost with this one line moved and the others where they are. The
shadow price says what the units taken there are worth to the other orders of the batch, by the run's certificate. A
node can be cheaper for the order and still lose, because its stock or capacity saves more elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput, NotFound
from engine.faults import nearest
from engine.routing.csv_table import Column, find_table, read_table
from engine.routing.folder import read_problem
from engine.routing.reasons import backorder_reason
from solvers.assignment import true_cents
from solvers.candidates import unit_vectors
from solvers.cost import INFEASIBLE, best_service
from solvers.plan import BACKORDER
from solvers.problem import EARTH_RADIUS_KM
from solvers.shortages import shortages
from solvers.tables import NO_STOCK, Compiled, compile_tables

_PLAN = (
    Column(name="order_id"),
    Column(name="sku"),
    Column(name="quantity", kind=int),
    Column(name="node_id", blank=0),
    Column(name="service", blank=0),
)
_PRICES = (
    Column(name="node_id"),
    Column(name="sku", blank=0),
    Column(name="resource"),
    Column(name="price_millicents", kind=int),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChoice:
    """One node as a source of one line."""

    node_id: str
    verdict: str
    """`chosen`, `possible` or `not_eligible`."""
    available: int
    """Units at the start of the batch."""
    distance_km: float | None
    difference_cents: int | None
    """What the order would cost more with this line here; None where it is not eligible."""
    shadow_price_cents: float
    """What the line's units (and capacity) at this node are worth to other orders."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineExplanation:
    """Where one line went, and every node that has the SKU; the best first."""

    sku: str
    quantity: int
    shipped: tuple[tuple[str, str, int], ...]
    """(node_id, service, units) of each part; what is missing is backordered."""
    backorder_reason: str | None
    pinned_node_id: str | None
    """The only node that may ship it."""
    current_node_id: str | None
    """Where the current plan has it; elsewhere, or backordered, it costs `move_cost_cents`."""
    choices: tuple[NodeChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExplanation:
    """Why an order was routed as it was."""

    order_id: str
    cost_cents: int | None
    """Of the order as planned; None if a line is divided."""
    parcels: int
    lines: tuple[LineExplanation, ...]


def explain_folder(folder: Path, result: Path, order_id: str) -> OrderExplanation:
    """Explain one order of a routed problem folder; raises InvalidInput, or NotFound for an unknown order."""
    problem = read_problem(folder).problem
    if order_id not in problem.orders.order_ids:
        raise NotFound(f"order {order_id!r} is not in {folder}; {nearest(order_id, problem.orders.order_ids)}")
    shipped = _shipped(result, order_id)
    stock_price, node_price = _prices(result)
    return _Explainer(compile_tables(problem, whole_lines=True), order_id, shipped, stock_price, node_price).explain()


def _shipped(result: Path, order_id: str) -> dict[str, list[tuple[str, str, int]]]:
    table = read_table(_file(result, "plan"), _PLAN)
    found: dict[str, list[tuple[str, str, int]]] = {}
    text, quantity = table.text, table.number["quantity"].tolist()
    for row, owner in enumerate(text["order_id"]):
        if owner == order_id:
            parts = found.setdefault(text["sku"][row], [])
            if text["node_id"][row]:
                parts.append((text["node_id"][row], text["service"][row], quantity[row]))
    if not found:
        raise InvalidInput(Fault(path=str(result), message=f"its plan.csv has no rows of order {order_id!r}"))
    return found


def _prices(result: Path) -> tuple[dict[tuple[str, str], float], dict[str, dict[str, float]]]:
    """Return the cents per unit of (node, SKU), and per unit and parcel of each node."""
    table = read_table(_file(result, "prices"), _PRICES)
    stock: dict[tuple[str, str], float] = {}
    node: dict[str, dict[str, float]] = {"units": {}, "parcels": {}}
    rows = zip(table.text["node_id"], table.text["sku"], table.text["resource"], strict=True)
    for (node_id, sku, resource), price in zip(rows, table.number["price_millicents"].tolist(), strict=True):
        if resource == "stock":
            stock[node_id, sku] = price / 1000
        elif resource in node:
            node[resource][node_id] = price / 1000
    return stock, node


def _file(result: Path, name: str) -> Path:
    path = find_table(result, name) if result.is_dir() else None
    if path is None:
        raise InvalidInput(Fault(path=str(result), message=f"has no {name}.csv; give the --out folder of a routing"))
    return path


class _Explainer:
    """Compares the nodes of one order's lines."""

    def __init__(
        self,
        compiled: Compiled,
        order_id: str,
        shipped: dict[str, list[tuple[str, str, int]]],
        stock_price: dict[tuple[str, str], float],
        node_price: dict[str, dict[str, float]],
    ) -> None:
        self._problem, self._tables = compiled.problem, compiled.tables
        self._order = compiled.problem.orders.order_ids.index(order_id)
        self._shipped, self._stock_price, self._node_price = shipped, stock_price, node_price
        t = self._tables
        self._first, self._last = int(t.line_start[self._order]), int(t.line_start[self._order + 1])
        nodes = t.cand_node[t.cand_start[self._order] : t.cand_start[self._order + 1]]
        self._cand_of = {compiled.problem.nodes.node_ids[n]: i for i, n in enumerate(nodes)}
        self._cand = np.full(len(t.quantity), BACKORDER, np.int32)
        self._divided = False
        for p in range(self._first, self._last):
            parts = shipped.get(self._sku(p), [])
            self._divided |= len(parts) > 1 or (len(parts) == 1 and parts[0][2] != t.quantity[p])
            if len(parts) == 1:
                self._cand[p] = self._candidate(p, parts[0][0])
        for node_id, i in self._cand_of.items():
            if i in self._cand[self._first : self._last] and not self._carries(self._cand, i):
                raise self._another_problem(node_id)
        self._cents = 0 if self._divided else int(true_cents(t, self._order, self._cand))

    def _candidate(self, p: int, node_id: str) -> int:
        """Return the candidate of a node that the plan ships line p from; the plan may belong to another problem."""
        i, t = self._cand_of.get(node_id), self._tables
        lines = self._last - self._first
        if i is None or t.row[t.row_start[self._order] + i * lines + (p - self._first)] == NO_STOCK:
            raise self._another_problem(node_id)
        return i

    def _another_problem(self, node_id: str) -> InvalidInput:
        order_id = self._problem.orders.order_ids[self._order]
        message = f"order {order_id!r} cannot be shipped so from {node_id!r}: the result is of another problem"
        return InvalidInput(Fault(path="plan.csv", message=message))

    def explain(self) -> OrderExplanation:
        """Return the whole explanation."""
        parcels = {part[0] for parts in self._shipped.values() for part in parts}
        lines = sorted(range(self._first, self._last), key=self._sku)
        return OrderExplanation(
            order_id=self._problem.orders.order_ids[self._order],
            cost_cents=None if self._divided else self._cents,
            parcels=len(parcels),
            lines=tuple(self._line(p) for p in lines),
        )

    def _sku(self, p: int) -> str:
        sku: str = self._problem.skus[self._problem.orders.line_sku[self._tables.line[p]]]
        return sku

    def _line(self, p: int) -> LineExplanation:
        problem, quantity = self._problem, int(self._tables.quantity[p])
        sku, parts = self._sku(p), self._shipped.get(self._sku(p), [])
        k = problem.orders.line_sku[self._tables.line[p]]
        entries = range(int(problem.stock.start[k]), int(problem.stock.start[k + 1]))
        choices = [self._choice(p, int(problem.stock.node[e]), int(problem.stock.available[e])) for e in entries]
        rank = {"chosen": 0, "possible": 1, "not_eligible": 2}
        missing = quantity - sum(part[2] for part in parts)
        return LineExplanation(
            sku=sku,
            quantity=quantity,
            shipped=tuple(parts),
            backorder_reason=self._backorder_reason(p) if missing else None,
            pinned_node_id=self._earlier_node(problem.orders.line_pinned_node, p),
            current_node_id=self._earlier_node(problem.orders.line_current_node, p),
            choices=tuple(
                sorted(choices, key=lambda c: (rank[c.verdict], c.difference_cents or 0, c.distance_km or 0, c.node_id))
            ),
        )

    def _earlier_node(self, nodes: NDArray[np.int64] | None, p: int) -> str | None:
        """Return the node that an earlier decision names for line p, of one such column of the problem."""
        node = -1 if nodes is None else int(nodes[self._tables.line[p]])
        return None if node < 0 else self._problem.nodes.node_ids[node]

    def _backorder_reason(self, p: int) -> str:
        """Return why line p is not shipped, or not in full."""
        problem = self._problem
        opened = sorted({part[0] for parts in self._shipped.values() for part in parts})
        node = np.array([problem.nodes.node_ids.index(node_id) for node_id in opened], np.int64)
        line = self._tables.line[p : p + 1]
        return backorder_reason(shortages(problem, line, np.full_like(node, self._order), node)[0])

    def _choice(self, p: int, node: int, available: int) -> NodeChoice:
        node_id, sku, quantity = self._problem.nodes.node_ids[node], self._sku(p), int(self._tables.quantity[p])
        chosen = any(part[0] == node_id for part in self._shipped.get(sku, []))
        shadow = quantity * (self._stock_price.get((node_id, sku), 0.0) + self._node_price["units"].get(node_id, 0.0))
        opens = all(part[0] != node_id for s, parts in self._shipped.items() if s != sku for part in parts)
        shadow += self._node_price["parcels"].get(node_id, 0.0) if opens else 0.0
        difference = None if chosen else self._difference(p, node_id)
        return NodeChoice(
            node_id=node_id,
            verdict="chosen" if chosen else "possible" if difference is not None else "not_eligible",
            available=available,
            distance_km=self._distance_km(node),
            difference_cents=0 if chosen else difference,
            shadow_price_cents=round(shadow, 3),
            reason="ships it" if chosen else self._reason(p, node_id, available, difference, shadow),
        )

    def _difference(self, p: int, node_id: str) -> int | None:
        """Return what the order costs more with line p at a node, or None if that cannot be."""
        t, i = self._tables, self._cand_of.get(node_id)
        lines = self._last - self._first
        if self._divided or i is None:
            return None
        if t.row[t.row_start[self._order] + i * lines + (p - self._first)] == NO_STOCK:
            return None
        moved: NDArray[np.int32] = self._cand.copy()
        moved[p] = i
        parcels = len({c for c in moved[self._first : self._last].tolist() if c != BACKORDER})
        if parcels > t.max_parcels[self._order] or not self._carries(moved, i):
            return None
        return int(true_cents(t, self._order, moved)) - self._cents

    def _carries(self, cand: NDArray[np.int32], i: int) -> bool:
        """Return whether some service may carry the parcel of candidate i."""
        t, o = self._tables, self._order
        lines = np.arange(self._first, self._last)[cand[self._first : self._last] == i]
        c = int(t.cand_start[o]) + i
        place, end, node = int(t.cand_place[c]), int(t.cand_place_end[c]), int(t.cand_node[c])
        terms = (int(t.due_days[o]), int(t.service_level[o]))
        return bool(
            best_service(t.freight, node, place, end, int(t.weight_g[lines].sum()), terms, False)[0] < INFEASIBLE
        )

    def _reason(self, p: int, node_id: str, available: int, difference: int | None, shadow: float) -> str:
        quantity = int(self._tables.quantity[p])
        pinned = self._earlier_node(self._problem.orders.line_pinned_node, p)
        if pinned not in (None, node_id):
            return f"the line is pinned to {pinned}"
        if available < quantity and not self._problem.terms.line_split:
            return f"has {available} of {quantity} units"
        if node_id not in self._cand_of:
            return (
                "no lane to this order"
                if self._problem.lanes
                else "too far: beyond the last zone or the distance limit"
            )
        if self._divided:
            return "the line is divided; no single difference"
        if difference is None:
            return "no service carries the parcel in time, or too many parcels"
        if difference > 0:
            return f"costs this order more{self._of_which_move(p, node_id)}"
        return "saves more elsewhere" if shadow > 0 else "as good for this order"

    def _of_which_move(self, p: int, node_id: str) -> str:
        """Say whether a difference holds the cost of moving line p away from where it ships now."""
        current = self._earlier_node(self._problem.orders.line_current_node, p)
        shipped = {part[0] for part in self._shipped.get(self._sku(p), [])}
        leaves = current in shipped and current != node_id and self._problem.terms.move_cost_cents
        return ", moving the line included" if leaves else ""

    def _distance_km(self, node: int) -> float | None:
        nodes, orders = self._problem.nodes, self._problem.orders
        a = unit_vectors(nodes.latitude[node : node + 1], nodes.longitude[node : node + 1])[0]
        at = slice(self._order, self._order + 1)
        b = unit_vectors(orders.latitude[at], orders.longitude[at])[0]
        if np.isnan(a).any() or np.isnan(b).any():
            return None
        chord = float(np.sqrt(((a - b) ** 2).sum()))
        return round(2 * EARTH_RADIUS_KM * float(np.arcsin(min(1.0, chord / 2))), 1)
