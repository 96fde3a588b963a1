"""Low stock over HTTP: the application notices it by itself."""

from __future__ import annotations

import asyncio


async def noticed(http, path, count):
    """Return what a list holds as soon as it has so many entries."""
    for _ in range(100):
        found = (await http.get(path)).json()["data"]
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    return found


async def test_a_position_that_falls_to_its_threshold_is_listed_until_it_recovers(shop, network):
    policy = {**network["policy"], "low_stock": [{"node_kind": "dc", "units": 4}]}
    assert (await shop.put("/v1/network", json={**network, "policy": policy})).status_code == 200
    low = await noticed(shop, "/v1/low-stock", 2)
    assert [(one["sku"], one["node_id"], one["available"], one["threshold"]) for one in low] == [
        ("mug", "west", 4, 4),
        ("pot/large", "west", 0, 4),
    ]
    found = {"node_id": "west", "sku": "mug", "delta": 1, "reason": "found"}
    await shop.post("/v1/inventory/adjustments", json={"adjustments": [found]})
    events = await noticed(shop, "/v1/low-stock/events", 3)
    assert [(event["state"], event["sku"]) for event in events] == [
        ("recovered", "mug"),
        ("low", "pot/large"),
        ("low", "mug"),
    ]
    history = (await shop.get("/v1/inventory-events?sku=mug&node_id=west")).json()["data"]
    assert history[0]["event"] == events[0]["event"]
    assert [one["sku"] for one in (await shop.get("/v1/low-stock")).json()["data"]] == ["pot/large"]
    page = (await shop.get(f"/v1/low-stock/events?limit=1&starting_after={events[0]['number']}")).json()
    assert (page["data"], page["has_more"]) == (events[1:2], True)
