"""What a ledger of open reservations and plain positions say: units, ATP and the parts of channels, without a store."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from engine.availability.atp import atp_on, atp_steps
from engine.inventory.model import HoldLine, Position, Reservation, StockView
from tests.inventory.histories import SKUS, TODAY

Units = Counter[tuple[str, str, date | None, str | None]]


def positions_of(view: StockView) -> dict[tuple[str, str], Position]:
    """Return the positions of a view by SKU and node."""
    return {(found.sku, found.node_id): found for i in range(len(SKUS)) for found in view.positions(i)}


def units(lines: tuple[HoldLine, ...]) -> Units:
    """Return the units by place, day and supply."""
    summed: Units = Counter()
    for each in lines:
        summed[each.sku, each.node_id, each.ship_on, each.supply_id] += each.quantity
    return summed


def now(reserved: Units, sku: str, node_id: str) -> int:
    """Return the units that are neither dated nor of a named supply."""
    return sum(
        q
        for (s, n, day, supply_id), q in reserved.items()
        if (s, n) == (sku, node_id) and (day is None or day <= TODAY) and supply_id is None
    )


def of_supplies(reserved: Units, sku: str, node_id: str) -> int:
    """Return the units that come, or have come, from a named supply."""
    return sum(q for (s, n, _, supply_id), q in reserved.items() if (s, n) == (sku, node_id) and supply_id is not None)


def atp(positions: dict[tuple[str, str], Position], line: HoldLine, kept: dict[tuple[str, str], int]) -> int:
    """Return ATP for a line by the third way of computing it, that of engine.availability."""
    position = positions[line.sku, line.node_id]
    schedule = [(supply.expected_on.toordinal(), supply.quantity) for supply in position.supplies]
    schedule += [(demand.ship_on.toordinal(), -demand.quantity) for demand in position.dated]
    beyond = max(0, kept.get((line.sku, line.node_id), 0) - position.safety_stock)
    steps = atp_steps(position.available - beyond, schedule, TODAY.toordinal())
    return atp_on(steps, (line.ship_on or TODAY).toordinal())


def parts_of(
    positions: dict[tuple[str, str], Position], line: HoldLine, kept: dict[tuple[str, str], int]
) -> tuple[dict[str | None, int], int]:
    """Return the parts of channels with a quota that is not released, and the common pool, for the day of a line."""
    position, parts = positions[line.sku, line.node_id], dict[str | None, int]()
    there = position.on_hand - max(position.safety_stock, kept.get((line.sku, line.node_id), 0))
    left = atp(positions, line, kept)
    for quota in position.quotas or ():
        if quota.release_at is None or quota.release_at.year > 2100:
            units = quota.reserve if quota.reserve is not None else (quota.share or 0) * max(there, 0) // 100
            parts[quota.channel] = max(0, min(units - quota.used, left))
            left -= parts[quota.channel]
    return parts, left


def overflows(position: Position, channel: str | None) -> bool:
    """Say whether a channel may take from the common pool."""
    found = (quota for quota in position.quotas or () if quota.channel == channel)
    return all(quota.overflow or (quota.release_at is not None and quota.release_at.year < 2100) for quota in found)


def plain(value: Any) -> Any:
    """Return an answer without its deadline, which each store takes from its own clock."""
    if hasattr(value, "value"):
        value = value.value
    if isinstance(value, Reservation):
        return (value.reservation_id, value.state, value.lines, value.expires_at is None, value.channel)
    return value
