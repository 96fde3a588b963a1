"""The documents of a shipment, made when they are asked for, and the log of who made, saw or sent which of them.

A document is made of the facts as they are, so that it is the same as long as they are; its digest in the log says
whether it was. Not here: how it looks (papers/).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from engine.availability.reference import Reference, View
from engine.errors import IllegalState
from engine.events.actor import actor
from engine.fulfillment.addresses import Address, address_of_node
from engine.fulfillment.bill_papers import bill_facts, bill_of, invoice_of
from engine.fulfillment.labels import Addressed, carrier_of
from engine.fulfillment.papers.facts import PaperFacts, paper_lines
from engine.fulfillment.shipments import order_id_of, shipment_of
from engine.inventory.model import Outcome, Replay
from engine.orders.changing import OrderChanges
from engine.orders.facts.bills import BillKind
from engine.orders.facts.shipments import DocumentEntry, Shipment
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of

Act = Literal["made", "seen", "sent", "printed"]
MOST_ENTRIES = 200
"""Entries that an order keeps of its log, the newest; each stands in its history too."""


class Document(StrEnum):
    """What can be printed for a shipment; a credit note is of an order."""

    PACKING_SLIP = "packing_slip"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    LABEL = "label"
    ZPL = "zpl"


class DocumentService:
    """Makes documents and keeps their log."""

    def __init__(self, changes: OrderChanges, reference: Reference, addressed: Addressed) -> None:
        self._changes, self._reference, self._addressed = changes, reference, addressed

    async def make(self, shipment_id: str, document: Document) -> bytes:
        """Return a document of a shipment, and log who has made it, or has seen it again.

        Raises NotFound; IllegalState for labels that are not bought yet, and invoices of what has no prices.
        """
        order = await self._changes.get(order_id_of(shipment_id))
        shipment = shipment_of(order, shipment_id)
        view = await self._reference.current()
        facts = self._facts(order, shipment, view, await self._addressed(order))
        body = await asyncio.to_thread(_written(document, order, shipment, facts, view))
        return await self._seen(order, shipment_id, document, body)

    async def make_bill(self, order_id: str, number: str) -> bytes:
        """Return an invoice or a credit note of an order by its number, logged as `make` does; raises NotFound."""
        from engine.fulfillment.papers.invoice import invoice

        order = await self._changes.get(order_id)
        bill = bill_of(order, number)
        facts = bill_facts(order, bill, await self._addressed(order), await self._reference.current())
        body = await asyncio.to_thread(invoice, facts)
        if bill.kind is BillKind.CREDIT_NOTE:
            return await self._seen(order, number, Document.CREDIT_NOTE, body)
        return await self._seen(order, bill.subject or number, Document.INVOICE, body)

    async def _seen(self, order: Order, subject: str, document: Document, body: bytes) -> bytes:
        """Log who has made a document, or has seen it again, and return it."""
        digest = sha256(body).hexdigest()
        await self._changes.change(
            order.order_id, lambda now, at: _logged(now, _entry(now, subject, document, digest, at))
        )
        return body

    async def say(
        self,
        shipment_id: str,
        document: Document,
        act: Act,
        *,
        detail: str = "",
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Log what people have done with a document: sent or printed it. Raises NotFound."""

        def rule(order: Order, at: datetime) -> Revision:
            shipment_of(order, shipment_id)
            known = [each for each in order.life.documents if (each.document, each.subject) == (document, shipment_id)]
            digest = known[-1].sha256 if known else ""
            entry = DocumentEntry(
                document=document.value,
                subject=shipment_id,
                act=act,
                by=by or actor(),
                at=at,
                sha256=digest,
                detail=detail,
            )
            return _logged(order, entry)

        return await self._changes.change(order_id_of(shipment_id), rule, replay)

    def _facts(self, order: Order, shipment: Shipment, view: View, recipient: Address) -> PaperFacts:
        network = view.network.document
        node = next((each for each in network.nodes if each.node_id == shipment.node_id), None)
        zone = ZoneInfo("UTC" if node is None else node.time_zone)
        dated = shipment.shipped_at or shipment.packed_at or shipment.released_at
        return PaperFacts(
            shipment=shipment,
            order_id=order.order_id,
            channel_order_id=order.life.channel_order_id,
            ordered_on=order.captured.captured_at.astimezone(zone).date(),
            dated=dated.astimezone(zone).date(),
            sender=Address(name=shipment.node_id) if node is None else address_of_node(node),
            recipient=recipient,
            carrier=shipment.carrier or carrier_of(network, shipment.service),
            lines=paper_lines(order, shipment, view.catalog),
        )


def _written(
    document: Document, order: Order, shipment: Shipment, facts: PaperFacts, view: View
) -> Callable[[], bytes]:
    """Return what writes a document; the library that draws is loaded by who needs it only."""
    if document is Document.PACKING_SLIP:
        from engine.fulfillment.papers.packing_slip import packing_slip

        return lambda: packing_slip(facts)
    if document is Document.INVOICE:
        from engine.fulfillment.papers.invoice import invoice

        billed = invoice_of(order, shipment, facts, view)
        return lambda: invoice(billed)
    if not shipment.cartons or not all(carton.tracking_number for carton in shipment.cartons):
        why = shipment.problem or f"it is {shipment.state.value}; labels are bought when it is packed"
        raise IllegalState(f"Shipment {shipment.shipment_id!r} has no labels yet: {why}.")
    if document is Document.ZPL:
        from engine.fulfillment.papers.zpl import zpl

        return lambda: zpl(facts)
    from engine.fulfillment.papers.label import label

    return lambda: label(facts)


def _entry(order: Order, shipment_id: str, document: Document, digest: str, at: datetime) -> DocumentEntry:
    is_known = any(
        (each.document, each.subject, each.sha256) == (document, shipment_id, digest) for each in order.life.documents
    )
    return DocumentEntry(
        document=document.value,
        subject=shipment_id,
        act="seen" if is_known else "made",
        by=actor(),
        at=at,
        sha256=digest,
    )


def _logged(order: Order, entry: DocumentEntry) -> Revision:
    life = msgspec.structs.replace(order.life, documents=(*order.life.documents, entry)[-MOST_ENTRIES:])
    note = Note(event=f"document_{entry.act}", by=entry.by, reason=entry.document, subject=entry.subject)
    return revision_of(order, replace(order, life=life), note)
