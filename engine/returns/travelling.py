"""What a carrier says of the parcel by which a return comes: on its way, then at the return's node. Pure rules.

Events may come twice, late and in any order: where the parcel is follows from all that are kept. What has come by then,
or is over, stays as it is. Not here: what was in the parcel (receiving.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from engine.errors import NotFound
from engine.events.actor import actor
from engine.fulfillment.carrier_events import ReportedEvent, Taken
from engine.fulfillment.carrying import MOST_EVENTS, CarrierSays
from engine.orders.changing import OrderChanges
from engine.orders.facts.returns import Return, ReturnState
from engine.orders.facts.shipments import CarrierEvent
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.returns.steps import order_id_of, return_of, with_return

AWAITED_DAYS = 30
"""How long a parcel is waited for after the last that its carrier said, though the return's time is over."""
_NOT_THERE_YET = frozenset({ReturnState.AUTHORISED, ReturnState.IN_TRANSIT, ReturnState.DELIVERED})
_EVENT = {ReturnState.IN_TRANSIT: "return_in_transit", ReturnState.DELIVERED: "return_delivered"}


class ReturnParcels:
    """Takes the events of carriers that are about the parcels of returns."""

    def __init__(self, changes: OrderChanges) -> None:
        self._changes = changes

    async def take(self, return_id: str, new: ReportedEvent) -> Taken:
        """Keep an event with its return, and move the return; again is no harm."""
        event = CarrierEvent(event=new.event.value, at=new.at, place=new.place, detail=new.detail)
        try:
            order = await self._changes.get(order_id_of(return_id))
            if event in return_of(order, return_id).events:
                return Taken.KNOWN
        except NotFound:
            return Taken.UNKNOWN_NUMBER
        await self._changes.change(order.order_id, lambda seen, _: reported(seen, return_id, event, actor()))
        return Taken.TAKEN


def reported(order: Order, return_id: str, event: CarrierEvent, by: str) -> Revision | None:
    """Return an order with one more event of a return's carrier, and the return where it is by that; None if known."""
    before = return_of(order, return_id)
    if event in before.events:
        return None
    events = sorted((*before.events, event), key=lambda each: each.at)[-MOST_EVENTS:]
    if event not in events:
        return None
    changed = msgspec.structs.replace(before, events=tuple(events))
    if before.state in _NOT_THERE_YET:
        problem = f"{event.event}, says the carrier" if _is_bad(event) else before.problem
        changed = msgspec.structs.replace(changed, state=_state(changed), problem=problem)
    told = _EVENT.get(changed.state) if changed.state is not before.state else None
    note = Note(event=told or "carrier_event", by=by, reason=event.event, subject=return_id, node_id=before.node_id)
    return revision_of(order, with_return(order, changed), note)


def awaited_until(before: Return, at: datetime) -> datetime | None:
    """Return until when a return is waited for though its time is over: its parcel is on its way, or there."""
    if before.state is ReturnState.DELIVERED:
        return at + timedelta(days=AWAITED_DAYS)
    if before.state is not ReturnState.IN_TRANSIT:
        return None
    until = before.events[-1].at + timedelta(days=AWAITED_DAYS)
    return until if until > at else None


def was_sent(before: Return) -> bool:
    """Say whether the carrier has, or has had, the parcel of a return: its label was used."""
    return any(CarrierSays(each.event).has_it for each in before.events)


def _state(changed: Return) -> ReturnState:
    """Return where a return is by its events; what was delivered after it went back is with the customer again."""
    is_going_back = False
    for event in changed.events:
        is_going_back = is_going_back or event.event == CarrierSays.RETURNED_TO_SENDER
        if event.event == CarrierSays.DELIVERED and not is_going_back:
            return ReturnState.DELIVERED
    return ReturnState.IN_TRANSIT if was_sent(changed) else changed.state


def _is_bad(event: CarrierEvent) -> bool:
    return event.event in {CarrierSays.LOST, CarrierSays.DAMAGED, CarrierSays.RETURNED_TO_SENDER}
