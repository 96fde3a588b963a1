"""Policies over HTTP: versions, faults, pages, and runs that keep to them."""

from __future__ import annotations

import asyncio


async def put(http, policy_id="peak", **fields):
    return await http.put(f"/v1/policies/{policy_id}", json=fields)


async def test_a_policy_is_put_in_versions_that_stay(http):
    first = await put(http, about="calm", split_cost_cents=100)
    assert (first.status_code, first.json()) == (200, {"policy_id": "peak", "version": 1, "policy": "peak@1"})
    assert (await put(http, late_day_cost_cents=None)).json()["policy"] == "peak@2"
    latest = (await http.get("/v1/policies/peak")).json()
    assert latest == {"policy_id": "peak", "version": 2, "late_day_cost_cents": None}
    earlier = (await http.get("/v1/policies/peak?version=1")).json()
    assert earlier == {"policy_id": "peak", "version": 1, "about": "calm", "split_cost_cents": 100}


async def test_policies_are_listed_a_page_at_a_time(http):
    for policy_id in ("peak", "calm", "base"):
        await put(http, policy_id, about=f"for {policy_id}")
    page = (await http.get("/v1/policies?limit=2")).json()
    assert page["has_more"]
    assert page["data"][0] == {"policy_id": "base", "version": 1, "about": "for base"}
    rest = (await http.get("/v1/policies?limit=2&starting_after=calm")).json()
    assert ([entry["policy_id"] for entry in rest["data"]], rest["has_more"]) == (["peak"], False)


async def test_what_is_not_there_is_404_and_says_what_is(http):
    await put(http)
    for path, words in (("peek", "did you mean 'peak'?"), ("peak?version=2", "it has only version 1")):
        answer = await http.get(f"/v1/policies/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert words in answer.text


async def test_a_wrong_document_names_path_value_and_remedy(shop):
    answer = await put(shop, split_cost=1, max_nodes_per_order=0)
    assert answer.status_code == 400
    faults = {fault["path"]: fault["message"] for fault in answer.json()["errors"]}
    assert set(faults) == {"$.split_cost", "$.max_nodes_per_order"}
    unknown = await put(shop, forbidden_node_ids=["wset"])
    assert "did you mean 'west'?" in unknown.json()["errors"][0]["message"]
    assert (await shop.get("/v1/policies/peak")).status_code == 404


async def test_rules_are_put_as_stated_and_orders_say_their_customer_class(shop):
    rule = {"rule": "gold", "when": {"customer_classes": ["gold"]}, "forbidden_node_ids": ["east"]}
    soft = {**rule, "relaxed_cost_cents_per_unit": 250}
    assert (await put(shop, rules=[soft], softened={"late_day_cost_cents": 100})).status_code == 200
    stored = (await shop.get("/v1/policies/peak")).json()
    assert (stored["rules"], stored["softened"]) == ([soft], {"late_day_cost_cents": 100})
    order = {"order_id": "o1", "channel": "web", "destination": {"latitude": 40.73, "longitude": -73.99}}
    lines = [{"line_id": "1", "sku": "mug", "quantity": 1}]
    body = {**order, "lines": lines, "customer_class": "gold"}
    captured = await shop.post("/v1/orders", json=body, headers={"Idempotency-Key": "o1"})
    assert captured.json()["customer_class"] == "gold"
    run = {"all_open": True, "policy": "peak"}
    started = await shop.post("/v1/routing-runs", json=run, headers={"Idempotency-Key": "r1"})
    for _ in range(600):
        over = (await shop.get(f"/v1/routing-runs/{started.json()['run_id']}")).json()
        if over["status"] not in {"queued", "running"}:
            break
        await asyncio.sleep(0.05)
    assert over["status"] == "committed", over
    (allocation,) = (await shop.get("/v1/orders/o1")).json()["allocations"]
    assert allocation["node_id"] == "west"


async def test_a_run_takes_a_policy_by_its_name_and_says_which_version(shop, network):
    """The mug would ship from the east, next to the customer; the policy forbids that."""
    await put(shop, forbidden_node_ids=["east"])
    order = {"order_id": "o1", "channel": "web", "destination": {"latitude": 40.73, "longitude": -73.99}}
    await shop.post("/v1/orders", json={**order, "lines": [{"line_id": "1", "sku": "mug", "quantity": 1}]})
    unknown = await shop.post("/v1/routing-runs", json={"all_open": True, "policy": "peek"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "invalid_input")
    assert unknown.json()["errors"] == [{"path": "$.policy", "message": "no policy 'peek'; did you mean 'peak'?"}]
    started = await shop.post("/v1/routing-runs", json={"all_open": True, "policy": "peak"})
    assert started.status_code == 202, started.text
    for _ in range(600):
        run = (await shop.get(f"/v1/routing-runs/{started.json()['run_id']}")).json()
        if run["status"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.05)
    assert (run["status"], run["policy"], run["summary"]["policy"]) == ("committed", "peak@1", "peak@1")
    told = (await shop.get("/v1/orders/o1/explanation")).json()
    assert told["lines"][0]["nodes"][0]["node_id"] == "west"
