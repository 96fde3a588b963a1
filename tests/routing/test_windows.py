"""Scheduled windows: one run each, whichever server is first, none twice, none on top of another."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from routing.redis_desk import Desk, desk, furnish

from engine.clock import SettableClock
from engine.errors import InvalidInput
from engine.inventory.redis_store import LIBRARY as INVENTORY_LIBRARY
from engine.orders.redis_store import LIBRARY as ORDERS_LIBRARY
from engine.routing.memory_run_store import MemoryRunStore
from engine.routing.run_model import Run, RunRequest, RunStatus
from engine.routing.run_store import LIBRARY as RUNS_LIBRARY
from engine.routing.run_store import RedisRunStore, RunStore
from engine.routing.windows import RoutingWindows, run_id_of
from engine.storage import documents
from engine.storage.client import MultiplexedClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from tests.routing.conftest import FRIDAY

if TYPE_CHECKING:
    from conftest import World

EVERY = 300
BEGIN = int(FRIDAY.timestamp())


def windows(world: World, policy: str | None = None) -> RoutingWindows:
    return RoutingWindows(runs=world.runs(), clock=world.clock, every_seconds=EVERY, policy=policy)


async def opened(here: RoutingWindows) -> str | None:
    found = await here.open_if_due()
    await here.runs.finish()
    return found


async def test_a_window_routes_what_is_open_once_and_is_named_after_its_begin(world: World) -> None:
    await world.count(east={"MUG": 2})
    await world.order("o1", {"MUG": 1})
    here = windows(world)
    assert await opened(here) == "run_window_20261120T150000Z"
    assert (await world.orders.get("o1")).run_id == "run_window_20261120T150000Z"
    await world.order("o2", {"MUG": 1})
    world.clock.advance(timedelta(seconds=EVERY - 1))
    assert await opened(here) is None
    world.clock.advance(timedelta(seconds=1))
    assert await opened(here) == "run_window_20261120T150500Z"
    assert (await world.orders.get("o2")).run_id == "run_window_20261120T150500Z"
    request = (await here.runs.get("run_window_20261120T150500Z")).request
    assert (request.time_limit_seconds, request.target_gap, request.order_ids) == (150.0, 0.001, None)


async def test_windows_that_were_missed_are_not_made_up_for(world: World) -> None:
    """An hour without a server: one run, of the window that it is then, though that is half over."""
    here = windows(world)
    assert await opened(here) == run_id_of(BEGIN)
    world.clock.advance(timedelta(hours=1, seconds=EVERY // 2))
    assert [await opened(here) for _ in range(3)] == [run_id_of(BEGIN + 3600), None, None]
    world.clock.advance(timedelta(seconds=EVERY // 2))
    assert await opened(here) == run_id_of(BEGIN + 3600 + EVERY)


async def test_a_window_with_a_policy_that_is_not_there_is_told_and_not_lost(world: World) -> None:
    with pytest.raises(InvalidInput, match="peak"):
        await windows(world, "peak").open_if_due()
    assert await opened(windows(world)) == run_id_of(BEGIN)


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, client: MultiplexedClient, keys: Keys) -> RunStore:
    if request.param == "memory":
        return MemoryRunStore(SettableClock(FRIDAY))
    await ensure(client, [RUNS_LIBRARY])
    return RedisRunStore(client, keys)


def run_of(start: int) -> Run:
    return Run(run_id=run_id_of(start), status=RunStatus.QUEUED, request=RunRequest(), created_at=FRIDAY)


async def test_a_window_waits_until_the_run_of_the_one_before_is_over(store: RunStore) -> None:
    """The seeded bug: the last run is not looked at, and two runs work on the same orders at once."""
    assert await store.is_due(300)
    assert await store.open_window(run_of(300), 300)
    assert not await store.is_due(300)
    assert await store.is_due(600)
    assert not await store.open_window(run_of(600), 600)
    epoch = await store.claim(run_id_of(300))
    assert not await store.open_window(run_of(600), 600)
    await store.put(replace(run_of(300), status=RunStatus.COMMITTED), epoch)
    assert not await store.open_window(run_of(300), 300)
    assert not await store.open_window(run_of(0), 0), "a clock that is behind opens no window of the past"
    assert await store.open_window(run_of(600), 600)
    assert await store.unfinished() == [run_id_of(600)]


async def test_a_run_whose_record_has_expired_blocks_no_window(client: MultiplexedClient, keys: Keys) -> None:
    """No server was there for a month. The seeded bug: a run is claimed without a look at whether it is there."""
    await ensure(client, [documents.LIBRARY, INVENTORY_LIBRARY, ORDERS_LIBRARY, RUNS_LIBRARY])
    here = desk(client, keys)
    await furnish(here, [{"MUG": 1}], {"east": {"MUG": 1}})
    assert await here.run_store.open_window(run_of(BEGIN - EVERY), BEGIN - EVERY)
    await client.call("DEL", keys.named("run", run_id_of(BEGIN - EVERY)))
    await here.take_up()
    assert await here.run_store.unfinished() == []
    mine = RoutingWindows(runs=here.runs, clock=SettableClock(FRIDAY), every_seconds=EVERY, policy=None)
    assert await opened(mine) == run_id_of(BEGIN)
    assert (await here.runs.get(run_id_of(BEGIN))).status == RunStatus.COMMITTED


async def test_of_several_servers_exactly_one_runs_a_window(client: MultiplexedClient, keys: Keys) -> None:
    """Eight servers ask at once, window after window, while orders come in.

    The seeded bug: `allot_open_run_window_v1` does not compare the second; then each server starts a window anew.
    """
    await ensure(client, [documents.LIBRARY, INVENTORY_LIBRARY, ORDERS_LIBRARY, RUNS_LIBRARY])
    clock = SettableClock(FRIDAY)
    servers: list[Desk] = [desk(client, keys, clock, lease_seconds=15) for _ in range(8)]
    await furnish(servers[0], [{"MUG": 1}] * 12, {"east": {"MUG": 12}})
    mine = [RoutingWindows(runs=each.runs, clock=clock, every_seconds=EVERY, policy=None) for each in servers]
    for number in range(4):
        found = await asyncio.gather(*(each.open_if_due() for each in mine for _ in range(3)))
        assert Counter(found) == {run_id_of(BEGIN + number * EVERY): 1, None: 23}
        await asyncio.gather(*(each.runs.finish() for each in servers))
        clock.advance(timedelta(seconds=EVERY))
    for number in range(12):
        history = await servers[0].orders.history(f"o{number:02}")
        assert [entry.run_id for entry in history] == [None, run_id_of(BEGIN)]
