"""The wire form of customers: what is known of them, how they are found, all of it exported, and their erasure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from api.schemas.fields import Body, Identifier, Reply

_Text = Annotated[str, Meta(max_length=400)]


class AddressBody(Body, frozen=True, kw_only=True):
    """An address of a customer; `country` has two capital letters of ISO 3166."""

    address_id: Identifier
    name: _Text = ""
    company: _Text = ""
    street: _Text = ""
    street_2: _Text = ""
    city: _Text = ""
    region: _Text = ""
    postal_code: _Text = ""
    country: _Text = ""
    phone: _Text = ""


class CustomerBody(Body, frozen=True, kw_only=True):
    """All that is to be known of a customer; what is left out is forgotten."""

    name: _Text = ""
    company: _Text = ""
    email: _Text = ""
    phone: _Text = ""
    language: _Text = ""
    addresses: Annotated[list[AddressBody], Meta(max_length=100)] = msgspec.field(default_factory=list)
    channels: Annotated[
        list[_Text], Meta(max_length=10, description="how notices reach them, email or webhook; none: not at all")
    ] = msgspec.field(default_factory=lambda: ["email"])
    opt_outs: Annotated[
        list[_Text], Meta(max_length=100, description="notices that they do not want, by template; `*`: none at all")
    ] = msgspec.field(default_factory=list)
    expected_version: Annotated[int, Meta(ge=0, description="refused if the customer is at another one")] | None = None


class FindBody(Body, frozen=True, kw_only=True):
    """What customers are found by; both: those who have both."""

    email: _Text | None = None
    phone: _Text | None = None


class EraseBody(Body, frozen=True, kw_only=True):
    """Whether to erase a customer some of whose orders are not over."""

    even_with_open_orders: bool = False


class CustomerAddress(Reply, frozen=True, kw_only=True):
    """An address of a customer."""

    address_id: str
    name: str
    company: str
    street: str
    street_2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str


class CustomerReply(Reply, frozen=True, kw_only=True):
    """A customer; of a guest, whom only orders name, nothing is known beside their orders: version 0."""

    customer_id: str
    version: int
    name: str
    company: str
    email: str
    phone: str
    language: str
    addresses: list[CustomerAddress]
    channels: list[str]
    opt_outs: list[str]


class FoundCustomers(Reply, frozen=True, kw_only=True):
    """The ids of customers, guests too."""

    data: list[str]
    has_more: bool


class ErasedReply(Reply, frozen=True, kw_only=True):
    """That a customer was erased, when, and how many orders still name their id."""

    customer_id: str
    erased_at: datetime
    orders: int


class ExportedNotice(Reply, frozen=True, kw_only=True):
    """A message that was sent to them, or was not, and why."""

    template: str
    channel: str
    at: datetime
    subject: str
    outcome: str


class ExportedLine(Reply, frozen=True, kw_only=True):
    """A line of an order of theirs."""

    line_id: str
    sku: str
    quantity: int


class ExportedOrder(Reply, frozen=True, kw_only=True):
    """An order of theirs: what they told, and what they were told."""

    order_id: str
    channel: str
    captured_at: datetime
    state: str
    postal_code: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    lines: list[ExportedLine]
    customer: dict[str, Any] | None
    payment: dict[str, Any] | None
    notices: list[ExportedNotice]


class ExportReply(Reply, frozen=True, kw_only=True):
    """All that is kept of a customer, orders oldest first."""

    exported_at: datetime
    profile: CustomerReply
    orders: list[ExportedOrder]
