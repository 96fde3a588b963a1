"""Simulations over HTTP: real processes beside the server, of which some are killed, cancelled, or out of time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import pytest_asyncio

from api.simulation_work import MOST_STARTS, SimulationWork
from engine.config import Settings, SimulationTerms
from engine.errors import InvalidInput
from engine.scenarios.reading import story_of
from engine.simulation.jobs import JobFolder, Jobs, Wanted
from engine.simulation.results import replication_path

SMALL = (Path(__file__).parents[2] / "scenarios" / "small" / "nearest_of_two.yaml").read_text(encoding="utf-8")
WORLD = """
nodes: [{node_id: a}]
carriers: [{carrier: c, services: [{service: g, cost_cents: 1, transit_days: 1}]}]
products: [{sku: a}]
"""
DRAWN = """
version: 1
name: long
start: 2026-03-02
days: {days}
replications: 2
generate: {{nodes: 5, skus: 20, orders_per_day: 20}}
"""


@pytest.fixture
def settings(store_address: str, tenant: str, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=store_address,
        tenant=tenant,
        durability="memory",
        data_dir=tmp_path,
        simulations_per_key=1,
        simulation_orders=2_000_000,
    )


@pytest_asyncio.fixture
async def done(http: Any) -> AsyncIterator[str]:
    """A small simulation that is done."""
    started = await http.post("/v1/simulations", json={"scenario": SMALL, "replications": 2})
    assert started.status_code == 202, started.text
    path = f"/v1/simulations/{started.json()['simulation_id']}"
    assert await ended(http, path) == "done"
    yield path


def rows_of(content: bytes) -> Any:
    table: Any = pq
    return table.read_table(pa.BufferReader(content)).num_rows


async def ended(http: Any, path: str) -> str:
    for _ in range(1200):
        found = (await http.get(path)).json()
        if found["status"] not in ("queued", "running"):
            return str(found["status"])
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_a_scenario_becomes_kpis_events_a_report_and_tables(http: Any, done: str) -> None:
    found = (await http.get(done)).json()
    kpis = {each["kpi"]: each for each in found["kpis"]}
    assert kpis["cost_per_order_cents"]["mean"] == 735
    assert found["progress"]["replications_done"] == found["progress"]["replications"] == 2
    assert found["failure"] is None
    read = await http.get(f"{done}/events")
    assert read.headers["content-type"] == "text/event-stream"
    events = [dict(line.split(": ", 1) for line in each.split("\n")) for each in read.text.split("\n\n")[1:-1]]
    assert [int(each["id"]) for each in events] == list(range(1, len(events) + 1))
    assert (events[0]["event"], events[-1]["event"]) == ("started", "over")
    assert json.loads(events[-1]["data"])["status"] == "done"
    rest = await http.get(f"{done}/events", headers={"Last-Event-ID": events[-2]["id"]})
    assert rest.text.count("id: ") == 1
    assert (await http.get(f"{done}/events?after={events[-1]['id']}")).status_code == 204
    assert (await http.get(f"{done}/events", headers={"Last-Event-ID": "x"})).status_code == 400
    report = await http.get(f"{done}/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "</html>" in report.text
    assert b"kpi" in (await http.get(f"{done}/results")).content
    orders = await http.get(f"{done}/results?table=orders")
    assert rows_of(orders.content) == 2 * kpis["orders_asked"]["mean"]
    forgotten = await http.delete(done)
    assert forgotten.status_code == 200
    assert (await http.get(done)).status_code == 404


@pytest.mark.parametrize(
    "named",
    [
        "extends: ../secrets.yaml",
        "network: /etc/passwd",
        f"orders: orders.csv\n{WORLD}",
        "products: catalog.json",
        "generate: {orders_per_day: 1, places: places.csv, nodes: 2, skus: 2}",
    ],
)
async def test_a_scenario_that_names_a_file_is_refused(http: Any, named: str) -> None:
    """Seeded bug this catches: files of the server's folders read for whoever asks."""
    text = f"version: 1\nname: reads\nstart: 2026-03-02\ndays: 1\n{named}\n"
    refused = await http.post("/v1/simulations", json={"scenario": text})
    assert refused.status_code == 400
    assert "named here" in refused.text
    with pytest.raises(InvalidInput, match="named here"):
        story_of(text)  # as the process reads texts that are too long to look at before


async def test_what_is_wrong_with_a_scenario_is_told_with_its_place(http: Any) -> None:
    wrong = {"version": 1, "name": "wrong", "start": "2026-03-02", "days": 0, "nods": []}
    refused = await http.post("/v1/simulations", json={"scenario": wrong})
    assert refused.status_code == 400
    assert {error["path"].partition(":")[0] for error in refused.json()["errors"]} == {"scenario"}
    assert "did you mean 'nodes'?" in refused.text
    large = DRAWN.format(days=3000).replace("orders_per_day: 20", "orders_per_day: 1000")
    refused = await http.post("/v1/simulations", json={"scenario": large})
    assert refused.status_code == 400
    assert "are too many; the most is 2,000,000" in refused.text
    unknown = await http.post("/v1/simulations", json={"scenario": SMALL, "policies": ["nobody"]})
    assert unknown.status_code == 400


async def test_a_key_has_so_many_at_once_and_may_cancel(http: Any) -> None:
    long, key = {"scenario": DRAWN.format(days=3000)}, {"Idempotency-Key": "a"}
    started = await http.post("/v1/simulations", json=long, headers=key)
    again = await http.post("/v1/simulations", json=long, headers=key)
    assert again.json() == started.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await http.post("/v1/simulations", json={"scenario": SMALL}, headers=key)
    assert other.status_code == 422
    refused = await http.post("/v1/simulations", json={"scenario": SMALL})
    assert refused.status_code == 409
    path = f"/v1/simulations/{started.json()['simulation_id']}"
    early = await http.get(f"{path}/report")
    assert early.status_code == 409
    assert (await http.delete(path)).status_code == 200
    assert await ended(http, path) == "cancelled"


async def test_one_that_takes_too_long_is_ended(http: Any) -> None:
    body = {"scenario": DRAWN.format(days=3000), "deadline_seconds": 1}
    started = await http.post("/v1/simulations", json=body)
    path = f"/v1/simulations/{started.json()['simulation_id']}"
    assert await ended(http, path) == "failed"
    assert (await http.get(path)).json()["code"] == "deadline_exceeded"


def wanted(simulation_id: str) -> Wanted:
    return Wanted(
        simulation_id=simulation_id,
        holder="anonymous",
        name="",
        created_at=datetime.now(UTC),
        fingerprint="",
        policies=[],
        replications=None,
        most_seconds=600,
        most_orders=10**6,
    )


def terms(folder: Path) -> SimulationTerms:
    return SimulationTerms(folder=folder, at_once=1, per_key=1, most_orders=10**6, most_seconds=600)


async def test_a_killed_process_is_followed_by_one_that_goes_on_where_it_was(tmp_path: Path) -> None:
    """Seeded bugs this catches: a lock that outlives its process; replications that are there simulated again."""
    jobs, work = Jobs(tmp_path / "main"), SimulationWork(terms(tmp_path / "main"))
    jobs.create(wanted("sim_1"), DRAWN.format(days=20))
    folder = jobs.find("sim_1")
    assert folder is not None
    assert await work.step()
    assert not await work.step()  # nobody else takes it up, and there is no second place
    (process,) = work._processes
    first = replication_path(folder.results, "allot", 0)
    while not first.exists():
        assert process.returncode is None
        await asyncio.sleep(0.02)
    kept = first.stat().st_mtime_ns
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert folder.state().status == "running"
    assert await work.step()
    (process,) = work._processes
    await process.wait()
    assert folder.state().status == "done"
    assert first.stat().st_mtime_ns == kept
    events = [told.event for _, told in folder.told(0)]
    assert events.count("started") == 2
    assert events.count("over") == 1


async def test_what_dies_again_and_again_has_failed(tmp_path: Path) -> None:
    jobs, work = Jobs(tmp_path / "main"), SimulationWork(terms(tmp_path / "main"))
    jobs.create(wanted("sim_1"), SMALL)
    folder = JobFolder(tmp_path / "main" / "sim_1")
    folder.put_state(msgspec.structs.replace(folder.state(), status="running", starts=MOST_STARTS))
    assert not await work.step()
    assert (folder.state().status, folder.state().code) == ("failed", "internal_error")
