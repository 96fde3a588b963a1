"""A shop that takes orders over four partitions, and clients of it that die, or stand still.

`sku(2)` lies in partition 2, `named("ord", 3)` is at home in partition 3.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from order_shop import DAYS, HOME, NOON, ORDINALS, TODAY

from engine.inventory.model import Hold, HoldLine
from engine.inventory.partitioned_reconcile import PartitionedReconciler
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.orders.model import Captured
from engine.orders.partitioned_store import PartitionedOrderStore
from engine.routing.model import AllocationRow, NodeCapacity, OrderAllocation, OrderLine, Verdict
from engine.storage.client import StoreClient
from engine.storage.keys import Keys
from tests.inventory.partitioned_shop import NUMBER, Died, DyingClient, sku

SOON = 0.01
MOST_CALLS = 80
LINES = tuple(OrderLine(line_id=str(each), sku=sku(each), quantity=2) for each in (0, 1, 3))
CAPACITY = {"north": NodeCapacity(units=150, parcels=60)}


def order_of(order_id: str, reservation_id: str | None = None) -> Captured:
    """Return an order of two units of each of three SKUs."""
    return Captured(
        order_id=order_id,
        channel="web",
        destination=HOME,
        lines=LINES,
        demand=LINES,
        captured_at=NOON,
        reservation_id=reservation_id,
    )


def allocation(order_id: str, *left_out: int, node_id: str = "north", ship_on: date = TODAY) -> OrderAllocation:
    """Return an allocation of it, without the lines of some partitions."""
    placed = {"node_id": node_id, "service": "ground", "ship_on": ship_on}
    return OrderAllocation(
        order_id=order_id,
        rows=tuple(
            AllocationRow(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
            if line.sku in map(sku, left_out)
            else AllocationRow(line_id=line.line_id, sku=line.sku, quantity=line.quantity, **placed)  # type: ignore[arg-type]
            for line in LINES
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Orders in four partitions, and ten units of a SKU of each, five of them in the south."""

    client: StoreClient
    tenant: str

    @property
    def orders(self) -> PartitionedOrderStore:
        return PartitionedOrderStore(self.client, self.tenant, NUMBER, patience_seconds=SOON)

    @property
    def stock(self) -> PartitionedInventoryStore:
        return PartitionedInventoryStore(self.client, self.tenant, NUMBER, patience_seconds=SOON)

    async def hold(self, name: str, *partitions: int, units: int = 2, ship_on: date | None = None) -> None:
        lines = tuple(
            HoldLine(
                sku=sku(each), quantity=units, node_id="north", ship_on=ship_on if each == partitions[-1] else None
            )
            for each in partitions
        )
        await self.stock.hold(Hold(reservation_id=name, lines=lines), today=ORDINALS)

    async def commit(
        self, *allocations: OrderAllocation, run_id: str = "run_1", orders: PartitionedOrderStore | None = None
    ) -> list[Verdict]:
        return await (orders or self.orders).commit(run_id, allocations, capacities=CAPACITY, today=DAYS)

    async def dies_after(self, calls: int, act: Callable[[PartitionedOrderStore], Awaitable[object]]) -> bool:
        """Do something in a process that dies after so many calls, and say whether it died before it was done."""
        dying = DyingClient(self.client, calls)
        orders = PartitionedOrderStore(dying, self.tenant, NUMBER, patience_seconds=SOON)
        try:
            await act(orders)
        except Died:
            await asyncio.sleep(0.005)  # what it had sent at the same time is done
            return True
        return False

    async def recover(self) -> None:
        """Let the sweepers of another process do their work, once whoever was slow must be dead."""
        await asyncio.sleep(SOON + 0.005)
        await self.stock.sweep()
        await self.orders.sweep()

    async def reserved(self, node_id: str = "north") -> list[int]:
        """Return what is held, confirmed or asked for later of the SKU of each partition."""
        view = await self.stock.read([sku(each) for each in range(NUMBER)])
        column = view.node_ids.index(node_id)
        found = [view.position(row, column) for row in range(NUMBER)]
        return [each.held + each.confirmed + sum(demand.quantity for demand in each.dated) for each in found]

    async def used(self) -> list[tuple[str, int, int]]:
        return [(each.node_id, each.units, each.parcels) for each in await self.orders.used_capacity([TODAY])]

    async def check_nothing_is_left(self) -> None:
        """Assert that books agree, and that nothing waits to be finished."""
        assert (await PartitionedReconciler(self.client, self.tenant, NUMBER).reconcile()).is_sound
        for each in range(NUMBER):
            keys = Keys(self.tenant, each)
            for word in ("unfinished", "uses_due"):
                assert await self.client.call("ZCARD", keys.named(word)) == 0, (each, word)
            assert await self.client.call("HLEN", keys.named("uses_to_settle")) == 0


Shops = Callable[[], Awaitable[Shop]]


async def each_crash(
    shops: Shops,
    prepare: Callable[[Shop], Awaitable[object]],
    act: Callable[[Shop, PartitionedOrderStore], Awaitable[object]],
) -> AsyncIterator[tuple[Shop, bool]]:
    """Yield shops in which `act` died after 0, 1, 2 … calls, as they are after a sweep, until it lives to its end."""
    for calls in range(MOST_CALLS):
        shop = await shops()
        await prepare(shop)
        has_died = await shop.dies_after(calls, lambda orders, shop=shop: act(shop, orders))  # type: ignore[misc]
        await shop.recover()
        await shop.check_nothing_is_left()
        yield shop, has_died
        if not has_died:
            assert calls > 1
            return
    raise AssertionError("it never ends")


class Halting(DyingClient):
    """A client that lets something else happen before it first calls a function; `calls_left` counts such calls."""

    def __init__(self, shop: Shop, function: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(shop.client, 0)
        self._meanwhile, self._function = meanwhile, function

    def _live(self) -> None:
        """Live on."""

    async def fcall(self, function: str, keys: object, args: object) -> object:  # type: ignore[override]
        """Call a function."""
        if function == self._function:
            self.calls_left -= 1
            if self.calls_left == -1:
                await self._meanwhile()
        return await super().fcall(function, keys, args)  # type: ignore[arg-type]
