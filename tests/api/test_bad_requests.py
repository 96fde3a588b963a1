"""What a checkout may send by mistake to promises and availability: a clear 4xx each, with path, value and remedy."""

from __future__ import annotations

import pytest

PROMISE = {"destination": {"postal_code": "10001", "country": "US"}, "lines": [{"sku": "mug", "quantity": 1}]}
LINE = {"sku": "mug", "quantity": 1}


@pytest.fixture
async def known(shop, network):
    """The shop, with a postal code and a channel."""
    place = {"country": "US", "postal_code": "100", "latitude": 40.73, "longitude": -73.99}
    document = network | {"postal_codes": [place], "channels": [{"channel": "web"}]}
    assert (await shop.put("/v1/network", json=document)).status_code == 200
    return shop


BAD_PROMISES = [
    ({"destination": {"postal_code": "99999", "country": "US"}}, "$.destination.postal_code", "not in the network"),
    ({"lines": []}, "$.lines", "1 to 40"),
    ({"lines": [LINE] * 10_000}, "$.lines", "1 to 40"),
    ({"lines": [{"sku": "mug", "quantity": 0}]}, "$.lines[0].quantity", "from 1 to 1000000"),
    ({"lines": [{"sku": "mug", "quantity": 2**63}]}, "$.lines[0].quantity", "from 1 to 1000000"),
    ({"lines": [{"sku": "mug", "quantity": 1.5}]}, "$.lines[0].quantity", "a whole number"),
    ({"need_by": "2020-01-31"}, "$.need_by", "2020-01-31 has passed"),
    ({"channel": "wbe"}, "$.channel", "did you mean 'web'?"),
    ({"quote": 0}, "$.quote", "from 1 to 100"),
]


@pytest.mark.parametrize(("changes", "path", "words"), BAD_PROMISES)
async def test_a_promise_that_cannot_be_meant_is_refused(known, changes, path, words):
    refused = await known.post("/v1/promises", json=PROMISE | changes)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
    assert refused.headers["content-type"] == "application/problem+json"
    assert words in {error["path"]: error["message"] for error in refused.json()["errors"]}[path]


async def test_the_promise_without_the_mistake_is_given(known):
    assert (await known.post("/v1/promises", json=PROMISE | {"channel": "web"})).json()["options"]


BAD_AVAILABILITIES = [
    ({"lines": []}, "$.lines", "1 to 500"),
    ({"lines": [{"sku": "mug"}] * 10_000}, "$.lines", "1 to 500"),
    ({"lines": [{"sku": "mug", "quantity": 0}]}, "$.lines[0].quantity", "from 1 to 1000000"),
    ({"lines": [{"sku": "mug", "quantity": 2**63}]}, "$.lines[0].quantity", "from 1 to 1000000"),
    ({"channel": "wbe"}, "$.channel", "did you mean 'web'?"),
    ({"horizon_days": 0}, "$.horizon_days", "from 1 to 365"),
]


@pytest.mark.parametrize(("changes", "path", "words"), BAD_AVAILABILITIES)
async def test_an_availability_that_cannot_be_meant_is_refused(known, changes, path, words):
    refused = await known.post("/v1/availability", json={"lines": [{"sku": "mug"}]} | changes)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
    assert words in {error["path"]: error["message"] for error in refused.json()["errors"]}[path]


async def test_five_hundred_skus_are_answered_at_once(known):
    answer = await known.post("/v1/availability", json={"lines": [{"sku": "mug"}] * 500, "by_node": False})
    assert answer.status_code == 200
    assert {line["available_now"] for line in answer.json()["lines"]} == {24}
    assert {len(line["nodes"]) for line in answer.json()["lines"]} == {0}
