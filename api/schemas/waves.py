"""The wire form of waves: shipments that a node picks together, and the list that it picks them by."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Identifier, Reply
from api.schemas.order_steering import By
from engine.fulfillment.waves import MOST_SHIPMENTS


class WaveBody(Body, frozen=True, kw_only=True):
    """Of which released shipments of a node to make a wave: those that leave first."""

    node_id: Identifier
    services: Annotated[list[Identifier], Meta(min_length=1, max_length=100)] | None = None
    until: Annotated[date, Meta(description="only what leaves until this day")] | None = None
    most_shipments: Annotated[int, Meta(ge=1, le=MOST_SHIPMENTS)] = 20
    by: By | None = None


class CreatedWave(Reply, frozen=True, kw_only=True):
    """A wave, and the shipments that were to join it."""

    wave_id: str
    node_id: str
    created_at: datetime
    by: str
    shipment_ids: list[str]


class PickedFor(Reply, frozen=True, kw_only=True):
    """For which shipment so many units of a product are."""

    shipment_id: str
    line_id: str
    quantity: int


class PickLine(Reply, frozen=True, kw_only=True):
    """A product to fetch, how many of it, and for which shipments."""

    sku: str
    quantity: int
    shipments: list[PickedFor]


class WaveShipment(Reply, frozen=True, kw_only=True):
    """A shipment of a wave, and how far it is."""

    shipment_id: str
    order_id: str
    state: str
    service: str
    ship_on: date


class Wave(Reply, frozen=True, kw_only=True):
    """A wave as it stands: the shipments that joined it, and what is still to be fetched for them, by SKU."""

    wave_id: str
    node_id: str
    created_at: datetime
    by: str
    shipments: list[WaveShipment]
    pick_list: list[PickLine]
