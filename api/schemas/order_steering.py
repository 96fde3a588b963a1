"""The wire form of what nodes and people say of orders: rejections, acceptances, overrides, order holds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.fields import Body, Identifier, Quantity, Reply

Reason = Annotated[str, Meta(min_length=1, max_length=500)]
By = Annotated[str, Meta(min_length=1, max_length=128, description="who says so; without it, the id of the request")]
HoldKind = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,39}(?![\s\S])",
        description="a word for what an order waits for: small letters, digits and '_'",
    ),
]
Kind = Literal["rejected", "short_pick", "damaged", "time_out", "closed"]
Priority = Annotated[int, Meta(ge=0, le=9, description="of orders that contend for units, the higher get them")]


class RejectedLineBody(Body, frozen=True, kw_only=True):
    """Units of a line, all that the node has of it if no quantity is given."""

    line_id: Identifier
    quantity: Quantity | None = None


class RejectionBody(Body, frozen=True, kw_only=True):
    """What a node does not ship: these lines, or all that it was given. `short_pick`: they are not there."""

    node_id: Identifier
    reason: Reason
    kind: Annotated[
        Literal["rejected", "short_pick", "damaged"],
        Meta(description="`damaged`: the units are broken, and stay there as damaged stock"),
    ] = "rejected"
    lines: Annotated[list[RejectedLineBody], Meta(min_length=1, max_length=1000)] | None = None
    by: By | None = None


class AcceptanceBody(Body, frozen=True, kw_only=True):
    """Which node ships what it was given."""

    node_id: Identifier
    by: By | None = None


class PinBody(Body, frozen=True, kw_only=True):
    """The only node that may ship a line; null takes an earlier pin away."""

    line_id: Identifier
    node_id: Identifier | None


class OverrideBody(Body, frozen=True, kw_only=True):
    """What people decide about an order; what is left out stays as it was."""

    reason: Reason
    pins: Annotated[list[PinBody], Meta(min_length=1, max_length=1000)] | None = None
    forbidden_node_ids: (
        Annotated[list[Identifier], Meta(max_length=1000, description="in place of earlier ones; empty: none")] | None
    ) = None
    priority: Priority | None = None
    by: By | None = None


class OrderHoldBody(Body, frozen=True, kw_only=True):
    """Why an order is stopped, by an order hold of which kind; an order has one of each kind.

    Released by hand, at `release_at`, or by the event `release_on` of its history, whichever comes first.
    """

    reason: Reason
    kind: HoldKind = "manual"
    release_at: datetime | None = None
    release_on: Annotated[str, Meta(min_length=1, max_length=60, description="such as payment_authorised")] | None = (
        None
    )
    by: By | None = None


class UnholdBody(Body, frozen=True, kw_only=True):
    """The kind of the order hold to release; without one all, but for what waits for approval."""

    kind: HoldKind | None = None
    by: By | None = None


class CancelledLineBody(Body, frozen=True, kw_only=True):
    """Units of a line, as the customer ordered it; all that can be cancelled of it if no quantity is given."""

    line_id: Identifier
    quantity: Quantity | None = None


class CancelBody(Body, frozen=True, kw_only=True):
    """What to cancel: these lines, or all that has not left yet."""

    lines: Annotated[list[CancelledLineBody], Meta(min_length=1, max_length=1000)] | None = None
    reason: Reason | None = None
    by: By | None = None


class ApprovalBody(Body, frozen=True, kw_only=True):
    """Who approves an order, or does not, and the rule that stopped it; without one all that wait."""

    by: Annotated[str, Meta(min_length=1, max_length=128, description="who says so")]
    is_approved: Annotated[bool, Meta(description="false cancels the order")] = True
    rule: Annotated[str, Meta(min_length=1, max_length=128, description="of the order policy")] | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""


class LineUnits(Reply, frozen=True, kw_only=True):
    """Units of a line."""

    line_id: str
    quantity: int


class Rejection(Reply, frozen=True, kw_only=True):
    """Lines that a node did not ship, of the decision of a run."""

    node_id: str
    kind: Kind
    reason: str
    lines: list[LineUnits]
    at: datetime
    by: str
    run_id: str | None


class Pin(Reply, frozen=True, kw_only=True):
    """The only node that may ship a line."""

    line_id: str
    node_id: str


class OrderHold(Reply, frozen=True, kw_only=True):
    """Why an order is stopped; `too_many_rejections` where nodes have refused it as often as may be.

    It is released by hand, at `release_at`, or by the event `release_on` of the order's history.
    """

    reason: str
    at: datetime
    by: str
    kind: str = "manual"
    release_at: datetime | None = None
    release_on: str | None = None
