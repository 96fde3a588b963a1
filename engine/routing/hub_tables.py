"""What every parcel of an order could cost, direct or packed at a hub, as arrays by set of lines.

The freight of parcels is the solvers' own (solvers/tables.py): those of a hub are priced as parcels of a node that has
everything, one for each stop. Not here: what hubs can do (hub_offers.py), which parcels are best (hub_programme.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.routing.again import gathered_orders
from engine.routing.hub_offers import OWN, HubOffers
from engine.routing.line_rows import closed_rows, value_rows
from solvers.cost import INFEASIBLE, best_service
from solvers.problem import UNLIMITED, IntArray, Nodes, RoutingProblem, Stock
from solvers.tables import Tables, compile_tables

NEVER_CENTS = 2**58
"""Above every cost, in thousandths of a cent too; a few of them can be added."""
_PLENTY = 2**40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcels:
    """The parcels and parts of parcels of one order by set of lines (masks), in cents, `NEVER_CENTS` where none.

    `direct` (candidates, masks) leave from `node`; `onward` (stops, masks) is the freight of a hub and its packing;
    `part` (parts, masks) what a leg (`OWN`: the hub itself) brings to `part_hub`. `short` (masks,) is what it costs to
    leave lines waiting. `has` and `part_has` (…, lines) are stock entries, -1 for units that the order holds there.
    """

    order: int
    lines: IntArray
    quantity: IntArray
    units: IntArray
    weight_g: IntArray
    node: IntArray
    direct: IntArray
    onward: IntArray
    leg: IntArray
    part_node: IntArray
    part_hub: IntArray
    part: IntArray
    has: IntArray
    part_has: IntArray
    short: IntArray
    most: int

    def place(self, leg: int, hub: int) -> int:
        """Return the place of what a leg brings to a hub among the parts."""
        return int(np.flatnonzero((self.leg == leg) & (self.part_hub == hub))[0])


class HubTables:
    """The parcels of the orders of a batch that may go over hubs; `chosen` are their numbers."""

    def __init__(self, problem: RoutingProblem, offers: HubOffers) -> None:
        self.problem, self.offers = problem, offers
        self.chosen = np.flatnonzero(offers.eligible)
        lines = np.flatnonzero(offers.eligible[problem.line_order])
        orders = gathered_orders(problem.orders, self.chosen, lines)
        due = np.where(offers.keeps, offers.due_days, problem.orders.due_days)[self.chosen]
        self._line = lines
        self._direct = compile_tables(replace(problem, orders=replace(orders, due_days=due))).tables
        demand = replace(
            orders,
            due_days=offers.due_days[self.chosen],
            line_own_node=None,
            line_pinned_node=None,
            line_current_node=None,
            line_value_row=None,
        )
        self._onward = compile_tables(replace(_at_stops(problem, offers), orders=demand)).tables
        stock = problem.stock
        self._keys = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start)) * _count(problem) + stock.node
        legs = offers.legs
        own_hubs = np.unique(offers.stop_hub[offers.packs_own])
        self._leg = np.append(np.arange(len(legs.source)), np.full(len(own_hubs), OWN))
        self._part_node = np.append(legs.source, own_hubs)
        self._part_hub = np.append(legs.hub, own_hubs)
        none = np.zeros((len(own_hubs), 3), np.int64)
        self._cents = np.concatenate([legs.cents, none])
        unit = problem.nodes.unit_cost_cents[self._part_node]
        self._unit_cents = unit + self._cents[:, 2] + np.append(legs.unit_cents, np.zeros(len(own_hubs), np.int64))

    def parcels(self, at: int) -> Parcels:
        """Return the parcels of the order `chosen[at]`."""
        t, problem = self._direct, self.problem
        first, last = int(t.line_start[at]), int(t.line_start[at + 1])
        lines, bits = self._line[first:last], bits_of(last - first)
        quantity = t.quantity[first:last]
        weight_g = t.weight_g[first:last] @ bits
        node, direct = expanded(t, at, bits.shape[1])
        stop, onward_of = expanded(self._onward, at, bits.shape[1])
        onward = np.full((len(self.offers.stop_hub), bits.shape[1]), NEVER_CENTS, np.int64)
        onward[stop] = onward_of
        part_has, part = self._parts(lines, quantity, weight_g, bits)
        some = (part < NEVER_CENTS).any(axis=1)
        short = t.short_cents[first:last] @ bits
        has, _ = self._entries(lines, quantity, node)
        return Parcels(
            order=int(self.chosen[at]),
            lines=lines,
            quantity=quantity,
            units=quantity @ bits,
            weight_g=weight_g,
            node=node,
            direct=direct,
            onward=onward,
            leg=self._leg[some],
            part_node=self._part_node[some],
            part_hub=self._part_hub[some],
            part=part[some],
            has=has,
            part_has=part_has[some],
            short=short,
            most=int(problem.orders.max_parcels[self.chosen[at]]),
        )

    def way_of(self, at: int, weight_g: int, *, node: int | None = None, stop: int | None = None) -> int:
        """Return the service of a parcel, from a node or a stop."""
        t, wanted = (self._direct, node) if stop is None else (self._onward, stop)
        first, last = int(t.cand_start[at]), int(t.cand_start[at + 1])
        c = first + int(np.flatnonzero(t.cand_node[first:last] == wanted)[0])
        terms = (int(t.due_days[at]), int(t.service_level[at]))
        found = best_service(t.freight, t.cand_node[c], t.cand_place[c], t.cand_place_end[c], weight_g, terms, False)
        return int(found[2])

    def transfer_cents(self, leg: int, weight_g: int, units: int) -> int:
        """Return what a transfer costs for so much, without what nodes take for units."""
        each, kilogram, unit = self.offers.legs.cents[leg].tolist()
        return int(each + _kilograms(np.array([weight_g]), np.array([kilogram]))[0] + unit * units)

    def _parts(
        self, lines: IntArray, quantity: IntArray, weight_g: IntArray, bits: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return where the units of all parts are, and what the parts cost."""
        nodes = self._part_node
        entry, is_there = self._entries(lines, quantity, nodes)
        line_cents = self._unit_cents[:, None] * quantity + self._by_node(lines, quantity, nodes)
        cost = line_cents @ bits + np.where(np.arange(bits.shape[1]) > 0, self._cents[:, :1], 0)
        cost += _kilograms(weight_g, self._cents[:, 1:2])
        cost[(~is_there).astype(np.int64) @ bits > 0] = NEVER_CENTS
        return entry, cost

    def _by_node(self, lines: IntArray, quantity: IntArray, nodes: IntArray) -> IntArray:
        """Return what lines cost beside freight by the node that has them: moves, and what only ranks."""
        problem, orders = self.problem, self.problem.orders
        found = np.zeros((len(nodes), len(lines)), np.int64)
        if orders.line_current_node is not None and problem.terms.move_cost_cents:
            current = orders.line_current_node[lines]
            found += np.where((current >= 0) & (current != nodes[:, None]), problem.terms.move_cost_cents, 0)
        if problem.unit_value_cents is not None:
            row = value_rows(orders)[lines]
            found += problem.unit_value_cents[row[None, :], nodes[:, None]] * quantity
        return found

    def _entries(self, lines: IntArray, quantity: IntArray, nodes: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the stock entry of each (node, line), -1 if the order holds it there, and whether it may ship it."""
        problem, orders = self.problem, self.problem.orders
        shape, at = (len(nodes), len(lines)), nodes[:, None]
        key = orders.line_sku[lines] * _count(problem) + at
        place = np.minimum(np.searchsorted(self._keys, key), max(len(self._keys) - 1, 0))
        known = (self._keys[place] == key) if len(self._keys) else np.zeros(shape, np.bool_)
        enough = known & (problem.stock.available[place] >= quantity) if len(self._keys) else known
        pinned = _column(orders.line_pinned_node, lines)
        own = _column(orders.line_own_node, lines)
        is_own = (own == at) & (own >= 0)
        if problem.closed is not None:
            row = closed_rows(orders)[lines]
            enough &= ~problem.closed[row[None, :], at]
        there = (is_own | enough) & ((pinned < 0) | (pinned == at))
        return np.where(is_own, -1, place), there


def _at_stops(problem: RoutingProblem, offers: HubOffers) -> RoutingProblem:
    """Return the problem whose nodes are stops, at which everything is there that the hub handles."""
    hub, nodes = offers.stop_hub, problem.nodes
    stops = len(hub)
    has = ~offers.refused
    sku, at = np.nonzero(has)
    return replace(
        problem,
        nodes=Nodes(
            node_ids=tuple(map(str, range(stops))),
            latitude=nodes.latitude[hub],
            longitude=nodes.longitude[hub],
            parcel_cost_cents=nodes.parcel_cost_cents[hub],
            unit_cost_cents=np.zeros(stops, np.int64),
            capacity_units=np.full(stops, UNLIMITED, np.int64),
            capacity_parcels=np.full(stops, UNLIMITED, np.int64),
            priority=np.zeros(stops, np.int64),
        ),
        stock=Stock(
            start=np.concatenate([np.zeros(1, np.int64), np.cumsum(has.sum(axis=1))]).astype(np.int64),
            node=at.astype(np.int64),
            available=np.full(len(sku), _PLENTY, np.int64),
        ),
        rates=replace(problem.rates, delivery_days=offers.days),
        unit_value_cents=None,
        closed=None if problem.closed is None else np.ascontiguousarray(problem.closed[:, hub]),
    )


def expanded(t: Tables, at: int, masks: int) -> tuple[IntArray, IntArray]:
    """Return the nodes of an order's candidates, and the cost of every set of lines there, (candidates, masks)."""
    first, last = int(t.cand_start[at]), int(t.cand_start[at + 1])
    found = np.full((last - first, masks), NEVER_CENTS, np.int64)
    for c in range(first, last):
        cents = t.parcel_cents[t.cand_table[c] : t.cand_table[c + 1]]
        found[c - first, subsets_of(int(t.cand_able[c]))] = np.where(cents < INFEASIBLE, cents, NEVER_CENTS)
    return t.cand_node[first:last], found


@cache
def subsets_of(mask: int) -> IntArray:
    """Return all subsets of a mask, ascending."""
    every: IntArray = np.arange(mask + 1, dtype=np.int64)
    found: IntArray = every[every & ~mask == 0]
    return found


@cache
def bits_of(lines: int) -> IntArray:
    """Return which lines each mask has, (lines, masks), 0 or 1."""
    found: IntArray = (np.arange(1 << lines, dtype=np.int64)[None, :] >> np.arange(lines)[:, None]) & 1
    return found


def _kilograms(weight_g: IntArray, cents: IntArray) -> IntArray:
    """Return what weights cost at so much a kilogram, rounded half up."""
    found: IntArray = weight_g // 1000 * cents + (weight_g % 1000 * cents + 500) // 1000
    return found


def _column(column: IntArray | None, lines: IntArray) -> IntArray:
    return np.full(len(lines), -1, np.int64) if column is None else column[lines]


def _count(problem: RoutingProblem) -> int:
    return len(problem.nodes.node_ids)
