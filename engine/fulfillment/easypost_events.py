"""What EasyPost tells of parcels on their way (its event `tracker.updated`), in our words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.fulfillment.carrier_events import ReportedEvent
from engine.fulfillment.carrying import CarrierSays

_SAYS = {
    "in_transit": CarrierSays.IN_TRANSIT,
    "out_for_delivery": CarrierSays.OUT_FOR_DELIVERY,
    "delivered": CarrierSays.DELIVERED,
    "available_for_pickup": CarrierSays.AWAITING_PICKUP,
    "return_to_sender": CarrierSays.RETURNED_TO_SENDER,
    "failure": CarrierSays.FAILED_ATTEMPT,
}


class _Location(msgspec.Struct):
    city: str | None = None
    state: str | None = None
    country: str | None = None


class _Detail(msgspec.Struct):
    datetime: datetime
    status: str
    message: str | None = None
    tracking_location: _Location | None = None


class _Tracker(msgspec.Struct):
    tracking_code: str
    tracking_details: list[_Detail] = []
    signed_by: str | None = None


class _Event(msgspec.Struct):
    description: str
    result: msgspec.Raw = msgspec.Raw(b"{}")


def events_of(body: bytes) -> Sequence[ReportedEvent]:
    """Return all that EasyPost tells in one request; none of what is not about a parcel. Raises InvalidInput.

    Each time it tells all that has happened so far; what is known changes nothing.
    """
    try:
        event = msgspec.json.decode(body, type=_Event)
        if not event.description.startswith("tracker."):
            return []
        tracker = msgspec.json.decode(event.result, type=_Tracker)
    except msgspec.MsgspecError as error:
        message = f"is no event of EasyPost: {error}; have EasyPost send it as it is"
        raise InvalidInput(Fault(path="$", message=message)) from None
    return [_reported(tracker, detail) for detail in tracker.tracking_details]


def _reported(tracker: _Tracker, detail: _Detail) -> ReportedEvent:
    says = _SAYS.get(detail.status, CarrierSays.INFORMATION)
    at = detail.datetime if detail.datetime.tzinfo else detail.datetime.replace(tzinfo=UTC)
    place = detail.tracking_location or _Location()
    return ReportedEvent(
        tracking_number=tracker.tracking_code,
        event=says,
        at=at,
        place=", ".join(part for part in (place.city, place.state, place.country) if part),
        detail=(detail.message or "")[:500],
        proof=f"signed: {tracker.signed_by}" if tracker.signed_by and says is CarrierSays.DELIVERED else "",
    )
