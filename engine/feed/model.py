"""What the outside is told: events, each with an id, a type, a time and data that say what it is of.

Here: the envelope, the data of each kind, and which types there are. Not here: where they come from (entries.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.history import ConditionMove, Quantities, ScheduleChange

ARCHIVED, RESTORED = "order.archived", "order.restored"
TYPES: dict[str, str] = {
    "inventory.changed": "a position changed",
    "reservation.held": "a reservation was made, extended, or holds fewer units than before",
    "reservation.confirmed": "a reservation was confirmed, or keeps fewer units than before",
    "reservation.consumed": "the units of a reservation have left",
    "reservation.cancelled": "a reservation was cancelled",
    "reservation.expired": "a reservation was not confirmed in time",
    "order.captured": "an order was captured, or is open again",
    "order.validated": "an order has passed its checks",
    "order.on_hold": "an order is stopped until its order hold is released",
    "order.promised": "an order keeps to the day of a promise",
    "order.sourced": "every unit of an order has a node",
    "order.backordered": "some unit of an order has no node",
    "order.released": "what is left of an order is with the nodes that ship it",
    "order.picking": "what is left of an order is picked, or farther",
    "order.packed": "what is left of an order is packed, or farther",
    "order.shipped": "all units of an order have left",
    "order.delivered": "all units of an order have arrived",
    "order.returned": "all units of an order came back",
    "order.cancelled": "an order was cancelled",
    ARCHIVED: "an order that is over was moved to the archive, as it was",
    RESTORED: "an order was put back from the archive, as it was",
    "routing_run.queued": "a routing run was asked for",
    "routing_run.committed": "a routing run has committed what it decided",
    "routing_run.dry_run": "a routing run has decided, and was not to commit",
    "routing_run.shadow": "a shadow run has decided",
    "routing_run.failed": "a routing run has failed",
    "customer.changed": "what is known of a customer changed; it does not say what",
    "customer.erased": "the personal data of a customer are gone for good",
    "document.put": "a network, catalog or other document has a new version",
    "document.added": "a policy has a new version",
    "low_stock.low": "a position became low on stock",
    "low_stock.recovered": "a position is no longer low on stock",
    "webhook.ping": "somebody tries a webhook out",
    "webhook.disabled": "a webhook gets no more events",
    "webhook.missed": "events that a webhook did not take in time are no longer kept",
}
"""Every type, and what it says."""


class InventoryData(msgspec.Struct, frozen=True, kw_only=True, tag="inventory_position", tag_field="object"):
    """One change of a position: as `GET /v1/inventory-events` tells it, with the numbers before and after."""

    sku: str
    node_id: str
    event: int
    act: str
    who: str
    whys: tuple[str, ...]
    before: Quantities
    after: Quantities
    schedule: tuple[ScheduleChange, ...]
    conditions: tuple[ConditionMove, ...]


class ReservationData(msgspec.Struct, frozen=True, kw_only=True, tag="reservation", tag_field="object"):
    """Where a reservation stands after `act`; null where it has no such thing, or is new and has not told it yet."""

    reservation_id: str
    state: str
    expires_at: datetime | None
    reference: str | None
    channel: str | None
    order_id: str | None
    act: str
    who: str


class OrderData(msgspec.Struct, frozen=True, kw_only=True, tag="order", tag_field="object"):
    """Where an order stands after `act`, which run decided it, and what nodes or people said (as in its history)."""

    order_id: str
    state: str
    run_id: str | None
    note: dict[str, Any] | None
    act: str
    who: str


class RunData(msgspec.Struct, frozen=True, kw_only=True, tag="routing_run", tag_field="object"):
    """Where a routing run stands."""

    run_id: str
    status: str


class CustomerData(msgspec.Struct, frozen=True, kw_only=True, tag="customer", tag_field="object"):
    """Which customer it is; nothing personal is ever told."""

    customer_id: str
    who: str


class DocumentData(msgspec.Struct, frozen=True, kw_only=True, tag="document", tag_field="object"):
    """Which document has which version now."""

    name: str
    version: int
    who: str


class LowStockData(msgspec.Struct, frozen=True, kw_only=True, tag="low_stock", tag_field="object"):
    """A position that became low, or recovered; `threshold` is null if it has none any more."""

    sku: str
    node_id: str
    state: str
    available: int
    threshold: int | None


class WebhookData(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", tag_field="object"):
    """What happened to a webhook, and why."""

    webhook_id: str
    detail: str


Data = InventoryData | ReservationData | OrderData | RunData | CustomerData | DocumentData | LowStockData | WebhookData


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event: the same `id` whenever and however it is told; `type` says what happened, `data.object` to what."""

    id: str
    type: str
    time: datetime
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Events in order, the cursor to read on after them, and whether there may be more at once."""

    events: tuple[Event, ...]
    next_cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which types are wanted; None: all."""

    types: frozenset[str] | None = None

    def __contains__(self, kind: str) -> bool:
        return self.types is None or kind in self.types

    def may_want(self, prefix: str) -> bool:
        """Return whether any type that begins so is wanted."""
        return self.types is None or any(each.startswith(prefix) for each in self.types)


def wanted(names: Iterable[str], path: str) -> Wanted:
    """Return the types named, each in full or all of a word as `order.*`; none named: all. Raises InvalidInput."""
    found: set[str] = set()
    faults = []
    named = [name.strip() for name in names if name.strip()]
    for name in named:
        word, _, rest = name.partition(".")
        matching = [each for each in TYPES if each == name or (rest == "*" and each.startswith(f"{word}."))]
        if not matching:
            faults.append(Fault(path=path, message=f"{name!r} is no type of event; {nearest(name, TYPES)}"))
        found.update(matching)
    if faults:
        raise InvalidInput(faults)
    return Wanted(types=frozenset(found) if named else None)
