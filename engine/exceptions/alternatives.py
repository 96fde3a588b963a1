"""A way out for an order whose promise is in jeopardy: what would be done, what it costs, and when it would arrive.

Not here: finding them (proposing.py), accepting one (accepting.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

import msgspec

from engine.orders.model import Order


class Kind(StrEnum):
    """What would be done."""

    WAIT = "wait"
    FASTER_SERVICE = "faster_service"
    ANOTHER_NODE = "another_node"
    SPLIT = "split"
    SUBSTITUTE = "substitute"


class ProposedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line that go into a parcel, and what they would be sent instead of."""

    line_id: str
    sku: str
    quantity: int
    substitute_for: str = ""


class ProposedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that would leave a node by a service."""

    node_id: str
    service: str
    service_level: str
    ship_on: date
    lines: tuple[ProposedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What would be done with the units that can still be sent otherwise.

    `cost_cents` is what it costs to send them so, None for waiting; `extra_cents` how much that is more than as things
    stand, None if that is not known. They would arrive on `predicted_on` as likely as not, by `latest_on` nine times of
    ten, and after the promised day with `late_probability`. `promised_on` is what is promised from then on.
    """

    alternative_id: str
    kind: Kind
    parcels: tuple[ProposedParcel, ...]
    predicted_on: date | None
    latest_on: date | None
    late_probability: float
    promised_on: date
    cost_cents: int | None = None
    extra_cents: int | None = None


def id_of(order: Order, kind: Kind, parcels: Sequence[ProposedParcel], promised_on: date) -> str:
    """Return the id of an alternative: the same for as long as the order, and what would be done, are the same."""
    rows = [(row.line_id, row.sku, row.quantity, row.node_id, row.service, row.ship_on) for row in order.allocation]
    said = msgspec.json.encode([order.order_id, kind, parcels, promised_on, rows, order.demand, order.reservation_id])
    return f"alt_{sha256(said).hexdigest()[:24]}"


def pins_of(alternative: Alternative) -> Mapping[str, str]:
    """Return the node that each line would ship from."""
    return {line.line_id: parcel.node_id for parcel in alternative.parcels for line in parcel.lines}
