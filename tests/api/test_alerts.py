"""Alerts, the alert policy and ways out over HTTP, and by `allot alerts`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from api.cli.main import BAD_INPUT, DONE, main
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import read_settings
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest
from tests.api.conftest import NETWORK
from tests.api.test_orders import ORDER, routed


async def test_an_order_without_stock_is_listed_by_the_server_with_a_way_out(shop):
    due = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    order = {**ORDER, "order_id": "o-1", "need_by": due}
    assert (await shop.post("/v1/orders", json=order)).status_code == 201
    positions = [{"node_id": node_id, "sku": "mug", "on_hand": 0} for node_id in ("east", "west")]
    await shop.put("/v1/inventory/positions", json={"positions": positions})
    await routed(shop, all_open=True)
    alert = await _listed(shop)
    assert (alert["order_id"], alert["cause"], alert["severity"]) == ("o-1", "stock", "critical")
    shown = (await shop.get("/v1/orders/o-1")).json()
    assert [each["alert_id"] for each in shown["alerts"]] == [alert["alert_id"]]
    assert (await shop.get("/v1/alerts", params={"severity": "minor"})).json() == {"data": [], "has_more": False}
    gone = await shop.get("/v1/alerts", params={"starting_after": "alr_gone.1"})
    assert (gone.status_code, gone.json()["errors"][0]["path"]) == (400, "starting_after")
    positions = [{"node_id": "west", "sku": "mug", "on_hand": 9}]
    await shop.put("/v1/inventory/positions", json={"positions": positions})
    alternatives = (await shop.get("/v1/orders/o-1/alternatives")).json()["data"]
    best = alternatives[0]
    assert (best["kind"], best["late_probability"], best["parcels"][0]["node_id"]) == ("another_node", 0, "west")
    path = f"/v1/orders/o-1/alternatives/{best['alternative_id']}/accept"
    accepted = await shop.post(path, json={"by": "anna"}, headers={"Idempotency-Key": "way-out"})
    assert accepted.status_code == 200, accepted.text
    again = await shop.post(path, json={"by": "anna"}, headers={"Idempotency-Key": "way-out"})
    assert again.content == accepted.content
    shown = (await shop.get("/v1/orders/o-1")).json()
    assert [row["node_id"] for row in shown["allocations"]] == ["west"]
    stale = await shop.post(path, json={"by": "anna"}, headers={"Idempotency-Key": "too-late"})
    assert (stale.status_code, "is stale" in stale.json()["detail"]) == (409, True)


async def test_the_alert_policy_is_versioned_and_checked(shop):
    before = (await shop.get("/v1/alert-policy")).json()
    assert (before["version"], before["notify"]) == (0, None)
    put = await shop.put("/v1/alert-policy", json={"notify": {"severity": "critical"}})
    assert put.json() == {"version": 1}
    assert (await shop.get("/v1/alert-policy")).json()["notify"]["severity"] == "critical"
    wrong = await shop.put("/v1/alert-policy", json={"major_probability": 0.1})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "$.major_probability")


async def prepare(data):
    async with allot_engine(read_settings(data)) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate({"products": [{"sku": "mug", "weight_g": 300}]}))
        await engine.inventory.put_positions([PositionCount(node_id="east", sku="mug", on_hand=0)])
        to, line = Destination(latitude=40.73, longitude=-73.99), NewLine(sku="mug", quantity=1)
        due = (datetime.now(UTC) + timedelta(days=20)).date()
        await engine.orders.capture(NewOrder(order_id="o-1", channel="web", destination=to, lines=(line,), need_by=due))
        await engine.routing_runs.execute(RunRequest())


def test_alerts_are_listed_on_the_command_line(tmp_path, capsys: pytest.CaptureFixture[str]):
    data = tmp_path / "data"
    asyncio.run(prepare(data))

    def ask(*words: str) -> tuple[int, str]:
        code = main(["alerts", *words, "--data", str(data)])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert ask() == (DONE, "no order is in jeopardy\n")
    code, told = ask("--look")
    assert (code, told.startswith("critical  o-1  stock: promised for")) == (DONE, True), told
    (alert,) = json.loads(ask("--json")[1])["data"]
    assert alert["order_id"] == "o-1"
    code, told = ask("o-1")
    assert (code, "wait: nobody can tell when, late with 100%" in told) == (DONE, True), told
    assert ask("--severity", "huge")[0] == BAD_INPUT
    assert ask("--accept", "alt_1")[0] == BAD_INPUT


async def _listed(shop):
    for _ in range(400):
        found = (await shop.get("/v1/alerts")).json()["data"]
        if found:
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError("no alert was listed")
