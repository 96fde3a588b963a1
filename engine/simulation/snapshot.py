"""A live engine as the base of scenarios: its network, catalog, stock, supplies and open orders at one moment.

Stock is what open orders may have: what is reserved for anything else (orders being picked, checkouts) is taken as
gone. Supplies that are overdue are left out, as promises leave them out. The parts are read one after another, so that
orders and stock may be some moments apart. Not here: the files (snapshot_files.py), promoting (promoting.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.bootstrap import Engine
from engine.catalog.document import CatalogDocument
from engine.inventory.model import Position, PositionCount, Supply
from engine.network.document import NetworkDocument
from engine.orders.model import Captured
from engine.routing.model import OpenOrder

_AT_ONCE = 200

Place = tuple[str, str]
"""(node_id, sku)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What there was at an instant; `start` is that day in `time_zone`, the one of most nodes."""

    taken_at: datetime
    start: date
    time_zone: str
    network: NetworkDocument
    network_version: int
    closed_node_ids: tuple[str, ...]
    catalog: CatalogDocument
    positions: tuple[PositionCount, ...]
    supplies: tuple[Supply, ...]
    orders: tuple[dict[str, Any], ...]
    """As `orders` of a scenario: the open ones at the first instant, and recorded ones on later days."""
    open_orders: int
    orders_days: int


async def take_snapshot(engine: Engine, *, orders_days: int = 0) -> Snapshot:
    """Return what there is now; with `orders_days`, orders of the last so many days come again on the next so many.

    Raises NotFound before the first network or catalog.
    """
    taken_at = engine.clock.now().astimezone(UTC)
    view = await engine.reference.current()
    zone = _zone(view.network.document)
    start = taken_at.astimezone(zone).date()
    open_orders = await engine.orders.open_orders()
    positions = await _positions(engine)
    own = _own(open_orders)
    counts, supplies = _free(positions, own, start)
    captured = await _captured(engine, [order.order_id for order in open_orders])
    orders = [_waiting(each, start) for each in captured]
    if orders_days:
        since = datetime.combine(start - timedelta(days=orders_days), datetime.min.time(), zone)
        past = await engine.orders.placed_since(since)
        today = datetime.combine(start, datetime.min.time(), zone)
        orders += [_again(each, orders_days, zone) for each in past if each.captured_at < today]
    return Snapshot(
        taken_at=taken_at,
        start=start,
        time_zone=zone.key,
        network=view.network.document,
        network_version=view.network.version,
        closed_node_ids=tuple(sorted(view.network.node_ids[index] for index in view.network.closed)),
        catalog=view.catalog.document,
        positions=counts,
        supplies=supplies,
        orders=tuple(orders),
        open_orders=len(open_orders),
        orders_days=orders_days,
    )


def _zone(network: NetworkDocument) -> ZoneInfo:
    zones = Counter(node.time_zone for node in network.nodes)
    return ZoneInfo(min(zones, key=lambda name: (-zones[name], name), default="UTC"))


async def _positions(engine: Engine) -> list[Position]:
    skus = sorted((await engine.stock.snapshot()).skus)
    found: list[Position] = []
    for first in range(0, len(skus), _AT_ONCE):
        for of_sku in await asyncio.gather(*map(engine.stock.positions, skus[first : first + _AT_ONCE])):
            found += sorted(of_sku, key=lambda position: position.node_id)
    return found


def _own(orders: Sequence[OpenOrder]) -> tuple[Mapping[Place, int], Mapping[Place, int]]:
    """Return what open orders have reserved, of stock and of later days."""
    now, later = Counter[Place](), Counter[Place]()
    for order in orders:
        for line in order.own_stock:
            (now if line.ship_on is None else later)[line.node_id, line.sku] += line.quantity
    return now, later


def _free(
    positions: Sequence[Position], own: tuple[Mapping[Place, int], Mapping[Place, int]], start: date
) -> tuple[tuple[PositionCount, ...], tuple[Supply, ...]]:
    """Return stock and supplies without what is reserved for others than open orders."""
    counts, supplies = [], []
    for position in positions:
        place = (position.node_id, position.sku)
        pegged = sum(each.pegged for each in position.dated)
        dated = sum(each.quantity for each in position.dated) - pegged
        back = min(own[1].get(place, 0), dated)
        gone = position.held + position.confirmed - own[0].get(place, 0) + dated - back
        counts.append(
            PositionCount(
                node_id=position.node_id,
                sku=position.sku,
                on_hand=None if position.unlimited else max(0, position.on_hand - max(0, gone)),
                safety_stock=position.safety_stock,
                unlimited=position.unlimited,
            )
        )
        ours = own[1].get(place, 0) - back  # of what waits for a named supply
        for supply in sorted(position.supplies, key=lambda each: (each.expected_on, each.supply_id)):
            mine = min(ours, supply.pegged)
            ours -= mine
            left = supply.quantity - (supply.pegged - mine)
            if supply.expected_on >= start and left > 0:
                supplies.append(
                    Supply(
                        supply_id=supply.supply_id,
                        node_id=supply.node_id,
                        sku=supply.sku,
                        quantity=left,
                        expected_on=supply.expected_on,
                    )
                )
    return tuple(counts), tuple(supplies)


async def _captured(engine: Engine, order_ids: Sequence[str]) -> list[Captured]:
    found: list[Captured] = []
    for first in range(0, len(order_ids), _AT_ONCE):
        orders = await asyncio.gather(*map(engine.orders.get, order_ids[first : first + _AT_ONCE]))
        found += [order.captured for order in orders]
    return found


def _waiting(captured: Captured, start: date) -> dict[str, Any]:
    """Return an open order: placed as the story begins, due when it is due, today if that has passed."""
    due = captured.need_by or captured.promised_on
    return {
        "order_id": captured.order_id,
        "placed_at": f"{start.isoformat()}T00:00",
        **_common(captured),
        **({} if due is None else {"need_by": max(due, start).isoformat()}),
    }


def _again(captured: Captured, days: int, zone: ZoneInfo) -> dict[str, Any]:
    """Return a recorded order as it comes again so many days later, at the same hour."""
    at = captured.captured_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    due = None if captured.need_by is None else captured.need_by + timedelta(days=days)
    return {
        "order_id": f"{captured.order_id}-again",
        "placed_at": at.isoformat(timespec="seconds"),
        **_common(captured),
        **({} if due is None else {"need_by": due.isoformat()}),
    }


def _common(captured: Captured) -> dict[str, Any]:
    place, units = captured.destination, Counter[str]()
    for line in captured.lines:
        units[line.sku] += line.quantity
    destination = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "country": place.country,
        "postal_code": place.postal_code,
    }
    return {
        "channel": captured.channel,
        "destination": {name: value for name, value in destination.items() if value is not None},
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()],
    }
