"""The bridge to the solvers: open orders, a network and live stock in; a `RoutingProblem` out; and a plan back.

Here: how calendars become delivery days, what counts as available, which services may carry an order. Not here: reading
the store and committing (runs.py), solving (solvers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.network.days import NEVER, Today
from engine.network.deliveries import delivery_days
from engine.network.model import Network
from engine.routing.handling import Eligible, eligible_services, fueled_cents, refused_stock
from engine.routing.model import AllocationRow, NodeCapacity, OpenOrder, OrderAllocation, UsedCapacity
from engine.routing.worst_cost import check_worst_cost
from solvers.plan import BACKORDER, RoutingPlan
from solvers.problem import (
    NO_DUE_DATE,
    UNLIMITED,
    UNREACHABLE,
    IntArray,
    Nodes,
    Orders,
    RateCards,
    RoutingProblem,
    Stock,
    Terms,
)

_UNITS_MOST = 2**40
_MOST_DAYS_LATE = 30
"""Days late up to which an order that holds its stock is shipped rather than backordered."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """A problem, and what its indices mean: `orders` by id, node i of the problem is `node[i]` of the network."""

    problem: RoutingProblem
    orders: tuple[OpenOrder, ...]
    line_ids: tuple[str, ...]
    """Of every line of the problem."""
    node: IntArray
    service: IntArray
    """Service v of the problem is `service[v]` of the network."""
    hand_over: IntArray
    """Day ordinal on which node n hands over to service v, shape (nodes, services)."""
    refused: frozenset[int]
    """SKUs of the problem of which a node has units that it does not handle."""


def demanded_skus(orders: Sequence[OpenOrder]) -> list[str]:
    """Return the SKUs of all lines, sorted."""
    return sorted({line.sku for order in orders for line in order.lines})


def build_batch(
    orders: Sequence[OpenOrder],
    view: View,
    today: Today,
    atp: AtpTable,
    capacities: Mapping[str, NodeCapacity],
) -> Batch:
    """Return the problem of routing these orders now; every SKU of theirs must be in `atp` and in the catalog.

    Stock is ATP(today). What an order's own reservation holds of a whole line at one node stays its own there, if it
    would be there today: not if it is due from a later supply, or a count has found less. Raises InvalidInput if costs
    could pass 2^53 cents.
    """
    network = view.network
    node = np.array(sorted(range(len(network.node_ids)), key=network.node_ids.__getitem__), np.int64)
    ordered = tuple(sorted(orders, key=lambda order: order.order_id))
    skus = demanded_skus(orders)
    eligible = eligible_services(ordered, view.catalog, network)
    service = eligible.service
    refused = refused_stock(view.catalog, network, skus)
    rates, hand_over = _rates(network, today, node, eligible)
    place = np.argsort(node).tolist()
    sku_index = {sku: k for k, sku in enumerate(skus)}
    own_nodes = [_own_nodes(order, network, place, atp, sku_index, refused) for order in ordered]
    demand, line_ids = _orders(ordered, network, today, own_nodes, eligible.of_order, sku_index)
    policy = network.policy
    problem = RoutingProblem(
        name="",
        currency=network.document.currency,
        terms=Terms(
            split_cost_cents=policy.split_cost_cents,
            backorder_cost_cents_per_unit=policy.backorder_cost_cents_per_unit,
            late_day_cost_cents=policy.late_day_cost_cents,
            line_split=policy.line_split == "allowed",
            max_distance_km=float("inf") if policy.max_distance_km is None else policy.max_distance_km,
            move_cost_cents=policy.move_cost_cents,
        ),
        nodes=_nodes(network, node, capacities),
        skus=tuple(skus),
        weight_g=np.array([view.catalog.content[sku].weight_g for sku in skus], np.int64),
        stock=_stock(atp, skus, node, refused),
        orders=demand,
        services=tuple(network.services[v] for v in service),
        rates=rates,
        service_level=eligible.level,
    )
    check_worst_cost(problem, "$")
    there = atp.today[[atp.rows[sku] for sku in skus]] > 0 if skus else np.zeros(refused.shape, np.bool_)
    return Batch(
        problem=problem.freeze(),
        orders=ordered,
        line_ids=line_ids,
        node=node,
        service=service,
        hand_over=hand_over,
        refused=frozenset(np.flatnonzero((there & refused).any(axis=1)).tolist()),
    )


def capacities_left(network: Network, today: Today, used: Sequence[UsedCapacity]) -> dict[str, NodeCapacity]:
    """Return what each limited node can still ship on every one of the days on which it would hand over.

    Services may leave on several days; what is left on the fullest of them is there on all.
    """
    units: dict[str, int] = {}
    parcels: dict[str, int] = {}
    days = dict(zip(network.node_ids, ship_days(network, today), strict=True))
    for entry in used:
        if entry.ship_on.toordinal() in days.get(entry.node_id, ()):
            units[entry.node_id] = max(entry.units, units.get(entry.node_id, 0))
            parcels[entry.node_id] = max(entry.parcels, parcels.get(entry.node_id, 0))
    return {
        node_id: NodeCapacity(
            units=None if most_units < 0 else max(0, most_units - units.get(node_id, 0)),
            parcels=None if most_parcels < 0 else max(0, most_parcels - parcels.get(node_id, 0)),
        )
        for node_id, most_units, most_parcels in zip(
            network.node_ids, network.capacity_units.tolist(), network.capacity_parcels.tolist(), strict=True
        )
        if most_units >= 0 or most_parcels >= 0
    }


def ship_days(network: Network, today: Today) -> list[set[int]]:
    """Return the days on which each node hands over an order of this minute to one or another of its services."""
    nodes, services = np.arange(len(network.node_ids)), np.arange(len(network.services))
    days = np.where(network.serves.T, _hand_over(today, nodes, services), NEVER)
    return [{day for day in row if day < NEVER} for row in days.tolist()]


def _nodes(network: Network, node: IntArray, capacities: Mapping[str, NodeCapacity]) -> Nodes:
    ids = tuple(network.node_ids[n] for n in node)
    left = [capacities.get(node_id, NodeCapacity()) for node_id in ids]
    return Nodes(
        node_ids=ids,
        latitude=np.degrees(network.latitude_rad[node]),
        longitude=np.degrees(network.longitude_rad[node]),
        parcel_cost_cents=network.parcel_cost_cents[node],
        unit_cost_cents=network.unit_cost_cents[node],
        capacity_units=np.array([UNLIMITED if c.units is None else c.units for c in left], np.int64),
        capacity_parcels=np.array([UNLIMITED if c.parcels is None else c.parcels for c in left], np.int64),
        priority=network.priority[node],
    )


def _stock(atp: AtpTable, skus: Sequence[str], node: IntArray, refused: NDArray[np.bool_]) -> Stock:
    available = np.minimum(np.where(refused, 0, atp.today[[atp.rows[sku] for sku in skus]])[:, node], _UNITS_MOST)
    sku, at = np.nonzero(available > 0)
    return Stock(
        start=np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(sku, minlength=len(skus)))]).astype(
            np.int64
        ),
        node=at.astype(np.int64),
        available=available[sku, at].astype(np.int64),
    )


def _rates(network: Network, today: Today, node: IntArray, eligible: Eligible) -> tuple[RateCards, IntArray]:
    """Return the rate cards in the problem's order of services, and the hand-over day of every (node, service)."""
    service = eligible.service
    table, zones = network.rates, len(network.zones)
    names, zone_max_km, zone = _bands(network)
    cells = (service[:, None] * zones + zone).ravel()
    steps = [np.arange(table.offsets[cell], table.offsets[cell + 1]) for cell in cells]
    if network.service_max_km is not None:
        reached = (zone_max_km <= network.service_max_km[service][:, None]).ravel()
        steps = [step if is_near else step[:0] for step, is_near in zip(steps, reached.tolist(), strict=True)]
    chosen = np.concatenate([np.zeros(0, np.int64), *steps]).astype(np.int64)
    hand_over = _hand_over(today, node, service)
    longest = int(table.transit_days.max(initial=0))
    delivery = np.stack(
        [_arrival(network, today, hand_over, eligible, days) for days in range(longest + 1)], axis=2
    ) - _base(today)
    reaches = (delivery < UNREACHABLE // 2) & network.serves[np.ix_(service, node)].T[:, :, None]
    return (
        RateCards(
            zones=names,
            zone_max_km=zone_max_km,
            start=np.concatenate([[0], np.cumsum([len(step) for step in steps])]).astype(np.int64),
            max_weight_g=table.max_weight_g[chosen],
            cost_cents=fueled_cents(network)[chosen],
            transit_days=table.transit_days[chosen],
            delivery_days=np.where(reaches, delivery, UNREACHABLE),
        ),
        hand_over,
    )


def _bands(network: Network) -> tuple[tuple[str, ...], NDArray[np.float64], IntArray]:
    """Return the zones divided where a service ends: their names, ends in km, and numbers in the network."""
    ends = network.zone_max_km
    if network.service_max_km is None:
        return network.zones, ends, np.arange(len(ends))
    bands = np.union1d(ends, network.service_max_km[network.service_max_km <= ends.max(initial=0)])
    zone = np.searchsorted(ends, bands)
    names = tuple(
        network.zones[z] if end == ends[z] else f"{network.zones[z]} to {end:g} km"
        for z, end in zip(zone.tolist(), bands.tolist(), strict=True)
    )
    return names, bands, zone


def _base(today: Today) -> int:
    """Return the day that the problem's delivery and due days are counted from."""
    return int(today.local_day.min()) if len(today.local_day) else 0


def _hand_over(today: Today, node: IntArray, service: IntArray) -> IntArray:
    """Return the first day on which node n can hand an order of this minute to service v, or NEVER."""
    calendars = today.calendars
    ready = today.ready[np.ix_(service, node)].T
    pair = calendars.pair[np.ix_(service, node)].T
    offset = ready - calendars.first_day
    inside = offset < calendars.common.shape[1]
    return np.where(inside, calendars.common[pair, np.where(inside, offset, 0)], NEVER)


def _arrival(
    network: Network, today: Today, hand_over: IntArray, eligible: Eligible, transit_days: int
) -> NDArray[np.int64]:
    """Return the day of delivery after so many operating days of the service, or NEVER; shape (nodes, services)."""
    arrives = np.empty(hand_over.shape, dtype=np.int64)
    for area in np.unique(eligible.area).tolist():
        columns = np.flatnonzero(eligible.area == area)
        found = delivery_days(network, today.calendars, area)
        calendar = found.calendar[eligible.service[columns]]
        arrives[:, columns] = found.arrival(calendar[None, :], hand_over[:, columns], transit_days)
    return arrives


def _own_nodes(
    order: OpenOrder,
    network: Network,
    place: Sequence[int],
    atp: AtpTable,
    sku_index: Mapping[str, int],
    refused: NDArray[np.bool_],
) -> dict[tuple[str, int], int]:
    """Return the problem's node, by (SKU, quantity), of what the order's own reservation would have there today."""
    returned: dict[tuple[str, int], list[tuple[int | None, int]]] = {}
    for entry in order.own_stock:
        node = network.index.get(entry.node_id)
        k = sku_index.get(entry.sku)
        if node is not None and entry.sku in atp.rows and not (k is not None and refused[k, node]):
            ship_on = None if entry.ship_on is None else entry.ship_on.toordinal()
            returned.setdefault((entry.sku, node), []).append((ship_on, entry.quantity))
    found = {}
    for (sku, node), parts in returned.items():
        units = sum(quantity for _, quantity in parts)
        if atp.after_return(sku, node, parts) >= units:
            found[sku, units] = place[node]
    return found


def _keep_cents(network: Network) -> int:
    """Return what backordering a unit that an order already holds costs: more than any parcel that could ship it.

    So nothing that was promised and reserved is given up to save freight; only capacity or a closed lane can do that.
    """
    policy = network.policy
    parcel = int(fueled_cents(network).max(initial=0)) + int(network.parcel_cost_cents.max(initial=0))
    unit = int(network.unit_cost_cents.max(initial=0)) + policy.backorder_cost_cents_per_unit
    return parcel + unit + policy.split_cost_cents + (policy.late_day_cost_cents or 0) * _MOST_DAYS_LATE + 1


def _orders(
    orders: Sequence[OpenOrder],
    network: Network,
    today: Today,
    own_nodes: Sequence[Mapping[tuple[str, int], int]],
    levels: IntArray,
    sku_index: Mapping[str, int],
) -> tuple[Orders, tuple[str, ...]]:
    base, most = _base(today), network.policy.max_nodes_per_order
    start, sku, quantity, own, ids = [0], [], [], [], []
    for order, held in zip(orders, own_nodes, strict=True):
        for line in sorted(order.lines, key=lambda line: line.sku):
            sku.append(sku_index[line.sku])
            quantity.append(line.quantity)
            own.append(held.get((line.sku, line.quantity), -1))
            ids.append(line.line_id)
        start.append(len(sku))
    deadlines = [order.need_by or order.promised_on for order in orders]
    due = [NO_DUE_DATE if day is None else day.toordinal() - base for day in deadlines]
    return (
        Orders(
            order_ids=tuple(order.order_id for order in orders),
            latitude=np.array([order.latitude for order in orders], np.float64),
            longitude=np.array([order.longitude for order in orders], np.float64),
            due_days=np.array(due, np.int64),
            max_parcels=np.full(len(orders), UNLIMITED if most is None else most, np.int64),
            line_start=np.array(start, np.int64),
            line_sku=np.array(sku, np.int64),
            line_quantity=np.array(quantity, np.int64),
            line_own_node=np.array(own, np.int64),
            line_current_node=np.array(own, np.int64),
            line_backorder_cents=np.where(
                np.array(own, np.int64) >= 0, _keep_cents(network), network.policy.backorder_cost_cents_per_unit
            ),
            service_level=levels,
        ),
        tuple(ids),
    )


def allocations(batch: Batch, plan: RoutingPlan) -> list[OrderAllocation]:
    """Return the plan in the words of orders, one allocation per order, by order id."""
    problem, rows = batch.problem, dict[int, list[AllocationRow]]()
    owner = problem.line_order
    for line, n, quantity, v in zip(
        plan.line.tolist(), plan.node.tolist(), plan.quantity.tolist(), plan.service.tolist(), strict=True
    ):
        shipped = n != BACKORDER
        rows.setdefault(int(owner[line]), []).append(
            AllocationRow(
                line_id=batch.line_ids[line],
                sku=problem.skus[problem.orders.line_sku[line]],
                quantity=quantity,
                node_id=problem.nodes.node_ids[n] if shipped else None,
                service=problem.services[v] if shipped else None,
                ship_on=date.fromordinal(int(batch.hand_over[n, v])) if shipped else None,
            )
        )
    return [
        OrderAllocation(order_id=order.order_id, rows=tuple(rows.get(o, ()))) for o, order in enumerate(batch.orders)
    ]
