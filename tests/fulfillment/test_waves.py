"""Waves: shipments that are picked together, once each, whoever repeats what."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import IdempotencyConflict, IllegalState, NotFound
from engine.fulfillment.waves import WantedWave
from engine.inventory.model import Replay
from engine.orders.facts.shipments import ShipmentState
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from tests.fulfillment.depot import Depot

NORTH = WantedWave(node_id="north")


async def test_a_wave_picks_each_product_once_for_all_its_shipments(depot: Depot) -> None:
    await depot.released("o1", ("MUG", 2), ("TEA", 1))
    await depot.released("o2", ("MUG", 3))
    await depot.released("o3", node_id="south")
    wave = (await depot.engine.waves.create(NORTH, by="anna")).value
    found = await depot.engine.waves.get(wave.wave_id)
    assert [shipment.state for _, shipment in found.shipments] == [ShipmentState.PICKING] * 2
    assert [(line.sku, line.quantity) for line in found.pick_list] == [("MUG", 5), ("TEA", 1)]
    assert found.pick_list[0].shipments == (("shp_o1-1", "1", 2), ("shp_o2-1", "1", 3))
    short = NewRejection(node_id="north", reason="gone", kind=RejectionKind.SHORT_PICK, lines=(("1", 1),))
    await depot.engine.steering.reject("o2", short)
    found = await depot.engine.waves.get(wave.wave_id)
    assert [(line.sku, line.quantity) for line in found.pick_list] == [("MUG", 4), ("TEA", 1)]
    with pytest.raises(IllegalState, match="no released shipment that fits"):
        await depot.engine.waves.create(NORTH)
    with pytest.raises(NotFound):
        await depot.engine.waves.get("wav_none")


async def test_a_wave_that_is_asked_for_again_under_its_key_is_the_same_and_is_finished(depot: Depot) -> None:
    """Catches a wave that is named once its shipments have joined: after a crash between them there would be two."""
    await depot.released("o1")
    key = Replay(digest="d" * 64, fingerprint="f")
    waves = depot.engine.waves
    await waves._made(f"wav_{'d' * 24}", NORTH, "anna", "f")  # and then the process died
    assert (await depot.shipment("shp_o1-1")).state is ShipmentState.RELEASED
    again = await waves.create(NORTH, replay=key)
    assert (again.replayed, again.value.by, again.value.shipment_ids) == (True, "anna", ("shp_o1-1",))
    assert (await depot.shipment("shp_o1-1")).wave_id == again.value.wave_id
    with pytest.raises(IdempotencyConflict):
        await waves.create(NORTH, replay=Replay(digest="d" * 64, fingerprint="other"))


async def test_of_two_waves_at_once_each_shipment_is_in_one(depot: Depot) -> None:
    for number in range(6):
        await depot.released(f"o{number}")
    made = await asyncio.gather(*(depot.engine.waves.create(NORTH) for _ in range(2)))
    joined = [
        shipment.shipment_id
        for wave in made
        for _, shipment in (await depot.engine.waves.get(wave.value.wave_id)).shipments
    ]
    assert sorted(joined) == [f"shp_o{number}-1" for number in range(6)]


async def test_a_wave_takes_what_leaves_first_of_the_services_that_are_asked_for(depot: Depot) -> None:
    for number in range(3):
        await depot.released(f"o{number}")
    few = WantedWave(node_id="north", services=("ground",), most_shipments=2)
    assert (await depot.engine.waves.create(few)).value.shipment_ids == ("shp_o0-1", "shp_o1-1")
    with pytest.raises(IllegalState):
        await depot.engine.waves.create(WantedWave(node_id="north", services=("air",)))
