"""Pick-ups: when a basket is ready at the node, and parcels that other nodes send there to be picked up with it.

A parcel to a store is one more kind of parcel: carrier services of the level `ship_to_store` bring it, and it counts as
arrived on the day on which the store has taken it in. What the store has itself is handed over by one more service,
after those of the network, that serves that one node and costs nothing. So the same programme finds the best of both.

Here: tables of both kinds. Not here: the programme (programme.py), opening hours (engine/network/pickup.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.network.days import NEVER, Today
from engine.network.model import Network
from engine.promising.model import PICKUP, SHIP_TO_STORE, Option, Shipment
from solvers.promise_dates import Days
from solvers.promise_freight import BARS, LONGEST_MM, NO_LIMIT, OVERSIZE_CENTS, Cards
from solvers.promise_options import COST, PACKAGING, SERVICE

if TYPE_CHECKING:
    from engine.promising.programme import Plans

_ANY_WEIGHT_G = 2**62
_DEFAULT_RECEIVING_DAYS = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pickup:
    """The node of a pick-up at a minute: from when on what it has may be handed over, in days and in hours."""

    node: int
    network: Network
    today: Today
    ready_day: int
    ready_at: datetime | None

    def ready_on(self, shipment: Shipment) -> datetime | None:
        """Return when one parcel of an option is ready, None if the node has no opening hours."""
        hours = self.network.pickups.get(self.node)
        if hours is None:
            return None
        if shipment.service_level == PICKUP:
            if shipment.ship_on.toordinal() <= self.ready_day:
                return self.ready_at
            calendars = self.today.calendars
            works = calendars.works[self.network.calendar_of_node[self.node]]
            return hours.picked_on(shipment.ship_on.toordinal(), works, calendars.first_day)
        return hours.received_on(shipment.delivery.p90.toordinal())


def pickup_at(network: Network, today: Today, node: int, now: datetime) -> Pickup:
    """Return when a node could hand over an order of this instant: by its opening hours, or as it does to carriers."""
    hours, calendars = network.pickups.get(node), today.calendars
    if hours is None:
        return Pickup(node=node, network=network, today=today, ready_day=int(today.ready[-1, node]), ready_at=None)
    ready_at = hours.picked(now, calendars.works[network.calendar_of_node[node]], calendars.first_day)
    day = NEVER if ready_at is None else ready_at.date().toordinal()
    return Pickup(node=node, network=network, today=today, ready_day=day, ready_at=ready_at)


def to_store(network: Network) -> tuple[int, ...]:
    """Return the services that bring parcels to stores, by name."""
    return tuple(s for s in network.services_by_name if network.service_levels[s] == SHIP_TO_STORE)


def with_ready_times(options: Sequence[Option], pickup: Pickup) -> tuple[Option, ...]:
    """Return options of a pick-up with the time at which each parcel, and all, are ready."""
    if pickup.node not in pickup.network.pickups:
        return tuple(options)
    found = []
    for option in options:
        times = [pickup.ready_on(shipment) for shipment in option.shipments]
        known = [at for at in times if at is not None]
        if len(known) < len(times):
            found.append(option)
            continue
        shipments = tuple(
            msgspec.structs.replace(shipment, ready_at=at) for shipment, at in zip(option.shipments, known, strict=True)
        )
        found.append(msgspec.structs.replace(option, shipments=shipments, ready_at=max(known)))
    return tuple(found)


def without_packaging(plans: Plans, service: int) -> Plans:
    """Return plans in which what the store has itself is handed over without cartons."""
    return replace(plans, rows=tuple(tuple(_unpacked(row, service) for row in rows) for rows in plans.rows))


def _unpacked(row: tuple[int, ...], service: int) -> tuple[int, ...]:
    if row[SERVICE] != service or row[PACKAGING] == 0:
        return row
    changed = list(row)
    changed[COST] -= row[PACKAGING]
    changed[PACKAGING] = 0
    return tuple(changed)


def store_cards(cards: Cards, network: Network, node: int) -> Cards:
    """Return what parcels to a store cost, by the services that go to stores; and last, what the store has itself."""
    services, nodes = cards.serves.shape
    goes = np.zeros((services, 1), dtype=np.bool_)
    goes[list(to_store(network))] = True
    serves = np.concatenate([cards.serves & goes, np.zeros((1, nodes), dtype=np.bool_)])
    serves[:, node] = False
    serves[-1, node] = True
    parcel_cost = cards.parcel_cost.copy()
    parcel_cost[node] = 0
    zones, steps = cards.zones, cards.offset[-1]
    free = np.zeros(zones, dtype=np.int64)
    own = np.zeros((1, cards.rules.service.shape[1]), dtype=np.int64)
    own[0, LONGEST_MM:OVERSIZE_CENTS] = NO_LIMIT
    rules = np.concatenate([cards.rules.service, own])
    rules[:, BARS] |= cards.rules.node_bars[node]
    return cards._replace(
        parcel_cost=parcel_cost,
        serves=serves,
        offset=np.concatenate([cards.offset, steps + 1 + np.arange(zones)]),
        max_weight_g=np.concatenate([cards.max_weight_g, free + _ANY_WEIGHT_G]),
        cost=np.concatenate([cards.cost, free]),
        transit_days=np.concatenate([cards.transit_days, free]),
        rules=cards.rules._replace(service=rules),
    )


def store_days(days: Days, pickup: Pickup, pair: NDArray[np.int64]) -> Days:
    """Return the day tables of parcels to a store, in which they arrive when the store has taken them in.

    `pair` (services and pick-up, nodes) as in the calendars of the minute.
    """
    network, node = pickup.network, pickup.node
    hours = network.pickups.get(node)
    taken_in = _taken_in(
        days.common[pair[-1, node]], days.first_day, _DEFAULT_RECEIVING_DAYS if hours is None else hours.receiving_days
    )
    ready = np.concatenate([days.ready[: len(network.services)], pickup.today.ready[-1:]])
    ready[-1, node] = pickup.ready_day
    calendar = np.append(days.calendar, network.calendar_of_node[node])
    carriers = sorted({int(days.calendar[s]) for s in to_store(network)})
    for s in to_store(network):
        calendar[s] = len(days.before) + carriers.index(int(days.calendar[s]))
    nth = days.nth[carriers]
    inside = nth < NEVER
    mapped = np.where(inside, taken_in[np.where(inside, nth - days.first_day, 0)], NEVER)
    learned = days.learned
    return days._replace(
        ready=ready,
        pair=pair.copy(),
        calendar=calendar,
        before=np.concatenate([days.before, days.before[carriers]]),
        nth=np.concatenate([days.nth, mapped]),
        learned=learned._replace(
            knows=np.append(learned.knows, False), lost=np.concatenate([learned.lost, learned.lost[carriers]])
        ),
    )


def _taken_in(next_open: NDArray[np.int64], first_day: int, receiving_days: int) -> NDArray[np.int64]:
    """Return, by day of arrival, the day on which a store has a parcel ready: so many days of opening later.

    `next_open` is, by day, the first from it on on which the store is open.
    """
    after = np.append(next_open[1:], NEVER)
    taken = next_open.copy() if receiving_days == 0 else after
    for _ in range(receiving_days - 1):
        inside = taken < NEVER
        taken = np.where(inside, after[np.where(inside, taken - first_day, 0)], NEVER)
    return taken
