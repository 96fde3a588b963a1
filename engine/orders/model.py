"""What an order is, from the request to its history.

Stores keep how far its routing has come: captured → sourced (every unit has a node) | backordered (some unit has none)
→ shipped (nothing is left to route); any of them → cancelled. Captured and backordered orders are open: a routing run
may take them. Not here: the state that people see (states.py), the rules of capture (capture.py), the decision itself
(engine/routing/model.py), all that happens beside routing (life.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from engine.delivery.promised import PromisedTerms
from engine.orders.destination import Destination
from engine.orders.facts.money import TenderKind
from engine.orders.life import NO_LIFE, Life
from engine.orders.steering import NO_STEERING, Steering
from engine.routing.model import AllocationRow, OrderLine

MOST_PRIORITY = 9


class OrderState(StrEnum):
    """Where an order, a line or a unit stands (states.py); of these a store keeps by itself what `ROUTING` has."""

    CAPTURED = "captured"
    VALIDATED = "validated"
    ON_HOLD = "on_hold"
    PROMISED = "promised"
    SOURCED = "sourced"
    RELEASED = "released"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    BACKORDERED = "backordered"


ROUTING = frozenset(
    {OrderState.CAPTURED, OrderState.SOURCED, OrderState.BACKORDERED, OrderState.SHIPPED, OrderState.CANCELLED}
)
"""How far the routing of an order has come, as stores keep it: after `shipped` nothing of it is left to route."""


class NewLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line as it is asked for; without a `line_id` it gets its number, from 1.

    `discount_cents` is off the whole line; `unit_cost_cents` what a unit costs the seller, None as in the catalog.
    """

    sku: str
    quantity: int
    line_id: str | None = None
    unit_price_cents: int | None = None
    discount_cents: int = 0
    tax_code: str = ""
    unit_cost_cents: int | None = None


class NewTender(msgspec.Struct, frozen=True, kw_only=True):
    """A tender as it is asked for; without an amount it takes what the others leave, and one of an order may.

    `token` is the provider's name for the card or gift card, never a card number; an invoice needs none.
    """

    kind: TenderKind
    token: str = ""
    provider: str | None = None
    amount_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A request to capture an order; nothing in it is checked yet.

    `reservation_id` names stock that is held or confirmed for it already; `pickup_node_id` a store where it is picked
    up, and then it needs no destination. Policies have rules by `customer_class`; `customer` is personal and sealed,
    so is `payment`. Of orders that contend for units, those of a higher `priority` (0 to 9) get them. The
    channel's own id, `channel_order_id`, stands for the order: the channel may send it again. `customer_id` names whose
    it is; `total_cents` is what the channel says that lines, tax and shipping come to, `tenders` by what that is paid.
    """

    channel: str
    destination: Destination
    lines: tuple[NewLine, ...]
    order_id: str | None = None
    reservation_id: str | None = None
    service_level: str | None = None
    need_by: date | None = None
    pickup_node_id: str | None = None
    customer: Mapping[str, Any] | None = field(default=None, repr=False)
    payment: Mapping[str, Any] | None = None
    priority: int = 0
    customer_class: str | None = None
    channel_order_id: str | None = None
    customer_id: str | None = None
    currency: str | None = None
    shipping_cents: int = 0
    total_cents: int | None = None
    tenders: tuple[NewTender, ...] = ()

    @property
    def has_prices(self) -> bool:
        """Whether it says what the customer pays for any of it."""
        if self.currency is not None or self.total_cents is not None or self.shipping_cents:
            return True
        return any(line.unit_price_cents is not None for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What was captured; it never changes.

    `lines` are the customer's; `demand` is what nodes have to ship, one line per product: kits come down to their
    products, as `<line_id>/<sku>`, and `whole` are the lines of a kit that ships from one node. `destination` has
    coordinates even if only a postal code was given. `promised_on` is the date of the promise behind the reservation:
    the order is due then, unless `need_by` says otherwise. `promised` are the terms of that promise, if it was an
    option of one; they hold where the order itself says nothing. `terms_digest` is of its customer and its prices, if
    it came with some, `customer_digest` of what it told of its customer: the same order again has the same. Who that
    is, and their data under seal, are in the order's life.
    """

    order_id: str
    channel: str
    destination: Destination
    lines: tuple[OrderLine, ...]
    demand: tuple[OrderLine, ...]
    captured_at: datetime
    reservation_id: str | None = None
    service_level: str | None = None
    need_by: date | None = None
    promised_on: date | None = None
    customer_digest: str | None = None
    payment: dict[str, Any] | None = None
    pickup_node_id: str | None = None
    promised: PromisedTerms | None = None
    whole: tuple[tuple[str, ...], ...] = ()
    priority: int = 0
    customer_class: str | None = None
    terms_digest: str | None = None

    @property
    def picked_up_at(self) -> str | None:
        """The store where it is picked up, None if it goes to an address."""
        return self.pickup_node_id or (self.promised.pickup_node_id if self.promised else None)

    @property
    def wanted_level(self) -> str | None:
        """The only service level that may carry it, None for any."""
        return self.service_level or (self.promised.wanted_level if self.promised else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order and where it stands.

    `reservation_id` is the reservation that keeps its stock now; `run_id` the routing run that decided last, and
    `allocation` its decision, empty before. In a store of several partitions what it waits for stays in the earlier
    reservations `waiting_reservation_ids`; in one of one partition there are none. `steering` is what nodes and people
    have said about how it may be routed, `life` what has happened to it beside that. `allocation` is of what has not
    left its node yet.
    """

    captured: Captured
    state: OrderState
    reservation_id: str | None = None
    run_id: str | None = None
    allocation: tuple[AllocationRow, ...] = ()
    waiting_reservation_ids: tuple[str, ...] = ()
    steering: Steering = NO_STEERING
    life: Life = NO_LIFE

    @property
    def order_id(self) -> str:
        """Return the order's id."""
        return self.captured.order_id

    @property
    def priority(self) -> int:
        """The priority that people gave it, or that it came with."""
        said = self.steering.priority
        return self.captured.priority if said is None else said

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """The customer's lines, as modified."""
        return self.captured.lines if self.life.amendment is None else self.life.amendment.lines

    @property
    def demand(self) -> tuple[OrderLine, ...]:
        """All that nodes have to ship for it, as modified: what has left, and what was cancelled, too."""
        return self.captured.demand if self.life.amendment is None else self.life.amendment.demand

    @property
    def whole(self) -> tuple[tuple[str, ...], ...]:
        """The lines of the demand that ship from one node together, as modified."""
        return self.captured.whole if self.life.amendment is None else self.life.amendment.whole

    @property
    def destination(self) -> Destination:
        """Where it goes, as modified."""
        return self.captured.destination if self.life.amendment is None else self.life.amendment.destination

    @property
    def wanted_level(self) -> str | None:
        """The only service level that may carry it, as modified; None for any."""
        return self.captured.wanted_level if self.life.amendment is None else self.life.amendment.service_level

    @property
    def need_by(self) -> date | None:
        """Its deadline, as modified."""
        return self.captured.need_by if self.life.amendment is None else self.life.amendment.need_by

    @property
    def promised_on(self) -> date | None:
        """The date that it was promised for, as modified."""
        return self.captured.promised_on if self.life.amendment is None else self.life.amendment.promised_on

    @property
    def first_reservation_id(self) -> str | None:
        """Return the reservation that it took over when it was captured."""
        return self.captured.reservation_id

    @property
    def is_cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return self.state is OrderState.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedLine:
    """Units of a line that a step is about."""

    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedMove:
    """Units of a line that went from a state to another; blank is outside, for what was added or taken out."""

    line_id: str
    before: str
    after: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What nodes or people said that made a step, who said it, and why.

    Events: rejected, short_pick, damaged, time_out, closed (a node does not ship lines); accepted; override; order_hold
    and order_hold_released; and those of each capability of an order's life (docs/reference/events.md). `subject` is
    the id of the shipment, tender or return that it is about, `amount_cents` the money that moved, `moves` the units
    that went from a state to another.
    """

    event: str
    by: str
    reason: str | None = None
    node_id: str | None = None
    lines: tuple[NotedLine, ...] = ()
    subject: str | None = None
    amount_cents: int | None = None
    moves: tuple[NotedMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One step of an order: the state it entered, when by the store's clock, and which run did it, or what was said."""

    at: datetime
    state: OrderState
    run_id: str | None = None
    note: Note | None = None
