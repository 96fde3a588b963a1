"""What hubs can do for the orders of a batch: the transfers that still leave, and what goes on from each hub, and when.

A *stop* is a hub from a moment on: what has come by then may be packed there, and goes on by the services that pick up
later. Not here: the rules of days of transfers (engine/network/hubs.py), which orders use a hub (consolidating.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.delivery.day_tables import DayTables
from engine.network.days import NEVER
from engine.network.hubs import SLOTS, TransferMinute, first_days, transfer_days, transfer_minute
from engine.network.model import Network
from engine.network.transfers import Hubs
from engine.routing.arrivals import Arrivals, arrivals_from
from engine.routing.demand import destinations
from engine.routing.drop_ship import VENDOR
from engine.routing.model import OpenOrder
from engine.routing.promised_arrival import WayOf, as_promised, band_of
from engine.routing.rate_cards import Bands, Cards
from engine.routing.ways import Ways, refused_stock
from solvers.problem import NO_DUE_DATE, UNREACHABLE, IntArray

MOST_LINES = 8
"""Orders of more open lines are not consolidated."""
OWN = -1
"""In place of a transfer: what the hub has itself."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Legs:
    """The transfers that leave: numbers of nodes in the problem, day ordinals, moments, and (legs, 3) cents.

    `leaves` is the day at `source`, from `moment` on it may be handed over at `hub`. `cents` are of each, of a kilogram
    and of a unit; `unit_cents` what the hub takes for a unit that comes so.
    """

    source: IntArray
    hub: IntArray
    leaves: IntArray
    moment: IntArray
    cents: IntArray
    unit_cents: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HubOffers:
    """What hubs can do for the orders of a batch; stops are by hub, and by moment within one.

    `packs_own` (stops,) says whether a hub's own units are there by then. `hand_over` (stops, ways) and `days` (stops,
    ways, what days depend on) are as of nodes, `refused` (skus, stops) what hubs do not handle. `due_days` (orders,) is
    by when orders are due that go over a hub; `keeps` (orders,) of which a promised day was given up without hubs.
    """

    legs: Legs
    stop_hub: IntArray
    stop_moment: IntArray
    packs_own: NDArray[np.bool_]
    hand_over: IntArray
    days: IntArray
    refused: NDArray[np.bool_]
    due_days: IntArray
    keeps: NDArray[np.bool_]
    eligible: NDArray[np.bool_]

    def day_of(self, leg: int, stop: int, way: int) -> int:
        """Return the ordinal on which units leave their node: by a leg, or from the hub itself (`OWN`)."""
        return int(self.hand_over[stop, way] if leg == OWN else self.legs.leaves[leg])

    def available_on(self, leg: int) -> int:
        """Return the ordinal of the day from which a hub may hand over what a leg brings."""
        return int(self.legs.moment[leg] // SLOTS)

    def dates(self) -> list[date]:
        """Return the days on which anything of this leaves a node or a hub."""
        days = {*self.legs.leaves.tolist(), *self.hand_over[self.hand_over < NEVER].tolist()}
        return [date.fromordinal(day) for day in sorted(days)]


def hub_offers(
    orders: Sequence[OpenOrder],
    waiting: Collection[str],
    view: View,
    now: datetime,
    tables: DayTables,
    parts: tuple[Ways, Bands, Cards, Arrivals],
    skus: Sequence[str],
    place: Sequence[int],
    due_days: IntArray,
    given_up: Mapping[str, date],
) -> HubOffers | None:
    """Return what hubs can do; None if nothing is sent to one.

    `waiting` are the orders of something that is made to order, which no hub packs; `place` is the problem's number of
    each node of the network, `given_up` the promised days that could not be kept without hubs.
    """
    network, (ways, bands, cards, arrivals) = view.network, parts
    eligible = np.array([_may_use_hubs(order, waiting) for order in orders], np.bool_)
    if network.hubs is None or network.policy.line_split == "allowed" or not eligible.any():
        return None
    calendars = view.days.at(now).calendars
    minute = transfer_minute(view.days, now, transfer_days(network, calendars))
    number, leaves, moment = _leaving(network, network.hubs, minute, calendars.first_day)
    if not len(number):
        return None
    hub_node, stop_moment, packs_own = _stops(network.hubs, minute, number, moment)
    ready = first_days(stop_moment, network.pick_up_minutes[:, hub_node].T)
    onward = arrivals_from(view, now, tables, ways, bands, cards, hub_node, ready)
    hubs, at = network.hubs, np.array(place, np.int64)
    keeps = np.array([order.order_id in given_up for order in orders], np.bool_)
    offers = HubOffers(
        legs=Legs(
            source=at[hubs.source[number]],
            hub=at[hubs.node[hubs.hub[number]]],
            leaves=leaves,
            moment=moment,
            cents=hubs.cost_cents[number],
            unit_cents=hubs.unit_cost_cents[hubs.hub[number]],
        ),
        stop_hub=at[hub_node],
        stop_moment=stop_moment,
        packs_own=packs_own,
        hand_over=onward.hand_over,
        days=onward.days,
        refused=refused_stock(view.catalog, network, skus)[:, hub_node],
        due_days=due_days,
        keeps=keeps,
        eligible=eligible,
    )
    wanted = [replace(o, promised_on=given_up.get(o.order_id, o.promised_on)) for o in orders]
    due = _due_days(wanted, due_days, arrivals.base, view, parts, replace(onward, base=arrivals.base), hub_node)
    return replace(offers, due_days=due)


def _may_use_hubs(order: OpenOrder, waiting: Collection[str]) -> bool:
    few = 0 < len(order.lines) <= MOST_LINES
    return few and order.pickup_node_id is None and order.order_id not in waiting


def _leaving(network: Network, hubs: Hubs, minute: TransferMinute, first: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the transfers that leave, by number, with the day and the moment at the hub; none of vendors."""
    vendors = {n for n, node in enumerate(network.document.nodes) if node.kind == VENDOR}
    barred = np.array(sorted(vendors | network.closed), np.int64)
    open_ones = ~np.isin(hubs.source, barred) & ~np.isin(hubs.node[hubs.hub], barred)
    days, horizon = minute.days, minute.days.common.shape[1]
    offset = minute.ready - first
    number = np.flatnonzero(open_ones & (offset >= 0) & (offset < horizon))
    leaves = days.common[days.pair[number], offset[number]]
    there = leaves + minute.shift[number] - first
    inside = (leaves < NEVER) & (there >= 0) & (there < horizon)
    number, leaves, there = number[inside], leaves[inside], there[inside]
    moment = days.taken[days.kind[number], there]
    known = moment < NEVER * SLOTS
    return number[known], leaves[known], moment[known]


def _stops(
    hubs: Hubs, minute: TransferMinute, number: IntArray, moment: IntArray
) -> tuple[IntArray, IntArray, NDArray[np.bool_]]:
    """Return the node of each stop in the network, its moment, and whether the hub's own units are there by then."""
    found: list[tuple[int, int, bool]] = []
    for row in np.unique(hubs.hub[number]).tolist():
        coming = set(moment[hubs.hub[number] == row].tolist())
        own = int(minute.own_from[row])
        moments = sorted(coming | {own} if own > min(coming) else coming)
        found += [(int(hubs.node[row]), each, own <= each) for each in moments]
    node, at, packs = zip(*found, strict=True)
    return np.array(node, np.int64), np.array(at, np.int64), np.array(packs, np.bool_)


def _due_days(
    orders: Sequence[OpenOrder],
    due_days: IntArray,
    base: int,
    view: View,
    parts: tuple[Ways, Bands, Cards, Arrivals],
    onward: Arrivals,
    hub_node: IntArray,
) -> IntArray:
    """Return by when orders are due over a hub; a parcel that leaves one as promised keeps its promise."""
    ways, bands, cards, _ = parts
    found, way_of = due_days.copy(), WayOf(view, ways)
    latitude, longitude = destinations(orders, view)
    for o, order in enumerate(orders):
        if order.promised_on is None or order.need_by is not None:
            continue
        if found[o] == NO_DUE_DATE:
            found[o] = order.promised_on.toordinal() - base
        for parcel in order.promised_parcels:
            way = way_of(int(ways.of_order[o]), parcel.service)
            node = view.network.index.get(parcel.node_id)
            for stop in np.flatnonzero(hub_node == (-1 if node is None else node)).tolist():
                if way >= 0 and onward.hand_over[stop, way] <= parcel.ship_on.toordinal():
                    band = band_of(view, bands, int(hub_node[stop]), float(latitude[o]), float(longitude[o]))
                    arrives = as_promised(parcel, stop, way, band, cards, onward, len(bands.zone))
                    found[o] = max(found[o], arrives if arrives < UNREACHABLE else found[o])
    return found
