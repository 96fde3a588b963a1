"""The tests bite: each of these bugs, seeded into the real code, fails the test that is meant to catch it.

The code is changed in one place (variants.py), and for the first the seller process checks in a call of its own
(seller.py). The fourth bug of the table, a file that is synced every second only, is in test_power_loss.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import test_all_or_nothing, test_out_of_order
from faults.asking import ask_often
from faults.clients import fresh_store
from faults.expiring import let_expire
from faults.selling import Shelf, check_books, sell_out
from faults.variants import variant
from store_servers import StoreServer

from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a trial takes place: a server with the seeded library, and a key space in it."""

    server: StoreServer
    tenant: str
    store: RedisInventoryStore
    folder: Path


def ignore(*_: object, **__: object) -> None:
    """Take a row of the report that is not wanted."""


async def no_oversell(place: Place) -> None:
    shelf = Shelf(address=place.server.url, tenant=place.tenant, store=place.store, on_hand=100)
    told = await sell_out(shelf, place.folder, attempts=1500, sellers=2, variant="split")
    await check_books(shelf, told)


async def idempotency(place: Place) -> None:
    await ask_often(place.server, place.tenant, keys=20, kills=0)


async def expiry(place: Place) -> None:
    await let_expire(place.store, place.server.url, place.tenant, place.folder, holds=1000, ttl_seconds=2.5)


async def all_or_nothing(place: Place) -> None:
    trial = test_all_or_nothing.test_carts_on_scarce_stock_are_held_as_a_whole_or_not_at_all
    await trial(place.store, place.server.url, Keys(place.tenant), ignore)


async def out_of_order(place: Place) -> None:
    await test_out_of_order.test_every_order_of_calls_ends_as_its_model_says(place.store, ignore)


GIVE_BACK = (
    "  give_back(work, reservation.lines, FIELD_OF[reservation.state], state .. ' ' .. id, reservation.channel)\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A place in the code and what stands there instead; the trial that has to fail, and the words in which it does."""

    was: str
    becomes: str = ""
    trial: Callable[[Place], Awaitable[None]]
    words: str


SEEDS = {
    "the check is split from the write": Seed(
        was="    if #short > 0 then return { 'short', short } end\n", trial=no_oversell, words="oversold"
    ),
    "the idempotency record is dropped": Seed(
        was="  redis.call('SET', record, fingerprint .. '\\n' .. reply, 'EX', REPLAY_SECONDS)\n",
        trial=idempotency,
        words="was answered in two ways",
    ),
    "the sweeper gives units back twice": Seed(
        was=GIVE_BACK, becomes=GIVE_BACK * 2, trial=expiry, words="are meant to stay"
    ),
    "an expired hold is confirmed": Seed(
        was="if reservation.state == 'held' and now >= reservation.expires then",
        becomes="if false then",
        trial=expiry,
        words="was confirmed after its deadline",
    ),
    "repeated lines are checked one by one": Seed(
        was="      if known.day == day then sum = known end\n", trial=all_or_nothing, words="asked for|disagree"
    ),
    "a cancel leaves no tombstone": Seed(
        was="      put_reservation(work, id, { state = 'forestalled', lines = {} })\n",
        trial=out_of_order,
        words="cancel hold ended held",
    ),
}


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
async def test_a_seeded_bug_fails_its_test(
    seed: Seed, other_servers: Callable[..., StoreServer], tenant: str, tmp_path: Path
) -> None:
    server = other_servers("--appendonly", "no")
    changed = variant(LIBRARY, tmp_path, seed.was, seed.becomes)
    async with fresh_store(server.url, Keys(tenant), changed) as store:
        with pytest.raises(AssertionError, match=seed.words):
            await seed.trial(Place(server=server, tenant=tenant, store=store, folder=tmp_path))


async def test_without_a_seeded_bug_the_same_trials_pass(
    other_servers: Callable[..., StoreServer], tenant: str, tmp_path: Path
) -> None:
    """Catches a trial that fails whatever the code does: then the seeds would prove nothing."""
    server = other_servers("--appendonly", "no")
    for number, trial in enumerate((idempotency, all_or_nothing, out_of_order)):
        own = f"{tenant}-{number}"
        async with fresh_store(server.url, Keys(own)) as store:
            await trial(Place(server=server, tenant=own, store=store, folder=tmp_path))
