"""Routing runs know on which days parcels are delivered where they go, as promises do."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.promising.model import Destination as PromisedTo
from engine.promising.model import PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import MemoryPromiseStore
from engine.routing.run_model import RunRequest
from solvers.params import Method

if TYPE_CHECKING:
    from conftest import World

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
PLACE = {"latitude": 40.8, "longitude": -73.9, "country": "US"}


async def put(world: World, network_document: dict[str, Any]) -> None:
    """Have nothing delivered on Monday on the island; `ground` leaves on Friday and takes a working day."""
    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    network_document["calendars"].append({"calendar": "island", "working_days": week, "holidays": ["2026-11-23"]})
    network_document["delivery_areas"] = [{"country": "US", "postal_prefixes": ["0280"], "calendar": "island"}]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(east={"MUG": 9})


async def capture(world: World, order_id: str, postal_code: str, need_by: date) -> None:
    place = Destination(postal_code=postal_code, **PLACE)
    lines = (NewLine(sku="MUG", quantity=1),)
    order = NewOrder(order_id=order_id, channel="web", destination=place, lines=lines, need_by=need_by)
    await world.orders.capture(order)


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_what_would_come_on_a_day_off_comes_too_late(
    world: World, network_document: dict[str, Any], method: Method
) -> None:
    """Catches a run that knows no delivery areas: all four are shipped."""
    await put(world, network_document)
    for number, (place, need_by) in enumerate([("02807", MONDAY), ("02879", MONDAY), ("02807", TUESDAY)]):
        await capture(world, f"o{number}", place, need_by)
    run = await world.runs().execute(RunRequest(method=method))
    assert [line.order_id for line in run.unrouted] == ["o0"]
    assert [row[1] for row in await world.sourced("o1")] == ["ground"]
    assert [row[1] for row in await world.sourced("o2")] == ["ground"]


@pytest.mark.parametrize(("postal_code", "day"), [("02807", TUESDAY), ("02879", MONDAY)])
async def test_a_run_comes_to_the_day_that_was_promised(
    world: World, network_document: dict[str, Any], postal_code: str, day: date
) -> None:
    """An order is shipped if it is needed by the promised day, and not if it is needed the day before."""
    await put(world, network_document)
    promises = PromiseService(
        reference=world.reference, inventory=world.stock, promises=MemoryPromiseStore(world.clock), clock=world.clock
    )
    request = PromiseRequest(
        lines=(WantedLine(sku="MUG", quantity=1),), destination=PromisedTo(postal_code=postal_code, **PLACE)
    )
    promised = min(option.promised_on for option in (await promises.promise(request)).options)
    assert promised == day
    await capture(world, "in-time", postal_code, promised)
    await capture(world, "too-soon", postal_code, date.fromordinal(promised.toordinal() - 1))
    run = await world.runs().execute(RunRequest())
    assert [line.order_id for line in run.unrouted] == ["too-soon"]
