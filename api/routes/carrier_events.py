"""What carriers report, over HTTP."""

from __future__ import annotations

from datetime import UTC

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import carrier_events as wire
from engine.fulfillment.carrier_events import ReportedEvent, Taken
from engine.fulfillment.carrying import CarrierSays


async def take_carrier_events(call: Call[wire.CarrierEventsBody, NoQuery]) -> Answer:
    """Keeps what carriers say of shipments, by tracking number, and does what follows from it.

    A packed shipment that a carrier has is shipped; delivered is delivered; lost and damaged units are sent again.
    Events may come twice, late and in any order. Each is taken by itself; numbers that nobody knows are told.
    """
    events = [
        ReportedEvent(
            tracking_number=each.tracking_number,
            event=CarrierSays(each.event),
            at=each.at if each.at.tzinfo else each.at.replace(tzinfo=UTC),
            place=each.place or "",
            detail=each.detail or "",
            proof=each.proof or "",
        )
        for each in call.body.events
    ]
    outcomes = await call.engine.carrier_events.take(events)
    data = [
        wire.TakenEvent(
            tracking_number=event.tracking_number,
            outcome=(Taken.TAKEN if outcome is Taken.KNOWN else outcome).value,
        )
        for event, outcome in zip(events, outcomes, strict=True)
    ]
    return Answer(value=wire.TakenEvents(data=data))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/carrier-events",
        summary="Take events of carriers",
        handler=take_carrier_events,
        body=wire.CarrierEventsBody,
        reply=wire.TakenEvents,
        scope="carrier-events:write",
        is_keyed=True,
        example={
            "events": [
                {
                    "tracking_number": "123456789012345675",
                    "event": "out_for_delivery",
                    "at": "2026-11-24T09:12:00-05:00",
                    "place": "New York, NY",
                }
            ]
        },
    ),
)
