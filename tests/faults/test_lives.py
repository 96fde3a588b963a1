"""Lives of orders over HTTP through SIGKILLs of their servers, between any two effects: each effect is there once.

In process the same is shown for each capability (payments/test_crashes.py, returns/test_return_crashes.py,
orders/test_effecting.py). Here real processes die, on one store, and a client repeats its calls under their keys.
"""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from faults.life_shop import ORDER
from faults.living import AT_REST, PATIENCE_SECONDS, Life
from faults.processes import Worker
from faults.scale import SCALE, SHARE
from webhooks.receiver import Receiver

from engine.orders.model import Order
from engine.orders.redis_store import RedisOrderStore
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
DEATHS = (  # of one server after another
    "allot_capture_order_v1:1",  # the order is there, and asks for money
    "allot_add_document_v1:1",  # the money is set aside, and not noted
    "allot_confirm_v1:1",  # the stock is confirmed, and not noted
    "allot_commit_orders_v1:1",  # the order has its nodes, and the run does not know
    "allot_add_document_v1:1",  # the money of a shipment is taken, and not noted
    "allot_number_bill_v1:1",  # an invoice has its number, and does not know
    "allot_adjust_v1:1",  # the unit is back, and not noted
    "allot_add_document_v1:1",  # the money is given back, and not noted
)
AT_ONCE = 10
"""Lives that a soak has beside each other."""
TEMPLATES = {"order_confirmed": 1, "shipped": 2, "delivered": 2, "refunded": 1}
"""Notices of a life, each of which goes out under one id."""
WANTED: dict[str, Any] = {
    "state": "delivered",
    "ledger": [("authorised", 3100), ("captured", 2400), ("captured", 700), ("refunded", 1000)],
    "provider": [(3100, 1000)],
    "agrees": (True, []),
    "events": {
        "payment_authorised": 1,
        "reservation_confirmed": 1,
        "shipment_released": 1,
        "shipment_picking": 2,
        "shipment_packed": 2,
        "label_bought": 2,
        "document_made": 2,
        "document_printed": 2,
        "shipment_shipped": 2,
        "payment_captured": 2,
        "shipment_delivered": 2,
        "invoice_numbered": 2,
        "credit_note_numbered": 1,
        "return_authorised": 1,
        "return_label_bought": 1,
        "return_received": 1,
        "return_stocked": 2,
        "return_inspected": 1,
        "return_refunded": 1,
        "payment_refunded": 1,
        "notice_sent": 6,
    },
    "documents": [(f"shp_o-1-{number}", act) for number in (1, 2) for act in ("made", "printed")],
    "parcels": [[510], [510]],
    "numbers": 2,
    "stock": [(9, 0, 0, {}), (9, 0, 0, {})],
}


@asynccontextmanager
async def served(
    deaths: dict[str, Sequence[str]], store_address: str, receiver: Receiver, folder: Path
) -> AsyncIterator[tuple[Worker, dict[str, str]]]:
    """Run servers for each tenant; returns their addresses."""
    settings = {
        "redis_url": store_address,
        "auth": "off",
        "durability": "memory",
        "run_lease_seconds": 1,
        "notices_url": receiver.url,
        "notices_secret": SECRET,
        "webhooks_allow_private": True,
        "public_url": "https://track.example.com",
    }
    lives = [f"{tenant}={','.join(said)}" for tenant, said in deaths.items()]
    worker = Worker("faults.life_server", folder, json.dumps(settings), *lives, printed=folder.with_suffix(".printed"))
    try:
        while len(found := said(worker, "ready")) < len(deaths):
            worker.check()
            await asyncio.sleep(0.05)
        yield worker, dict(line.split(" ", 1) for line in found)
        worker.check()
    finally:
        worker.kill()


def said(worker: Worker, word: str) -> list[str]:
    """Return what comes behind a word in the lines that begin with it."""
    return [line.removeprefix(f"{word} ") for line in worker.lines if line.startswith(f"{word} ")]


async def live(
    deaths: dict[str, Sequence[str]], store_address: str, client: StoreClient, folder: Path
) -> tuple[int, int]:
    """Let orders live while their servers die; check each, and return kills and broken calls."""
    async with Receiver() as receiver, served(deaths, store_address, receiver, folder) as (worker, addresses):
        receiver.secrets = [SECRET]

        async def one(tenant: str) -> int:
            async with httpx2.AsyncClient(base_url=addresses[tenant], timeout=10) as http:
                life = Life(http=http)
                await life.live()
                order = await at_rest(client, tenant)
                numbers = sorted(bill.number.split("-")[::2] for bill in order.life.bills)
                assert numbers == [["CN", "000001"], ["INV", "000001"], ["INV", "000002"]], deaths[tenant]
                assert await life.outcome() == WANTED, deaths[tenant]
                return life.broken_calls

        broken = sum(await asyncio.gather(*(one(tenant) for tenant in deaths)))
        kills = Counter(said(worker, "killed"))
        for tenant, wanted in deaths.items():
            assert kills[tenant] == len(wanted), f"{tenant} was killed {kills[tenant]} times, not by all of {wanted}"
            mine = [each for each in receiver.events if f"/{tenant}." in each["tracking_url"]]
            posted = {each["notice_id"]: each["template"] for each in mine}
            assert Counter(posted.values()) == TEMPLATES, f"{wanted}: {posted}"
    return kills.total(), broken


async def at_rest(client: StoreClient, tenant: str) -> Order:
    """Return the order once it asks for nothing more."""
    orders, left = RedisOrderStore(client, Keys(tenant)), set[str]()
    for _ in range(round(PATIENCE_SECONDS / 0.1)):
        order = await orders.get(ORDER["order_id"])
        left = {each.kind for each in order.life.effects} - AT_REST
        if not left:
            return order
        await asyncio.sleep(0.1)
    raise AssertionError(f"nobody does {left}")


async def test_a_life_whose_server_is_killed_between_its_effects_has_each_of_them_once(
    store_address: str, client: StoreClient, tenant: str, tmp_path: Path, reached: Callable[..., None]
) -> None:
    """A soak kills behind each change of a life too, and then at random, eight times in each life.

    Catches an effect that is taken off its order before it is done, one that is done under a new key each time, units
    that come back under no key, a bill that gets a second number, a sweeper that leaves effects of dead processes
    alone, and a step that keeps no answer.
    """
    kills, broken = await live({tenant: DEATHS}, store_address, client, tmp_path / "named")
    lives = 1
    if SHARE:
        await live({f"{tenant}-whole": ()}, store_address, client, tmp_path / "whole")
        calls = (tmp_path / "whole" / f"{tenant}-whole.calls").read_text().split()
        plans = [(death,) for death in calls] + list(at_random(max(0, SCALE.lives - len(calls))))
        for start in range(0, len(plans), AT_ONCE):
            deaths = {f"{tenant}-{start + number}": plan for number, plan in enumerate(plans[start : start + AT_ONCE])}
            more = await live(deaths, store_address, client, tmp_path / f"from-{start}")
            kills, broken, lives = kills + more[0], broken + more[1], lives + len(deaths)
    reached("lives of orders, their servers killed", lives=lives, kills=kills, broken_calls=broken)


def at_random(lives: int) -> Iterator[Sequence[str]]:
    """Return for each life eight deaths, each behind one of the next eight changes: a life has some sixty."""
    chance = random.Random(9)
    for _ in range(lives):
        yield [f"any:{chance.randint(1, 8)}" for _ in DEATHS]
