"""Snapshots while SKUs and nodes are added, by others and under the eyes of other reads of the same process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.inventory.model import PositionCount
from engine.inventory.redis_reads import StockReads
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient, Part
from engine.storage.keys import Keys


class Before:
    """A client that lets something happen, once, before or after it asks for the first cells."""

    def __init__(
        self, client: MultiplexedClient, act: Callable[[], Awaitable[object]], *, is_after: bool = False
    ) -> None:
        self._client, self._act, self._is_after = client, act, is_after
        self.has_acted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def call(self, *parts: Part) -> Any:
        is_time = not self.has_acted and parts[0] == "MGET"
        if is_time and not self._is_after:
            self.has_acted = True
            await self._act()
        reply = await self._client.call(*parts)
        if is_time and self._is_after:
            self.has_acted = True
            await self._act()
        return reply


async def put(store: RedisInventoryStore, *places: tuple[str, str, int]) -> None:
    await store.put_positions([PositionCount(sku=sku, node_id=node, on_hand=units) for sku, node, units in places])


async def test_a_sku_that_comes_after_the_names_were_read_and_before_the_cells_is_in_the_snapshot(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: events followed from the epoch of the cells on, which the SKU is in already, and in no name."""
    await put(redis_store, ("mug", "berlin", 1))

    class Between(Before):
        async def pipeline(self, commands: Any) -> Any:
            replies = await self._client.pipeline(commands)
            if not self.has_acted:
                self.has_acted = True
                await self._act()
            return replies

    between: Any = Between(client, lambda: put(redis_store, ("cup", "berlin", 7)))
    reads = StockReads(between, keys)
    between.has_acted = True
    await reads.snapshot()
    between.has_acted = False
    view = await reads.snapshot()
    assert between.has_acted
    assert (view.skus, view.available().tolist()) == (("cup", "mug"), [[7], [1]])


@pytest.mark.parametrize("is_after", [False, True])
async def test_snapshots_that_overlap_keep_to_their_own_names(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys, *, is_after: bool
) -> None:
    """The seeded bug: cells read under the names of one snapshot, and put under those that another learns."""
    await put(redis_store, ("mug", "berlin", 1), ("plate", "berlin", 2))

    async def another() -> None:
        await put(redis_store, ("cup", "berlin", 7))
        await reads.snapshot()

    between: Any = Before(client, another, is_after=is_after)
    reads = StockReads(between, keys)
    view = await reads.snapshot()
    assert between.has_acted
    before, after = {"mug": 1, "plate": 2}, {"cup": 7, "mug": 1, "plate": 2}
    assert dict(zip(view.skus, view.available()[:, 0].tolist(), strict=True)) == (before if is_after else after)


async def test_a_node_that_another_read_learns_of_meanwhile_is_in_the_next_snapshot(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: the same with nodes, one name more than there are cells."""
    await put(redis_store, ("mug", "berlin", 1))

    async def another() -> None:
        await put(redis_store, ("mug", "rome", 7))
        await reads.read(["mug"])

    reads = StockReads(Before(client, another, is_after=True), keys)  # type: ignore[arg-type]
    view = await reads.snapshot()
    assert (view.node_ids, view.available().tolist()) == (("berlin",), [[1]])
    view = await reads.snapshot()
    assert (view.node_ids, view.available().tolist()) == (("berlin", "rome"), [[1, 7]])
