"""Network and catalog over HTTP: put, get, page, and every bad document refused with nothing changed."""

from __future__ import annotations

import pytest

from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.network import EXAMPLE as NETWORK


async def test_a_network_that_is_put_is_got_with_its_version_and_defaults(http):
    first = await http.put("/v1/network", json=NETWORK)
    assert (first.status_code, first.json()) == (200, {"version": 1, "nodes": 1})
    got = (await http.get("/v1/network")).json()
    assert got["version"] == 1
    assert got["nodes"][0]["node_id"] == "chicago-dc"
    assert got["nodes"][0]["processing_days"] == 0
    again = await http.put("/v1/network", json=NETWORK)
    assert again.json()["version"] == 2


async def test_what_was_got_can_be_put_again(http):
    await http.put(
        "/v1/network",
        json={
            **NETWORK,
            "calendars": [{**NETWORK["calendars"][0], "closures": [{"from": "2026-12-24", "to": "2026-12-26"}]}],
        },
    )
    got = (await http.get("/v1/network")).json()
    assert got.pop("version") == 1
    assert got["calendars"][0]["closures"] == [{"from": "2026-12-24", "to": "2026-12-26"}]
    assert (await http.put("/v1/network", json=got)).status_code == 200


async def test_before_the_first_put_there_is_no_network_and_no_catalog(http):
    for path in ("/v1/network", "/v1/catalog"):
        missing = await http.get(path)
        assert missing.status_code == 404
        assert missing.json()["code"] == "not_found"


async def test_the_catalog_comes_in_pages_in_the_order_of_the_document(http):
    products = [{"sku": f"SKU/{number}", "weight_g": 1} for number in (3, 1, 2)]
    await http.put("/v1/catalog", json={"products": products})
    first = (await http.get("/v1/catalog", params={"limit": 2})).json()
    assert [product["sku"] for product in first["products"]] == ["SKU/3", "SKU/1"]
    assert first["has_more"] is True
    rest = (await http.get("/v1/catalog", params={"limit": 2, "starting_after": "SKU/1"})).json()
    assert [product["sku"] for product in rest["products"]] == ["SKU/2"]
    assert rest["has_more"] is False


@pytest.mark.parametrize(
    ("query", "path", "words"),
    [
        ("limit=0", "query.limit", "1 to 100"),
        ("limit=101", "query.limit", "1 to 100"),
        ("limit=ten", "query.limit", "'ten'"),
        ("limt=10", "query.limt", "did you mean 'limit'?"),
        ("starting_after=nothing", "query.starting_after", "'nothing'"),
    ],
)
async def test_a_bad_page_is_refused(http, query, path, words):
    await http.put("/v1/catalog", json=CATALOG)
    refused = await http.get(f"/v1/catalog?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == path
    assert words in refused.json()["errors"][0]["message"]


def with_node(**changes):
    return {**NETWORK, "nodes": [{**NETWORK["nodes"][0], **changes}]}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (with_node(latitude=91), "$.nodes[0].latitude", "91"),
        (with_node(latitude="41"), "$.nodes[0].latitude", "without quotes"),
        (with_node(calendar="weekday"), "$.nodes[0].calendar", "did you mean 'weekdays'?"),
        (with_node(time_zone="America/Chicag"), "$.nodes[0].time_zone", "America/Chicag"),
        (with_node(longtude=1), "$.nodes[0].longtude", "did you mean 'longitude'?"),
        ({**NETWORK, "nodes": NETWORK["nodes"] * 2}, "$.nodes[1].node_id", "chicago-dc"),
        ({**NETWORK, "nodes": []}, "$.nodes", "at least 1"),
        ([NETWORK], "$", "object"),
    ],
)
async def test_a_bad_network_is_refused_by_path_and_the_old_one_stays(http, document, path, words):
    await http.put("/v1/network", json=NETWORK)
    refused = await http.put("/v1/network", json=document)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert words in found[path]
    assert (await http.get("/v1/network")).json()["version"] == 1


async def test_a_kit_that_contains_itself_is_refused(http):
    kits = [
        {"sku": "A", "components": [{"sku": "B", "quantity": 1}]},
        {"sku": "B", "components": [{"sku": "A", "quantity": 1}]},
    ]
    refused = await http.put("/v1/catalog", json={**CATALOG, "kits": kits})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"].startswith("$.kits[")
    assert (await http.get("/v1/catalog")).status_code == 404


async def test_nan_and_infinity_are_no_json(http):
    body = b'{"nodes": [\n  {"latitude": NaN}]}'
    refused = await http.put("/v1/network", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "2:16"
