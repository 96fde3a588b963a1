"""Customers over HTTP, and what an order keeps and tells of its own: sealed wherever it lies, and gone once erased."""

from __future__ import annotations

import io
import logging
from hashlib import sha256

import pytest

from api.logs import set_up_logs
from engine.storage.client import StoreClient
from tests.api.test_orders import ORDER

ANN = {"name": "Ann Zebrowski", "email": "ann.z@example.com", "phone": "+1 212 555 0142"}
SECRETS = [b"Zebrowski", b"ann.z@example.com", b"555 0142", b"2125550142", b"Quince Street"]
RECENT = {"rule": "many", "score": 1, "when": {"recent": {"by": "contact", "orders_from": 9, "within_minutes": 60}}}
GUESSES = [("contact", "ann.z@example.com"), ("contact", "12125550142"), ("customer", "cus-1")]
"""What a stranger would try out on digests that have no key."""
TOLD = {**ANN, "address": {"street": "4 Quince Street", "city": "New York"}}


@pytest.fixture
def log_stream():
    root = logging.getLogger()
    before, level, stream = list(root.handlers), root.level, io.StringIO()
    yield stream
    root.handlers[:], root.level = before, level


def named(kind: str | bytes) -> bytes:
    return kind.encode() if isinstance(kind, str) else kind


async def stored(client: StoreClient, tenant: str) -> bytes:
    """Return all that the store holds of a tenant, as the server packs it."""
    keys = await client.call("KEYS", f"{{{tenant}:*")
    kinds = await client.pipeline([("TYPE", key) for key in keys])
    read = {
        b"string": lambda key: ("GET", key),
        b"hash": lambda key: ("HGETALL", key),
        b"list": lambda key: ("LRANGE", key, 0, -1),
        b"set": lambda key: ("SMEMBERS", key),
        b"zset": lambda key: ("ZRANGE", key, 0, -1),
        b"stream": lambda key: ("XRANGE", key, "-", "+"),
    }
    found = await client.pipeline([read[named(kind)](key) for key, kind in zip(keys, kinds, strict=True)])
    return b"".join(keys) + repr(found).encode()


async def test_nothing_personal_lies_in_the_store_the_feed_or_the_log(shop, client, tenant, log_stream):
    """Catches an order kept with the customer that it came with, or with its body under the idempotency key."""
    set_up_logs("debug", "json", log_stream)
    policy = {"duplicates": {"within_minutes": 30}, "fraud": {"hold_from": 90, "rules": [RECENT]}}
    assert (await shop.put("/v1/order-policy", json=policy)).status_code == 200
    body = {**ORDER, "order_id": "o-1", "customer_id": "cus-1", "customer": TOLD}
    captured = await shop.post("/v1/orders", json=body, headers={"Idempotency-Key": "k"})
    assert (captured.status_code, captured.json()["customer"]) == (201, TOLD), captured.text
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-2", "customer": TOLD})
    put = await shop.put("/v1/customers/cus-1", json={**ANN, "addresses": [{"address_id": "a", **TOLD["address"]}]})
    assert put.status_code == 200, put.text
    assert (await shop.post("/v1/orders/o-1/hold", json={"reason": "address"})).status_code == 200
    feed = (await shop.get("/v1/events", params={"limit": 100})).content
    history = (await shop.get("/v1/orders/o-1/history")).content
    everything = await stored(client, tenant)
    assert b"cus-1" in everything
    guessed = [sha256(f"{by}\0{value}".encode()).hexdigest()[:32].encode() for by, value in GUESSES]
    for secret in [*SECRETS, *guessed]:
        assert secret not in everything + feed + history + log_stream.getvalue().encode(), secret


async def test_the_same_order_again_is_answered_and_another_customer_makes_it_another(shop):
    body = {**ORDER, "order_id": "o-1", "customer": TOLD}
    key = {"Idempotency-Key": "k"}
    first = await shop.post("/v1/orders", json=body, headers=key)
    again = await shop.post("/v1/orders", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert (await shop.post("/v1/orders", json=body)).json() == first.json()
    other = await shop.post("/v1/orders", json={**body, "customer": ANN})
    assert (other.status_code, other.json()["code"]) == (409, "illegal_state")
    unnamed = {name: value for name, value in body.items() if name != "order_id"}
    one = await shop.post("/v1/orders", json=unnamed, headers={"Idempotency-Key": "k2"})
    two = await shop.post("/v1/orders", json=unnamed, headers={"Idempotency-Key": "k2"})
    assert (two.content, one.status_code) == (one.content, 201)


async def test_an_erased_customer_is_gone_from_orders_exports_and_searches(shop):
    await shop.put("/v1/customers/cus-1", json=ANN)
    await shop.post("/v1/orders", json={**ORDER, "order_id": "o-1", "customer_id": "cus-1", "customer": TOLD})
    found = (await shop.post("/v1/customers/find", json={"phone": "0012125550142"})).json()
    assert found == {"data": ["cus-1"], "has_more": False}
    export = (await shop.get("/v1/customers/cus-1/export")).json()
    assert (export["profile"]["email"], export["orders"][0]["customer"]) == (ANN["email"], TOLD)
    waiting = await shop.post("/v1/customers/cus-1/erase")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "illegal_state")
    await shop.post("/v1/orders/o-1/cancel")
    key = {"Idempotency-Key": "e"}
    erased = await shop.post("/v1/customers/cus-1/erase", headers=key)
    assert (erased.status_code, erased.json()["orders"]) == (200, 1), erased.text
    again = await shop.post("/v1/customers/cus-1/erase", headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (erased.content, "true")
    order = (await shop.get("/v1/orders/o-1")).json()
    assert (order["customer_id"], order["customer"], order["lines"][0]["quantity"]) == ("cus-1", None, 2)
    assert (await shop.get("/v1/customers/cus-1")).status_code == 404
    assert (await shop.get("/v1/customers/cus-1/export")).status_code == 404
    assert (await shop.post("/v1/customers/find", json={"email": ANN["email"]})).json()["data"] == []
    refused = await shop.post("/v1/orders", json={**ORDER, "order_id": "o-2", "customer_id": "cus-1", "customer": ANN})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_state")
    types = [event["type"] for event in (await shop.get("/v1/events", params={"types": "customer.*"})).json()["data"]]
    assert types == ["customer.changed", "customer.erased"]


async def test_a_capture_is_answered_again_under_its_key_after_its_customer_was_erased(shop):
    body = {**ORDER, "order_id": "o-1", "customer_id": "cus-1", "customer": TOLD}
    key = {"Idempotency-Key": "k"}
    await shop.post("/v1/orders", json=body, headers=key)
    await shop.post("/v1/customers/cus-1/erase", json={"even_with_open_orders": True})
    again = await shop.post("/v1/orders", json=body, headers=key)
    assert (again.status_code, again.json()["order_id"], again.json()["customer"]) == (201, "o-1", None)


async def test_what_is_wrong_with_the_customer_of_an_order_is_told_without_showing_them(shop):
    for customer, path, message in (
        ({"customer_id": "ann@example.com"}, "$.customer_id", "ids are kept in the clear"),
        ({"customer": {"note": "x" * 17_000}}, "$.customer", "16384 at most"),
    ):
        answer = await shop.post("/v1/orders", json={**ORDER, **customer})
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["path"]) == (400, path)
        assert message in fault["message"]
