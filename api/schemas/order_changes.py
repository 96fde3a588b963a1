"""The wire form of changes of an order: what is to be changed, and what that would come to."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from api.schemas.fields import Body, Cents, Identifier, Quantity, Reply
from api.schemas.order_steering import By, Reason
from api.schemas.orders import DestinationBody, Order


class ModifiedLineBody(Body, frozen=True, kw_only=True):
    """A line as it is to be: one of the order by its `line_id`, or one of another SKU, which is added.

    A price that is left out stays, or is that of the catalog; a discount shrinks and grows with the quantity.
    """

    quantity: Annotated[int, Meta(ge=0, le=10**6, description="with what was cancelled of it; 0 removes the line")]
    line_id: Identifier | None = None
    sku: Identifier | None = None
    unit_price_cents: Cents | None = None
    discount_cents: Cents | None = None
    tax_code: Identifier | None = None
    unit_cost_cents: Cents | None = None


class ModifyBody(Body, frozen=True, kw_only=True):
    """What is to be changed of an order; what is left out stays as it is.

    With `dry_run` nothing is changed, and the answer says what it would come to. With `expected_total_cents` it is
    refused if the order would come to anything else.
    """

    lines: Annotated[list[ModifiedLineBody], Meta(min_length=1, max_length=1000)] | None = None
    destination: DestinationBody | None = None
    service_level: Identifier | None = None
    need_by: date | None = None
    shipping_cents: Cents | None = None
    expected_total_cents: Cents | None = None
    dry_run: bool = False
    reason: Reason | None = None
    by: By | None = None


class SplitLineBody(Body, frozen=True, kw_only=True):
    """Units of a line, as the customer ordered it; all that are left of it if no quantity is given."""

    line_id: Identifier
    quantity: Quantity | None = None


class SplitBody(Body, frozen=True, kw_only=True):
    """What is to be an order of its own, and where that goes; without a destination where this one does."""

    lines: Annotated[list[SplitLineBody], Meta(min_length=1, max_length=1000)]
    destination: DestinationBody | None = None
    reason: Reason | None = None
    by: By | None = None


class MergeBody(Body, frozen=True, kw_only=True):
    """The order that this one is to join."""

    into: Identifier
    reason: Reason | None = None
    by: By | None = None


class ModificationPreview(Reply, frozen=True, kw_only=True):
    """What a modification would come to; money is null, or 0, where the order has no prices or is not paid for.

    `opened_units` have a node now and would be routed anew; `promised_on` is by when it can be there, null if that is
    not known before it is routed.
    """

    difference_cents: int | None
    refund_cents: int
    authorise_cents: int
    opened_units: int
    promised_on: date | None


class ModifiedOrder(Reply, frozen=True, kw_only=True):
    """An order as it was modified, or as it would be: then with a preview."""

    dry_run: bool
    order: Order
    preview: ModificationPreview | None
