"""What the rules `cascade` and `weighted` share: what a node could ship of an order now, and the plan that comes of it.

Rules are read more often than they are run, and only to compare with, so they are plain Python: some 0.1 ms an order.
A step never breaks a limit: it counts only what stock, capacity and services of a node can take. Not here: the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.assignment import Assignment
from solvers.candidates import unit_vectors
from solvers.cost import INFEASIBLE, best_service
from solvers.offers import Residual
from solvers.plan import BACKORDER
from solvers.problem import EARTH_RADIUS_KM, FloatArray, IntArray
from solvers.tables import NO_STOCK, Compiled


@dataclass(frozen=True, slots=True)
class Offer:
    """Lines of an order (their places in it) that a candidate could ship as one parcel, and what that costs."""

    candidate: int
    node: int
    lines: tuple[int, ...]
    units: int
    cents: int


class Steps:
    """An order after another is given nodes; what is left of everything is kept."""

    def __init__(self, compiled: Compiled) -> None:
        t = self._tables = compiled.tables
        self.line_start, self.cand_start = t.line_start.tolist(), t.cand_start.tolist()
        self.cand_node, self.quantity = t.cand_node.tolist(), t.quantity.tolist()
        self._row, self._row_start, self._weight_g = t.row.tolist(), t.row_start.tolist(), t.weight_g.tolist()
        self._place, self._place_end = t.cand_place.tolist(), t.cand_place_end.tolist()
        self._grouped, self._able, self._cand_table = t.grouped.tolist(), t.cand_able.tolist(), t.cand_table.tolist()
        self._parcel_cents, self._unit_cents = t.node_parcel_cents.tolist(), t.node_unit_cents.tolist()
        self._short_cents, self._max_parcels = t.short_cents.tolist(), t.max_parcels.tolist()
        self._terms = list(zip(t.due_days.tolist(), t.service_level.tolist(), strict=True))
        self._left = compiled.row_stock.tolist()
        self.units_left, self.parcels_left = compiled.node_units.tolist(), compiled.node_parcels.tolist()
        self._cand = np.full(len(t.quantity), BACKORDER, np.int32)
        self._of_order = np.zeros(len(self.line_start) - 1, np.int64)

    def offer(self, o: int, candidate: int, wanted: Sequence[int], parcels: int) -> Offer | None:
        """Return what a candidate (counted from the order's first) can ship of lines beside so many parcels.

        All that it has, if a service carries that together; else one line after another, as long as one does.
        """
        c, count = self.cand_start[o] + candidate, self.line_start[o + 1] - self.line_start[o]
        node = self.cand_node[c]
        if parcels >= self._max_parcels[o] or self.parcels_left[node] < 1:
            return None
        row = self._row_start[o] + candidate * count
        found = [line for line in wanted if self._row[row + line] != NO_STOCK]
        lines = found if self._fits(o, row, node, found) else []
        cents = self._cents(o, c, lines)
        if lines != found or cents >= INFEASIBLE:
            lines, cents = [], INFEASIBLE
            for line in found:
                more = [*lines, line]
                if self._fits(o, row, node, more) and (with_it := self._cents(o, c, more)) < INFEASIBLE:
                    lines, cents = more, with_it
        return Offer(candidate, node, tuple(lines), self._units(o, lines), cents) if lines else None

    def take(self, o: int, offers: Iterable[Offer]) -> None:
        """Give an order its parcels, and backorder what they leave."""
        first, last = self.line_start[o], self.line_start[o + 1]
        cents, parcels, short = 0, 0, set(range(first, last))
        for offer in offers:
            row = self._row_start[o] + offer.candidate * (last - first)
            for line in offer.lines:
                if self._row[row + line] >= 0:
                    self._left[self._row[row + line]] -= self.quantity[first + line]
                self._cand[first + line] = offer.candidate
                short.discard(first + line)
            self.units_left[offer.node] -= offer.units
            self.parcels_left[offer.node] -= 1
            cents, parcels = cents + offer.cents, parcels + 1
        backordered = sum(self._short_cents[line] for line in short)
        self._of_order[o] = cents + self._tables.split_cents * max(0, parcels - 1) + backordered

    def plan(self) -> Assignment:
        """Return what all orders were given, and what that leaves."""
        left = (np.array(each, np.int64) for each in (self._left, self.units_left, self.parcels_left))
        return Assignment(self._cand, self._of_order, Residual(*left))

    def _fits(self, o: int, row: int, node: int, lines: Sequence[int]) -> bool:
        """Return whether stock and capacity in units are left for lines; several may be pieces of one."""
        if self._units(o, lines) > self.units_left[node]:
            return False
        wanted = dict[int, int]()
        for line in lines:
            cell = self._row[row + line]
            if cell >= 0:
                wanted[cell] = wanted.get(cell, 0) + self.quantity[self.line_start[o] + line]
        return all(units <= self._left[cell] for cell, units in wanted.items())

    def _units(self, o: int, lines: Sequence[int]) -> int:
        return sum(self.quantity[self.line_start[o] + line] for line in lines)

    def _cents(self, o: int, c: int, lines: Sequence[int]) -> int:
        """Return what lines cost as a parcel, without split cost; `INFEASIBLE` if no service carries them together."""
        if not lines:
            return INFEASIBLE
        t, first = self._tables, self.line_start[o]
        if self._grouped[o] == self.line_start[o + 1] - first:
            return int(t.parcel_cents[self._cand_table[c] + _place_among(self._able[c], lines)])
        grams = sum(self._weight_g[first + line] for line in lines)
        place, node = (self._place[c], self._place_end[c]), self.cand_node[c]
        cents = int(best_service(t.freight, node, *place, grams, self._terms[o], False)[0])
        if cents >= INFEASIBLE:
            return INFEASIBLE
        moves = sum(self._moved_cents(first + line, node) for line in lines)
        return cents + self._parcel_cents[node] + self._unit_cents[node] * self._units(o, lines) + moves

    def _moved_cents(self, line: int, node: int) -> int:
        """Return what a line costs at a node beside the parcel, as `tables.move_cents` does."""
        t = self._tables
        cents = 0 if t.current_node[line] == node else int(t.moved_cents[line])
        if len(t.value_cents):
            cents += int(t.value_cents[t.value_row[line], node]) * self.quantity[line]
        return cents


def _place_among(able: int, lines: Sequence[int]) -> int:
    """Return which of the subsets of `able`, in ascending order of their masks, these lines are."""
    place = 0
    for line in lines:
        place |= 1 << (able & ((1 << line) - 1)).bit_count()
    return place


def candidate_order(compiled: Compiled) -> IntArray:
    """Return the order of every candidate."""
    return np.repeat(np.arange(compiled.problem.order_count), np.diff(compiled.tables.cand_start))


def candidate_km(compiled: Compiled) -> FloatArray:
    """Return the distance of every candidate in kilometres; transit days where a problem has no coordinates."""
    t, problem = compiled.tables, compiled.problem
    nodes = unit_vectors(problem.nodes.latitude, problem.nodes.longitude)[t.cand_node]
    orders = unit_vectors(problem.orders.latitude, problem.orders.longitude)[candidate_order(compiled)]
    half_chord = np.sqrt(((nodes - orders) ** 2).sum(axis=1)) / 2
    if problem.lanes is None or not np.isnan(half_chord).any():
        kilometres: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half_chord, 1.0))
        return kilometres
    return problem.lanes.transit_days[t.cand_place].astype(np.float64)
