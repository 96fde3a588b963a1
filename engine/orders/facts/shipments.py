"""The shipments of an order: parcels that were released to their nodes, and how far they have come.

Not here: what may be done with them (engine/fulfillment).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class ShipmentState(StrEnum):
    """How far a shipment has come; of one that is lost or recalled nothing arrives."""

    RELEASED = "released"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    LOST = "lost"
    RECALLED = "recalled"


class ShipmentLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of an order's demand (a product, those of a kit by themselves) in a shipment."""

    line_id: str
    sku: str
    quantity: int


class Carton(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One carton of a shipment, with its own label; `carton` is its kind, as the network names it.

    `weight_g` and the edges are those of the closed carton, 0 if nobody knows. `label_cents` is what the label costs,
    `label_url` where the carrier has its picture, if it draws it itself.
    """

    carton_id: str
    weight_g: int
    lines: tuple[ShipmentLine, ...]
    carton: str = ""
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    tracking_number: str = ""
    label_cents: int = 0
    label_url: str = ""


class CarrierEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the carrier said of a shipment, and when that was."""

    event: str
    at: datetime
    place: str = ""
    detail: str = ""
    carton_id: str = ""


class Arrival(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line that have come to a shipment's hub from a node."""

    node_id: str
    line_id: str
    quantity: int
    at: datetime
    by: str = ""


class Shipment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel of an order that was released to a node; `shipment_id` begins with `shp_`.

    Of an order over a hub the units come from the nodes of `from_node_ids`, and `node_id` is the hub, to which they
    have come as `arrivals` say. `problem` is why it has no label yet. `proof` is what the carrier, or who handed it
    over, has for its delivery.
    """

    shipment_id: str
    node_id: str
    service: str
    ship_on: date
    lines: tuple[ShipmentLine, ...]
    state: ShipmentState
    released_at: datetime
    run_id: str = ""
    wave_id: str = ""
    from_node_ids: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    picked_at: datetime | None = None
    packed_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cartons: tuple[Carton, ...] = ()
    carrier: str = ""
    tracking_number: str = ""
    events: tuple[CarrierEvent, ...] = ()
    predicted_on: date | None = None
    proof: str = ""
    problem: str = ""

    @property
    def has_left(self) -> bool:
        """Whether its units have left the node, whatever became of them then."""
        return self.state in HAVE_LEFT

    @property
    def is_with_node(self) -> bool:
        """Whether a node has it to pick, pack or hand over."""
        return self.state in WITH_NODE

    @property
    def parcel(self) -> tuple[str | None, str | None, date | None]:
        """Who hands it over, by which service, on which day; as `AllocationRow.parcel`."""
        return self.node_id, self.service, self.ship_on

    @property
    def node_ids(self) -> tuple[str, ...]:
        """The nodes that have something to do with it."""
        return tuple(dict.fromkeys((self.node_id, *self.from_node_ids)))


HAVE_LEFT = frozenset({ShipmentState.SHIPPED, ShipmentState.DELIVERED, ShipmentState.LOST})
WITH_NODE = frozenset({ShipmentState.RELEASED, ShipmentState.PICKING, ShipmentState.PACKED})


class DocumentEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who made, saw or sent which document of an order, and when; `sha256` is that of its bytes."""

    document: str
    subject: str
    act: str
    by: str
    at: datetime
    sha256: str = ""
    detail: str = ""
