"""Pick-ups: from which day on a node hands over what it has, and when it has taken in what other nodes send there.

A parcel to a store is one more kind of parcel: carrier services of the level `ship_to_store` bring it, and it counts as
arrived on the day on which the store has taken it in. What the store has itself is handed over by one more service,
after those of the network. Not here: opening hours (engine/network/pickup.py), what parcels to a store cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from engine.network.days import NEVER, Today
from engine.network.model import Network
from solvers.promise_dates import Days

PICKUP = "pickup"
SHIP_TO_STORE = "ship_to_store"
_DEFAULT_RECEIVING_DAYS = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pickup:
    """The node of a pick-up at a minute: from when on what it has may be handed over, in days and in hours."""

    node: int
    network: Network
    today: Today
    ready_day: int
    ready_at: datetime | None


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
