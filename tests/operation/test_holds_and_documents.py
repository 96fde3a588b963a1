"""A hold asks nothing before it: the store compares the documents it was checked by, in the step that holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.errors import DocumentsMoved, InvalidInput
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay
from engine.network.document import NetworkDocument
from tests.api.conftest import CATALOG, NETWORK

MUG = HoldLine(sku="mug", node_id="east", quantity=1)
OTHERS = CatalogDocument.model_validate({"products": [{"sku": "tea", "weight_g": 500}]})


@asynccontextmanager
async def two_processes(address: str, tenant: str) -> AsyncIterator[tuple[Engine, Engine]]:
    """Yield two engines of one store, with twenty mugs, of which both know."""
    settings = Settings(redis_url=address, tenant=tenant, durability="memory")
    async with allot_engine(settings) as one, allot_engine(settings) as other:
        await one.network.put(NetworkDocument.model_validate(NETWORK))
        await one.catalog.put(CatalogDocument.model_validate(CATALOG))
        await one.inventory.put_positions([PositionCount(sku="mug", node_id="east", on_hand=20)])
        for each in (one, other):
            await each.inventory.hold([MUG])
        yield one, other


async def held(engine: Engine) -> int:
    return (await engine.inventory.positions("mug"))[0].held


async def test_what_another_process_has_put_counts_for_the_next_hold(store_address: str, tenant: str) -> None:
    """The seeded bugs: the epoch is not compared in holds.lua; and compared, but the hold is not checked again."""
    async with two_processes(store_address, tenant) as (one, other):
        await other.catalog.put(OTHERS)
        for ways in (1, 3):
            found = await asyncio.gather(*(one.inventory.hold([MUG]) for _ in range(ways)), return_exceptions=True)
            assert [type(each) for each in found] == [InvalidInput] * ways
            await other.catalog.put(OTHERS)
        assert await held(one) == 2
        await other.catalog.put(
            CatalogDocument.model_validate(CATALOG)
        )  # what is missing from the latest view is there
        await one.inventory.hold([MUG])
        assert await held(one) == 3


async def test_a_hold_asks_the_store_once(store_address: str, tenant: str) -> None:
    """The seeded bug: a question for the epoch before each hold."""
    async with two_processes(store_address, tenant) as (one, _):
        sent = list[str]()
        assert one.client is not None
        call = one.client.call

        async def noted(*parts: str | bytes | int) -> object:
            sent.append(str(parts[0 if parts[0] != "FCALL" else 1]))
            return await call(*parts)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(one.client, "call", noted)
            await one.inventory.hold([MUG])
        assert [each for each in sent if each in {"GET", "allot_hold_v1"}] == ["allot_hold_v1"]


async def test_a_key_that_was_answered_gets_its_answer_whatever_was_put_since(store_address: str, tenant: str) -> None:
    """The seeded bug: the store compares epochs before it looks for the record, and the service gives up."""
    async with two_processes(store_address, tenant) as (one, other):
        key = Replay(digest="k", fingerprint="body")
        first = await one.inventory.hold([MUG], replay=key)
        await other.catalog.put(OTHERS)
        again = await one.inventory.hold([MUG], replay=key)
        assert again.replayed
        assert again.value == first.value


async def test_a_hold_of_other_documents_holds_nothing_and_leaves_those_beside_it_alone(
    store_address: str, tenant: str
) -> None:
    """The seeded bug: holds of two epochs leave as one call, and only the first of them counts."""
    async with two_processes(store_address, tenant) as (one, _):
        view = await one.reference.current()
        today = view.days.at(one.clock.now()).by_node
        wishes = [
            Hold(reservation_id=f"res_{number}", lines=(MUG,), as_of=None if by is None else view.epoch + by)
            for number, by in enumerate((0, -1, None, 0))
        ]
        calls = [one.stock.hold(wish, today=today) for wish in wishes]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(each, DocumentsMoved) for each in found] == [False, True, False, False]
        assert await held(one) == 5
