"""Webhooks over HTTP: made, listed, tried out, turned and deleted; a secret is shown once, and events arrive."""

from __future__ import annotations

import asyncio
import logging

import pytest
from webhooks.receiver import Receiver

from engine.config import Settings


@pytest.fixture
def settings(store_address: str, tenant: str) -> Settings:
    return Settings(redis_url=store_address, tenant=tenant, durability="memory", webhooks_allow_private=True)


async def made(http, receiver: Receiver, **fields):  # type: ignore[no-untyped-def]
    answer = await http.post("/v1/webhooks", json={"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    receiver.secrets.append(answer.json()["secret"])
    return answer.json()


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0.05)


async def test_what_happens_after_a_webhook_is_made_arrives_signed(shop) -> None:
    async with Receiver() as receiver:
        await made(shop, receiver, types=["inventory.*"])
        adjustments = [{"node_id": "east", "sku": "mug", "delta": 1, "reason": "found"}]
        await shop.post("/v1/inventory/adjustments", json={"adjustments": adjustments})
        await until(lambda: receiver.events)
        (told,) = receiver.events
        (read,) = (await shop.get("/v1/events", params={"types": "inventory.*", "limit": 100})).json()["data"][-1:]
        assert told == read, "the body of a webhook is the event as the feed tells it"
        assert receiver.heads[0]["webhook-id"] == told["id"]


async def test_a_secret_is_shown_once_and_is_nowhere_else(shop, client, keys, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    async with Receiver() as receiver:
        webhook = await made(shop, receiver)
        path = f"/v1/webhooks/{webhook['webhook_id']}"
        await shop.post(f"{path}/ping")
        shown = [await shop.get("/v1/webhooks"), await shop.get(path), await shop.get(f"{path}/deliveries")]
        rotated = (await shop.post(f"{path}/rotate-secret", json={"grace_seconds": 60})).json()["secret"]
    names = await client.call("KEYS", f"{keys.prefix}:*")
    kept = [await client.call("DUMP", name) for name in names if name != keys.named("webhook_key").encode()]
    for secret in (webhook["secret"], rotated):
        plain = secret.removeprefix("whsec_")
        assert plain not in caplog.text
        assert all(plain not in answer.text for answer in shown)
        assert all(plain.encode() not in body for body in kept)


async def test_making_and_turning_come_back_byte_for_byte(shop) -> None:
    async with Receiver() as receiver:
        answers = [
            await shop.post("/v1/webhooks", json={"url": receiver.url}, headers={"Idempotency-Key": "same"})
            for _ in range(2)
        ]
        assert answers[0].content == answers[1].content
        assert answers[1].headers["Idempotent-Replayed"] == "true"
        path = f"/v1/webhooks/{answers[0].json()['webhook_id']}/rotate-secret"
        turned = [await shop.post(path, headers={"Idempotency-Key": "turn"}) for _ in range(2)]
        await shop.post(path)
        turned.append(await shop.post(path, headers={"Idempotency-Key": "turn"}))
        assert len({answer.content for answer in turned}) == 1
        other = await shop.post("/v1/webhooks", json={"url": "http://x/"}, headers={"Idempotency-Key": "same"})
        assert other.status_code == 422


async def test_a_ping_tells_what_the_receiver_answered(shop) -> None:
    async with Receiver() as receiver:
        webhook = await made(shop, receiver)
        ping = (await shop.post(f"/v1/webhooks/{webhook['webhook_id']}/ping")).json()
        assert (ping["type"], ping["status"], ping["is_taken"], ping["answer"]) == ("webhook.ping", 200, True, "thanks")
        deliveries = (await shop.get(f"/v1/webhooks/{webhook['webhook_id']}/deliveries")).json()["data"]
        assert ping in deliveries


async def test_a_webhook_that_is_deleted_is_gone(shop) -> None:
    async with Receiver() as receiver:
        webhook = await made(shop, receiver)
        path = f"/v1/webhooks/{webhook['webhook_id']}"
        assert (await shop.delete(path)).json()["state"] == "deleted"
        for answer in (await shop.get(path), await shop.delete(path), await shop.post(f"{path}/ping")):
            assert answer.status_code == 404
        assert (await shop.get("/v1/webhooks")).json() == {"data": [], "has_more": False}


async def test_webhooks_are_listed_page_by_page(shop) -> None:
    async with Receiver() as receiver:
        ids = [(await made(shop, receiver))["webhook_id"] for _ in range(3)]
        first = (await shop.get("/v1/webhooks", params={"limit": 2})).json()
        second = (await shop.get("/v1/webhooks", params={"limit": 2, "starting_after": ids[1]})).json()
        assert [each["webhook_id"] for each in first["data"] + second["data"]] == ids
        assert (first["has_more"], second["has_more"]) == (True, False)


class TestInProduction:
    """Where private addresses are not allowed."""

    @pytest.fixture
    def settings(self, store_address: str, tenant: str) -> Settings:
        return Settings(redis_url=store_address, tenant=tenant, durability="memory")

    @pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/"])
    async def test_a_private_url_is_refused_with_its_place(self, shop, url: str) -> None:
        answer = await shop.post("/v1/webhooks", json={"url": url})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["path"] == "$.url"


async def test_unknown_types_are_refused_with_the_nearest(shop) -> None:
    answer = await shop.post("/v1/webhooks", json={"url": "http://localhost/", "types": ["order.cancel"]})
    assert answer.status_code == 400
    assert "order.cancelled" in answer.text
