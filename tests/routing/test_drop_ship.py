"""Drop-ship orders: what vendors are to be sent of a run's plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.overriding import NewOverride
from engine.orders.rejecting import NewRejection
from engine.orders.steering_service import OrderSteering
from engine.routing.run_model import RunRequest

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


@pytest.fixture
async def vendor(world: World, network_document: dict[str, Any]) -> str:
    """Make west a vendor, which alone has tea."""
    west, east = network_document["nodes"]
    document = {**network_document, "nodes": [{**west, "kind": "vendor"}, east]}
    await world.networks.put(NetworkDocument.model_validate(document))
    await world.count(east={"MUG": 9}, west={"TEA": 9, "POT": 9})
    return "west"


async def test_a_vendor_is_sent_its_parcel_of_an_order_and_nothing_else(world: World, vendor: str) -> None:
    await world.order("o1", {"MUG": 1, "TEA": 2, "POT": 1})
    await world.order("o2", {"MUG": 1})
    planned = await world.runs().execute(RunRequest(dry_run=True))
    run = await world.runs().execute(ALL)
    (sent,) = run.drop_ship_orders
    assert (sent.node_id, sent.order_id) == (vendor, "o1")
    assert (sent.service, sent.ship_on.isoformat()) == ("ground", "2026-11-20")
    assert [(line.line_id, line.sku, line.quantity) for line in sent.lines] == [("2", "TEA", 2), ("3", "POT", 1)]
    assert planned.drop_ship_orders == run.drop_ship_orders


async def test_a_parcel_that_stays_with_its_vendor_keeps_its_id_and_another_has_another(
    world: World, vendor: str
) -> None:
    """Catches ids by run: the vendor would ship again what another run leaves as it is."""
    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=3)
    await world.order("o1", {"MUG": 1, "TEA": 2})
    (first,) = (await world.runs().execute(ALL)).drop_ship_orders
    await steering.reject("o1", NewRejection(node_id="east", reason="no time"))
    (again,) = (await world.runs().execute(ALL)).drop_ship_orders
    assert again == first
    await steering.reject("o1", NewRejection(node_id=vendor, reason="only one", lines=(("2", 1),)))
    (less,) = (await world.runs().execute(ALL)).drop_ship_orders
    assert (less.drop_ship_id != first.drop_ship_id, less.lines[0].quantity) == (True, 1)


async def test_what_a_vendor_is_sent_later_on_the_same_day_is_a_parcel_of_its_own_each_time(
    world: World, vendor: str
) -> None:
    """Catches kept and new rows told as one parcel: the vendor, which has some of it already, would ship that twice."""
    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=5)
    await world.count(east={"MUG": 9, "POT": 9}, west={"MUG": 9, "TEA": 9, "POT": 9})
    await world.order("o1", {"MUG": 1, "TEA": 2, "POT": 1})
    await steering.override("o1", NewOverride(reason="near", pins=(("1", "east"), ("3", "east"))))
    told = [(await world.runs().execute(ALL)).drop_ship_orders]
    for line_id in ("1", "3"):
        await steering.override("o1", NewOverride(reason="never mind", pins=((line_id, None),)))
        await steering.reject("o1", NewRejection(node_id="east", reason="broken", lines=((line_id, None),)))
        told.append((await world.runs().execute(ALL)).drop_ship_orders)
    assert [sorted(line.sku for line in each.lines) for each in told[0]] == [["TEA"]]
    assert set(told[0]) < set(told[1]) < set(told[2])
    assert sorted(line.sku for each in told[2] for line in each.lines) == ["MUG", "POT", "TEA"]
    assert len({(each.ship_on, each.service) for each in told[2]}) == 1
