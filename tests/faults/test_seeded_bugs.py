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


GIVE_BACK = "  give_back(work, reservation.lines, FIELD_OF[reservation.state], state .. ' ' .. id)\n"
SEEDS = {
    "the check is split from the write": (
        "    if #short > 0 then return { 'short', short } end\n",
        "",
        no_oversell,
    ),
    "the idempotency record is dropped": ("    replay_store(record, fingerprint, reply)\n", "", idempotency),
    "the sweeper gives units back twice": (GIVE_BACK, GIVE_BACK * 2, expiry),
    "an expired hold is confirmed": (
        "if reservation.state == 'held' and now >= reservation.expires then",
        "if false then",
        expiry,
    ),
    "repeated lines are checked one by one": ("      if known.day == day then sum = known end\n", "", all_or_nothing),
    "a cancel leaves no tombstone": (
        "      put_reservation(work, id, { state = 'forestalled', lines = {} })\n",
        "",
        out_of_order,
    ),
}


@pytest.mark.parametrize(("was", "becomes", "trial"), SEEDS.values(), ids=SEEDS)
async def test_a_seeded_bug_fails_its_test(
    was: str,
    becomes: str,
    trial: Callable[[Place], Awaitable[None]],
    other_servers: Callable[..., StoreServer],
    tenant: str,
    tmp_path: Path,
) -> None:
    server = other_servers("--appendonly", "no")
    async with fresh_store(server.url, Keys(tenant), variant(LIBRARY, tmp_path, was, becomes)) as store:
        with pytest.raises(AssertionError):
            await trial(Place(server=server, tenant=tenant, store=store, folder=tmp_path))


async def test_without_a_seeded_bug_the_same_trials_pass(
    other_servers: Callable[..., StoreServer], tenant: str, tmp_path: Path
) -> None:
    """Catches a trial that fails whatever the code does: then the seeds would prove nothing."""
    server = other_servers("--appendonly", "no")
    for number, trial in enumerate((idempotency, all_or_nothing, out_of_order)):
        own = f"{tenant}-{number}"
        async with fresh_store(server.url, Keys(own)) as store:
            await trial(Place(server=server, tenant=own, store=store, folder=tmp_path))
