"""A shop whose SKUs lie in four partitions, one each, and a client that dies after so many calls.

`sku(2)` lies in partition 2, `named("res", 3)` is at home in partition 3, a `Shop` counts what is reserved of all
SKUs and compares that with what its reservations say.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.errors import NotFound
from engine.inventory.model import Hold, HoldLine, PositionCount, Reservation, ReservationState
from engine.inventory.partitioned_store import PartitionedInventoryStore
from engine.inventory.partitions import Partitions
from engine.storage.client import Part, StoreClient
from engine.storage.keys import Keys

NUMBER = 4
TODAY = {"berlin": date(2026, 3, 2).toordinal()}
ON_HAND = 10
CLIENTS = 6


def named(prefix: str, partition: int) -> str:
    """Return the first name with this prefix that hashes to a partition."""
    of = Partitions(number=NUMBER).of
    return next(name for i in itertools.count() if of(name := f"{prefix}-{i}") == partition)


def sku(partition: int) -> str:
    """Return the SKU of a partition."""
    return named("sku", partition)


def line(partition: int, quantity: int, ship_on: date | None = None) -> HoldLine:
    """Return a line that lies in a partition."""
    return HoldLine(sku=sku(partition), quantity=quantity, node_id="berlin", ship_on=ship_on)


class Died(BaseException):
    """The process has died, and nothing in it goes on."""


class DyingClient:
    """A client whose process dies when it makes one call too many."""

    def __init__(self, client: StoreClient, calls_left: float) -> None:
        self._client = client
        self.calls_left = calls_left

    async def call(self, *parts: Part) -> Any:
        """Run one command."""
        self._live()
        return await self._client.call(*parts)

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run several."""
        self._live()
        return await self._client.pipeline(commands)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function."""
        self._live()
        return await self._client.fcall(function, keys, args)

    def on_missing_function(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Keep the functions that are there."""

    async def close(self) -> None:
        """Leave the connection to its owner."""

    def _live(self) -> None:
        if self.calls_left <= 0:
            raise Died
        self.calls_left -= 1


class SlowClient(DyingClient):
    """A client that hesitates before each call of a function, so that others come in between."""

    def __init__(self, client: StoreClient, rng: random.Random) -> None:
        super().__init__(client, math.inf)
        self._rng = rng

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function, some time later."""
        await asyncio.sleep(self._rng.random() * 0.004)
        return await super().fcall(function, keys, args)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A store in four partitions with ten units of a SKU in each."""

    store: PartitionedInventoryStore
    client: StoreClient
    tenant: str
    patience_seconds: float

    async def dies_after(self, calls: int, act: Callable[[PartitionedInventoryStore], Awaitable[object]]) -> bool:
        """Do something in a process that dies after so many calls, and say whether it died before it was done."""
        dying = DyingClient(self.client, calls)
        store = PartitionedInventoryStore(dying, self.tenant, NUMBER, patience_seconds=self.patience_seconds)
        task = asyncio.ensure_future(act(store))
        (outcome,) = await asyncio.gather(_outcome(task))
        return outcome

    async def recover(self) -> None:
        """Let the sweeper of another process do its work, once those who were slow must be dead."""
        if self.patience_seconds < 1:
            await asyncio.sleep(self.patience_seconds + 0.002)
        await self.store.sweep()

    async def reservation(self, name: str) -> Reservation | None:
        """Return a reservation, None if there is none."""
        try:
            return await self.store.get_reservation(name)
        except NotFound:
            return None

    async def units(self) -> list[tuple[int, int, int, int]]:
        """Return (on_hand, held, confirmed, dated) of the SKU of each partition."""
        view = await self.store.read([sku(each) for each in range(NUMBER)])
        found = [view.position(row, view.node_ids.index("berlin")) for row in range(NUMBER)]
        return [
            (each.on_hand, each.held, each.confirmed, sum(demand.quantity for demand in each.dated)) for each in found
        ]

    async def check(self, *names: str, consumed: Sequence[int] = (0, 0, 0, 0)) -> None:
        """Assert that exactly what these reservations say is reserved, and nothing is left to be looked after."""
        expected = [[ON_HAND - consumed[each], 0, 0, 0] for each in range(NUMBER)]
        partition_of = {sku(each): each for each in range(NUMBER)}
        for name in names:
            found = await self.reservation(name)
            if found is None or found.state not in {ReservationState.HELD, ReservationState.CONFIRMED}:
                continue
            for each in found.lines:
                dated = each.ship_on is not None and each.ship_on.toordinal() > TODAY["berlin"]
                place = 3 if dated else 1 if found.state is ReservationState.HELD else 2
                expected[partition_of[each.sku]][place] += each.quantity
        found = await self.units()
        assert found == [tuple(row) for row in expected], (found, expected)
        await self.check_nothing_is_left()

    async def check_nothing_is_left(self) -> None:
        """Assert that nothing waits to be finished."""
        for each in range(NUMBER):
            keys = Keys(self.tenant, each)
            assert await self.client.call("ZCARD", keys.unfinished) == 0
            for word in ("spreads", "verdicts", "awaited"):
                assert await self.client.call("HLEN", keys.named(word)) == 0, word

    async def parts_due(self) -> int:
        """Return how many parts of reservations wait for what their home says."""
        keys = [Keys(self.tenant, each).parts_due for each in range(NUMBER)]
        return sum([await self.client.call("ZCARD", key) for key in keys])


Open = Callable[[float], list[PartitionedInventoryStore]]
"""Gives a store on each of CLIENTS connections that hesitate, by how many seconds nobody is taken for dead."""
Shops = Callable[[float], Awaitable[Shop]]
"""Opens another shop, by how many seconds an attempt to hold is not taken for dead."""


async def _outcome(task: asyncio.Future[object]) -> bool:
    try:
        await asyncio.wait([task])
        task.result()
    except Died:
        return True
    return False


async def open_shop(client: StoreClient, tenant: str, *, patience_seconds: float) -> Shop:
    """Return a shop with stock."""
    store = PartitionedInventoryStore(client, tenant, NUMBER, patience_seconds=patience_seconds)
    skus = [sku(each) for each in range(NUMBER)]
    await store.put_positions([PositionCount(node_id="berlin", sku=each, on_hand=ON_HAND) for each in skus])
    return Shop(store=store, client=client, tenant=tenant, patience_seconds=patience_seconds)


def hold_of(name: str, *lines: HoldLine, ttl_seconds: float = 900) -> Hold:
    """Return a hold."""
    return Hold(reservation_id=name, lines=lines, ttl_seconds=ttl_seconds)


async def stock_up(store: PartitionedInventoryStore, *on_hand: int) -> None:
    counts = [PositionCount(node_id="berlin", sku=sku(each), on_hand=units) for each, units in enumerate(on_hand)]
    await store.put_positions(counts)
