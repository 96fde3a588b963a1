"""Channel quotas over HTTP: put, shown, and respected by availability, promises and reservations alike."""

from __future__ import annotations

import pytest

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}
WEB = {"channel": "web", "reserve": 15}


async def put(shop, *quotas, sku="mug", node_id="east"):
    positions = [{"node_id": node_id, "sku": sku, "quotas": list(quotas)}]
    return await shop.put("/v1/inventory/quotas", json={"positions": positions})


async def available(shop, channel):
    body = {"lines": [{"sku": "mug"}], "node_ids": ["east"], **({"channel": channel} if channel else {})}
    return (await shop.post("/v1/availability", json=body)).json()["lines"][0]["available_now"]


async def reserve(shop, quantity, **more):
    line = {"sku": "mug", "quantity": quantity, "node_id": "east"}
    return await shop.post("/v1/reservations", json={"lines": [line], **more})


async def test_quotas_are_put_and_shown_with_what_is_used(shop):
    assert (await reserve(shop, 4, channel="web")).status_code == 201
    release_at = "2030-12-24T18:00:00+01:00"
    answer = await put(shop, WEB, {"channel": "fair", "share": 10, "overflow": False, "release_at": release_at})
    assert answer.status_code == 200, answer.text
    web = {"channel": "web", "reserve": 15, "share": None, "overflow": True, "release_at": None, "used": 4}
    fair = {"channel": "fair", "reserve": None, "share": 10, "overflow": False, "used": 0}
    fair["release_at"] = "2030-12-24T17:00:00Z"
    assert answer.json() == {"positions": [{"node_id": "east", "sku": "mug", "quotas": [web, fair]}]}
    positions = (await shop.get("/v1/inventory/mug")).json()["positions"]
    assert [position["quotas"] for position in positions] == [[web, fair], []]
    events = (await shop.get("/v1/inventory-events?sku=mug&node_id=east")).json()["data"]
    assert (events[0]["act"], events[0]["whys"]) == ("put_quotas", ["quotas"])
    assert (await put(shop)).json()["positions"][0]["quotas"] == []


async def test_availability_promises_and_reservations_of_a_channel_are_one_number(shop):
    await put(shop, WEB)
    assert [await available(shop, channel) for channel in ("web", "app", None)] == [20, 5, 5]
    short = await reserve(shop, 6, channel="app")
    assert (short.status_code, short.json()["lines"][0]["available"]) == (409, 5)
    assert (await reserve(shop, 5, channel="app")).status_code == 201
    wanted = {"destination": NEW_YORK, "lines": [{"line_id": "a", "sku": "mug", "quantity": 6}]}
    assert (await shop.post("/v1/promises", json={**wanted, "channel": "app"})).json()["options"] == []
    promised = (await shop.post("/v1/promises", json={**wanted, "channel": "web"})).json()
    option = promised["options"][0]["option_id"]
    reserved = await shop.post("/v1/reservations", json={"promise_id": promised["promise_id"], "option_id": option})
    assert (reserved.status_code, reserved.json()["channel"]) == (201, "web")
    assert (await shop.get("/v1/inventory/mug")).json()["positions"][0]["quotas"][0]["used"] == 6


async def test_a_reservation_of_a_promise_may_name_another_channel(shop):
    await put(shop, WEB)
    wanted = {"destination": NEW_YORK, "lines": [{"line_id": "a", "sku": "mug", "quantity": 6}], "channel": "web"}
    promised = (await shop.post("/v1/promises", json=wanted)).json()
    named = {"promise_id": promised["promise_id"], "option_id": promised["options"][0]["option_id"]}
    refused = await shop.post("/v1/reservations", json={**named, "channel": "app"})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_stock")


@pytest.mark.parametrize(
    ("quota", "path", "words"),
    [
        ({"channel": "web"}, "$.positions[0].quotas[0]", "either reserve"),
        ({"channel": "web", "reserve": 1, "share": 1}, "$.positions[0].quotas[0]", "not both"),
        ({"channel": "web", "share": 101}, "$.positions[0].quotas[0].share", "100"),
        (
            {"channel": "web", "reserve": 1, "release_at": "2030-12-24T18:00:00"},
            "$.positions[0].quotas[0].release_at",
            "",
        ),
    ],
)
async def test_a_bad_quota_is_refused_by_path_and_changes_nothing(shop, quota, path, words):
    await put(shop, WEB)
    refused = await put(shop, quota)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, path)
    assert words in refused.json()["errors"][0]["message"]
    assert (await shop.get("/v1/inventory/mug")).json()["positions"][0]["quotas"][0]["reserve"] == 15


async def test_what_does_not_go_together_is_refused_as_a_whole(shop):
    quota = {"channel": "web", "share": 60}
    body = [
        {"node_id": "east", "sku": "mug", "quotas": [quota, {"channel": "app", "share": 60}]},
        {"node_id": "east", "sku": "mug", "quotas": [quota, quota]},
        {"node_id": "east", "sku": "mgu", "quotas": []},
    ]
    refused = await shop.put("/v1/inventory/quotas", json={"positions": body})
    paths = [error["path"] for error in refused.json()["errors"]]
    assert paths == [
        "$.positions[0].quotas",
        "$.positions[1]",
        "$.positions[1].quotas[1]",
        "$.positions[1].quotas",
        "$.positions[2].sku",
    ]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_the_ends_of_time_are_instants_too(shop, instant):
    answer = await put(shop, {**WEB, "release_at": instant})
    assert answer.status_code == 200, answer.text
    assert await available(shop, None) == (20 if instant.startswith("0001") else 5)
