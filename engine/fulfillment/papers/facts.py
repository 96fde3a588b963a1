"""What stands on the papers of a shipment, gathered once: no paper looks anything up.

Not here: how it looks (packing_slip.py, invoice.py, label.py, zpl.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from engine.catalog.model import Catalog
from engine.fulfillment.addresses import Address
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.orders.paying.values import demand_taxes, demand_values

LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """Units of a product: how many are in this shipment, how many were ordered, and how many are still to come."""

    line_id: str
    sku: str
    name: str
    quantity: int
    ordered: int
    to_come: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What units of a product come to on an invoice: all of it, and the tax in it; `code` is that of the tax."""

    text: str
    quantity: int
    total_cents: int
    tax_cents: int
    code: str

    @property
    def net_cents(self) -> int:
        """What it comes to without tax."""
        return self.total_cents - self.tax_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFacts:
    """A shipment as its papers tell it."""

    shipment: Shipment
    order_id: str
    channel_order_id: str
    ordered_on: date
    dated: date
    sender: Address
    recipient: Address
    carrier: str
    lines: tuple[PaperLine, ...]

    @property
    def is_letter(self) -> bool:
        """Whether paper is of the American size where it is printed."""
        return (self.sender.country or self.recipient.country) in LETTER_COUNTRIES

    @property
    def reference(self) -> str:
        """The order's number, as its customer knows it."""
        return self.channel_order_id or self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFacts:
    """An invoice or a credit note as its paper tells it; `about` is what else stands at its head."""

    title: str
    number: str
    sender: Address
    recipient: Address
    reference: str
    dated: date
    about: tuple[tuple[str, str], ...]
    charges: tuple[Charge, ...]
    currency: str

    @property
    def is_letter(self) -> bool:
        """Whether paper is of the American size where it is printed."""
        return (self.sender.country or self.recipient.country) in LETTER_COUNTRIES


def paper_lines(order: Order, shipment: Shipment, catalog: Catalog) -> tuple[PaperLine, ...]:
    """Return the lines of a shipment, and those of which nothing is in it and something is still to come."""
    names = {each.sku: each.name for each in catalog.document.products if each.name}
    here = {line.line_id: line.quantity for line in shipment.lines}
    gone = _units(order, lambda each: each is not shipment and each.has_left and each.state is not ShipmentState.LOST)
    cancelled: dict[str, int] = {}
    for each in order.life.cancelled:
        cancelled[each.line_id] = cancelled.get(each.line_id, 0) + each.quantity
    found = []
    for line in order.demand:
        wanted = line.quantity - cancelled.get(line.line_id, 0)
        to_come = max(0, wanted - here.get(line.line_id, 0) - gone.get(line.line_id, 0))
        if line.line_id in here or to_come:
            name = names.get(line.sku) or line.sku
            found.append(
                PaperLine(
                    line_id=line.line_id,
                    sku=line.sku,
                    name=name,
                    quantity=here.get(line.line_id, 0),
                    ordered=wanted,
                    to_come=to_come,
                )
            )
    return tuple(found)


def charges(order: Order, shipment: Shipment, lines: tuple[PaperLine, ...]) -> tuple[Charge, ...]:
    """Return what the units of a shipment will come to once it leaves, with the first of the order what shipping costs.

    Amounts are differences of rounded running totals over the shipments that have left, as those of invoices are.
    Empty if the order has no prices.
    """
    prices = order.life.money.prices
    if prices is None:
        return ()
    codes = {each.line_id: each.tax_code for each in prices.lines}
    before = _units(order, lambda each: _is_before(order, each, shipment))
    values, taxes = demand_values(order), demand_taxes(order)
    whole = {line.line_id: line.quantity for line in order.demand}
    found = []
    for line in lines:
        if not line.quantity:
            continue
        first = before.get(line.line_id, 0)
        cents, tax = (
            _part(amounts[line.line_id], whole[line.line_id], first, line.quantity) for amounts in (values, taxes)
        )
        code = codes.get(line.line_id) or codes.get(line.line_id.partition("/")[0], "")
        found.append(Charge(text=line.name, quantity=line.quantity, total_cents=cents, tax_cents=tax, code=code))
    if not before and prices.shipping_cents:
        tax = prices.shipping_tax_cents
        total = prices.shipping_cents + (0 if prices.is_tax_included else tax)
        found.append(Charge(text="Shipping", quantity=1, total_cents=total, tax_cents=tax, code="shipping"))
    return tuple(found)


def taxes_by_code(found: tuple[Charge, ...]) -> Mapping[str, tuple[int, int]]:
    """Return what is taxed and the tax on it, by tax code."""
    sums: dict[str, tuple[int, int]] = {}
    for charge in found:
        net, tax = sums.get(charge.code, (0, 0))
        sums[charge.code] = (net + charge.net_cents, tax + charge.tax_cents)
    return sums


def _part(cents: int, whole: int, first: int, units: int) -> int:
    return cents * (first + units) // whole - cents * first // whole


def _is_before(order: Order, each: Shipment, shipment: Shipment) -> bool:
    if not each.has_left or each.state is ShipmentState.LOST or each.shipment_id == shipment.shipment_id:
        return False
    if shipment.shipped_at is None or each.shipped_at is None:
        return True
    place = [known.shipment_id for known in order.life.shipments]
    return (each.shipped_at, place.index(each.shipment_id)) < (
        shipment.shipped_at,
        place.index(shipment.shipment_id),
    )


def _units(order: Order, counts: Callable[[Shipment], bool]) -> dict[str, int]:
    units: dict[str, int] = {}
    for shipment in order.life.shipments:
        for line in shipment.lines if counts(shipment) else ():
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units
