"""Documents of shipments over HTTP, and the log of who made, saw and sent them."""

from __future__ import annotations

import msgspec

from api.endpoint import Answer, Call, Endpoint, Handler, NoQuery
from api.routes.orders import ORDER
from api.schemas import documents as wire
from engine.errors import IllegalState, NotFound
from engine.fulfillment.documents import Document
from engine.orders.facts.bills import Bill
from engine.orders.model import Order
from engine.orders.paying.billing import bills_of

PDF, ZPL = "application/pdf", "application/zpl"
_PATH = "/v1/shipments/{shipment_id:path}"
_EXAMPLE = {"shipment_id": "shp_ord_1-1"}


async def get_packing_slip(call: Call[None, NoQuery]) -> Answer:
    """What is in the shipment, in which carton, and what comes later; without prices."""
    return await _made(call, Document.PACKING_SLIP, PDF)


async def get_invoice(call: Call[None, NoQuery]) -> Answer:
    """What the units of the shipment come to, with tax; the invoices of an order sum to what it is charged."""
    return await _made(call, Document.INVOICE, PDF)


async def get_label(call: Call[None, NoQuery]) -> Answer:
    """Its labels, a page of 4 by 6 inches for each carton, with the tracking number as a bar code."""
    return await _made(call, Document.LABEL, PDF)


async def get_zpl(call: Call[None, NoQuery]) -> Answer:
    """Its labels as ZPL II, for printers with 203 dots an inch."""
    return await _made(call, Document.ZPL, ZPL)


async def get_documents(call: Call[None, NoQuery]) -> Answer:
    """Who made, saw, sent or printed which document of the order, and when."""
    return Answer(value=_log(await call.engine.orders.get(call.path["order_id"])))


async def get_bills(call: Call[None, NoQuery]) -> Answer:
    """The invoices and credit notes of an order. They sum to what it was charged, less what was paid back."""
    order = await call.engine.orders.get(call.path["order_id"])
    return Answer(value=wire.OrderBills(data=[_bill(each) for each in bills_of(order)]))


async def get_bill(call: Call[None, NoQuery]) -> Answer:
    """An invoice or a credit note as PDF, by its number."""
    body = await call.engine.documents.make_bill(call.path["order_id"], call.path["number"])
    return Answer(value=body, media_type=PDF)


def _bill(bill: Bill) -> wire.OrderBill:
    return wire.OrderBill(
        number=bill.number or None,
        kind=bill.kind.value,
        cause=bill.cause.value,
        subject=bill.subject or None,
        dated=bill.dated,
        lines=[
            wire.BillLine(
                line_id=line.line_id or None,
                sku=line.sku or None,
                text=line.text or None,
                quantity=line.quantity,
                total_cents=line.total_cents,
                tax_cents=line.tax_cents,
                tax_code=line.tax_code or None,
            )
            for line in bill.lines
        ],
        total_cents=bill.total_cents,
        tax_cents=bill.tax_cents,
    )


async def log_document(call: Call[wire.DocumentActBody, NoQuery]) -> Answer:
    """Logs that a document was sent or printed."""
    body = call.body
    said = await call.engine.documents.say(
        call.path["shipment_id"],
        Document(body.document),
        body.act,
        detail=body.detail or "",
        by=body.by,
        replay=call.replay,
    )
    return Answer(value=_log(said.value), is_replayed=said.replayed)


async def _made(call: Call[None, NoQuery], document: Document, media_type: str) -> Answer:
    body = await call.engine.documents.make(call.path["shipment_id"], document)
    return Answer(value=body, media_type=media_type)


def _log(order: Order) -> wire.DocumentLog:
    return wire.DocumentLog(
        data=[
            wire.DocumentEntry(
                document=each.document,
                shipment_id=each.subject,
                act=each.act,
                by=each.by,
                at=each.at,
                sha256=each.sha256 or None,
                detail=each.detail or None,
            )
            for each in order.life.documents
        ]
    )


def _printed(last: str, summary: str, handler: Handler, reply: type[msgspec.Struct], media_type: str) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"{_PATH}/{last}",
        summary=summary,
        handler=handler,
        reply=reply,
        answers=media_type,
        scope="shipments:read",
        refusals=(NotFound, IllegalState),
        path_examples=_EXAMPLE,
    )


ENDPOINTS = (
    _printed("packing-slip", "Print the packing slip", get_packing_slip, wire.PrintedPage, PDF),
    _printed("invoice", "Print the invoice of a shipment", get_invoice, wire.PrintedPage, PDF),
    _printed("labels", "Print the labels of a shipment", get_label, wire.PrintedPage, PDF),
    _printed("labels-zpl", "Get the labels of a shipment as ZPL", get_zpl, wire.LabelCommands, ZPL),
    Endpoint(
        method="POST",
        path=f"{_PATH}/documents",
        summary="Log what was done with a document",
        handler=log_document,
        body=wire.DocumentActBody,
        reply=wire.DocumentLog,
        scope="shipments:write",
        refusals=(NotFound,),
        is_keyed=True,
        path_examples=_EXAMPLE,
        example={"document": "invoice", "act": "sent", "detail": "by e-mail"},
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/bills/{number}",
        summary="Print an invoice or a credit note of an order",
        handler=get_bill,
        reply=wire.PrintedPage,
        answers=PDF,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples={**ORDER, "number": "INV-2026-000001"},
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/bills",
        summary="Get the invoices and credit notes of an order",
        handler=get_bills,
        reply=wire.OrderBills,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/documents",
        summary="Get the document log of an order",
        handler=get_documents,
        reply=wire.DocumentLog,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
)
