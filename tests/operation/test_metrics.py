"""What /metrics tells after a checkout, and that its page has every name."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx2
import pytest_asyncio
from operation.serving import NETWORK
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.metrics import Metrics
from api.siblings import Place
from api.traffic import Traffic
from engine.bootstrap import allot_engine
from engine.config import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "operation.md"
NOT_OURS = re.compile(r"^(process|python)_")


@pytest_asyncio.fixture
async def shop():
    async with allot_engine(Settings(), memory=True) as engine:
        app = create_app(Settings(), engine=engine)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                yield http


async def read(http: httpx2.AsyncClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_holds_and_refusals_are_counted(shop) -> None:
    before = await read(shop)
    await shop.put("/v1/network", json=NETWORK)
    await shop.put("/v1/catalog", json={"products": [{"sku": "mug", "weight_g": 500}], "kits": []})
    await shop.put("/v1/inventory/positions", json={"positions": [{"node_id": "east", "sku": "mug", "on_hand": 3}]})
    hold = {"lines": [{"sku": "mug", "quantity": 2, "node_id": "east"}]}
    statuses = [
        (await shop.post("/v1/reservations", json=hold, headers={"Idempotency-Key": key})).status_code
        for key in ("a", "a", "b", "b", "")
    ]
    assert statuses == [201, 201, 409, 409, 400]
    assert (await shop.get("/v1/nothing")).status_code == 404
    after = await read(shop)

    def grown(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after.get(key, 0) - before.get(key, 0)

    route = {"method": "POST", "route": "/v1/reservations"}
    assert grown("allot_http_request_duration_seconds_count", status="2xx", **route) == 2
    assert grown("allot_http_request_duration_seconds_count", status="4xx", **route) == 3
    assert grown("allot_http_request_duration_seconds_bucket", status="2xx", le="+Inf", **route) == 2
    assert grown("allot_holds_total", outcome="made") == 1
    assert grown("allot_holds_total", outcome="refused") == 1
    assert grown("allot_http_problems_total", code="insufficient_stock") == 2
    assert grown("allot_http_problems_total", code="idempotency_key_missing") == 1
    assert grown("allot_http_problems_total", code="route_not_found") == 1
    assert after["allot_http_requests_in_flight", ()] == 0
    assert after["allot_sweeper_lag_seconds", ()] < 5
    assert after["process_resident_memory_bytes", ()] > 1e6


async def test_a_run_leaves_its_gap_and_its_time(shop) -> None:
    before = await read(shop)
    await shop.put("/v1/network", json=NETWORK)
    await shop.put("/v1/catalog", json={"products": [], "kits": []})
    run = (await shop.post("/v1/routing-runs", json={"all_open": True}, headers={"Idempotency-Key": "r"})).json()
    async with asyncio.timeout(20):
        while (asked := (await shop.get(f"/v1/routing-runs/{run['run_id']}")).json())["status"] in {  # noqa: ASYNC110 - another task
            "queued",
            "running",
        }:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    after = await read(shop)
    key = ("allot_routing_runs_total", (("status", asked["status"]),))
    assert after[key] - before.get(key, 0) == 1
    assert (
        after["allot_routing_run_duration_seconds_count", ()] > before["allot_routing_run_duration_seconds_count", ()]
    )


def test_every_metric_of_ours_is_on_its_page_and_no_other() -> None:
    shown = Metrics(Traffic(), "1").text().decode()
    ours = {name for name in re.findall(r"^# TYPE (\w+)", shown, re.MULTILINE) if not NOT_OURS.match(name)}
    ours -= {name for name in ours if name.endswith("_created")}
    documented = set(re.findall(r"^\| `(allot_\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == ours


def test_names_follow_the_conventions_and_workers_are_told_apart() -> None:
    families = list(
        text_string_to_metric_families(Metrics(Traffic(), "1", place=Place(number=3, folder=Path())).text().decode())
    )
    for family in families:
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_ratio")), family.name
    assert all(sample.labels["worker"] == "3" for family in families for sample in family.samples)
