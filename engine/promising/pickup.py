"""Pick-ups in options: what parcels to a store cost beside what it has itself, and when a basket is ready there.

What the store has itself is handed over by one more service, after those of the network, that serves that one node and
costs nothing. So the same programme finds the best of both. Not here: days (engine/delivery/pickup.py), the programme
(programme.py), opening hours (engine/network/pickup.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from engine.delivery.pickup import PICKUP, Pickup, to_store
from engine.network.model import Network
from engine.promising.model import Option, Shipment
from solvers.promise_freight import BARS, LONGEST_MM, NO_LIMIT, OVERSIZE_CENTS, Cards
from solvers.promise_options import COST, PACKAGING, SERVICE

if TYPE_CHECKING:
    from engine.promising.programme import Plans

_ANY_WEIGHT_G = 2**62


def with_ready_times(options: Sequence[Option], pickup: Pickup) -> tuple[Option, ...]:
    """Return options of a pick-up with the time at which each parcel, and all, are ready."""
    if pickup.node not in pickup.network.pickups:
        return tuple(options)
    found = []
    for option in options:
        times = [_ready_on(pickup, shipment) for shipment in option.shipments]
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
    return msgspec.structs.replace(
        plans, rows=tuple(tuple(_unpacked(row, service) for row in rows) for rows in plans.rows)
    )


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


def _ready_on(pickup: Pickup, shipment: Shipment) -> datetime | None:
    """Return when one parcel of an option is ready, None if the node has no opening hours."""
    hours = pickup.network.pickups.get(pickup.node)
    if hours is None:
        return None
    if shipment.service_level == PICKUP:
        if shipment.ship_on.toordinal() <= pickup.ready_day:
            return pickup.ready_at
        calendars = pickup.today.calendars
        works = calendars.works[pickup.network.calendar_of_node[pickup.node]]
        return hours.picked_on(shipment.ship_on.toordinal(), works, calendars.first_day)
    return hours.received_on(shipment.delivery.p90.toordinal())
