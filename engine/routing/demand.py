"""Open orders as the demand of a problem: what they hold already, what they wait for, and by which day they are due.

Not here: which ways their parcels may go (ways.py), stock (batch.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.routing.arrivals import Arrivals
from engine.routing.contents import Contents
from engine.routing.model import OpenOrder
from engine.routing.promised_arrival import NOBODY, WayOf, as_promised, band_of
from engine.routing.rate_cards import Bands, Cards
from engine.routing.ways import Wait, Ways
from solvers.problem import (
    NO_DUE_DATE,
    UNLIMITED,
    UNREACHABLE,
    IntArray,
    Orders,
)

_MOST_DAYS_LATE = 30
"""Days late up to which an order that holds its stock is shipped rather than backordered."""
_UNITS_KEPT_OUT = 3
"""Units of other orders that have to wait at most for one that was promised, where they compete for a node."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """What an order's own reservation would have today: by (SKU, units), the node of the network, and its day."""

    node: Mapping[tuple[str, int], int]
    ship_on: Mapping[tuple[str, int], int]


def held_by(order: OpenOrder, view: View, atp: AtpTable, refused: Mapping[str, NDArray[np.bool_]]) -> Held:
    """Return what an order holds; not what is due from a later supply, or was counted away.

    `refused` says by SKU which nodes do not handle it.
    """
    network = view.network
    returned: dict[tuple[str, int], list[tuple[int | None, int]]] = {}
    for entry in order.own_stock:
        node = network.index.get(entry.node_id)
        if node is not None and entry.sku in atp.rows and not (entry.sku in refused and refused[entry.sku][node]):
            ship_on = None if entry.ship_on is None else entry.ship_on.toordinal()
            returned.setdefault((entry.sku, node), []).append((ship_on, entry.quantity))
    nodes, days = {}, {}
    for (sku, node), parts in returned.items():
        units = sum(quantity for _, quantity in parts)
        if atp.after_return(sku, node, parts) >= units:
            nodes[sku, units] = node
            days[sku, units] = max(day or 0 for day, _ in parts)
    return Held(node=nodes, ship_on=days)


def wait_of(order: OpenOrder, held: Held, making_days: Mapping[str, int]) -> Wait:
    """Return how long an order waits for what is made to order.

    What it holds is being made at its node, and leaves on the day that was promised; the rest begins now.
    """
    not_before = most = 0
    for line in order.lines:
        days = making_days.get(line.sku, 0)
        key = (line.sku, line.quantity)
        if days and key in held.node:
            not_before = max(not_before, held.ship_on[key])
        else:
            most = max(most, days)
    return Wait(not_before=not_before, making_days=most)


def demand_of(
    orders: Sequence[OpenOrder],
    held: Sequence[Held],
    view: View,
    ways: Ways,
    due_days: IntArray,
    place: Sequence[int],
    sku_index: Mapping[str, int],
    keep_cents: IntArray,
    leaves_on: IntArray,
) -> tuple[Orders, tuple[str, ...], NDArray[np.bool_]]:
    """Return the orders of a problem, the id of every line, and which lines an order holds for a later day.

    `keep_cents` (orders,) is what backordering a unit costs that its order holds; `place` is the problem's number of
    each node, `leaves_on` the first day on which each hands over now. What is being made for an order stays at its
    node. What is held for a later day stays held if it waits, so that waiting costs no more than usual.
    """
    policy, making = view.network.policy, view.catalog.making_days
    start, sku, quantity, own, pinned, ids, later = [0], [], [], [], [], [], []
    for order, holds in zip(orders, held, strict=True):
        for line in sorted(order.lines, key=lambda line: line.sku):
            node = holds.node.get((line.sku, line.quantity), NOBODY)
            sku.append(sku_index[line.sku])
            quantity.append(line.quantity)
            own.append(NOBODY if node == NOBODY else place[node])
            pinned.append(own[-1] if line.sku in making else NOBODY)
            later.append(node != NOBODY and holds.ship_on[line.sku, line.quantity] > leaves_on[node])
            ids.append(line.line_id)
        start.append(len(sku))
    latitude, longitude = destinations(orders, view)
    most, own_node, pinned_node = policy.max_nodes_per_order, np.array(own, np.int64), np.array(pinned, np.int64)
    waits = np.array(later, np.bool_)
    is_kept = (own_node >= 0) & (~waits | (pinned_node >= 0))
    demand = Orders(
        order_ids=tuple(order.order_id for order in orders),
        latitude=latitude,
        longitude=longitude,
        due_days=due_days,
        max_parcels=np.full(len(orders), UNLIMITED if most is None else most, np.int64),
        line_start=np.array(start, np.int64),
        line_sku=np.array(sku, np.int64),
        line_quantity=np.array(quantity, np.int64),
        line_own_node=own_node,
        line_current_node=own_node.copy(),
        line_pinned_node=pinned_node if (pinned_node >= 0).any() else None,
        line_backorder_cents=np.where(
            is_kept, np.repeat(keep_cents, np.diff(start)), policy.backorder_cost_cents_per_unit
        ),
        service_level=ways.of_order,
    )
    return demand, tuple(ids), waits


def keep_cents_of(
    orders: Sequence[OpenOrder], held: Sequence[Held], view: View, cards: Cards, contents: Contents
) -> IntArray:
    """Return by order what backordering a unit costs that it holds already: more than any parcel that could ship it.

    So nothing that was promised and reserved is given up to save freight, and little of it to others that compete for a
    node; only capacity or a closed lane can do that. It is no more than that either, since prices of stock and capacity
    have to be sought as high: the freight is that of parcels as heavy as the order, not of the heaviest in the cards.
    """
    grams = [_grams(order, contents) if holds.node else 0 for order, holds in zip(orders, held, strict=True)]
    return _beyond_shipping(grams, view, cards)


def step_cents_of(orders: Sequence[OpenOrder], view: View, cards: Cards, contents: Contents) -> int:
    """Return what a unit costs more to leave waiting for each step of its order's priority, 0 where none has any.

    More than any parcel of these orders, so that of two orders that contend for a unit the higher gets it.
    """
    if not any(order.priority for order in orders):
        return 0
    return int(_beyond_shipping([max(_grams(order, contents) for order in orders)], view, cards)[0])


def _grams(order: OpenOrder, contents: Contents) -> int:
    return sum(line.quantity * contents.counted_g(line.sku) for line in order.lines)


def _beyond_shipping(grams: Sequence[int], view: View, cards: Cards) -> IntArray:
    """Return what is more than a parcel of such weight may cost, with a unit in it, late and split off."""
    network, policy = view.network, view.network.policy
    parcel = int(network.parcel_cost_cents.max(initial=0)) + policy.split_cost_cents
    unit = int(network.unit_cost_cents.max(initial=0)) + policy.backorder_cost_cents_per_unit * _UNITS_KEPT_OUT
    late = (policy.late_day_cost_cents or 0) * _MOST_DAYS_LATE
    return _dearest_cents(cards, np.array(grams, np.int64)) + parcel + unit + late + 1


def _dearest_cents(cards: Cards, grams: IntArray) -> IntArray:
    """Return what parcels of at most these weights cost at most, by any way over any distance."""
    steps = len(cards.cost_cents)
    if not steps:
        return np.zeros(len(grams), np.int64)
    above = np.concatenate([np.zeros(1, np.int64), cards.max_weight_g[:-1]])
    above[cards.start[:-1][cards.start[:-1] < steps]] = -1
    rank = np.argsort(above, kind="stable")
    dearest = np.maximum.accumulate(cards.cost_cents[rank])
    found: IntArray = dearest[np.searchsorted(above[rank], grams, side="left") - 1]
    return found


def destinations(orders: Sequence[OpenOrder], view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where orders go, in degrees: to their address, or the store where they are picked up."""
    network = view.network
    places = []
    for order in orders:
        store = None if order.pickup_node_id is None else network.index.get(order.pickup_node_id)
        if store is None:
            places.append((order.latitude, order.longitude))
        else:
            node = network.document.nodes[store]
            places.append((node.latitude, node.longitude))
    found = np.array(places, np.float64).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


def due_days_of(
    orders: Sequence[OpenOrder], view: View, ways: Ways, bands: Bands, cards: Cards, arrivals: Arrivals
) -> IntArray:
    """Return the day by which each order is due, from the base of the arrivals on; `NO_DUE_DATE` if by none.

    A parcel that leaves as it was promised keeps its promise, however late the hour or new the history: what it would
    be promised for now is in time then, and so is everything that comes no later.
    """
    deadlines = [order.need_by or order.promised_on for order in orders]
    due = np.array([NO_DUE_DATE if d is None else d.toordinal() - arrivals.base for d in deadlines], np.int64)
    latitude, longitude = destinations(orders, view)
    way_of = WayOf(view, ways)
    for o, order in enumerate(orders):
        if order.promised_on is None or order.need_by is not None:
            continue
        for parcel in order.promised_parcels:
            node = view.network.index.get(parcel.node_id)
            way = way_of(int(ways.of_order[o]), parcel.service)
            if node is None or way == NOBODY or arrivals.hand_over[node, way] > parcel.ship_on.toordinal():
                continue
            band = band_of(view, bands, node, float(latitude[o]), float(longitude[o]))
            arrives = as_promised(parcel, node, way, band, cards, arrivals, len(bands.zone))
            if arrives < UNREACHABLE:
                due[o] = max(due[o], arrives)
    return due
