"""The engine as it is wired: in memory with a clock that is told the time, and on the store with its own server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.app import create_app
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.errors import IllegalState, InvalidInput
from engine.inventory.model import HoldLine, PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest, RunStatus

ORDER = NewOrder(
    channel="web",
    destination=Destination(latitude=40.73, longitude=-73.99),
    lines=(NewLine(sku="mug", quantity=2),),
    order_id="o-1",
)


async def put_world(engine, network, catalog):
    await engine.network.put(NetworkDocument.model_validate(network))
    await engine.catalog.put(CatalogDocument.model_validate(catalog))
    await engine.inventory.put_positions([PositionCount(node_id="east", sku="mug", on_hand=3)])


async def test_an_engine_in_memory_does_the_main_job_by_its_own_clock(network, catalog):
    clock = SettableClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    async with allot_engine(memory=True, clock=clock) as engine:
        await put_world(engine, network, catalog)
        held = await engine.inventory.hold([HoldLine(sku="mug", quantity=3, node_id="east")], ttl_seconds=60)
        clock.advance(timedelta(seconds=60))
        with pytest.raises(IllegalState):
            await engine.inventory.confirm(held.value.reservation_id)
        assert (await engine.inventory.positions("mug"))[0].available == 3
        await engine.orders.capture(ORDER)
        run = await engine.routing_runs.execute(RunRequest())
        assert run.status == RunStatus.COMMITTED
        assert (await engine.orders.get("o-1")).state == "sourced"
        assert await engine.broken_promises() == []


async def test_the_api_runs_on_an_engine_in_memory_too(network):
    async with allot_engine(memory=True) as engine:
        app = create_app(engine=engine)
        async with app.router.lifespan_context(app):
            assert app.state.engine is engine


async def test_what_was_kept_is_there_after_a_restart(network, catalog, tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    async with allot_engine(settings) as engine:
        await put_world(engine, network, catalog)
        assert await engine.broken_promises() == []
    async with allot_engine(settings) as engine:
        assert (await engine.inventory.positions("mug"))[0].on_hand == 3


async def test_a_data_directory_that_cannot_be_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InvalidInput):
        async with allot_engine(Settings(data_dir=tmp_path / "file")):
            pass
