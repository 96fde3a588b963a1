"""Puts the demo day into a store: network, catalog, stock; and picks a few of its orders as shopping carts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.catalog.service import CatalogService
from engine.integrations.demo_data import DemoDay
from engine.inventory.service import InventoryService
from engine.network.service import NetworkService
from engine.orders.model import NewOrder

POSITIONS_AT_ONCE = 2_000


async def put_demo_day(
    day: DemoDay,
    networks: NetworkService,
    catalogs: CatalogService,
    inventory: InventoryService,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Put the network, the catalog and all counts of stock; `progress` hears how many positions are in."""
    await networks.put(day.network)
    await catalogs.put(day.catalog)
    for start in range(0, len(day.positions), POSITIONS_AT_ONCE):
        await inventory.put_positions(day.positions[start : start + POSITIONS_AT_ONCE])
        progress(min(start + POSITIONS_AT_ONCE, len(day.positions)))


def carts(orders: Sequence[NewOrder], count: int) -> list[NewOrder]:
    """Return so many orders of three lines, spread over the day, to be promised and reserved first."""
    of_three = [order for order in orders if len(order.lines) == 3]
    return of_three[:: max(1, len(of_three) // count)][:count]
