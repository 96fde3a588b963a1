"""Expiry: the sweeper dies and comes back; all units are back soon, none twice, and nothing is confirmed too late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faults.clients import fresh_store
from faults.expiring import BACK_SECONDS, let_expire
from faults.scale import SCALE
from store_servers import StoreServer

from engine.storage.keys import Keys


async def test_expired_units_are_back_soon_and_once_after_the_sweeper_was_killed(
    kept_server: StoreServer, tenant: str, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """Catches a sweeper that gives units back twice: tests/faults/test_seeded_bugs.py seeds it."""
    ttl_seconds = 3 + SCALE.expiring_holds / 2000
    async with fresh_store(kept_server.url, Keys(tenant)) as store:
        back = await let_expire(
            store, kept_server.url, tenant, tmp_path, holds=SCALE.expiring_holds, ttl_seconds=ttl_seconds
        )
    assert back.seconds <= BACK_SECONDS
    reached(
        "expiry, sweeper killed twice",
        holds=back.holds,
        left_when_killed=back.left_by_first_sweeper,
        seconds_until_back=round(back.seconds, 2),
    )
