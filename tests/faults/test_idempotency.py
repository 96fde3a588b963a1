"""Idempotency: keys sent one to five times, at once and across kills of the store, have one effect and one answer."""

from __future__ import annotations

from collections.abc import Callable

from faults.asking import ask_often
from faults.scale import SCALE
from store_servers import StoreServer


async def test_keys_that_come_back_at_once_and_after_kills_have_one_effect_and_one_answer(
    kept_server: StoreServer, tenant: str, reached: Callable[..., None]
) -> None:
    """Catches a record that is dropped: tests/faults/test_seeded_bugs.py seeds it."""
    answered = await ask_often(kept_server, tenant, keys=SCALE.keys, kills=max(2, SCALE.keys // 1000))
    reached(
        "idempotency, store killed",
        keys=answered.keys,
        requests=answered.requests,
        kills=answered.kills,
        second_effects=0,
    )
