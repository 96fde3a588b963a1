"""Labels and what carriers report: bought once, and events that come twice, late and in any order."""

from __future__ import annotations

from itertools import permutations

import pytest

from engine.errors import IllegalState, Refused, Unavailable
from engine.fulfillment.addresses import Address
from engine.fulfillment.carrier_events import ReportedEvent
from engine.fulfillment.carriers import WantedLabel
from engine.fulfillment.carrying import CarrierSays
from engine.fulfillment.packing import NewCarton, packed
from engine.fulfillment.sandbox_carrier import SandboxCarriers, is_number, number_of
from engine.orders.facts.shipments import ShipmentState
from engine.orders.holding import NewHold
from engine.orders.rejecting import NewRejection
from engine.orders.states import state_of
from engine.orders.steering import RejectionKind
from tests.fulfillment.depot import CUSTOMER, NOON, Depot, later


def said(number: str, event: str, minutes: int = 0) -> ReportedEvent:
    return ReportedEvent(tracking_number=number, event=CarrierSays(event), at=NOON + later(60 * minutes))


async def test_a_packed_shipment_has_a_label_for_each_carton_with_a_number_that_checks_itself(depot: Depot) -> None:
    shipment = await depot.packed("o1", ("MUG", 1), ("OAR", 1))
    numbers = [carton.tracking_number for carton in shipment.cartons]
    assert all(map(is_number, numbers))
    assert len(set(numbers)) == 2
    assert not is_number(numbers[0][:-1] + str((int(numbers[0][-1]) + 1) % 10))
    assert not is_number(numbers[0][1] + numbers[0][0] + numbers[0][2:]) or numbers[0][0] == numbers[0][1]
    assert [carton.label_cents for carton in shipment.cartons] == [450 + 3 * 60, 450 + 60]


async def test_labels_are_bought_once_though_the_process_dies_before_they_are_written_down(depot: Depot) -> None:
    """Catches a label whose key is made as it is bought (seeded): the carrier would be paid twice."""
    shipment = await depot.released("o1")
    bought: list[str] = []

    class Dying(SandboxCarriers):
        async def buy(self, wanted: WantedLabel):  # type: ignore[no-untyped-def]
            label = await super().buy(wanted)
            bought.append(label.tracking_number)
            if len(bought) == 1:
                raise Unavailable("killed as the answer came")
            return label

    labels = depot.engine.effects._handlers["carrier.label"].__self__  # type: ignore[attr-defined]
    labels._carriers = Dying()
    await depot.engine.fulfillment.pack(shipment.shipment_id)
    assert (await depot.shipment(shipment.shipment_id)).tracking_number == ""
    depot.clock.advance(later(5))
    assert await depot.engine.effects.step() == 1
    assert (await depot.shipment(shipment.shipment_id)).tracking_number == bought[0] == bought[1]
    assert await depot.engine.effects.step() == 0


async def test_labels_are_bought_by_the_sweeper_where_the_process_dies_before_it_asks(depot: Depot) -> None:
    """Catches labels that are asked for by nothing but the call (seeded: a pack that leaves no effect)."""
    shipment = await depot.released("o1")
    cartons = [NewCarton(lines=(("1", 2),), weight_g=900)]
    await depot.engine.changes.change(
        "o1", lambda order, at: packed(order, shipment.shipment_id, cartons, at, "anna", needs_label=True)
    )
    assert (await depot.shipment(shipment.shipment_id)).tracking_number == ""
    assert await depot.engine.effects.step() == 1
    assert is_number((await depot.shipment(shipment.shipment_id)).tracking_number)


async def test_a_shipment_that_is_packed_anew_gives_its_labels_back(depot: Depot) -> None:
    shipment = await depot.packed("o1", ("MUG", 2))
    await depot.engine.fulfillment.pack(shipment.shipment_id)
    again = await depot.shipment(shipment.shipment_id)
    assert again.tracking_number != shipment.tracking_number
    short = NewRejection(node_id="north", reason="broken", kind=RejectionKind.SHORT_PICK, lines=(("1", 1),))
    await depot.engine.steering.reject("o1", short)
    await depot.engine.effects.step()
    told = await depot.events("o1")
    assert told.count("label_voided") == 2
    assert (await depot.shipment(shipment.shipment_id)).state is ShipmentState.PICKING


async def test_a_carrier_that_does_not_answer_is_asked_later_and_the_shipment_waits(depot: Depot) -> None:
    shipment = await depot.packed("o1", customer={**CUSTOMER, "postal_code": "00001"})
    assert (shipment.state, shipment.tracking_number) == (ShipmentState.PACKED, "")
    with pytest.raises(IllegalState, match="has no label yet"):
        await depot.engine.fulfillment.ship(shipment.shipment_id)
    (effect,) = (await depot.engine.orders.get("o1")).life.effects
    assert (effect.kind, effect.tries, "does not answer" in effect.last_error) == ("carrier.label", 1, True)


async def test_what_customers_pick_up_at_the_counter_needs_no_label(depot: Depot) -> None:
    await depot.order("o1", service="counter")
    shipment = (await depot.engine.fulfillment.release("o1")).value.life.shipments[0]
    await depot.engine.fulfillment.pack(shipment.shipment_id)
    await depot.engine.fulfillment.ship(shipment.shipment_id)
    found = await depot.shipment(shipment.shipment_id)
    assert (found.state, found.tracking_number) == (ShipmentState.SHIPPED, "")


async def test_the_events_of_a_carrier_ship_and_deliver_whatever_order_they_come_in(depot: Depot) -> None:
    """Catches a delivery that is undone by a late scan, and units that leave once for each event."""
    events = ("in_transit", "out_for_delivery", "delivered")
    for number, order in enumerate(permutations(events)):
        shipment = await depot.packed(f"o{number}", ("TEA", 1))
        before = await depot.on_hand(sku="TEA")
        for minutes, event in enumerate(order):
            for _ in range(2):
                said_now = [said(shipment.tracking_number, event, minutes)]
                (taken,) = (await depot.engine.carrier_events.take(said_now)).value
                assert taken in {"taken", "known"}
        found = await depot.shipment(shipment.shipment_id)
        assert (found.state, len(found.events)) == (ShipmentState.DELIVERED, 3)
        assert await depot.on_hand(sku="TEA") == (before[0] - 1, before[1] - 1)


async def test_a_shipment_is_there_when_all_its_cartons_are(depot: Depot) -> None:
    shipment = await depot.packed("o1", ("MUG", 1), ("OAR", 1))
    first, second = (carton.tracking_number for carton in shipment.cartons)
    await depot.engine.carrier_events.take([said(first, "delivered", 5)])
    assert (await depot.shipment(shipment.shipment_id)).state is ShipmentState.SHIPPED
    await depot.engine.carrier_events.take([said(second, "delivered", 9)])
    found = await depot.shipment(shipment.shipment_id)
    assert (found.state, found.delivered_at) == (ShipmentState.DELIVERED, NOON + later(540))


async def test_a_carton_that_the_carrier_loses_is_sent_again_and_the_others_arrive(depot: Depot) -> None:
    shipment = await depot.packed("o1", ("MUG", 1), ("OAR", 1))
    oar, mug = (carton.tracking_number for carton in shipment.cartons)
    take = depot.engine.carrier_events.take
    for _ in range(2):
        await take([said(mug, "in_transit"), said(oar, "lost", 3)])
    order = await depot.engine.orders.get("o1")
    assert [(each.state.value, [line.sku for line in each.lines]) for each in order.life.shipments] == [
        ("shipped", ["MUG"]),
        ("lost", ["OAR"]),
    ]
    assert state_of(order) == "backordered"
    await take([said(mug, "delivered", 4)])
    assert (await depot.shipment(shipment.shipment_id)).state is ShipmentState.DELIVERED


async def test_an_order_hold_keeps_a_scanned_shipment_from_being_shipped_and_the_event_is_kept(depot: Depot) -> None:
    shipment = await depot.packed("o1")
    await depot.engine.steering.stop("o1", NewHold(reason="fraud?"))
    await depot.engine.carrier_events.take([said(shipment.tracking_number, "in_transit")])
    found = await depot.shipment(shipment.shipment_id)
    assert (found.state, [event.event for event in found.events]) == (ShipmentState.PACKED, ["in_transit"])


async def test_a_number_that_nobody_knows_is_told(depot: Depot) -> None:
    found = await depot.engine.carrier_events.take([said("123456789012345675", "lost")])
    assert found.value == ["unknown_number"]


async def test_the_sandbox_sells_by_its_key_and_refuses_what_it_is_told_to_refuse() -> None:
    carriers = SandboxCarriers()
    wanted = WantedLabel(
        key="k", carrier="acme", service="ground", sender=Address(), recipient=Address(), weight_g=1500
    )
    assert (await carriers.buy(wanted), (await carriers.buy(wanted)).cents) == (await carriers.buy(wanted), 570)
    assert (await carriers.buy(wanted)).tracking_number == number_of("k")
    with pytest.raises(Refused):
        await carriers.void("1Z")
