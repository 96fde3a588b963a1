"""What one unit costs and when it arrives, by the day from which a node has it: for a place and a kind of product.

Kinds are products that freight does not tell apart: of one weight (or weight step), handling, size. Each row is made
by the same kernel that prices parcels of promises, when the first product of its kind is asked for, and stays until a
cut-off passes, or a node's days fill up. Not here: stock (shelf.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import NO_LAUNCHES, AtpTable
from engine.catalog.model import Content
from engine.network.days import NEVER, Today
from engine.network.hubs import TransferMinute
from engine.promising.gathering import sent_alone
from engine.promising.model import PromiseLine
from engine.promising.programme import Programme, Tables, build
from engine.promising.request import Asked
from engine.promising.terms import PLAIN
from solvers.promise_dates import Load
from solvers.promise_parcels import INFINITE, price_parcels

TODAY = 0
"""The row of nodes that have a unit now."""
Kind = tuple[object, ...]
_MOST_BYTES = 2**26
_DAYS = 2**12
_CENTS = 2**50


class Offer(NamedTuple):
    """A day of arrival and what it costs in all."""

    arrives_on: int
    cost_cents: int


class KindLanes:
    """The rows of one kind of product to one place, over the nodes within reach, and those that send to hubs."""

    def __init__(self, programme: Programme) -> None:
        ask = programme.ask
        self._programme = structs.replace(programme, ask=ask._replace(goods=programme.pack([(0,)])))
        self._rows: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self.nodes = programme.ask.nodes
        self._reached = len(self.nodes)
        found = programme.consolidation
        if found is not None and len(ask.services):
            self.nodes = np.append(self.nodes, found.hubs.source[found.usable])
        self.local_day = programme.local_day[self.nodes]

    def best(self, first_day: NDArray[np.int32]) -> tuple[Offer, Offer] | None:
        """Return the earliest offer, the cheapest of that day, and the cheapest, the earliest of that price.

        `first_day` (nodes,) is when each has a unit. None if nobody can bring it.
        """
        now = first_day <= self.local_day
        cheapest = fastest = INFINITE
        if now.any():
            by_cost, by_day = self._row(TODAY)
            cheapest, fastest = int(by_cost[now].min()), int(by_day[now].min())
        later = first_day[~now & (first_day < NEVER)]
        for day in set(later.tolist()) if later.size else ():
            by_cost, by_day = self._row(day)
            at = first_day == day
            at &= ~now
            cheapest = min(cheapest, int(by_cost[at].min()))
            fastest = min(fastest, int(by_day[at].min()))
        if cheapest == INFINITE:
            return None
        begins = int(self._programme.days.first_day)
        day, cents = divmod(fastest, _CENTS)
        cost, last = divmod(cheapest, _DAYS)
        return Offer(begins + day, cents), Offer(begins + last, cost)

    def _row(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (cost, arrival) and (arrival, cost) of each node as one number, if it has a unit from a day on."""
        found = self._rows.get(day)
        if found is None:
            found = self._rows[day] = self._priced(np.maximum(self.local_day, day))
        return found

    def _priced(self, covered_from: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        programme = self._programme
        ask, reached = programme.ask, self._reached
        covered = np.repeat(covered_from[:reached, None], 2, axis=1)
        sent = None if len(self.nodes) == reached else sent_alone(programme, ask, covered_from[reached:])
        keys: list[NDArray[np.int64]] = []
        for by_arrival in (False, True):
            parcels = price_parcels(
                by_arrival, ask.need_by, covered, self.nodes[:reached], ask, programme.cards, programme.days
            )
            cost, arrival = parcels.cost[:, 1], parcels.arrival[:, 1]
            if sent is not None:
                best = np.lexsort(sent if by_arrival else sent[::-1], axis=1)[:, :1]
                cost = np.append(cost, np.take_along_axis(sent[0], best, axis=1))
                arrival = np.append(arrival, np.take_along_axis(sent[1], best, axis=1))
            arrival -= programme.days.first_day
            is_there = cost < INFINITE
            cost, arrival = np.where(is_there, cost, 0), np.where(is_there, arrival, 0)
            key = arrival * _CENTS + cost if by_arrival else cost * _DAYS + arrival
            keys.append(np.where(is_there, key, INFINITE))
        return keys[0], keys[1]


class _Made(NamedTuple):
    """The lanes of one minute, or of several that mean the same, and of one load."""

    today: Today
    load: Load
    sends: TransferMinute | None
    lanes: dict[tuple[object, Kind], KindLanes]


class Lanes:
    """The lanes of one view to every place asked for, made anew when a day of hand-over has moved.

    Threads may share it: one that is still at the minute before puts its lanes among those of that minute.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._tables = Tables()
        self._made: _Made | None = None
        self._weights = np.unique(view.network.rates.max_weight_g)

    def of(self, place: object, asked: Asked, sku: str, now: datetime, load: Load) -> KindLanes:
        """Return the lanes of a product's kind to a place; `asked` is any request to it, `place` its name."""
        lanes = self._lanes(now, load)
        content = self.view.catalog.content[sku]
        key = (place, _kind(sku, content, self.view, self._weights))
        found = lanes.get(key)
        if found is None:
            if len(lanes) * len(self.view.network.node_ids) * 256 > _MOST_BYTES:
                lanes.clear()
            found = lanes[key] = KindLanes(self._programme(asked, sku, content, now, load))
        return found

    def _lanes(self, now: datetime, load: Load) -> dict[tuple[object, Kind], KindLanes]:
        """Return the lanes made so far; none if other days of hand-over count than when they were, or are full."""
        made, today, sends = self._made, self.view.days.at(now), self._tables.transfers(self.view, now)
        is_known = made is not None and made.load is load and (made.today is today or _is_alike(made.today, today))
        if made is None or not is_known or not _send_alike(made.sends, sends):
            made = _Made(today, load, sends, {})
        elif made.today is not today:
            made = made._replace(today=today, sends=sends)
        self._made = made
        return made.lanes

    def _programme(self, asked: Asked, sku: str, content: Content, now: datetime, load: Load) -> Programme:
        """Return the programme of one unit that every node has."""
        nodes = len(self.view.network.node_ids)
        one = structs.replace(
            asked,
            lines=(PromiseLine(line_id="1", sku=sku, quantity=1),),
            contents=(content,),
            skus=(sku,),
            terms=replace(PLAIN, area=asked.terms.area),
        )
        local_day = self.view.days.at(now).local_day
        table = AtpTable(
            rows={sku: 0},
            local_day=local_day,
            today=np.ones((1, nodes), dtype=np.int64),
            known=np.ones((1, nodes), dtype=np.bool_),
            later={},
            scheduled={},
            launches=NO_LAUNCHES,
            channel=None,
            now=now,
            quotas={},
        )
        return build(one, self.view, table, now, self._tables, load)


def _is_alike(one: Today, other: Today) -> bool:
    """Say whether two minutes mean the same to every node and service."""
    arrays = ("local_day", "local_hour", "ready", "ordinary")
    return one.calendars is other.calendars and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays
    )


def _send_alike(one: TransferMinute | None, other: TransferMinute | None) -> bool:
    """Say whether two minutes mean the same to every transfer."""
    if one is other or one is None or other is None:
        return one is other
    arrays = ("ready", "shift", "own_from")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def _kind(sku: str, content: Content, view: View, weights: NDArray[np.int64]) -> Kind:
    """Return what freight looks at in a product; where only rates count, its weight step instead of its weight."""
    freight, catalog = view.network.freight, view.catalog
    weight: object = content.weight_g
    is_by_step = freight.is_plain and not freight.box_ids and not freight.is_sized
    if is_by_step and view.lead_times is None and view.network.hubs is None:
        weight = int(np.searchsorted(weights, content.weight_g))
    return weight, catalog.sizes.get(sku), catalog.handling.get(sku), sku in catalog.ship_alone
