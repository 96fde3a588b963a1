"""A plan some of whose orders go over a hub: what it costs by component, and its rows in the words of orders.

Rows of parcels that no hub packs are priced as in any plan (plan_costs.py). Not here: which orders go over a hub
(consolidating.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.routing.batch import Batch, allocations
from engine.routing.hub_offers import OWN, HubOffers
from engine.routing.line_rows import value_rows
from engine.routing.model import AllocationRow, HubStop, OrderAllocation
from engine.routing.plan_costs import distance_km, plan_of
from engine.routing.run_model import Unrouted
from solvers.plan import Costs, RoutingPlan
from solvers.problem import DISTANCE_TOLERANCE_KM, NO_DUE_DATE, IntArray, RoutingProblem

Columns = tuple[IntArray, IntArray, IntArray, IntArray]
"""Rows of a plan: line, node, units and service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCosts(Costs):
    """The cost of a plan with hubs by component, in cents: what transfers take, beside what every plan has."""

    transfer: int = 0

    @property
    def total(self) -> int:
        """The objective, in cents."""
        return Costs.total.fget(self) + self.transfer  # type: ignore[attr-defined, no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPart:
    """Lines of the problem that a leg brings to a hub, or (`OWN`) that it has itself, for what the transfer takes."""

    leg: int
    node: int
    lines: tuple[int, ...]
    transfer_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubParcel:
    """A parcel that a hub packs, and the service that takes it from there."""

    order: int
    stop: int
    service: int
    parts: tuple[HubPart, ...]

    @property
    def lines(self) -> list[int]:
        """All lines in it."""
        return [line for part in self.parts for line in part.lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPlan:
    """The parcels of hubs, the rows of all else (line, node, units, service), and the bound of the whole.

    `before` are the rows that these orders had without hubs.
    """

    parcels: tuple[HubParcel, ...]
    rest: Columns
    before: Columns
    bound_cents: int | None


def plan_with_hubs(problem: RoutingProblem, offers: HubOffers, hubs: HubPlan) -> RoutingPlan:
    """Return the whole plan at the prices of a problem; what goes over a hub has the node that sends it."""
    rest = plan_of(problem, *hubs.rest)
    found = [parcel_costs(problem, offers, parcel) for parcel in hubs.parcels]
    owner, shipped = problem.line_order[rest.line], rest.node >= 0
    direct = np.bincount(
        np.unique(owner[shipped] * len(problem.nodes.node_ids) + rest.node[shipped]) // len(problem.nodes.node_ids),
        minlength=problem.order_count,
    )
    also = sum(bool(direct[parcel.order]) for parcel in hubs.parcels)
    newly = sum(int(direct[parcel.order]) == 1 for parcel in hubs.parcels)
    split = replace(rest.costs, split=rest.costs.split + also * problem.terms.split_cost_cents)
    sent = [
        (line, part.node, int(problem.orders.line_quantity[line]), parcel.service)
        for parcel in hubs.parcels
        for part in parcel.parts
        for line in part.lines
    ]
    line, node, quantity, service = sorted_rows(hubs.rest, np.array(sent, np.int64).reshape(-1, 4).T)
    return replace(
        rest,
        line=line,
        node=node,
        quantity=quantity,
        service=service,
        costs=sum_of([split, *found]),
        parcels=rest.parcels + len(hubs.parcels),
        split_orders=rest.split_orders + newly,
    )


def sorted_rows(some: Columns, more: IntArray) -> Columns:
    """Return rows and more of them (4, rows), by line and node."""
    line, node, quantity, service = (np.concatenate(pair) for pair in zip(some, more, strict=True))
    rank = np.lexsort((node, line))
    return line[rank], node[rank], quantity[rank], service[rank]


def parcel_costs(problem: RoutingProblem, offers: HubOffers, parcel: HubParcel) -> HubCosts:
    """Return what a parcel of a hub costs by component, at the prices of a problem."""
    orders, nodes, hub = problem.orders, problem.nodes, int(offers.stop_hub[parcel.stop])
    quantity, sku = orders.line_quantity, orders.line_sku
    grams = int((problem.weight_g[sku[parcel.lines]] * quantity[parcel.lines]).sum())
    freight, late = _freight(problem, offers, parcel, hub, grams)
    units = value = moves = 0
    for part in parcel.parts:
        each = int(nodes.unit_cost_cents[part.node])
        each += 0 if part.leg == OWN else int(offers.legs.unit_cents[part.leg])
        for line in part.lines:
            units += each * int(quantity[line])
            if problem.unit_value_cents is not None:
                row = value_rows(orders)[line]
                value += int(problem.unit_value_cents[row, part.node]) * int(quantity[line])
            if orders.line_current_node is not None and orders.line_current_node[line] not in (-1, part.node):
                moves += problem.terms.move_cost_cents
    return HubCosts(
        shipping=freight,
        handling=int(nodes.parcel_cost_cents[hub]),
        units=units,
        split=0,
        late=late,
        backorder=0,
        moves=moves,
        value=value,
        transfer=sum(part.transfer_cents for part in parcel.parts),
    )


def _freight(problem: RoutingProblem, offers: HubOffers, parcel: HubParcel, hub: int, grams: int) -> tuple[int, int]:
    """Return freight and late cents."""
    rates, order = problem.rates, np.array([parcel.order])
    km = distance_km(problem, order, np.array([hub]))
    zone = int(np.searchsorted(rates.zone_max_km + DISTANCE_TOLERANCE_KM, km)[0])
    row = parcel.service * len(rates.zones) + zone
    begin, end = int(rates.start[row]), int(rates.start[row + 1])
    step = begin + int(np.searchsorted(rates.max_weight_g[begin:end], grams))
    due = int(offers.due_days[parcel.order])
    days = int(offers.days[parcel.stop, parcel.service, rates.transit_days[step]])
    late = 0 if due == NO_DUE_DATE else max(days - due, 0) * (problem.terms.late_day_cost_cents or 0)
    return int(rates.cost_cents[step]), late


def sum_of(costs: Sequence[Costs]) -> HubCosts:
    """Return the sum of costs by component."""
    names = HubCosts.__dataclass_fields__
    return HubCosts(**{name: sum(getattr(each, name, 0) for each in costs) for name in names})


def still_waiting(unrouted: Sequence[Unrouted], allocated: Sequence[OrderAllocation]) -> list[Unrouted]:
    """Return what waits without hubs and with them."""
    waits = {(each.order_id, row.line_id) for each in allocated for row in each.rows if row.node_id is None}
    return [each for each in unrouted if (each.order_id, each.line_id) in waits]


def allocations_with_hubs(batch: Batch, plan: RoutingPlan, hubs: HubPlan) -> list[OrderAllocation]:
    """Return the whole plan in the words of orders."""
    line, node, quantity, service = hubs.rest
    made = allocations(batch, replace(plan, line=line, node=node, quantity=quantity, service=service))
    for parcel in hubs.parcels:
        own = made[parcel.order]
        made[parcel.order] = replace(own, rows=(*own.rows, *rows_of(batch, parcel)))
    return made


def rows_of(batch: Batch, parcel: HubParcel) -> list[AllocationRow]:
    """Return the rows of a parcel that a hub packs, each where its units are."""
    offers, problem = batch.hubs, batch.problem
    assert offers is not None
    ids, leaves = problem.nodes.node_ids, int(offers.hand_over[parcel.stop, parcel.service])
    found = list[AllocationRow]()
    for part in parcel.parts:
        stop = None
        if part.leg != OWN:
            stop = HubStop(
                node_id=ids[int(offers.stop_hub[parcel.stop])],
                available_on=date.fromordinal(offers.available_on(part.leg)),
                ship_on=date.fromordinal(leaves),
            )
        found += [
            AllocationRow(
                line_id=batch.line_ids[line],
                sku=problem.skus[problem.orders.line_sku[line]],
                quantity=int(problem.orders.line_quantity[line]),
                node_id=ids[part.node],
                service=problem.services[parcel.service],
                ship_on=date.fromordinal(offers.day_of(part.leg, parcel.stop, parcel.service)),
                hub=stop,
            )
            for line in part.lines
        ]
    return found
