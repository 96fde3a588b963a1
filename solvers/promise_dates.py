"""When a parcel leaves its node and when it arrives: compiled kernels on integer arrays.

A parcel leaves on the first day on which node and service hand over and the node has units and parcels left. It arrives
by the transit days of the rate card, or by what was learned from history: location + scale × z days after its order, as
`engine/calibration` describes the learned file. History knows weekdays, but no holidays, closures or backlogs. So a
parcel that leaves later than an ordinary week would have it counts as one ordered on the first day from which such a
week leads to that day; and days off of the carrier on its way are added. Nothing arrives later because it leaves
earlier: a parcel may always wait, so its arrival is the least over the next days of hand-over.

Days are ordinals. Not here: which parcels there are and what they cost (promise_parcels.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.kernels import inner
from solvers.problem import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

NEVER = 2**30
EPOCH = 719163
"""The ordinal of 1970-01-01, from which the weekdays of the learned file count."""
DAYS_AHEAD = 14
"""So many later days of hand-over are looked at for an earlier arrival; weekdays repeat after seven."""

STEADY, DRIFT, VARIANCE, FACTOR = range(4)
"""What a group adds to location, steadily and of late, adds to the variance, and multiplies the scale by."""
PROMISED, MEDIAN, NINETIETH = range(3)
"""Rows of `Learned.z`."""
SERVICE, NODE, ZONE, KIND, LEAVES, LEVEL = range(6)
"""Columns of a parcel under way: whose lane it takes, its bin of weight, the day it leaves, and the row of `z`."""


class Learned(NamedTuple):
    """What was learned, by service, node, zone (lanes as sorted keys), weekday, hour, distance and weight.

    `knows` (services,) says for which services there is history; `nodes` (services, nodes, 4), `zones` (services,
    zones, 4), `lanes` (lanes + 1, 4; the last for those not seen), `weekdays` (services, 7, 4), `hours` (24, 4),
    `distances` and `weights` (bins, 4) hold STEADY … FACTOR; `levels` (bins,) factors by steady location. `shape`
    (services, nodes)
    and `lane_shape` (lanes + 1,), -1 for none, choose the column of `z` (3, shapes). `today` and `hour` (nodes,) are
    now; `ordinary` (services, nodes) is the day of hand-over of an order of now in an ordinary week, and `started`
    (rows, 7), by `start_row` (services, nodes) and ordinal modulo 7, the days from order to hand-over in one. `lost`
    (calendars, horizon + 1) counts the holidays and closures before a day.
    """

    knows: BoolArray
    nodes: FloatArray
    zones: FloatArray
    lane_key: IntArray
    lanes: FloatArray
    shape: IntArray
    lane_shape: IntArray
    weekdays: FloatArray
    hours: FloatArray
    distances: FloatArray
    weights: FloatArray
    levels: FloatArray
    distance_ends: FloatArray
    weight_ends: FloatArray
    level_ends: FloatArray
    z: FloatArray
    scale: float
    ratio: float
    today: IntArray
    hour: IntArray
    ordinary: IntArray
    start_row: IntArray
    started: IntArray
    lost: IntArray


class Load(NamedTuple):
    """What nodes of limited capacity are to ship already; `row` (nodes,) is -1 for the others.

    By row: at most `most_units` and `most_parcels` (-1: unlimited) a day; `units` and `parcels` (rows, days) on the
    days from the tables' first on; nothing on days beyond.
    """

    row: IntArray
    most_units: IntArray
    most_parcels: IntArray
    units: IntArray
    parcels: IntArray


class Days(NamedTuple):
    """Day tables from ordinal `first_day` on.

    `ready` (services, nodes) is the first day an order could be handed over; `common` (pairs, horizon) the next day on
    which it is, `pair` (services, nodes) its row; `before` (calendars, horizon + 1) counts the operating days before a
    day and `nth` (calendars, horizon) lists them, `calendar` (services,) says which.
    """

    first_day: int
    ready: IntArray
    pair: IntArray
    common: IntArray
    calendar: IntArray
    before: IntArray
    nth: IntArray
    learned: Learned
    load: Load


@inner
def with_room(load: Load, row: int, common: IntArray, pair: int, first_day: int, earliest: int, units: int) -> int:
    """Return the first day of hand-over from `earliest` on on which a node has room for a parcel, `NEVER` if none.

    One of more units than the node ships in a day takes a whole day.
    """
    most_units, most_parcels = load.most_units[row], load.most_parcels[row]
    if most_units == 0 or most_parcels == 0:
        return NEVER
    index = earliest - first_day
    while index < common.shape[1]:
        day = common[pair, index]
        index = day - first_day
        if index >= load.units.shape[1]:
            return day
        has_units = most_units < 0 or load.units[row, index] <= max(most_units - units, 0)
        if has_units and (most_parcels < 0 or load.parcels[row, index] < most_parcels):
            return day
        index += 1
    return NEVER


@njit(cache=True, nogil=True)
def transit(first_day: int, before: IntArray, nth: IntArray, calendar: int, handed_over: int, transit_days: int) -> int:
    """Return the first operating day from the hand-over on, or the given number of operating days after it."""
    index = handed_over - first_day
    if index < 0 or index >= nth.shape[1]:
        return NEVER
    place = before[calendar, index] if transit_days == 0 else before[calendar, index + 1] + transit_days - 1
    return nth[calendar, place] if place < nth.shape[1] else NEVER


@inner
def bin_of(ends: FloatArray, value: float) -> int:
    """Return how many ends are below a value."""
    low, high = 0, ends.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ends[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def learned_arrivals(t: Days, trips: IntArray, distance_km: FloatArray) -> IntArray:
    """Return the days by which parcels arrive, by what was learned of their lanes.

    trips (parcels, 6) with the columns SERVICE … LEVEL; distance_km (all nodes,). One call for many, since every call
    counts the references of every array.
    """
    known, first_day, common, before, nth = t.learned, t.first_day, t.common, t.before, t.nth
    weekdays, hours, lost, levels, level_ends = known.weekdays, known.hours, known.lost, known.levels, known.level_ends
    nodes, zones, lanes, distances = known.nodes, known.zones, known.lanes, known.distances
    weights, started, lane_key = known.weights, known.started, known.lane_key
    uncertain, horizon = known.ratio * known.ratio, common.shape[1]
    lane = np.empty(4)
    arrivals = np.empty(trips.shape[0], dtype=np.int64)
    z, of_before = 0.0, np.int64(-1)
    for trip in range(trips.shape[0]):
        service, node, zone = trips[trip, SERVICE], trips[trip, NODE], trips[trip, ZONE]
        key = (service * nodes.shape[1] + node) * zones.shape[1] + zone
        if key * 3 + trips[trip, LEVEL] != of_before:
            of_before = key * 3 + trips[trip, LEVEL]
            row = np.searchsorted(lane_key, key)
            if row < lane_key.shape[0] and lane_key[row] != key:
                row = lane_key.shape[0]
            apart = bin_of(known.distance_ends, distance_km[node])
            for i in range(FACTOR):
                lane[i] = nodes[service, node, i] + zones[service, zone, i] + lanes[row, i] + distances[apart, i]
            i = FACTOR
            lane[i] = nodes[service, node, i] * zones[service, zone, i] * lanes[row, i] * distances[apart, i]
            lane[i] *= known.scale
            shape = known.lane_shape[row] if known.lane_shape[row] >= 0 else known.shape[service, node]
            z = known.z[trips[trip, LEVEL], shape]
        kind, day = trips[trip, KIND], trips[trip, LEAVES]
        pair, calendar = t.pair[service, node], t.calendar[service]
        today, ordinary, week = known.today[node], known.ordinary[service, node], known.start_row[service, node]
        steady, drift = lane[STEADY] + weights[kind, STEADY], lane[DRIFT] + weights[kind, DRIFT]
        variance, factor = lane[VARIANCE] + weights[kind, VARIANCE], lane[FACTOR] * weights[kind, FACTOR]
        best = NEVER
        for _ in range(DAYS_AHEAD):
            if day >= best:
                break
            if day == ordinary:
                ordered, hour = today, known.hour[node]
            else:
                ordered, hour = max(day - started[week, day % 7], today), 0
            weekday = (ordered - EPOCH) % 7
            location = steady + weekdays[service, weekday, STEADY] + hours[hour, STEADY]
            width = factor * weekdays[service, weekday, FACTOR] * hours[hour, FACTOR]
            width *= levels[bin_of(level_ends, location)]
            unsure = variance + weekdays[service, weekday, VARIANCE] + hours[hour, VARIANCE]
            location += drift + weekdays[service, weekday, DRIFT] + hours[hour, DRIFT]
            took = int(np.floor(location + np.sqrt(width * width + uncertain * unsure) * z + 0.5 - 1e-9))
            arrival = max(ordered + took, ordered, day)
            # What would arrive on a day without holidays and closures on its way arrives so many days later.
            planned, lost_before = arrival, lost[calendar, day - first_day + 1]
            while arrival - first_day < horizon:
                moved = planned + lost[calendar, arrival - first_day + 1] - lost_before
                if moved <= arrival:
                    best = min(best, transit(first_day, before, nth, calendar, arrival, 0))
                    break
                arrival = moved
            index = day + 1 - first_day
            if index >= horizon:
                break
            day = common[pair, index]
        arrivals[trip] = best
    return arrivals
