"""The wire form of shipments: what a node has to ship, how far it is, and what is said of it on the way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Identifier, Limit, Quantity, Reply
from api.schemas.order_steering import By, LineUnits, Reason

ShipmentId = Annotated[
    str,
    Meta(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]+(?![\s\S])", description="as `shp_<order id>-1`"),
]
TrackingNumber = Annotated[str, Meta(min_length=4, max_length=64, pattern=r"^[0-9A-Za-z -]+(?![\s\S])")]
WorkState = Literal["released", "picking", "packed"]


class ReleaseBody(Body, frozen=True, kw_only=True):
    """What to release of an order; all that has a node, if nothing is said."""

    node_id: Annotated[Identifier, Meta(description="only what this node hands over")] | None = None
    until: Annotated[date, Meta(description="only what leaves until this day")] | None = None
    by: By | None = None


class ShipmentQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose shipments, how far they are, and how many; behind one, as lists are read page by page."""

    node_id: Identifier
    state: WorkState | None = None
    limit: Limit = 50
    starting_after: ShipmentId | None = None


class PickBody(Body, frozen=True, kw_only=True):
    """Who picks."""

    by: By | None = None


class CartonLineBody(Body, frozen=True, kw_only=True):
    """Units of a line of the shipment in a carton."""

    line_id: Identifier
    quantity: Quantity


class HubReceiptBody(Body, frozen=True, kw_only=True):
    """What has come to the hub from a node: units of lines, or all that it still sends."""

    node_id: Identifier
    lines: Annotated[list[CartonLineBody], Meta(min_length=1, max_length=1000)] | None = None
    by: By | None = None


class CartonBody(Body, frozen=True, kw_only=True):
    """A carton; without lines it holds all of the shipment, without a weight it weighs what it holds and its tare."""

    carton: Annotated[Identifier, Meta(description="its kind, as the network names it")] | None = None
    lines: Annotated[list[CartonLineBody], Meta(min_length=1, max_length=1000)] | None = None
    weight_g: Annotated[int, Meta(ge=1, le=10**9)] | None = None


class PackBody(Body, frozen=True, kw_only=True):
    """How it was packed; as `GET …/cartons` proposes if nothing is said."""

    cartons: Annotated[list[CartonBody], Meta(min_length=1, max_length=500)] | None = None
    by: By | None = None


class ShipBody(Body, frozen=True, kw_only=True):
    """Who takes it, and the number it is followed by; as its label says if nothing is said."""

    carrier: Identifier | None = None
    tracking_number: TrackingNumber | None = None
    by: By | None = None


class DeliverBody(Body, frozen=True, kw_only=True):
    """When it arrived, and the proof of it: who signed, where it was left, the address of a picture."""

    at: datetime | None = None
    proof: Annotated[str, Meta(max_length=500)] | None = None
    by: By | None = None


class LossBody(Body, frozen=True, kw_only=True):
    """What does not arrive whole, and what becomes of its units: they are routed anew, or cancelled."""

    reason: Reason
    kind: Literal["lost", "damaged"] = "lost"
    remedy: Literal["send_again", "cancel"] = "send_again"
    carton_ids: Annotated[list[ShipmentId], Meta(min_length=1, max_length=500)] | None = None
    by: By | None = None


class RecallBody(Body, frozen=True, kw_only=True):
    """Why the node is not to ship it."""

    reason: Reason
    by: By | None = None


class ShippedCarton(Reply, frozen=True, kw_only=True):
    """A carton of a shipment, closed; an edge of 0 is not known."""

    carton_id: str
    carton: str | None
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    lines: list[LineUnits]
    tracking_number: str | None
    label_cents: int
    label_url: str | None


class ProposedCarton(Reply, frozen=True, kw_only=True):
    """A carton into which part of a shipment goes; null where no kind of the network takes it."""

    carton: str | None
    weight_g: int
    lines: list[LineUnits]


class ProposedCartons(Reply, frozen=True, kw_only=True):
    """The cartons of a shipment."""

    data: list[ProposedCarton]


class ShipmentEvent(Reply, frozen=True, kw_only=True):
    """What the carrier said of it."""

    event: str
    at: datetime
    place: str | None
    detail: str | None
    carton_id: str | None


class ReleasedLine(Reply, frozen=True, kw_only=True):
    """Units of a line of the order; the line of a kit's product is `<line_id>/<sku>`."""

    line_id: str
    sku: str
    quantity: int


class HubUnits(Reply, frozen=True, kw_only=True):
    """Units of a line that a node sends to a shipment's hub."""

    node_id: str
    line_id: str
    quantity: int


class ReleasedShipment(Reply, frozen=True, kw_only=True):
    """A parcel that was released to a node, and how far it is.

    `problem` says why it has no label yet, or does not arrive. Of units over a hub, `node_id` is the hub, and
    `from_node_ids` the nodes that send them there.
    """

    shipment_id: str
    order_id: str
    node_id: str
    from_node_ids: list[str]
    arrivals: Annotated[list[HubUnits], Meta(description="what has come to its hub, as the hub says")]
    awaited: Annotated[list[HubUnits], Meta(description="what nodes still send there")]
    service: str
    ship_on: date
    state: str
    lines: list[ReleasedLine]
    cartons: list[ShippedCarton]
    carrier: str | None
    tracking_number: str | None
    wave_id: str | None
    released_at: datetime
    picked_at: datetime | None
    packed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    predicted_on: date | None
    proof: str | None
    problem: str | None
    events: list[ShipmentEvent]


class ShipmentPage(Reply, frozen=True, kw_only=True):
    """Shipments that a node has with it, what leaves first first."""

    data: list[ReleasedShipment]
    has_more: bool
