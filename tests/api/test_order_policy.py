"""Capture by channel ids, prices and the order policy over HTTP: kept once, checked, held, approved, refused."""

from __future__ import annotations

import pytest

from tests.api.test_orders import ORDER

POLICY = {
    "address": {"countries": ["US"], "outcome": "refuse"},
    "duplicates": {"within_minutes": 30},
    "fraud": {"refuse_from": 90, "rules": [{"rule": "many units", "score": 95, "when": {"units_from": 15}}]},
    "holds": [{"rule": "phone", "kind": "call_back", "when": {"channels": ["phone"]}}],
    "approvals": [{"rule": "large discount", "when": {"discount_percent_from": 25}, "approvals": 2}],
}
HOME = {**ORDER["destination"], "country": "US"}  # type: ignore[dict-item]


def order(quantity: int = 1, **more: object) -> dict[str, object]:
    line = {"sku": "mug", "quantity": quantity, "unit_price_cents": 1000}
    return {**ORDER, "destination": HOME, "lines": [{**line, **more.pop("line", {})}], **more}  # type: ignore[dict-item]


@pytest.fixture
async def checking(shop):
    answer = await shop.put("/v1/order-policy", json=POLICY)
    assert (answer.status_code, answer.json()) == (200, {"version": 1}), answer.text
    return shop


async def captured(shop, body):
    answer = await shop.post("/v1/orders", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_channels_own_id_is_one_order_whatever_the_idempotency_key(shop):
    body = order(2, channel_order_id="1001", customer_id="c-7", shipping_cents=490)
    first, again = await captured(shop, body), await captured(shop, body)
    assert first == again
    assert (first["channel_order_id"], first["customer_id"], first["checks"]) == ("1001", "c-7", None)
    prices = first["prices"]
    assert (prices["currency"], prices["total_cents"], prices["shipping_cents"]) == ("USD", 2490, 490)
    assert prices["lines"][0]["total_cents"] == 2000
    other_channel = await captured(shop, {**body, "channel": "marketplace"})
    assert other_channel["order_id"] != first["order_id"]
    for changed in (
        order(3, channel_order_id="1001", customer_id="c-7", shipping_cents=490),
        {**body, "shipping_cents": 0},
    ):
        answer = await shop.post("/v1/orders", json=changed)
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_state")
    answer = await shop.post("/v1/orders", json={**body, "order_id": "o-1"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "$.order_id")


async def test_prices_are_all_stated_or_in_the_catalog_and_every_fault_is_named(shop):
    answer = await shop.post("/v1/orders", json=order(line={"discount_cents": 1001}))
    assert "1001 is more than the 1000 cents of the line" in answer.text
    answer = await shop.post("/v1/orders", json={**ORDER, "currency": "USD"})
    assert "has no price in the catalog either" in answer.json()["errors"][0]["message"]


async def test_orders_are_checked_by_the_policy_in_force_and_say_which(checking):
    sound = await captured(checking, order(channel_order_id="1"))
    assert (sound["state"], sound["checks"]["policy_version"], sound["checks"]["findings"]) == ("validated", 1, [])
    duplicate = await captured(checking, order(channel_order_id="2"))
    assert (duplicate["state"], duplicate["order_hold"]["kind"]) == ("on_hold", "duplicate")
    assert sound["order_id"] in duplicate["order_hold"]["reason"]
    assert await captured(checking, order(channel_order_id="2")) == duplicate
    await checking.put("/v1/order-policy", json={})
    later = await captured(checking, order(channel_order_id="3"))
    assert (later["state"], later["checks"]["policy_version"], later["order_holds"]) == ("validated", 2, [])
    stated = (await checking.get("/v1/order-policy?version=1")).json()
    assert stated == {"version": 1, **POLICY}
    assert (await checking.get("/v1/order-policy")).json() == {"version": 2}


async def test_what_the_policy_refuses_is_not_kept_and_a_key_answers_as_it_did(checking):
    key = {"Idempotency-Key": "policy-1"}
    first = await checking.post("/v1/orders", json=order(2), headers=key)
    assert first.json()["state"] == "validated"
    abroad = order(2, destination={**HOME, "country": "FR"})
    answer = await checking.post("/v1/orders", json=abroad)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "$.destination.country")
    answer = await checking.post("/v1/orders", json=order(20))
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert "with a score of 95: many units (+95)" in answer.json()["detail"]
    stricter = {**POLICY, "fraud": {"refuse_from": 1, "rules": [{"rule": "any", "score": 1, "when": {}}]}}
    known = await captured(checking, order(3, channel_order_id="before"))
    await checking.put("/v1/order-policy", json={"prices": {"max_discount_percent": 0, "outcome": "refuse"}})
    discounted = order(3, channel_order_id="before", line={"discount_cents": 1})
    assert (await checking.post("/v1/orders", json=discounted)).status_code == 400
    await checking.put("/v1/order-policy", json=stricter)
    assert (await captured(checking, order(3, channel_order_id="before")))["order_id"] == known["order_id"]
    again = await checking.post("/v1/orders", json=order(2), headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


async def test_a_large_discount_waits_until_two_people_have_approved_it(checking):
    body = order(4, channel="phone", line={"discount_cents": 1000}, channel_order_id="9")
    waiting = await captured(checking, body)
    path = f"/v1/orders/{waiting['order_id']}"
    assert [hold["kind"] for hold in waiting["order_holds"]] == ["call_back", "approval"]
    assert waiting["checks"]["awaits"] == ["large discount"]
    unheld = await checking.post(f"{path}/unhold", json={})
    assert [hold["kind"] for hold in unheld.json()["order_holds"]] == ["approval"]
    assert "waits for approval" in (await checking.post(f"{path}/unhold", json={})).json()["detail"]
    wrong = await checking.post(f"{path}/approve", json={"by": "anna", "rule": "large discont"})
    assert "did you mean 'large discount'?" in wrong.text
    one = await checking.post(f"{path}/approve", json={"by": "anna", "reason": "a regular"})
    assert (one.json()["state"], one.json()["checks"]["awaits"]) == ("on_hold", ["large discount"])
    assert (await checking.post(f"{path}/approve", json={"by": "anna"})).status_code == 409
    two = (await checking.post(f"{path}/approve", json={"by": "bo", "rule": "large discount"})).json()
    assert (two["state"], two["order_holds"], two["checks"]["awaits"]) == ("validated", [], [])
    assert [(each["by"], each["reason"]) for each in two["checks"]["approvals"]] == [
        ("anna", "a regular"),
        ("bo", None),
    ]
    history = (await checking.get(f"{path}/history")).json()["data"]
    assert [(entry["state"], entry["event"], entry["by"]) for entry in history][-1] == ("validated", "approved", "bo")
    other = await captured(checking, order(4, line={"discount_cents": 1000}, channel_order_id="10"))
    refusing = {"by": "bo", "is_approved": False, "reason": "too much"}
    refused = (await checking.post(f"/v1/orders/{other['order_id']}/approve", json=refusing)).json()
    assert (refused["state"], refused["order_holds"]) == ("cancelled", [])
    assert refused["checks"]["approvals"][0]["is_approved"] is False
    assert "waits for no approval" in (await checking.post(f"{path}/approve", json={"by": "bo"})).json()["detail"]


async def test_a_policy_that_contradicts_itself_is_refused_with_its_place(shop):
    twice = {"rule": "a", "kind": "x"}
    for body, said in (
        ({"holds": [twice, twice]}, "the rule 'a' is there twice; give each a name of its own"),
        ({"holds": [{"rule": "a", "kind": "Bad Kind"}]}, "$.holds[0].kind"),
        ({"fraud": {"rules": []}}, "$.fraud.rules"),
        ({"approvals": [{"rule": "a", "when": {"chanels": ["web"]}}]}, "did you mean 'channels'?"),
    ):
        answer = await shop.put("/v1/order-policy", json=body)
        assert answer.status_code == 400
        assert said in answer.text
    assert (await shop.get("/v1/order-policy")).json()["code"] == "not_found"
