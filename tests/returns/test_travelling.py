"""Where the parcel of a return is, by what its carrier says: on its way, at its node, or going back."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from engine.errors import IllegalState
from engine.fulfillment.carrier_events import ReportedEvent, Taken
from engine.fulfillment.carrying import CarrierSays
from engine.orders.facts.returns import Return, ReturnState
from engine.orders.states import is_over
from tests.returns.return_desk import NOON, Desk

S = ReturnState


async def labelled(desk: Desk, order_id: str = "ord_1") -> Return:
    await desk.delivered(order_id, MUG=3000)
    return_id = (await desk.announce(order_id, ("1", 3))).return_id
    return await desk.found(return_id)


def said(found: Return, event: str, days: int = 1) -> ReportedEvent:
    at = NOON + timedelta(days=days)
    return ReportedEvent(tracking_number=found.tracking_number, event=CarrierSays(event), at=at, place="Duluth")


async def take(desk: Desk, found: Return, *events: ReportedEvent) -> Return:
    assert set((await desk.engine.carrier_events.take(events)).value) == {Taken.TAKEN}
    return await desk.found(found.return_id)


async def test_a_return_is_on_its_way_then_at_its_node_and_then_received(desk: Desk) -> None:
    found = await labelled(desk)
    assert (await take(desk, found, said(found, "information"))).state is S.AUTHORISED
    assert (await take(desk, found, said(found, "accepted", 2))).state is S.IN_TRANSIT
    assert (await take(desk, found, said(found, "in_transit", 3))).state is S.IN_TRANSIT
    found = await take(desk, found, said(found, "delivered", 4))
    assert (found.state, found.events[-1].place, await desk.stock()) == (S.DELIVERED, "Duluth", (10, 0, 0))
    assert (await desk.engine.carrier_events.take([said(found, "delivered", 4)])).value == [Taken.KNOWN]
    with pytest.raises(IllegalState, match="say what was in it as a receipt first"):
        await desk.engine.returns.cancel(found.return_id, "anna")
    assert not is_over(await desk.engine.orders.get("ord_1"))
    assert (await desk.receive(found.return_id, ("MUG", 3))).state is S.RECEIVED
    assert (await take(desk, found, said(found, "out_for_delivery", 3))).state is S.RECEIVED, "what has come stays"
    assert (await desk.events("ord_1"))[1:] == [
        "carrier_event",
        "return_in_transit",
        "carrier_event",
        "return_delivered",
        "return_received",
        "carrier_event",
    ]


async def test_events_in_any_order_come_to_the_same(desk: Desk) -> None:
    """Catches a state that follows the last event to come (seeded): a late scan would put it on its way again."""
    for number, order in enumerate(permutations(["accepted", "in_transit", "delivered"])):
        found = await labelled(desk, f"ord_{number}")
        days = {"accepted": 1, "in_transit": 2, "delivered": 3}
        found = await take(desk, found, *(said(found, event, days[event]) for event in order))
        assert found.state is S.DELIVERED
        assert [each.event for each in found.events] == ["accepted", "in_transit", "delivered"]


async def test_what_goes_back_to_its_sender_is_not_at_the_node(desk: Desk) -> None:
    found = await labelled(desk)
    found = await take(desk, found, said(found, "accepted"), said(found, "returned_to_sender", 2))
    found = await take(desk, found, said(found, "delivered", 3))
    assert (found.state, found.problem) == (S.IN_TRANSIT, "returned_to_sender, says the carrier")


async def test_what_is_on_its_way_does_not_expire_while_its_carrier_speaks_of_it(desk: Desk) -> None:
    """Catches a return that expires on its day whatever its carrier says (seeded): its units could not be received."""
    found = await labelled(desk)
    await take(desk, found, said(found, "accepted", 14))
    await desk.later(days=15)
    assert (await desk.found(found.return_id)).state is S.IN_TRANSIT
    await take(desk, found, said(found, "in_transit", 20))
    await desk.later(days=29)
    assert (await desk.found(found.return_id)).state is S.IN_TRANSIT
    await desk.later(days=7)
    assert (await desk.found(found.return_id)).state is S.EXPIRED, "nothing was heard of it for 30 days"
    assert "label_voided" not in [each.note.event for each in await desk.engine.orders.history("ord_1") if each.note]


async def test_what_is_at_its_node_waits_to_be_opened_however_long(desk: Desk) -> None:
    found = await labelled(desk)
    await take(desk, found, said(found, "delivered", 2))
    for _ in range(4):
        await desk.later(days=31)
    assert (await desk.found(found.return_id)).state is S.DELIVERED
    await desk.receive(found.return_id, is_all=True)
    await desk.engine.returns.cancel(found.return_id, "anna", "an empty box")
    assert is_over(await desk.engine.orders.get("ord_1"))
