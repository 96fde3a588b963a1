"""The check of one parcel that a hub packs: against the document, the days of transfers and the rate cards.

Not here: which rows are in one, and the whole plan (hub_check.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.network.document import NetworkDocument, TransferDocument
from engine.routing.batch import Batch
from engine.routing.hub_offers import HubOffers
from engine.routing.line_rows import closed_rows, value_rows
from engine.routing.model import AllocationRow
from engine.routing.parcel_check import zones_of
from engine.routing.plan_check import NOWHERE, Rows
from solvers.problem import ANY_LEVEL, NO_DUE_DATE, UNREACHABLE

VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A parcel of a hub as its rows tell it: of an order, from a hub, by a way of the problem; rows by number."""

    order: int
    hub: int
    way: int
    day: int
    rows: tuple[int, ...]
    told: tuple[AllocationRow, ...]


class Document:
    """What the network's document says of hubs, found by the ids of nodes."""

    def __init__(self, document: NetworkDocument) -> None:
        self._transfers = {(each.from_node_id, each.to_node_id): each for each in document.transfers}
        self._packing = {node.node_id: node.hub for node in document.nodes}
        self._vendors = {node.node_id for node in document.nodes if node.kind == VENDOR}

    def transfer(self, row: AllocationRow) -> TransferDocument | None:
        """Return the transfer from a row's node to its hub; None if there is none, or from a vendor."""
        if row.hub is None or row.node_id is None or row.node_id in self._vendors:
            return None
        return self._transfers.get((row.node_id, row.hub.node_id))

    def packing_cents(self, hub_id: str) -> int:
        """Return what a hub takes for a unit that is sent to it."""
        packing = self._packing[hub_id]
        return 0 if packing is None else packing.unit_cost_cents


class ParcelCheck:
    """One parcel of a hub."""

    def __init__(self, batch: Batch, document: Document, parcel: Packed, rows: Rows) -> None:
        assert batch.hubs is not None
        self._batch, self._document, self._parcel = batch, document, parcel
        self._offers: HubOffers = batch.hubs
        self.order = parcel.order
        self._line, self._node = rows.line[list(parcel.rows)], rows.node[list(parcel.rows)]
        self._units = rows.quantity[list(parcel.rows)]
        self._sent = np.array([row.hub is not None for row in parcel.told])
        problem = batch.problem
        self._grams = int((problem.weight_g[problem.orders.line_sku[self._line]] * self._units).sum())
        self._days, self.freight = self._onward()

    def _onward(self) -> tuple[int, int]:
        """Return the days until the parcel is there, `UNREACHABLE` if it cannot go, and its freight."""
        problem, parcel = self._batch.problem, self._parcel
        if parcel.way == NOWHERE:
            return UNREACHABLE, 0
        rates = problem.rates
        zone = int(zones_of(problem, np.array([parcel.order]), np.array([parcel.hub]))[0])
        card = parcel.way * len(rates.zones) + zone
        step, end = (0, 0) if zone < 0 else (int(rates.start[card]), int(rates.start[card + 1]))
        while step < end and rates.max_weight_g[step] < self._grams:
            step += 1
        if step == end:
            return UNREACHABLE, 0
        transit, found, last = int(rates.transit_days[step]), UNREACHABLE, self._last_moment()
        for stop in np.flatnonzero(self._offers.stop_hub == parcel.hub).tolist():
            has_come = last <= self._offers.stop_moment[stop]
            has_own = bool(self._sent.all()) or bool(self._offers.packs_own[stop])
            if has_come and has_own and self._offers.hand_over[stop, parcel.way] == parcel.day:
                found = min(found, int(self._offers.days[stop, parcel.way, transit]))
        return found, int(rates.cost_cents[step])

    def _last_moment(self) -> int:
        """Return the moment at which the last of its transfers is there."""
        legs, last = self._offers.legs, 0
        for node, is_sent in zip(self._node.tolist(), self._sent.tolist(), strict=True):
            if is_sent:
                mine = (legs.source == node) & (legs.hub == self._parcel.hub)
                last = max(last, int(legs.moment[mine].max(initial=0)))
        return last

    def faults(self) -> Iterable[str]:
        """Tell what is wrong with the parcel."""
        problem, parcel, order = self._batch.problem, self._parcel, self._parcel.order
        hub_id = problem.nodes.node_ids[parcel.hub]
        name = f"order {self._batch.orders[order].order_id} by way of {hub_id}"
        level, offers = problem.orders.service_level, self._offers
        if parcel.way == NOWHERE:
            yield f"{name} is in several parcels"
            return
        if not offers.eligible[order] or not self._sent.any():
            yield f"{name}, which no order of its kind goes by, or to which nothing is sent"
        of_way = None if problem.service_level is None else problem.service_level[parcel.way]
        if level is not None and level[order] != ANY_LEVEL and level[order] != of_way:
            yield f"{name} goes on by a service that may not carry it"
        due, late = int(offers.due_days[order]), problem.terms.late_day_cost_cents
        if self._days >= UNREACHABLE or (late is None and due != NO_DUE_DATE and self._days > due):
            yield f"{name} goes on by a service that does not carry it there in time"
        stops = np.flatnonzero(offers.stop_hub == parcel.hub)
        closed_row = closed_rows(problem.orders)
        for line in self._line.tolist():
            is_closed = problem.closed is not None and problem.closed[closed_row[line], parcel.hub]
            if is_closed or not len(stops) or offers.refused[problem.orders.line_sku[line], stops[0]]:
                yield f"{name}, which does not pack line {self._batch.line_ids[line]}"
        for row, node in zip(parcel.told, self._node.tolist(), strict=True):
            yield from self._faults_of(row, node, name)

    def _faults_of(self, row: AllocationRow, node: int, name: str) -> Iterable[str]:
        """Tell what is wrong with what one node sends."""
        if row.hub is None or row.ship_on is None or row.node_id is None:
            if row.ship_on is None or row.ship_on.toordinal() != self._parcel.day:
                yield f"{name} takes what is there on another day than its parcel leaves"
            return
        if self._document.transfer(row) is None:
            yield f"{name}: the network has no transfer from {row.node_id}"
            return
        legs = self._offers.legs
        mine = (legs.source == node) & (legs.hub == self._parcel.hub) & (legs.leaves == row.ship_on.toordinal())
        if not mine.any():
            yield f"{name}: nothing leaves {row.node_id} for it on {row.ship_on}"
        if not row.hub.available_on <= row.hub.ship_on:
            yield f"{name} leaves before line {row.line_id} is there"

    def costs(self) -> dict[str, int]:
        """Return what the parcel costs by component, from the document and the rate cards."""
        problem, parcel = self._batch.problem, self._parcel
        orders, packing = problem.orders, self._document.packing_cents(problem.nodes.node_ids[parcel.hub])
        transfers: dict[str, TransferDocument] = {}
        grams: dict[str, int] = defaultdict(int)
        found: dict[str, int] = defaultdict(int)
        for row, line, node, units in zip(
            parcel.told, self._line.tolist(), self._node.tolist(), self._units.tolist(), strict=True
        ):
            found["units"] += int(problem.nodes.unit_cost_cents[node]) * units
            if row.hub is not None:
                entry = self._document.transfer(row)
                assert entry is not None
                transfers[entry.from_node_id] = entry
                found["units"] += packing * units
                found["transfer"] += entry.unit_cost_cents * units
                grams[entry.from_node_id] += int(problem.weight_g[orders.line_sku[line]]) * units
            current = -1 if orders.line_current_node is None else int(orders.line_current_node[line])
            found["moves"] += problem.terms.move_cost_cents if current not in (-1, node) else 0
            if problem.unit_value_cents is not None:
                value_row = value_rows(orders)
                found["value"] += int(problem.unit_value_cents[value_row[line], node]) * units
        for node_id, entry in transfers.items():
            whole, rest = divmod(grams[node_id] * entry.kg_cost_cents, 1000)
            found["transfer"] += entry.cost_cents + whole + (rest >= 500)
        due = int(self._offers.due_days[parcel.order])
        overdue = 0 if due == NO_DUE_DATE else max(0, self._days - due)
        found["late"] = overdue * (problem.terms.late_day_cost_cents or 0)
        found["shipping"] = self.freight
        found["handling"] = int(problem.nodes.parcel_cost_cents[parcel.hub])
        return found
