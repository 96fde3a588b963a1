"""Availability over HTTP, with the golden case of the field."""

from __future__ import annotations

from datetime import date, timedelta


async def asked(http, sku="mug", **more):
    answer = await http.post("/v1/availability", json={"lines": [{"sku": sku}], **more})
    assert answer.status_code == 200, answer.text
    assert answer.json()["binding"] is False
    return answer.json()["lines"][0]


async def test_the_golden_case_of_receipts_and_dated_demand(shop):
    today = date.fromisoformat((await asked(shop))["by_day"][0]["date"])

    def day(number):
        return (today + timedelta(days=number - 1)).isoformat()

    supplies = [
        {"supply_id": f"po-{number}", "node_id": "east", "sku": "mug", "quantity": quantity, "expected_on": day(number)}
        for number, quantity in ((3, 10), (5, 1), (6, 3))
    ]
    assert (await shop.put("/v1/inventory/supplies", json={"supplies": supplies})).status_code == 200
    for line in ({"quantity": 3}, {"quantity": 15, "ship_on": day(4)}):
        held = await shop.post("/v1/reservations", json={"lines": [{"sku": "mug", "node_id": "east", **line}]})
        assert held.status_code == 201, held.text

    found = await asked(shop, node_ids=["east"], horizon_days=7)
    assert [entry["atp"] for entry in found["by_day"]] == [12, 12, 12, 12, 13, 16, 16]
    assert [entry["date"] for entry in found["by_day"]] == [day(number) for number in range(1, 8)]
    assert found["available_now"] == 12
    assert found["nodes"][0]["node_id"] == "east"

    too_many = await shop.post("/v1/reservations", json={"lines": [{"sku": "mug", "node_id": "east", "quantity": 13}]})
    assert too_many.json()["lines"] == [{"sku": "mug", "node_id": "east", "quantity": 13, "available": 12}]
    enough = await shop.post("/v1/reservations", json={"lines": [{"sku": "mug", "node_id": "east", "quantity": 12}]})
    assert enough.status_code == 201


async def test_availability_sums_the_nodes_and_kits_come_from_their_parts(shop):
    assert (await asked(shop))["available_now"] == 24
    assert (await asked(shop, "set"))["available_now"] == 5
    assert (await asked(shop, "pot/large"))["available_now"] == 0


async def test_unknown_skus_nodes_and_groups_are_named(shop):
    body = {"lines": [{"sku": "mug"}, {"sku": "mgu"}], "node_ids": ["east", "wets"], "group": "web"}
    refused = await shop.post("/v1/availability", json=body)
    assert refused.status_code == 400
    found = {error["path"]: error["message"] for error in refused.json()["errors"]}
    assert "did you mean 'mug'?" in found["$.lines[1].sku"]
    assert "did you mean 'west'?" in found["$.node_ids[1]"]
    assert "'web'" in found["$.group"]


async def test_before_there_is_a_network_nothing_is_available(http):
    answer = await http.post("/v1/availability", json={"lines": [{"sku": "mug"}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
