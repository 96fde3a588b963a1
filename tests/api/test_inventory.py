"""Stock over HTTP: counts, adjustments and supplies change all or nothing, and say what they did."""

from __future__ import annotations

import pytest


async def position(http, sku, node_id):
    found = (await http.get(f"/v1/inventory/{sku}")).json()["positions"]
    return next(entry for entry in found if entry["node_id"] == node_id)


async def test_a_count_is_shown_as_it_was_put(shop):
    got = (await shop.get("/v1/inventory/mug")).json()
    assert got["sku"] == "mug"
    assert [entry["node_id"] for entry in got["positions"]] == ["east", "west"]
    east = got["positions"][0]
    assert (east["on_hand"], east["reserved"], east["safety_stock"], east["available"]) == (20, 0, 0, 20)
    assert (east["version"], east["supplies"]) == (1, [])


async def test_a_sku_with_a_slash_has_its_stock_too(shop):
    got = (await shop.get("/v1/inventory/pot%2Flarge")).json()
    assert got["sku"] == "pot/large"
    assert got["positions"][0]["available"] == 0


async def test_a_product_without_stock_has_no_positions_and_an_unknown_one_is_not_found(shop):
    catalog = {"products": [{"sku": sku, "weight_g": 1} for sku in ("mug", "tea", "pot/large", "new")]}
    await shop.put("/v1/catalog", json=catalog)
    assert (await shop.get("/v1/inventory/new")).json() == {"sku": "new", "positions": []}
    missing = await shop.get("/v1/inventory/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_count_that_expects_an_older_version_is_refused_and_nothing_changes(shop):
    await shop.put("/v1/inventory/positions", json={"positions": [{"node_id": "east", "sku": "mug", "on_hand": 21}]})
    stale = {"node_id": "east", "sku": "mug", "on_hand": 30, "expected_version": 1}
    other = {"node_id": "west", "sku": "mug", "on_hand": 30}
    refused = await shop.put("/v1/inventory/positions", json={"positions": [other, stale]})
    assert (refused.status_code, refused.json()["code"]) == (409, "version_conflict")
    assert (await position(shop, "mug", "east"))["on_hand"] == 21
    assert (await position(shop, "mug", "west"))["on_hand"] == 4


async def test_adjustments_change_all_or_nothing(shop):
    good = {"node_id": "east", "sku": "mug", "delta": 5, "reason": "found"}
    adjusted = await shop.post("/v1/inventory/adjustments", json={"adjustments": [good]})
    assert adjusted.status_code == 200
    assert adjusted.json()["positions"][0]["on_hand"] == 25
    bad = {"node_id": "east", "sku": "tea", "delta": -6, "reason": "lost"}
    refused = await shop.post("/v1/inventory/adjustments", json={"adjustments": [good, bad]})
    assert (refused.status_code, refused.json()["code"]) == (409, "on_hand_out_of_range")
    assert "tea" in refused.json()["errors"][0]["message"] + refused.json()["errors"][0]["path"]
    assert (await position(shop, "mug", "east"))["on_hand"] == 25


async def test_a_supply_is_put_moved_and_removed(shop):
    supply = {"supply_id": "po-1", "node_id": "east", "sku": "mug", "quantity": 9, "expected_on": "2030-01-02"}
    as_shown = {"supply_id": "po-1", "quantity": 9, "expected_on": "2030-01-02", "pegged": 0, "unpegged": 9}
    for change, shown in (
        ({}, [as_shown]),
        ({"expected_on": "2030-02-03"}, [{**as_shown, "expected_on": "2030-02-03"}]),
        ({"quantity": 0}, []),
    ):
        put = await shop.put("/v1/inventory/supplies", json={"supplies": [{**supply, **change}]})
        assert (put.status_code, put.json()) == (200, {"supplies": 1, "affected": []})
        assert (await position(shop, "mug", "east"))["supplies"] == shown


async def test_damaged_units_are_shown_beside_the_others_and_cannot_be_reserved(shop):
    change = {"node_id": "west", "sku": "mug", "quantity": 3, "reason": "wet"}
    there = {**change, "from_condition": "sellable", "to_condition": "damaged"}
    back = {**change, "quantity": 1, "from_condition": "damaged", "to_condition": "sellable"}
    changed = await shop.post("/v1/inventory/condition-changes", json={"changes": [there, back]})
    assert changed.status_code == 200, changed.text
    assert [entry["conditions"] for entry in changed.json()["positions"]] == [{"damaged": 2}] * 2
    shown = await position(shop, "mug", "west")
    assert (shown["on_hand"], shown["available"], shown["conditions"]) == (2, 2, {"damaged": 2})
    assert (await position(shop, "mug", "east"))["conditions"] == {}
    held = await shop.post("/v1/reservations", json={"lines": [{"sku": "mug", "quantity": 3, "node_id": "west"}]})
    assert (held.status_code, held.json()["code"]) == (409, "insufficient_stock")
    refused = await shop.post("/v1/inventory/condition-changes", json={"changes": [there]})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_condition")
    assert refused.json()["errors"][0]["path"] == "$.changes[0].quantity"
    events = (await shop.get("/v1/inventory-events?sku=mug&node_id=west")).json()["data"]
    assert events[0]["conditions"] == [
        {"condition": "damaged", "before": 0, "after": 3},
        {"condition": "damaged", "before": 3, "after": 2},
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to_condition": "sellable"}, "to_condition"),
        ({"to_condition": "lost"}, "to_condition"),
        ({"quantity": 0}, "quantity"),
        ({"reason": " "}, "reason"),
        ({"sku": "set"}, "sku"),
    ],
)
async def test_a_bad_change_of_condition_is_refused_by_path(shop, change, field):
    good = {"node_id": "east", "sku": "mug", "quantity": 1, "reason": "wet"}
    good |= {"from_condition": "sellable", "to_condition": "damaged"}
    refused = await shop.post("/v1/inventory/condition-changes", json={"changes": [good, {**good, **change}]})
    assert refused.status_code == 400, refused.text
    assert [error["path"] for error in refused.json()["errors"]] == [f"$.changes[1].{field}"]
    assert (await position(shop, "mug", "east"))["conditions"] == {}


async def test_what_rules_keep_back_is_shown_and_neither_available_nor_promised_nor_reserved(shop, network, catalog):
    """One number: available_now, what a promise offers and what a hold takes. The seeded bug: one of them is larger."""
    rules = [{"node_kind": "dc", "units": 1}, {"sku_class": "fragile", "units": 3}]
    network = {**network, "policy": {**network["policy"], "buffers": rules}}
    catalog = {**catalog, "products": [*catalog["products"][1:], {"sku": "mug", "weight_g": 500, "class": "fragile"}]}
    assert (await shop.put("/v1/network", json=network)).status_code == 200
    assert (await shop.put("/v1/catalog", json=catalog)).status_code == 200
    assert (await shop.get("/v1/catalog")).json()["products"][-1]["class"] == "fragile"
    assert (await shop.get("/v1/network")).json()["policy"]["buffers"][1]["sku_class"] == "fragile"
    mug, tea = await position(shop, "mug", "east"), await position(shop, "tea", "east")
    assert [(one["safety_stock"], one["buffer"], one["available"]) for one in (mug, tea)] == [(0, 3, 20), (0, 1, 5)]
    answer = (await shop.post("/v1/availability", json={"lines": [{"sku": "mug"}, {"sku": "set"}]})).json()
    assert [line["available_now"] for line in answer["lines"]] == [17 + 1, 4]
    west = {"sku": "mug", "node_id": "west"}
    asked = {"destination": {"latitude": 34.0, "longitude": -118.0}, "lines": [{"line_id": "1", "sku": "mug"}]}
    for quantity, node_id in ((1, "west"), (2, "east"), (18, None)):
        asked["lines"][0]["quantity"] = quantity
        options = (await shop.post("/v1/promises", json=asked)).json()["options"]
        assert [shipment["node_id"] for shipment in options[0]["shipments"]] == [node_id] if node_id else not options
    for quantity, status in ((2, 409), (1, 201), (1, 409)):
        held = await shop.post("/v1/reservations", json={"lines": [{**west, "quantity": quantity}]})
        assert held.status_code == status


async def test_unlimited_stock_is_put_shown_and_put_back_as_it_is_shown(shop):
    put = {"node_id": "east", "sku": "mug", "unlimited": True}
    shown = (await shop.put("/v1/inventory/positions", json={"positions": [put]})).json()["positions"][0]
    assert (shown["unlimited"], shown["on_hand"], shown["available"]) == (True, 2**31 - 1, 2**31 - 1)
    again = {key: shown[key] for key in ("node_id", "sku", "on_hand", "safety_stock", "unlimited")}
    assert (await shop.put("/v1/inventory/positions", json={"positions": [again]})).json()["positions"][0] == shown
    assert (await position(shop, "mug", "west"))["unlimited"] is False
    available = (await shop.post("/v1/availability", json={"lines": [{"sku": "mug"}]})).json()["lines"][0]
    assert available["available_now"] == 2**31 - 1 + 4
    promised = {"destination": {"latitude": 40.7, "longitude": -74.0}}
    promised["lines"] = [{"line_id": "1", "sku": "mug", "quantity": 10**6}]
    network = (await shop.get("/v1/network")).json()
    heavy = {"zone": "near", "max_weight_g": 10**12, "cost_cents": 1, "transit_days": 2}
    network["services"][0]["rates"].append(heavy)
    assert (await shop.put("/v1/network", json={k: v for k, v in network.items() if k != "version"})).status_code == 200
    options = (await shop.post("/v1/promises", json=promised)).json()["options"]
    assert options[0]["shipments"][0]["node_id"] == "east"


COUNT = {"node_id": "east", "sku": "mug", "on_hand": 1}
ADJUSTMENT = {"node_id": "east", "sku": "mug", "delta": 1, "reason": "found"}
SUPPLY = {"supply_id": "po-1", "node_id": "east", "sku": "mug", "quantity": 1, "expected_on": "2030-01-01"}


@pytest.mark.parametrize(
    ("method", "word", "good", "change", "field", "words"),
    [
        ("PUT", "positions", COUNT, {"sku": "mugg"}, "sku", "did you mean 'mug'?"),
        ("PUT", "positions", COUNT, {"node_id": "eats"}, "node_id", "did you mean 'east'?"),
        ("PUT", "positions", COUNT, {"sku": "set"}, "sku", "'set'"),
        ("PUT", "positions", COUNT, {"on_hand": -1}, "on_hand", "-1"),
        ("PUT", "positions", COUNT, {"on_hand": 2**31}, "on_hand", "2147483647"),
        ("PUT", "positions", COUNT, {"on_hand": 2**31 - 1}, "on_hand", "2147483647 stands for unlimited"),
        ("PUT", "positions", COUNT, {"on_hand": None}, "on_hand", "give a count"),
        ("PUT", "positions", COUNT, {"unlimited": True}, "on_hand", "leave one of them out"),
        ("PUT", "positions", {**COUNT, "on_hand": None, "unlimited": True}, {"safety_stock": 1}, "safety_stock", "1"),
        ("PUT", "positions", COUNT, {"onhand": 1}, "onhand", "did you mean 'on_hand'?"),
        ("POST", "adjustments", ADJUSTMENT, {"sku": "mugg"}, "sku", "did you mean 'mug'?"),
        ("POST", "adjustments", ADJUSTMENT, {"delta": 1.5}, "delta", "whole number"),
        ("PUT", "supplies", SUPPLY, {"node_id": "nowhere"}, "node_id", "'nowhere'"),
        ("PUT", "supplies", SUPPLY, {"expected_on": "2030-02-30"}, "expected_on", "2030-02-30"),
        ("PUT", "supplies", SUPPLY, {"quantity": -1}, "quantity", "-1"),
    ],
)
async def test_a_bad_change_is_refused_by_path_and_nothing_changes(shop, method, word, good, change, field, words):
    before = (await shop.get("/v1/inventory/mug")).json()
    body = {word: [good, {**good, "node_id": "west", **change}]}
    send = shop.put if method == "PUT" else shop.post
    refused = await send(f"/v1/inventory/{word}", json=body)
    assert refused.status_code == 400, refused.text
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert words in found[f"$.{word}[1].{field}"]
    assert (await shop.get("/v1/inventory/mug")).json() == before


async def test_the_same_position_twice_is_refused(shop):
    refused = await shop.put("/v1/inventory/positions", json={"positions": [COUNT, {**COUNT, "on_hand": 2}]})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"].startswith("$.positions[1]")


async def test_no_change_at_all_is_refused(shop):
    assert (await shop.put("/v1/inventory/positions", json={"positions": []})).status_code == 400
