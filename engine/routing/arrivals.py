"""The days of a batch: when each node hands over to each way, and when parcels arrive, as promises reckon them.

All is asked of engine/delivery, once for each of the few datings that orders have. Not here: which those are (ways.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from engine.availability.reference import View
from engine.delivery.arrivals import by_history, by_rate_card, hand_over
from engine.delivery.day_tables import DayTables
from engine.delivery.pickup import pickup_at
from engine.network.days import NEVER, working_days_after
from engine.routing.rate_cards import BY_RATE_CARD, Bands, Cards
from engine.routing.ways import NO_STORE, Dating, Ways
from solvers.problem import UNREACHABLE, IntArray
from solvers.promise_dates import Days


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Ordinals of hand-over (nodes, ways), `NEVER` where there is none, and days until arrival from `base` on.

    `days` is (nodes, ways, what days depend on), `UNREACHABLE` where a way does not serve a node. Nodes are in the
    order of the network.
    """

    base: int
    hand_over: IntArray
    days: IntArray


def arrivals_of(view: View, now: datetime, tables: DayTables, ways: Ways, bands: Bands, cards: Cards) -> Arrivals:
    """Return the days of every node and way."""
    today = view.days.at(now)
    nodes, count = len(view.network.node_ids), len(ways.service)
    base = int(today.local_day.min()) if nodes else 0
    leaves = np.full((nodes, count), NEVER, dtype=np.int64)
    days = np.full((nodes, count, len(cards.days_of)), UNREACHABLE, dtype=np.int64)
    for number, dating in enumerate(ways.datings):
        columns = np.flatnonzero(ways.dating == number)
        service, place = np.unique(ways.service[columns], return_inverse=True)
        table = _table(view, now, tables, dating)
        found = _leaves(view, now, table, dating, service)
        leaves[:, columns] = found[:, place]
        arrives = _arrive(table, dating, service, found, ways, bands, cards)
        days[:, columns, :] = np.where(arrives < UNREACHABLE // 2, arrives - base, UNREACHABLE)[:, place, :]
    return Arrivals(base=base, hand_over=leaves, days=days)


def arrivals_from(
    view: View,
    now: datetime,
    tables: DayTables,
    ways: Ways,
    bands: Bands,
    cards: Cards,
    node: IntArray,
    ready: IntArray,
) -> Arrivals:
    """Return the days of what is ready at some nodes on other days than now; entries are of these, not of all nodes.

    `node` (entries,) are numbers in the network, `ready` (entries, services of the network) the first day for each. Not
    for pick-ups, nor for what waits to be made: none of their ways is open.
    """
    network, count = view.network, len(ways.service)
    base = int(view.days.at(now).local_day.min()) if len(network.node_ids) else 0
    leaves = np.full((len(node), count), NEVER, dtype=np.int64)
    days = np.full((len(node), count, len(cards.days_of)), UNREACHABLE, dtype=np.int64)
    for number, dating in enumerate(ways.datings):
        columns = np.flatnonzero(ways.dating == number)
        if dating.store != NO_STORE or dating.not_before or dating.making_days:
            continue
        service, place = np.unique(ways.service[columns], return_inverse=True)
        table = _table(view, now, tables, dating)
        for some in _turns(node):
            at, chosen = node[some], np.ix_(some, columns)
            earliest = np.full((len(network.node_ids), len(service)), table.first_day, dtype=np.int64)
            earliest[at] = ready[some][:, service]
            found = np.full_like(earliest, NEVER)
            found[at] = np.where(network.serves[service][:, at].T, hand_over(table, service, earliest)[at], NEVER)
            leaves[chosen] = found[at][:, place]
            arrives = _arrive(table, dating, service, found, ways, bands, cards)[at]
            days[chosen] = np.where(arrives < UNREACHABLE // 2, arrives - base, UNREACHABLE)[:, place, :]
    return Arrivals(base=base, hand_over=leaves, days=days)


def _turns(node: IntArray) -> list[IntArray]:
    """Return all entries in turns, none with two of one node: day tables have a row for each node."""
    turns: list[list[int]] = []
    taken = Counter[int]()
    for entry, at in enumerate(node.tolist()):
        if taken[at] == len(turns):
            turns.append([])
        turns[taken[at]].append(entry)
        taken[at] += 1
    return [np.array(turn, np.int64) for turn in turns]


def _table(view: View, now: datetime, tables: DayTables, dating: Dating) -> Days:
    if dating.store == NO_STORE:
        return tables.area_days(view, now, dating.area)
    return tables.store_days(view, now, pickup_at(view.network, view.days.at(now), dating.store, now))


def _leaves(view: View, now: datetime, t: Days, dating: Dating, service: IntArray) -> IntArray:
    """Return the day of hand-over (nodes, services); `NEVER` where a service does not serve a node."""
    network, today = view.network, view.days.at(now)
    earliest = np.maximum(t.ready[service].T, dating.not_before)
    if dating.making_days:
        made = working_days_after(today.calendars, network.calendar_of_node, today.ready[-1], dating.making_days)
        earliest = np.maximum(earliest, made[:, None])
    if dating.store == NO_STORE:
        return np.where(network.serves[service].T, hand_over(t, service, earliest), NEVER)
    own = service == len(network.services)
    serves = network.serves[np.where(own, 0, service)].T & ~own if len(network.services) else np.zeros_like(own)[None]
    at_store = (np.arange(len(network.node_ids)) == dating.store)[:, None]
    return np.where(np.where(at_store, own, serves), hand_over(t, service, earliest), NEVER)


def _arrive(
    t: Days, dating: Dating, service: IntArray, leaves: IntArray, ways: Ways, bands: Bands, cards: Cards
) -> IntArray:
    """Return the day of arrival (nodes, services, what days depend on), `NEVER` where it does not apply."""
    knows = t.learned.knows[service]
    shift = ways.shifts[dating.shift][:, None]
    there = np.where(leaves < NEVER, leaves + shift, NEVER)
    found = np.full((*leaves.shape, len(cards.days_of)), NEVER, dtype=np.int64)
    for k, (transit_days, band, kind) in enumerate(cards.days_of):
        if band == BY_RATE_CARD:
            found[:, ~knows, k] = by_rate_card(t, service[~knows], there[:, ~knows], transit_days)
        else:
            max_km, zone = float(bands.max_km[band]), int(bands.zone[band])
            found[:, knows, k] = by_history(t, service[knows], leaves[:, knows], zone, kind, max_km)
    return found
