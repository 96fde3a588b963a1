"""The wire form of returns: what announces one, what came, what becomes of it, and how one looks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Cents, Identifier, Quantity, Reply
from api.schemas.order_steering import By, Reason
from api.schemas.tenders import TenderBody

ReturnId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=140,
        pattern=r"^[^\x00-\x1f\x7f]+(?![\s\S])",
        description="a return's id: 'ret_1_' and the id of its order",
    ),
]
State = Literal[
    "requested",
    "authorised",
    "in_transit",
    "delivered",
    "received",
    "inspected",
    "closed",
    "cancelled",
    "refused",
    "expired",
]
Disposition = Literal["restock", "refurbish", "scrap"]
Comment = Annotated[str, Meta(max_length=500)]
Percent = Annotated[int, Meta(ge=0, le=100)]


class ReturnLineBody(Body, frozen=True, kw_only=True):
    """Units of a line that come back; that of a kit's product is `<line_id>/<sku>`. The policy names the reasons."""

    line_id: Identifier
    quantity: Quantity
    reason: Annotated[str, Meta(min_length=1, max_length=64)]
    comment: Comment = ""


class ExchangeLineBody(Body, frozen=True, kw_only=True):
    """Units that the customer wants instead; without a price they have that of the catalog."""

    sku: Identifier
    quantity: Quantity
    unit_price_cents: Cents | None = None


class ExchangeBody(Body, frozen=True, kw_only=True):
    """What the customer wants instead: an order of its own, under `order_id` if one is given.

    What it costs beyond what the return is to pay back is paid by `tenders`.
    """

    lines: Annotated[list[ExchangeLineBody], Meta(min_length=1, max_length=1000)]
    order_id: Identifier | None = None
    service_level: Identifier | None = None
    tenders: Annotated[list[TenderBody], Meta(max_length=20)] = msgspec.field(default_factory=list)


class ReturnBody(Body, frozen=True, kw_only=True):
    """A return of units of an order, to `node_id` or to the best node.

    With `is_exception` it is not refused for its window or its terms, and somebody has to approve it.
    """

    lines: Annotated[list[ReturnLineBody], Meta(min_length=1, max_length=1000)]
    node_id: Identifier | None = None
    is_exception: bool = False
    exchange: ExchangeBody | None = None
    by: By | None = None


class BroughtLineBody(Body, frozen=True, kw_only=True):
    """Units of a product that come back without a receipt, and why."""

    sku: Identifier
    quantity: Quantity
    reason: Annotated[str, Meta(min_length=1, max_length=64)]
    comment: Comment = ""


class ReturnWithoutReceiptBody(Body, frozen=True, kw_only=True):
    """Units of which no order is known, and the node that they come to."""

    lines: Annotated[list[BroughtLineBody], Meta(min_length=1, max_length=1000)]
    node_id: Identifier
    customer_id: Identifier | None = None
    by: By | None = None


class ReturnDecisionBody(Body, frozen=True, kw_only=True):
    """Who decides so, and why."""

    reason: Comment = ""
    by: By | None = None


class ReturnReceivedBody(Body, frozen=True, kw_only=True):
    """Units that came."""

    sku: Identifier
    quantity: Quantity


class ReturnReceiptBody(Body, frozen=True, kw_only=True):
    """What came, whatever was announced; with `is_all` nothing more will. `node_id` says where, if it is elsewhere."""

    lines: Annotated[list[ReturnReceivedBody], Meta(max_length=1000)] = msgspec.field(default_factory=list)
    node_id: Identifier | None = None
    is_all: bool = False
    by: By | None = None


class ReturnInspectedBody(Body, frozen=True, kw_only=True):
    """Units and what becomes of them; `refund_percent` of their worth is paid back, else the share of the policy."""

    sku: Identifier
    quantity: Quantity
    disposition: Disposition
    refund_percent: Percent | None = None


class ReturnInspectionBody(Body, frozen=True, kw_only=True):
    """What somebody found who looked at what came."""

    lines: Annotated[list[ReturnInspectedBody], Meta(min_length=1, max_length=1000)]
    reason: Reason | None = None
    by: By | None = None


class ReturnRefurbishedBody(Body, frozen=True, kw_only=True):
    """Units that were to be refurbished: with `restock` they are sold again, with `scrap` they are gone."""

    sku: Identifier
    quantity: Quantity
    outcome: Literal["restock", "scrap"]


class ReturnRefurbishmentBody(Body, frozen=True, kw_only=True):
    """What became of units that were to be refurbished."""

    lines: Annotated[list[ReturnRefurbishedBody], Meta(min_length=1, max_length=1000)]
    reason: Reason | None = None
    by: By | None = None


class ReturnLine(Reply, frozen=True, kw_only=True):
    """Units of a line that come back, by which terms of the return policy, and what became of them.

    Units of no line of the order have a blank `line_id`. Of `value_cents` for the units that were taken back
    `refund_cents` are paid back.
    """

    line_id: str
    sku: str
    quantity: int
    reason: str
    comment: str
    terms: str
    restocking_percent: int
    received: int
    restocked: int
    refurbished: int
    scrapped: int
    value_cents: int
    refund_cents: int
    to_refurbish: Annotated[
        int, Meta(description="units that lie there as damaged until they are sold again or scrapped")
    ]


class ReturnStockMove(Reply, frozen=True, kw_only=True):
    """Units that came into stock, left it, or changed their condition (null is outside); `done_at` says since when."""

    sku: str
    quantity: int
    from_condition: str | None
    to_condition: str | None
    done_at: datetime | None
    is_counted: bool


class ExchangeLine(Reply, frozen=True, kw_only=True):
    """Units of a product."""

    sku: str
    quantity: int


class ReturnExchange(Reply, frozen=True, kw_only=True):
    """The order in exchange for a return: captured once `due` has come, and then promised for a day if it can be.

    Of its `total_cents` (null: no prices) `agreed_cents` are to be settled by what comes back, and `credit_cents`
    are by now; `difference_cents` are the customer's to pay.
    """

    order_id: str
    lines: list[ExchangeLine]
    due: Literal["authorised", "received", "inspected"]
    is_captured: bool
    promised_on: date | None
    total_cents: int | None
    agreed_cents: int
    difference_cents: int
    credit_cents: int


class ReturnEvent(Reply, frozen=True, kw_only=True):
    """What the carrier said of the parcel by which a return comes."""

    event: str
    at: datetime
    place: str | None
    detail: str | None


class Return(Reply, frozen=True, kw_only=True):
    """A return, what came of it, and what it pays back.

    `refund_cents` is what its lines' units come to and `shipping_refund_cents`, less `fee_cents` and `label_fee_cents`.
    """

    return_id: str
    order_id: str
    state: State
    node_id: str
    lines: list[ReturnLine]
    differences: Annotated[str, Meta(description="how what came differs from what was announced")]
    authorised_at: datetime
    by: str
    policy_version: int
    valid_until: Annotated[date | None, Meta(description="the last day for what is still to come, in UTC")]
    needs_approval: Annotated[str, Meta(description="why somebody has to approve it")]
    approved_by: str
    reason: Annotated[str, Meta(description="why it was cancelled or refused")]
    received_at: datetime | None
    closed_at: datetime | None
    carrier: str
    service: str
    tracking_number: str
    label_url: str
    label_cents: int
    problem: Annotated[str, Meta(description="why it has no label, or what its carrier says went wrong with it")]
    events: list[ReturnEvent]
    fee_cents: int
    label_fee_cents: int
    shipping_refund_cents: int
    refund_cents: int
    store_credit_cents: Annotated[int, Meta(description="what of it is store credit")]
    store_credit: Annotated[str | None, Meta(description="its code, by which orders are paid: who has it spends it")]
    has_receipt: bool
    stock: list[ReturnStockMove]
    exchange: ReturnExchange | None


class ReturnsOfOrder(Reply, frozen=True, kw_only=True):
    """The returns of an order, the oldest first."""

    data: list[Return]
    has_more: bool = False


class ReturnNodesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which line how many units would come back."""

    line_id: Identifier
    quantity: Quantity = 1


class ReturnNode(Reply, frozen=True, kw_only=True):
    """A node that units may come back to; `net_cents` is way and handling less what its stock needs them for.

    Without a service nobody brings them there, and `way_cents` is null.
    """

    node_id: str
    distance_km: float
    carrier: str | None
    service: str | None
    way_cents: int | None
    handling_cents: int
    need_cents: int
    net_cents: int


class ReturnNodes(Reply, frozen=True, kw_only=True):
    """Nodes that units may come back to, the best first."""

    data: list[ReturnNode]
    has_more: bool = False
