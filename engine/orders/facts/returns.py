"""The returns of an order: what may come back, what came, in which condition, and what became of it.

Not here: the rules (engine/returns).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.orders.facts.money import Prices, Tender
from engine.orders.facts.shipments import CarrierEvent


class ReturnState(StrEnum):
    """How far a return has come; `requested` waits for approval, and what is `delivered` to its node for receipt."""

    REQUESTED = "requested"
    AUTHORISED = "authorised"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    RECEIVED = "received"
    INSPECTED = "inspected"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"


NOTHING_CAME = frozenset({ReturnState.CANCELLED, ReturnState.REFUSED, ReturnState.EXPIRED})
"""How a return ends of which nothing has come."""


class Disposition(StrEnum):
    """What becomes of units that came back."""

    RESTOCK = "restock"
    REFURBISH = "refurbish"
    SCRAP = "scrap"


class LabelPaidBy(StrEnum):
    """Who pays for the way back: with `nobody` the customer sends it as they like, without a label."""

    SELLER = "seller"
    CUSTOMER = "customer"
    NOBODY = "nobody"


class ReturnTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """By which terms of the return policy units come back; `rule` names them, `usual` if none did.

    `restocking_percent` of what they are worth is kept, and `fee_cents` once for a return; with `refunds_shipping` the
    shipping of an order that comes back as a whole is paid back too.
    """

    rule: str
    restocking_percent: int = 0
    fee_cents: int = 0
    label: LabelPaidBy = LabelPaidBy.SELLER
    refunds_shipping: bool = False


class RefundShares(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How many percent of what units are worth is paid back, by what becomes of them."""

    restock: Annotated[int, Meta(ge=0, le=100)] = 100
    refurbish: Annotated[int, Meta(ge=0, le=100)] = 100
    scrap: Annotated[int, Meta(ge=0, le=100)] = 100

    def of(self, disposition: Disposition) -> int:
        """Return the percent for what becomes of units."""
        found: int = getattr(self, disposition.value)
        return found


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of an order's demand that come back, and why; `received` of them have come.

    Units that nobody expected, of another product or more than the order had, have no `line_id`. Of `value_cents`,
    what those refunded are worth, `refund_cents` are paid back. Of those to be `refurbished`, some are `mended` and
    sold again by now, some were `given_up`.
    """

    line_id: str
    sku: str
    quantity: int
    reason: str
    terms: ReturnTerms
    received: int = 0
    restocked: int = 0
    refurbished: int = 0
    scrapped: int = 0
    refunded: int = 0
    value_cents: int = 0
    refund_cents: int = 0
    comment: str = ""
    mended: int = 0
    given_up: int = 0

    @property
    def inspected(self) -> int:
        """The units of which it is known what becomes of them."""
        return self.restocked + self.refurbished + self.scrapped

    @property
    def waiting(self) -> int:
        """The units that have come, and were not looked at yet."""
        return self.received - self.inspected

    @property
    def to_refurbish(self) -> int:
        """The units that lie there as damaged until they are mended, or given up."""
        return self.refurbished - self.mended - self.given_up


class StockMove(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that came into the return's node, left it, or are in another condition there; blank is outside.

    `move_id` is the effect's that makes it in stock. Its idempotency key is new after each of `refusals`, as a key
    keeps its answer. It is made once `done_at` is set; `is_counted` is false of stock that is unlimited.
    """

    move_id: str
    sku: str
    quantity: int
    from_condition: str = ""
    to_condition: str = ""
    refusals: int = 0
    done_at: datetime | None = None
    is_counted: bool = True


class OrderedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that the customer wants instead."""

    sku: str
    quantity: int
    unit_price_cents: int | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer wants instead: an order of its own, `order_id`, that is captured once the return is `due`.

    Of what it costs by its `prices`, `agreed_cents` are to be paid by what the return pays back, the rest by `tenders`;
    `credit_cents` of that have been so far.
    """

    order_id: str
    lines: tuple[OrderedLine, ...]
    due: ReturnState = ReturnState.AUTHORISED
    captured_at: datetime | None = None
    promised_on: date | None = None
    reservation_id: str = ""
    service_level: str = ""
    prices: Prices | None = None
    tenders: tuple[Tender, ...] = ()
    agreed_cents: int = 0
    credit_cents: int = 0

    @property
    def is_captured(self) -> bool:
        """Whether there is such an order."""
        return self.captured_at is not None

    @property
    def difference_cents(self) -> int:
        """What the customer has to pay beside what the return pays back."""
        return 0 if self.prices is None else self.prices.total_cents - self.agreed_cents


class Return(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A return of an order; `return_id` begins with `ret_`.

    One that `is_complete` waits for nothing more, whatever has come. It costs the customer `fee_cents` and
    `label_fee_cents`; `refund_cents` is what it pays back: what the lines' units come to and `shipping_refund_cents`,
    less that, and at most `most_refund_cents`. `store_credit_cents` of it are store credit, of
    the code `store_credit`.
    `problem` is why it has no label, or what its carrier says went wrong with it.
    """

    return_id: str
    node_id: str
    state: ReturnState
    lines: tuple[ReturnLine, ...]
    authorised_at: datetime
    by: str
    policy_version: int = 0
    valid_until: date | None = None
    has_receipt: bool = True
    most_refund_cents: int | None = None
    pays_on_receipt: bool = False
    refund_shares: RefundShares = RefundShares()
    needs_approval: str = ""
    approved_by: str = ""
    reason: str = ""
    is_complete: bool = False
    received_at: datetime | None = None
    closed_at: datetime | None = None
    carrier: str = ""
    service: str = ""
    tracking_number: str = ""
    label_cents: int = 0
    label_url: str = ""
    weight_g: int = 0
    problem: str = ""
    events: tuple[CarrierEvent, ...] = ()
    fee_cents: int = 0
    label_fee_cents: int = 0
    shipping_refund_cents: int = 0
    refund_cents: int = 0
    store_credit_cents: int = 0
    store_credit: str = ""
    moves: tuple[StockMove, ...] = ()
    exchange: Exchange | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in NOTHING_CAME or self.state is ReturnState.CLOSED

    @property
    def received(self) -> int:
        """The units that have come."""
        return sum(line.received for line in self.lines)

    @property
    def waiting(self) -> int:
        """The units that have come, and were not looked at yet."""
        return sum(line.waiting for line in self.lines)

    def expected(self, line: ReturnLine) -> int:
        """Return the units of one of its lines that are still to come."""
        return 0 if self.is_complete or self.is_over else max(0, line.quantity - line.received)

    @property
    def exchange_order_id(self) -> str:
        """The order that the customer gets instead, blank if there is none yet."""
        return "" if self.exchange is None or not self.exchange.is_captured else self.exchange.order_id


def came_back(returns: Iterable[Return]) -> dict[str, int]:
    """Return the units of each line of an order's demand that have come back."""
    back: dict[str, int] = {}
    for each in returns:
        for line in each.lines:
            if line.line_id:
                back[line.line_id] = back.get(line.line_id, 0) + line.received
    return back
