"""A limit on open holds over HTTP: 429, with what to do, and never kept for the key."""

from __future__ import annotations

import pytest

from engine.config import Settings

LINES = {"lines": [{"sku": "mug", "quantity": 1, "node_id": "east"}]}


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory", most_open_holds=2)


async def test_a_hold_beyond_the_limit_is_answered_with_429_until_another_is_given_back(shop):
    first, _ = [await shop.post("/v1/reservations", json=LINES) for _ in range(2)]
    key = {"Idempotency-Key": "one-too-many"}
    refused = await shop.post("/v1/reservations", json=LINES, headers=key)
    assert (refused.status_code, refused.json()["code"], refused.json()["retryable"]) == (429, "too_many_holds", True)
    assert "'anonymous' has 2 open holds, and 2 may be open at once" in refused.json()["detail"]
    assert refused.headers["Retry-After"]
    batch = {"reservations": [{"reservation_id": "cart-1", **LINES}]}
    verdict = (await shop.post("/v1/reservation-batches", json=batch)).json()["verdicts"][0]
    assert (verdict["reservation"], verdict["code"]) == (None, "too_many_holds")
    await shop.post(f"/v1/reservations/{first.json()['reservation_id']}/cancel")
    again = await shop.post("/v1/reservations", json=LINES, headers=key)
    assert again.status_code == 201
