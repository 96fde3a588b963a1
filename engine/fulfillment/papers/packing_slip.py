"""The packing slip: what is in a shipment, in which carton, and what comes later. It has no prices."""

from __future__ import annotations

from engine.fulfillment.papers.facts import PaperFacts
from engine.fulfillment.papers.sheet import BOLD, GREY, Column, Sheet, shown_address


def packing_slip(facts: PaperFacts) -> bytes:
    """Return it as PDF."""
    shipment = facts.shipment
    sheet = Sheet(f"Packing slip {shipment.shipment_id}", is_letter=facts.is_letter)
    sheet.down(14)
    sheet.text("Packing slip", size=20, font=BOLD)
    sheet.text(shipment.shipment_id, x=sheet.inner, size=10, right=True)
    sheet.down(26)
    half = sheet.inner / 2
    ends = [
        sheet.block("Ship to", shown_address(facts.recipient), x=0, width=half),
        sheet.block("From", shown_address(facts.sender), x=half, width=half),
    ]
    sheet.y = min(ends) - 24
    dates = [
        ("Order", facts.reference),
        ("Ordered", facts.ordered_on.isoformat()),
        ("Leaves", shipment.ship_on.isoformat()),
        ("By", f"{facts.carrier}, {shipment.service}"),
    ]
    for place, (head, text) in enumerate(dates):
        sheet.block(head, [text], x=place * half / 2, width=half / 2)
    sheet.down(50)
    name = sheet.inner - 110 - 3 * 58
    sheet.table(
        [
            Column(head="SKU", width=110),
            Column(head="Product", width=name),
            Column(head="Ordered", width=58, is_right=True),
            Column(head="Enclosed", width=58, is_right=True),
            Column(head="To come", width=58, is_right=True),
        ],
        [(line.sku, line.name, str(line.ordered), str(line.quantity), str(line.to_come or "")) for line in facts.lines],
    )
    if len(shipment.cartons) > 1:
        _cartons(sheet, facts)
    sheet.room(40)
    sheet.down(22)
    units = sum(line.quantity for line in facts.lines)
    sheet.text(f"{units} {'unit' if units == 1 else 'units'} enclosed.", font=BOLD)
    if any(line.to_come for line in facts.lines):
        sheet.down(13)
        sheet.text("What is still to come is sent in another parcel.", grey=GREY)
    return sheet.done()


def _cartons(sheet: Sheet, facts: PaperFacts) -> None:
    cartons = facts.shipment.cartons
    sheet.room(60)
    sheet.down(26)
    sheet.text("Cartons", size=11, font=BOLD)
    sheet.down(16)
    sheet.table(
        [
            Column(head="Carton", width=70),
            Column(head="Kind", width=70),
            Column(head="Holds", width=sheet.inner - 70 - 70 - 70 - 140),
            Column(head="Weight", width=70, is_right=True),
            Column(head="Tracking number", width=140, is_right=True),
        ],
        [
            (
                f"{number} of {len(cartons)}",
                carton.carton,
                ", ".join(f"{line.quantity} x {line.sku}" for line in carton.lines),
                f"{carton.weight_g / 1000:.2f} kg",
                carton.tracking_number,
            )
            for number, carton in enumerate(cartons, 1)
        ],
    )
