"""A parcel that a hub packs, from the network document to the reservation, over HTTP and on the real store."""

from __future__ import annotations

import asyncio

NEW_YORK = {"latitude": 40.73, "longitude": -73.99}
TRANSFER = {"from_node_id": "west", "to_node_id": "east", "calendar": "always", "transit_days": 1, "cost_cents": 90}


async def test_what_two_nodes_have_is_held_at_both_and_comes_in_one_parcel(shop, network):
    """East has mugs, West a pot: 700 + 100 + 20 + 90, where two parcels would be 810 + 1410."""
    nodes = [node | ({"hub": {}} if node["node_id"] == "east" else {}) for node in network["nodes"]]
    assert (await shop.put("/v1/network", json=network | {"nodes": nodes, "transfers": [TRANSFER]})).status_code == 200
    counted = [{"node_id": "west", "sku": "pot/large", "on_hand": 3, "safety_stock": 0}]
    assert (await shop.put("/v1/inventory/positions", json={"positions": counted})).status_code == 200
    lines = [{"line_id": "m", "sku": "mug", "quantity": 1}, {"line_id": "p", "sku": "pot/large", "quantity": 1}]
    answer = await shop.post("/v1/promises", json={"destination": NEW_YORK, "lines": lines, "explain": True})
    assert answer.status_code == 200, answer.text
    (option,) = answer.json()["options"]
    assert (option["total_cost_cents"], option["cost"]["transfer_cents"]) == (910, 90)
    (shipment,) = option["shipments"]
    (transfer,) = shipment["consolidates"]
    assert (shipment["node_id"], transfer["node_id"], transfer["lines"]) == ("east", "west", [lines[1]])
    assert transfer["ship_on"] < transfer["available_on"] == shipment["ship_on"]
    assert [hub["standing"] for hub in answer.json()["explanation"]["hubs"]] == ["chosen"]

    chosen = {"promise_id": answer.json()["promise_id"], "option_id": option["option_id"]}
    held = await shop.post("/v1/reservations", json=chosen)
    assert held.status_code == 201, held.text
    assert {(line["sku"], line["node_id"]) for line in held.json()["lines"]} == {("mug", "east"), ("pot/large", "west")}
    position = (await shop.get("/v1/inventory/pot%2Flarge")).json()["positions"][0]
    assert (position["node_id"], position["reserved"]) == ("west", 1)


async def test_an_order_that_was_promised_over_a_hub_is_routed_so_and_says_it(shop, network):
    nodes = [node | ({"hub": {}} if node["node_id"] == "east" else {}) for node in network["nodes"]]
    assert (await shop.put("/v1/network", json=network | {"nodes": nodes, "transfers": [TRANSFER]})).status_code == 200
    counted = [{"node_id": "west", "sku": "pot/large", "on_hand": 3, "safety_stock": 0}]
    assert (await shop.put("/v1/inventory/positions", json={"positions": counted})).status_code == 200
    lines = [{"line_id": "m", "sku": "mug", "quantity": 1}, {"line_id": "p", "sku": "pot/large", "quantity": 1}]
    promise = (await shop.post("/v1/promises", json={"destination": NEW_YORK, "lines": lines})).json()
    (option,) = promise["options"]
    chosen = {"promise_id": promise["promise_id"], "option_id": option["option_id"]}
    held = (await shop.post("/v1/reservations", json=chosen)).json()
    order = {"order_id": "over-hub", "channel": "web", "destination": NEW_YORK, "lines": lines}
    captured = await shop.post("/v1/orders", json=order | {"reservation_id": held["reservation_id"]})
    assert captured.status_code == 201, captured.text
    run = await shop.post("/v1/routing-runs", json={"order_ids": ["over-hub"]})
    assert run.status_code == 202, run.text
    found = {"status": "queued"}
    for _ in range(200):
        found = (await shop.get(f"/v1/routing-runs/{run.json()['run_id']}")).json()
        if found["status"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.02)
    assert (found["status"], found["summary"]["hub_parcels"]) == ("committed", 1), found
    rows = {row["sku"]: row for row in (await shop.get("/v1/orders/over-hub")).json()["allocations"]}
    assert (rows["pot/large"]["node_id"], rows["pot/large"]["hub"]["node_id"]) == ("west", "east")
    assert (rows["mug"]["node_id"], rows["mug"]["hub"]) == ("east", None)
    assert rows["pot/large"]["hub"]["ship_on"] == rows["mug"]["ship_on"] > rows["pot/large"]["ship_on"]
    (shipment,) = option["shipments"]
    assert (shipment["ship_on"], shipment["service"]) == (rows["mug"]["ship_on"], rows["mug"]["service"])
    position = (await shop.get("/v1/inventory/pot%2Flarge")).json()["positions"][0]
    assert (position["node_id"], position["reserved"]) == ("west", 1)
    told = (await shop.get("/v1/orders/over-hub/explanation")).json()["over_hub"]
    assert (told["node_id"], told["transfers"][0]["node_id"], told["transfer_cents"]) == ("east", "west", 90)
    await leaves_part_by_part(shop)


async def leaves_part_by_part(shop):
    """Have the mug, which is at the hub, leave, and the pot after it once it has come."""
    (shipment,) = (await shop.post("/v1/orders/over-hub/release")).json()["shipments"]
    awaited = [{"node_id": "west", "line_id": "p", "quantity": 1}]
    assert (shipment["node_id"], shipment["from_node_ids"], shipment["awaited"]) == ("east", ["west"], awaited)
    path = "/v1/shipments/shp_over-hub"
    parted = await shop.post(f"{path}-1/part")
    assert (parted.status_code, parted.json()["lines"], parted.json()["awaited"]) == (
        200,
        [{"line_id": "m", "sku": "mug", "quantity": 1}],
        [],
    )
    for number in (1, 2):
        if number == 2:
            came = await shop.post(f"{path}-2/hub-receipts", json={"node_id": "west", "by": "anna"})
            assert (came.status_code, came.json()["arrivals"], came.json()["awaited"]) == (200, awaited, [])
        for step in ("pack", "ship"):
            answer = await shop.post(f"{path}-{number}/{step}")
            assert answer.status_code == 200, answer.text
    position = (await shop.get("/v1/inventory/pot%2Flarge")).json()["positions"][0]
    assert (position["node_id"], position["on_hand"], position["reserved"]) == ("west", 2, 0)
    assert (await shop.get("/v1/orders/over-hub")).json()["state"] == "shipped"
