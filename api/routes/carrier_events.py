"""What carriers report, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import carrier_events as wire
from engine.fulfillment.carrier_events import ReportedEvent, Taken
from engine.fulfillment.carrying import CarrierSays
from engine.fulfillment.easypost_events import events_of

EASYPOST_EXAMPLE = {
    "description": "tracker.updated",
    "result": {
        "tracking_code": "123456789012345675",
        "tracking_details": [{"datetime": "2026-11-24T16:00:00Z", "status": "in_transit", "message": "Departed"}],
    },
}


async def take_carrier_events(call: Call[wire.CarrierEventsBody, NoQuery]) -> Answer:
    """Keeps what carriers say of shipments, by tracking number, and does what follows from it.

    A packed shipment that a carrier has is shipped; delivered is delivered; lost and damaged units are sent again.
    Events may come twice, late and in any order. Each is taken by itself; numbers that nobody knows are told.
    """
    return await _taken(call, [reported_event(each) for each in call.body.events])


def reported_event(body: wire.CarrierEventBody) -> ReportedEvent:
    """Return an event as it is taken; a time without an offset is UTC."""
    return ReportedEvent(
        tracking_number=body.tracking_number,
        event=CarrierSays(body.event),
        at=body.at if body.at.tzinfo else body.at.replace(tzinfo=UTC),
        place=body.place or "",
        detail=body.detail or "",
        proof=body.proof or "",
    )


async def take_easypost_event(call: Call[bytes, NoQuery]) -> Answer:
    """Takes an event as EasyPost sends it (`tracker.updated`), with all that has happened so far.

    What is known changes nothing, so it needs no key. Have EasyPost send the header `Authorization` with a key that has
    the scope `carrier-events:write`. What is not about a parcel is taken and left.
    """
    return await _taken(call, events_of(call.body))


async def _taken(call: Call[Any, NoQuery], events: Sequence[ReportedEvent]) -> Answer:
    found = await call.engine.carrier_events.take(events, call.replay)
    data = [
        wire.TakenEvent(
            tracking_number=event.tracking_number,
            outcome=(Taken.TAKEN if outcome is Taken.KNOWN else outcome).value,
        )
        for event, outcome in zip(events, found.value, strict=True)
    ]
    return Answer(value=wire.TakenEvents(data=data), is_replayed=found.replayed)


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
    Endpoint(
        method="POST",
        path="/v1/carrier-events/easypost",
        summary="Take an event of EasyPost",
        handler=take_easypost_event,
        body=bytes,
        takes={"application/json": json.dumps(EASYPOST_EXAMPLE)},
        reply=wire.TakenEvents,
        scope="carrier-events:write",
        may_be_keyed=True,
    ),
)
