"""Capacity from end to end: reservations fill a node's day, and give it back."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest_asyncio


@pytest_asyncio.fixture
async def small(shop, network):
    """The shop, with an east that ships five units a day."""
    nodes = [{**node, "capacity_units": 5} if node["node_id"] == "east" else node for node in network["nodes"]]
    assert (await shop.put("/v1/network", json={**network, "nodes": nodes})).status_code == 200
    return shop


async def asked(shop, quantity):
    """The day that mugs would leave the east, and the promise; the load is at most a quarter of a second old."""
    await asyncio.sleep(0.3)
    wanted = {
        "destination": {"latitude": 40.73, "longitude": -73.99},
        "lines": [{"sku": "mug", "quantity": quantity}],
    }
    promise = (await shop.post("/v1/promises", json=wanted)).json()
    option = promise["options"][0]
    return date.fromisoformat(option["shipments"][0]["ship_on"]), {
        "promise_id": promise["promise_id"],
        "option_id": option["option_id"],
    }


async def test_what_is_reserved_takes_its_day_until_it_is_cancelled(small):
    today, wanted = await asked(small, 3)
    first = (await small.post("/v1/reservations", json=wanted)).json()
    later, _ = await asked(small, 3)
    assert (later - today).days == 1
    assert (await asked(small, 2))[0] == today
    await small.post(f"/v1/reservations/{first['reservation_id']}/confirm")
    assert (await asked(small, 3))[0] == later
    await small.post(f"/v1/reservations/{first['reservation_id']}/cancel")
    assert (await asked(small, 3))[0] == today


async def test_what_has_left_the_node_has_taken_its_day(small):
    today, wanted = await asked(small, 3)
    first = (await small.post("/v1/reservations", json=wanted)).json()["reservation_id"]
    await small.post(f"/v1/reservations/{first}/confirm")
    assert (await small.post(f"/v1/reservations/{first}/consume")).status_code == 200
    assert ((await asked(small, 3))[0] - today).days == 1


async def test_a_hold_that_expires_gives_its_day_back(small):
    today, wanted = await asked(small, 5)
    await small.post("/v1/reservations", json={**wanted, "ttl_seconds": 1})
    assert ((await asked(small, 1))[0] - today).days == 1
    await asyncio.sleep(1)
    assert (await asked(small, 1))[0] == today


async def test_capacity_refuses_no_reservation(small):
    lines = [{"sku": "mug", "quantity": 9, "node_id": "east"}]
    assert (await small.post("/v1/reservations", json={"lines": lines})).status_code == 201
    batch = {"reservations": [{"reservation_id": "res_b", "lines": [{"sku": "mug", "quantity": 2, "node_id": "east"}]}]}
    assert (await small.post("/v1/reservation-batches", json=batch)).json()["held"] == 1


async def test_what_a_run_has_committed_counts_by_itself(small):
    """Before the run its reservation counts; after it both, until the reservation is looked at again."""
    today, wanted = await asked(small, 3)
    reservation = (await small.post("/v1/reservations", json=wanted)).json()["reservation_id"]
    order = {
        "order_id": "ord_1",
        "channel": "web",
        "destination": {"latitude": 40.73, "longitude": -73.99},
        "lines": [{"sku": "mug", "quantity": 3}],
        "reservation_id": reservation,
    }
    assert (await small.post("/v1/orders", json=order)).status_code == 201
    run = (await small.post("/v1/routing-runs", json={"all_open": True})).json()["run_id"]
    for _ in range(100):
        if (await small.get(f"/v1/routing-runs/{run}")).json()["status"] == "committed":
            break
        await asyncio.sleep(0.05)
    assert ((await asked(small, 3))[0] - today).days == 1
