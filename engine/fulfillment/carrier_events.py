"""What carriers report, by tracking number: each event is kept with its parcel, and what follows from it is done.

A carrier that scans a packed shipment has it, whoever forgot to say so: it is shipped. Delivered is delivered, with
what the carrier has as proof; lost or damaged units are sent again. Events may come twice, late, and in any order: what
is known changes nothing, and nothing goes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.errors import IllegalState, NotFound
from engine.events.actor import actor
from engine.fulfillment.answers import Answers
from engine.fulfillment.carrying import CarrierSays, Loss, has_arrived, reported
from engine.fulfillment.service import FulfillmentService
from engine.fulfillment.shipments import is_shipment_id, order_id_of, shipment_of
from engine.fulfillment.tracking import Tracked, Tracking
from engine.inventory.model import Outcome, Replay
from engine.orders.changing import OrderChanges
from engine.orders.facts.shipments import CarrierEvent, Shipment, ShipmentState


class Taken(StrEnum):
    """What became of an event."""

    TAKEN = "taken"
    KNOWN = "known"
    UNKNOWN_NUMBER = "unknown_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedEvent:
    """An event as a carrier reports it."""

    tracking_number: str
    event: CarrierSays
    at: datetime
    place: str = ""
    detail: str = ""
    proof: str = ""


OfReturns = Callable[[str, ReportedEvent], Awaitable[Taken]]
"""Takes an event of the parcel of a return (its id)."""


class CarrierEvents:
    """Takes the events of carriers."""

    def __init__(
        self,
        changes: OrderChanges,
        fulfillment: FulfillmentService,
        tracking: Tracking,
        answers: Answers,
        of_returns: OfReturns,
    ) -> None:
        self._changes, self._fulfillment, self._tracking, self._answers = changes, fulfillment, tracking, answers
        self._of_returns = of_returns

    async def take(self, events: Sequence[ReportedEvent], replay: Replay | None = None) -> Outcome[list[Taken]]:
        """Take events in their order, each by itself, and say what became of each; again is no harm."""
        before = None if replay is None else await self._answers.find(replay)
        if before is not None:
            return Outcome(value=[Taken(word) for word in before.split()], replayed=True)
        taken = [await self._take(event) for event in events]
        if replay is not None:
            await self._answers.keep(replay, " ".join(taken))
        return Outcome(value=taken, replayed=False)

    async def _take(self, new: ReportedEvent) -> Taken:
        tracked = await self._tracking.find(new.tracking_number)
        if tracked is None:
            return Taken.UNKNOWN_NUMBER
        if not is_shipment_id(tracked.subject):
            return await self._of_returns(tracked.subject, new)
        try:
            shipment = await self._now_at(tracked)
        except NotFound:
            return Taken.UNKNOWN_NUMBER
        name = shipment.shipment_id
        if shipment.state is ShipmentState.PACKED and new.event.has_it:
            with suppress(IllegalState):  # an order hold: people look at it, and the event is kept
                await self._fulfillment.ship(name)
        event = CarrierEvent(
            event=new.event.value, at=new.at, place=new.place, detail=new.detail, carton_id=tracked.carton_id
        )
        is_known = event in shipment.events
        if not is_known:
            await self._changes.change(order_id_of(name), lambda order, _: reported(order, name, event, actor()))
        await self._follow(name, new, tracked)
        return Taken.KNOWN if is_known else Taken.TAKEN

    async def _follow(self, name: str, new: ReportedEvent, tracked: Tracked) -> None:
        """Do what follows from an event; done already, or no longer possible, is no fault of the carrier's."""
        with suppress(IllegalState):
            if new.event is CarrierSays.DELIVERED:
                _, shipment = await self._fulfillment.find(name)
                if has_arrived(shipment):
                    await self._fulfillment.deliver(name, at=new.at, proof=new.proof)
            elif new.event in {CarrierSays.LOST, CarrierSays.DAMAGED}:
                cartons = (tracked.carton_id,) if tracked.carton_id else ()
                reason = new.detail or f"{new.event.value}, says the carrier"
                is_damaged = new.event is CarrierSays.DAMAGED
                await self._fulfillment.lose(name, Loss(reason=reason, is_damaged=is_damaged, carton_ids=cartons))

    async def _now_at(self, tracked: Tracked) -> Shipment:
        """Return the shipment that a number is of now: cartons that were lost are one of their own."""
        order = await self._changes.get(order_id_of(tracked.subject))
        for shipment in order.life.shipments:
            if tracked.carton_id and any(carton.carton_id == tracked.carton_id for carton in shipment.cartons):
                return shipment
        return shipment_of(order, tracked.subject)
