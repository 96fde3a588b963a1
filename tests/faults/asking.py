"""The trial of idempotency: keys that are sent one to five times, at once and again after the store was killed.

It goes through the HTTP application, since what has to come back is bytes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from faults.world import CATALOG, NETWORK, NODE, SKU
from store_servers import StoreServer

from api.app import create_app
from engine.config import Settings

BATCH = 50
TOGETHER = 40
UNITS = 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was asked and answered."""

    keys: int
    requests: int
    kills: int


@asynccontextmanager
async def shop(server: StoreServer, tenant: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Run the application on a server, with one SKU in stock."""
    app = create_app(Settings(redis_url=server.url, tenant=tenant, durability="standard"))
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            counted = {"positions": [{"node_id": NODE, "sku": SKU, "on_hand": UNITS}]}
            for path, document in (
                ("/v1/network", NETWORK),
                ("/v1/catalog", CATALOG),
                ("/v1/inventory/positions", counted),
            ):
                answer = await http.put(path, json=document)
                assert answer.status_code == 200, answer.text
            yield http


async def ask_often(server: StoreServer, tenant: str, *, keys: int, kills: int) -> Answered:
    """Send keys, kill the store now and then, and compare answers and stock; fails on the first that is not right."""
    chance = random.Random(keys)
    requests = 0
    batches = [range(start, min(start + BATCH, keys)) for start in range(0, keys, BATCH)]
    killed_during = set(chance.sample(range(len(batches)), min(kills, len(batches))))
    async with shop(server, tenant) as http:
        for index, batch in enumerate(batches):
            sends = [key for key in batch for _ in range(chance.randint(1, 5))]
            if index in killed_during:
                first, _ = await asyncio.gather(_send(http, sends, chance), _kill(server, chance.uniform(0, 0.1)))
            else:
                first = await _send(http, sends, chance)
            again = await _send(http, list(batch), chance)
            requests += len(first) + len(again)
            # Of a key whose first call ran and was cut off, no answer is new.
            _compare(first, again, fewest_new=0 if index in killed_during else 1)
            assert await _held(http) == batch.stop, "some key had no effect, or two"
        await _other_bodies_and_no_key(http)
        assert await _held(http) == keys
    return Answered(keys=keys, requests=requests, kills=len(killed_during))


Replies = list[tuple[int, httpx2.Response]]


async def _kill(server: StoreServer, after_seconds: float) -> None:
    await asyncio.sleep(after_seconds)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def _send(http: httpx2.AsyncClient, keys: Sequence[int], chance: random.Random) -> Replies:
    """Send a hold of one unit for each key, many at once and mixed, and each until it is answered."""
    mixed = list(keys)
    chance.shuffle(mixed)
    replies: Replies = []
    for start in range(0, len(mixed), TOGETHER):
        some = mixed[start : start + TOGETHER]
        replies += zip(some, await asyncio.gather(*(_ask(http, key) for key in some)), strict=True)
    return replies


async def _ask(http: httpx2.AsyncClient, key: int) -> httpx2.Response:
    while True:
        answer = await http.post("/v1/reservations", json=_hold(1), headers={"Idempotency-Key": f"key-{key}"})
        if answer.status_code != 503:
            return answer
        await asyncio.sleep(0.01)


def _compare(first: Replies, again: Replies, *, fewest_new: int) -> None:
    answers: dict[int, bytes] = {}
    news: dict[int, int] = {}
    for key, answer in first:
        assert answer.status_code == 201, answer.text
        assert answers.setdefault(key, answer.content) == answer.content, f"key {key} was answered in two ways"
        news[key] = news.get(key, 0) + ("idempotent-replayed" not in answer.headers)
    for key, count in news.items():
        assert fewest_new <= count <= 1, f"key {key} was answered as new {count} times"
    for key, answer in again:
        assert answer.status_code == 201, answer.text
        assert answer.content == answers[key], f"key {key} came back with other bytes"
        assert answer.headers["idempotent-replayed"] == "true"
    assert len(set(answers.values())) == len(answers), "two keys have one reservation"


async def _other_bodies_and_no_key(http: httpx2.AsyncClient) -> None:
    reused = await http.post("/v1/reservations", json=_hold(2), headers={"Idempotency-Key": "key-0"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    missing = await http.post("/v1/reservations", json=_hold(1))
    assert missing.status_code == 400
    too_much = [
        await http.post("/v1/reservations", json=_hold(10**6), headers={"Idempotency-Key": "much"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in too_much] == [409, 409]
    assert too_much[0].content == too_much[1].content


async def _held(http: httpx2.AsyncClient) -> int:
    while True:
        answer = await http.get(f"/v1/inventory/{SKU}")
        if answer.status_code == 200:
            return int(answer.json()["positions"][0]["held"])
        await asyncio.sleep(0.01)


def _hold(quantity: int) -> dict[str, object]:
    return {"lines": [{"sku": SKU, "quantity": quantity, "node_id": NODE}], "ttl_seconds": 3600}
