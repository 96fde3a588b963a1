"""Every parcel one order could ship: when a node's stock covers a set of lines, what it costs and when it arrives.

Here: compiled kernels on integer arrays, and the named tuples they read. A set of lines is a bit mask; days are
ordinals, money whole cents, weights grams. Not here: which parcels make the best plan (promise_options.py), calendars,
capacity and what was learned of lead times (promise_dates.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers.kernels import inner
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, FloatArray, IntArray
from solvers.promise_dates import (
    KIND,
    LEAVES,
    LEVEL,
    NEVER,
    NODE,
    PROMISED,
    SERVICE,
    ZONE,
    Days,
    bin_of,
    learned_arrivals,
    transit,
    with_room,
)
from solvers.promise_freight import BARS, BoolArray, Cards, Goods, carriage, mask_unions, rate_step

INFINITE = 2**62
NOBODY = -1
"""In place of a service: none carries the parcel in time."""
_UNPRICED = -2


class Atp(NamedTuple):
    """Available to promise by cell (product × all nodes + node): today's, and ascending later steps in rows."""

    today: IntArray
    step_offset: IntArray
    step_day: IntArray
    step_atp: IntArray


class Ask(NamedTuple):
    """One order: its lines, the nodes and services it may use, its limits, and what its units are worth.

    `nodes` (eligible,) and `services` (allowed, in order of preference on ties) are numbers; `zone`, `distance_km` and
    `shift` (all nodes,) give the destination's zone and distance and how many days its date differs from the node's.
    Days are ordinals. `values` (all nodes, lines) is what the units of a line are worth to later demand, in cents; it
    ranks only: parcels cost as much more, until a plan is told. Empty (0, 0) where no unit is worth anything.
    """

    units: IntArray
    weight_g: IntArray
    nodes: IntArray
    services: IntArray
    zone: IntArray
    distance_km: FloatArray
    shift: IntArray
    need_by: int
    most_parcels: int
    split_cost: int
    complete: bool
    goods: Goods
    values: IntArray


class Parcels(NamedTuple):
    """The best parcel of every (eligible node, mask); `cost` has its values, and is `INFINITE` where there is none."""

    cost: IntArray
    service: IntArray
    ship_day: IntArray
    arrival: IntArray


class Offers(NamedTuple):
    """What each service takes for a parcel, and its days, whatever the deadline; kept while an order is solved.

    `first` (1,) is the first eligible node they are of, -1 before any. `cost`, `ship_day` and `arrival` (nodes at a
    time, masks, services in the order of `Ask`); `arrival` is `NEVER` where a service does not carry the parcel.
    """

    first: IntArray
    cost: IntArray
    ship_day: IntArray
    arrival: IntArray


MOST_OFFERS = 2**18
"""That are kept; of larger orders, those of some nodes at a time are made again whenever they are asked for."""
LEARNED = -1
"""In place of the day of arrival of an offer: history knows it."""


@njit(cache=True, nogil=True)
def mask_sums(values: IntArray) -> IntArray:
    """Return the sum of the values of every mask."""
    sums = np.zeros(1 << values.shape[0], dtype=np.int64)
    for line in range(values.shape[0]):
        bit = 1 << line
        for rest in range(bit):
            sums[bit | rest] = sums[rest] + values[line]
    return sums


@inner
def is_better(by_arrival: bool, cost: int, arrival: int, than_cost: int, than_arrival: int) -> bool:
    """Say whether one (cost, arrival) comes before another, by cost first or by arrival first."""
    if by_arrival:
        return arrival < than_arrival or (arrival == than_arrival and cost < than_cost)
    return cost < than_cost or (cost == than_cost and arrival < than_arrival)


@inner
def _covered_from(atp: Atp, cell: int, quantity: int, today: int) -> int:
    """Return the first day on which the ATP of a cell reaches a quantity, `NEVER` if none."""
    if atp.today[cell] >= quantity:
        return today
    for step in range(atp.step_offset[cell], atp.step_offset[cell + 1]):
        if atp.step_atp[step] >= quantity:
            return atp.step_day[step]
    return NEVER


@njit(cache=True, nogil=True)
def days_alone(demand: IntArray, nodes: IntArray, local_day: IntArray, atp: Atp) -> IntArray:
    """Return the first day on which a node's ATP covers each line by itself, shape (nodes, lines); `NEVER` if none.

    demand (lines, products) in units; nodes (eligible,) node numbers; local_day (all nodes,) the day it is there.
    """
    lines, products = demand.shape
    all_nodes = local_day.shape[0]
    days = np.full((nodes.shape[0], lines), NEVER, dtype=np.int64)
    for e in range(nodes.shape[0]):
        node = nodes[e]
        for line in range(lines):
            latest = local_day[node]
            for product in range(products):
                if demand[line, product] > 0 and latest < NEVER:
                    cell = product * all_nodes + node
                    latest = max(latest, _covered_from(atp, cell, demand[line, product], local_day[node]))
            days[e, line] = latest
    return days


@njit(cache=True, nogil=True)
def days_covered(alone: IntArray, demand: IntArray, nodes: IntArray, local_day: IntArray, atp: Atp) -> IntArray:
    """Return the first day on which a node's ATP covers all lines of a mask together, shape (nodes, 2^lines).

    `alone` (nodes, lines) comes from `days_alone`, for the same nodes.
    """
    lines, products = demand.shape
    days = np.full((nodes.shape[0], 1 << lines), NEVER, dtype=np.int64)
    shared = np.zeros(products, dtype=np.bool_)
    any_shared = False
    for product in range(products):
        users = 0
        for line in range(lines):
            users += demand[line, product] > 0
        shared[product] = users > 1
        any_shared = any_shared or users > 1
    for e in range(nodes.shape[0]):
        today = local_day[nodes[e]]
        days[e, 0] = today
        for line in range(lines):
            bit = 1 << line
            for rest in range(bit):
                days[e, bit | rest] = max(alone[e, line], days[e, rest])
        if any_shared:
            _cover_together(demand, shared, nodes[e], today, local_day.shape[0], atp, days[e])
    return days


@njit(cache=True, nogil=True)
def within_reach(
    nodes: IntArray,
    latitude_rad: FloatArray,
    longitude_rad: FloatArray,
    to_latitude_rad: float,
    to_longitude_rad: float,
    zone_max_km: FloatArray,
    max_km: float,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the nodes within reach of a place, its zone seen from every node, `zones` if beyond the last, and its km.

    Great-circle distance by the haversine formula; a place lies in the first zone whose `max_km` is not below it.
    """
    zone = np.full(latitude_rad.shape[0], zone_max_km.shape[0], dtype=np.int64)
    away_km = np.full(latitude_rad.shape[0], np.inf)
    kept = np.empty(nodes.shape[0], dtype=np.int64)
    count = 0
    for node in nodes:
        across = np.sin((longitude_rad[node] - to_longitude_rad) / 2) ** 2
        along = np.sin((latitude_rad[node] - to_latitude_rad) / 2) ** 2
        chord = along + np.cos(latitude_rad[node]) * np.cos(to_latitude_rad) * across
        distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(min(chord, 1.0)))
        away_km[node] = distance_km
        zone[node] = np.searchsorted(zone_max_km, distance_km - DISTANCE_TOLERANCE_KM)
        if zone[node] < zone_max_km.shape[0] and distance_km <= max_km + DISTANCE_TOLERANCE_KM:
            kept[count] = node
            count += 1
    return kept[:count], zone, away_km


@inner
def _cover_together(
    demand: IntArray, shared: BoolArray, node: int, today: int, all_nodes: int, atp: Atp, days: IntArray
) -> None:
    """Delay the masks in which several lines draw on the same product until ATP covers their sum."""
    for mask in range(1, days.shape[0]):
        for product in range(demand.shape[1]):
            if not shared[product] or days[mask] >= NEVER:
                continue
            total = np.int64(0)
            for line in range(demand.shape[0]):
                if mask >> line & 1:
                    total += demand[line, product]
            if total > 0:
                days[mask] = max(days[mask], _covered_from(atp, product * all_nodes + node, int(total), today))


@njit(cache=True, nogil=True)
def price_parcels(
    by_arrival: bool, deadline: int, covered: IntArray, nodes: IntArray, ask: Ask, cards: Cards, t: Days
) -> Parcels:
    """Return the best service of every parcel of `nodes` that arrives by `deadline`; `covered` as by `days_covered`.

    Best is least cost, then earliest arrival, then first in `ask.services`; `by_arrival`, arrival comes before cost.
    """
    best = no_parcels(covered.shape)
    price_again(by_arrival, deadline, covered, nodes, ask, cards, t, no_offers(covered.shape, ask), best)
    return best


@inner
def no_offers(shape: tuple[int, int], ask: Ask) -> Offers:
    """Return room for the offers of parcels of a shape (eligible nodes, masks), and none yet."""
    services = ask.services.shape[0]
    at_a_time = min(shape[0], max(1, MOST_OFFERS // max(1, shape[1] * services)))
    sizes = (at_a_time, shape[1], services)
    return Offers(
        np.full(1, -1, dtype=np.int64),
        np.empty(sizes, dtype=np.int64),
        np.empty(sizes, dtype=np.int64),
        np.empty(sizes, dtype=np.int64),
    )


@inner
def no_parcels(shape: tuple[int, int]) -> Parcels:
    """Return room for the best parcels of a shape (eligible nodes, masks), and none yet."""
    return Parcels(
        np.full(shape, INFINITE, dtype=np.int64),
        np.full(shape, NOBODY, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
        np.full(shape, NEVER, dtype=np.int64),
    )


@inner
def price_again(
    by_arrival: bool,
    deadline: int,
    covered: IntArray,
    nodes: IntArray,
    ask: Ask,
    cards: Cards,
    t: Days,
    offers: Offers,
    best: Parcels,
) -> None:
    """Write what `price_parcels` returns into `best`, with what `offers` have of the same order and nodes.

    `best` has none yet, or those of a later deadline, of which stay what arrives in time.
    """
    shape, services = covered.shape, ask.services
    for first in range(0, shape[0], max(1, offers.cost.shape[0])):
        if offers.first[0] != first:
            make_offers(offers, first, covered, nodes, ask, cards, t)
        for e in range(first, min(first + offers.cost.shape[0], shape[0])):
            for mask in range(1, shape[1]):
                if covered[e, mask] >= NEVER or best.arrival[e, mask] <= deadline:
                    continue
                costs, arrivals = offers.cost[e - first, mask], offers.arrival[e - first, mask]
                best.cost[e, mask], best.arrival[e, mask] = INFINITE, NEVER
                best.service[e, mask], best.ship_day[e, mask] = NOBODY, NEVER
                for choice in range(services.shape[0]):
                    cost, arrival = costs[choice], arrivals[choice]
                    if arrival > deadline or arrival >= NEVER:
                        continue
                    if is_better(by_arrival, cost, arrival, best.cost[e, mask], best.arrival[e, mask]):
                        best.cost[e, mask], best.arrival[e, mask] = cost, arrival
                        best.service[e, mask] = services[choice]
                        best.ship_day[e, mask] = offers.ship_day[e - first, mask, choice]


@njit(cache=True, nogil=True)
def make_offers(
    offers: Offers, first: int, covered: IntArray, nodes: IntArray, ask: Ask, cards: Cards, t: Days
) -> None:
    """Write the offers of the parcels of as many eligible nodes as there is room for, from `first` on."""
    known, load, first_day, ready, pair, common = t.learned, t.load, t.first_day, t.ready, t.pair, t.common
    masks = covered.shape[1]
    weight_g, units = mask_sums(ask.weight_g), mask_sums(ask.units)
    handling = mask_unions(ask.goods.handling, masks)
    is_plain = cards.rules.plain and ask.goods.plain
    value = np.zeros(masks, dtype=np.int64)
    last = min(first + offers.cost.shape[0], covered.shape[0])
    offers.first[0] = first
    offers.arrival[:] = NEVER
    for e in range(first, last):
        node, row = nodes[e], load.row[nodes[e]]
        if ask.values.shape[0] > 0:
            value = mask_sums(ask.values[node])
        for choice in range(ask.services.shape[0]):
            service = ask.services[choice]
            if not cards.serves[service, node]:
                continue
            barred = cards.rules.node_bars[node] | cards.rules.service[service, BARS]
            hands_over = pair[service, node]
            for mask in range(1, masks):
                if covered[e, mask] >= NEVER or handling[mask] & barred:
                    continue
                if is_plain:
                    step = rate_step(cards, service * cards.zones + ask.zone[node], weight_g[mask])
                    if step < 0:
                        continue
                    shipping, transit_days = cards.cost[step], cards.transit_days[step]
                else:
                    bill = carriage(cards, ask.goods, service, ask.zone[node], mask, weight_g[mask])
                    if bill.transit_days < 0:
                        continue
                    shipping = bill.rate + bill.residential + bill.remote + bill.oversize + bill.fuel + bill.packaging
                    transit_days = bill.transit_days
                earliest = max(covered[e, mask], ready[service, node])
                if earliest - first_day >= common.shape[1]:
                    continue
                ship_day = common[hands_over, earliest - first_day]
                if row >= 0:
                    ship_day = with_room(load, row, common, hands_over, first_day, earliest, units[mask])
                if ship_day >= NEVER:
                    continue
                calendar, handed_over = t.calendar[service], ship_day + ask.shift[node]
                offers.cost[e - first, mask, choice] = (
                    cards.parcel_cost[node] + shipping + cards.unit_cost[node] * units[mask] + value[mask]
                )
                offers.ship_day[e - first, mask, choice] = ship_day
                offers.arrival[e - first, mask, choice] = (
                    LEARNED
                    if known.knows[service]
                    else transit(first_day, t.before, t.nth, calendar, handed_over, transit_days)
                )
    if known.knows.any():
        _learn_offers(offers, nodes[first:last], weight_g, ask, t)


@inner
def _learn_offers(offers: Offers, nodes: IntArray, weight_g: IntArray, ask: Ask, t: Days) -> None:
    """Put days of arrival in the place of `LEARNED`; parcels of a lane that weigh alike and leave together are one."""
    ends, masks = t.learned.weight_ends, weight_g.shape[0]
    kinds = np.empty(masks, dtype=np.int64)
    for mask in range(masks):
        kinds[mask] = bin_of(ends, weight_g[mask])
    arrival, ship_day, services, zone = offers.arrival, offers.ship_day, ask.services, ask.zone
    trips = np.empty((nodes.shape[0] * masks * services.shape[0], 6), dtype=np.int64)
    trip_of = np.empty(ends.shape[0] + 1, dtype=np.int64)
    count = 0
    for e in range(nodes.shape[0]):
        for choice in range(services.shape[0]):
            trip_of[:] = -1
            for mask in range(1, masks):
                if arrival[e, mask, choice] != LEARNED:
                    continue
                trip = trip_of[kinds[mask]]
                if trip < 0 or trips[trip, LEAVES] != ship_day[e, mask, choice]:
                    trip = trip_of[kinds[mask]] = count
                    trips[trip, SERVICE], trips[trip, NODE] = services[choice], nodes[e]
                    trips[trip, ZONE], trips[trip, KIND] = zone[nodes[e]], kinds[mask]
                    trips[trip, LEAVES], trips[trip, LEVEL] = ship_day[e, mask, choice], PROMISED
                    count += 1
                arrival[e, mask, choice] = LEARNED - 1 - trip
    arrives = learned_arrivals(t, trips[:count], ask.distance_km)
    for e in range(nodes.shape[0]):
        for mask in range(1, masks):
            for choice in range(services.shape[0]):
                if arrival[e, mask, choice] < LEARNED:
                    arrival[e, mask, choice] = arrives[LEARNED - 1 - arrival[e, mask, choice]]
