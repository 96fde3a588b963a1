"""Product pages over HTTP: get it by, and the nearest stores with stock."""

from __future__ import annotations

import pytest

PLACE = {"latitude": 40.73, "longitude": -73.99}


@pytest.fixture
async def known(shop, network):
    """The shop, with a postal code; the eastern node is a store."""
    place = {"country": "US", "postal_code": "100", "latitude": 40.73, "longitude": -73.99}
    nodes = [network["nodes"][0] | {"kind": "store"}, network["nodes"][1]]
    document = network | {"postal_codes": [place], "nodes": nodes}
    assert (await shop.put("/v1/network", json=document)).status_code == 200
    return shop


async def test_a_page_gets_the_day_and_the_cost_of_a_promise(known):
    answer = await known.get("/v1/get-it-by", params={"sku": "mug", "country": "US", "postal_code": "10003"})
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["lines"]
    promise = {"destination": {"country": "US", "postal_code": "10003"}, "lines": [{"sku": "mug", "quantity": 1}]}
    option = (await known.post("/v1/promises", json=promise)).json()["options"][0]
    same = {"promised_on": option["promised_on"], "total_cost_cents": option["total_cost_cents"]}
    assert line == {"sku": "mug", "earliest": same, "cheapest": same, "reason": None}
    assert answer.json()["binding"] is False
    assert answer.json()["as_of"]


async def test_many_skus_of_a_page_are_asked_for_at_once(known):
    body = {"lines": [{"sku": "mug"}, {"sku": "set"}, {"sku": "pot/large"}], "destination": PLACE}
    answer = await known.post("/v1/get-it-by", json=body, headers={"Idempotency-Key": None})
    assert answer.status_code == 200, answer.text
    assert [line["reason"] for line in answer.json()["lines"]] == [None, None, "no_stock"]


async def test_faults_of_a_query_name_its_parameters(known):
    refused = await known.get("/v1/get-it-by", params={"sku": "mgu", "country": "US", "postal_code": "99999"})
    assert refused.status_code == 400
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert "did you mean 'mug'?" in found["query.sku"]
    assert "not in the network" in found["query.postal_code"]
    incomplete = await known.get("/v1/get-it-by", params={"sku": "mug"})
    assert [error["path"] for error in incomplete.json()["errors"]] == ["query"]
    too_many = {"lines": [{"sku": "mug"}] * 501, "destination": PLACE}
    assert (await known.post("/v1/get-it-by", json=too_many)).status_code == 400


async def test_the_nearest_stores_are_found_by_postal_code(known):
    params = {"sku": "mug", "country": "US", "postal_code": "10003", "quantity": 3}
    answer = await known.get("/v1/nearest-stores", params=params)
    assert answer.status_code == 200, answer.text
    (store,) = answer.json()["stores"]
    assert (store["node_id"], store["kind"], store["distance_km"]) == ("east", "store", 3.4)
    assert store["lines"] == [{"sku": "mug", "available_now": 20}]
    body = {
        "lines": [{"sku": "mug", "quantity": 1}],
        "destination": PLACE,
        "kinds": ["store", "dc"],
        "radius_km": 9000,
    }
    both = await known.post("/v1/nearest-stores", json=body, headers={"Idempotency-Key": None})
    assert [store["node_id"] for store in both.json()["stores"]] == ["east", "west"]
    refused = await known.get("/v1/nearest-stores", params=params | {"kind": "shop"})
    assert refused.status_code == 400
