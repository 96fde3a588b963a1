"""The wire form of what carriers report."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.fields import Body, Reply
from api.schemas.shipments import TrackingNumber

Said = Literal[
    "accepted",
    "in_transit",
    "out_for_delivery",
    "failed_attempt",
    "awaiting_pickup",
    "returned_to_sender",
    "delivered",
    "damaged",
    "lost",
    "information",
]
_Text = Annotated[str, Meta(max_length=500)]


class CarrierEventBody(Body, frozen=True, kw_only=True):
    """What a carrier says of a parcel, when it was so, and where; `proof` is what it has of a delivery."""

    tracking_number: TrackingNumber
    event: Said
    at: datetime
    place: _Text | None = None
    detail: _Text | None = None
    proof: _Text | None = None


class CarrierEventsBody(Body, frozen=True, kw_only=True):
    """Events in the order in which they are to be taken."""

    events: Annotated[list[CarrierEventBody], Meta(min_length=1, max_length=500)]


class TakenEvent(Reply, frozen=True, kw_only=True):
    """What became of an event: `taken`, also if it was known, or `unknown_number`."""

    tracking_number: str
    outcome: str


class TakenEvents(Reply, frozen=True, kw_only=True):
    """What became of each event, in their order."""

    data: list[TakenEvent]
