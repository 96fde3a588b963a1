"""What stands on the paper of a bill: gathered from the bill, the order and the network. Pure.

Not here: how it looks (papers/invoice.py), and the log of who has seen it (documents.py).
"""

from __future__ import annotations

from engine.availability.reference import View
from engine.errors import IllegalState, NotFound
from engine.fulfillment.addresses import Address, address_of_node
from engine.fulfillment.papers.facts import BillFacts, Charge, PaperFacts, charges
from engine.orders.facts.bills import Bill, BillCause, BillKind
from engine.orders.facts.shipments import Shipment
from engine.orders.model import Order
from engine.orders.paying.billing import bills_of

_TITLES = {BillKind.INVOICE: "Invoice", BillKind.CREDIT_NOTE: "Credit note"}


def invoice_of(order: Order, shipment: Shipment, facts: PaperFacts, view: View) -> BillFacts:
    """Return the invoice of a shipment; before it has left that is a pro forma one, without a number.

    Raises IllegalState for an order without prices, and until the invoice has its number.
    """
    prices = order.life.money.prices
    if prices is None:
        raise IllegalState(f"Order {order.order_id!r} has no prices, and so no invoice. Capture it with prices.")
    mine = [each for each in bills_of(order) if (each.cause, each.subject) == (BillCause.SHIPPED, shipment.shipment_id)]
    if mine and mine[0].number:
        return bill_facts(order, mine[0], facts.recipient, view)
    if mine or shipment.has_left:
        raise IllegalState(
            f"The invoice of shipment {shipment.shipment_id!r} has no number yet. Ask again in a moment."
        )
    return BillFacts(
        title="Pro forma invoice",
        number="",
        sender=facts.sender,
        recipient=facts.recipient,
        reference=facts.reference,
        dated=facts.dated,
        about=(("Shipment", shipment.shipment_id),),
        charges=charges(order, shipment, facts.lines),
        currency=prices.currency,
    )


def bill_of(order: Order, number: str) -> Bill:
    """Return the bill of an order that has a number; raises NotFound."""
    for bill in order.life.bills:
        if bill.number == number:
            return bill
    raise NotFound(f"Order {order.order_id!r} has no bill {number!r}. GET /v1/orders/{{order_id}}/bills lists them.")


def bill_facts(order: Order, bill: Bill, recipient: Address, view: View) -> BillFacts:
    """Return what stands on a bill that has its number."""
    prices = order.life.money.prices
    assert prices is not None, "what has no prices has no bills"
    assert bill.dated is not None, "a bill with a number has its day"
    names = {each.sku: each.name for each in view.catalog.document.products if each.name}
    return BillFacts(
        title=_TITLES[bill.kind],
        number=bill.number,
        sender=_sender(order, bill, view),
        recipient=recipient,
        reference=order.life.channel_order_id or order.order_id,
        dated=bill.dated,
        about=_about(order, bill),
        charges=tuple(
            Charge(
                text=line.text or names.get(line.sku) or line.sku,
                quantity=line.quantity,
                total_cents=line.total_cents,
                tax_cents=line.tax_cents,
                code=line.tax_code,
            )
            for line in bill.lines
        ),
        currency=prices.currency,
    )


def _about(order: Order, bill: Bill) -> tuple[tuple[str, str], ...]:
    """Return what a bill is about; a credit note names the invoices of its order too."""
    head = {BillCause.SHIPPED: "Shipment", BillCause.RETURNED: "Return"}.get(bill.cause, "For")
    about = ((head, bill.subject),) if bill.subject else ()
    if bill.kind is BillKind.INVOICE:
        return about
    invoices = [each.number for each in order.life.bills if each.kind is BillKind.INVOICE]
    return (*about, ("Of", ", ".join(invoices[:4]) + ", …" * (len(invoices) > 4)))


def _sender(order: Order, bill: Bill, view: View) -> Address:
    """Return the node that a bill's shipment left, or the first of the order's."""
    gone = [each for each in order.life.shipments if each.has_left]
    node_id = next((each.node_id for each in gone if each.shipment_id == bill.subject), gone[0].node_id)
    node = next((each for each in view.network.document.nodes if each.node_id == node_id), None)
    return Address(name=node_id) if node is None else address_of_node(node)
