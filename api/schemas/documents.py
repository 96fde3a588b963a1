"""The wire form of the log of documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.fields import Body, Reply
from api.schemas.order_steering import By

Printed = Literal["packing_slip", "invoice", "label", "zpl"]


class DocumentActBody(Body, frozen=True, kw_only=True):
    """What was done with a document of a shipment; `detail` says how, and names nobody: it is not sealed."""

    document: Printed
    act: Literal["sent", "printed"]
    detail: Annotated[str, Meta(max_length=200)] | None = None
    by: By | None = None


class DocumentEntry(Reply, frozen=True, kw_only=True):
    """Who made, saw, sent or printed which document of which shipment, and when; `sha256` is that of its bytes."""

    document: str
    shipment_id: str
    act: str
    by: str
    at: datetime
    sha256: str | None
    detail: str | None


class DocumentLog(Reply, frozen=True, kw_only=True):
    """The log of an order's documents, the newest last; of more than 200 entries the newest."""

    data: list[DocumentEntry]


class BillLine(Reply, frozen=True, kw_only=True):
    """What a bill charges, or gives credit for; `tax_cents` of `total_cents` are tax."""

    line_id: Annotated[str | None, Meta(description="null for shipping, fees and goodwill, as `text` says")]
    sku: str | None
    text: str | None
    quantity: int
    total_cents: int
    tax_cents: int
    tax_code: str | None


class OrderBill(Reply, frozen=True, kw_only=True):
    """An invoice or a credit note; `subject` is the shipment or return it is about, null if that is the order."""

    number: Annotated[str | None, Meta(description="null for a moment, until it is allotted")]
    kind: Literal["invoice", "credit_note"]
    cause: Literal["shipped", "corrected", "returned", "refunded"]
    subject: str | None
    dated: date | None
    lines: list[BillLine]
    total_cents: int
    tax_cents: int


class OrderBills(Reply, frozen=True, kw_only=True):
    """The bills of an order, in the order of their numbers, those that wait for one last."""

    data: list[OrderBill]


class PrintedPage(Reply, frozen=True, kw_only=True):
    """A document to print, as PDF."""


class LabelCommands(Reply, frozen=True, kw_only=True):
    """Labels as commands of ZPL II."""
