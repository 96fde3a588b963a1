"""Shipping labels, one page of 4 by 6 inches for each carton, with the tracking number as a Code 128 bar code."""

from __future__ import annotations

import io

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch, mm
from reportlab.pdfgen.canvas import Canvas

from engine.fulfillment.papers.facts import PaperFacts
from engine.fulfillment.papers.sheet import BOLD, PLAIN, fitted_lines, printable, shown_address
from engine.orders.facts.shipments import Carton

WIDTH, HEIGHT = 4 * inch, 6 * inch
_EDGE = 12.0


def label(facts: PaperFacts) -> bytes:
    """Return the labels of a shipment as PDF; each of its cartons has to have a tracking number."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(printable(f"Labels {facts.shipment.shipment_id}"))
    for number, carton in enumerate(facts.shipment.cartons, 1):
        _page(canvas, facts, carton, number)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _page(canvas: Canvas, facts: PaperFacts, carton: Carton, number: int) -> None:
    canvas.setLineWidth(1.2)
    canvas.rect(6, 6, WIDTH - 12, HEIGHT - 12)
    wide = WIDTH - 2 * _EDGE
    _address(canvas, HEIGHT - 24, shown_address(facts.sender), room=52, largest=7.5, width=wide - 60)
    canvas.setFont(BOLD, 11)
    canvas.drawRightString(WIDTH - _EDGE, HEIGHT - 26, f"{number} / {len(facts.shipment.cartons)}")
    canvas.setFont(PLAIN, 8)
    canvas.drawRightString(WIDTH - _EDGE, HEIGHT - 38, f"{carton.weight_g / 1000:.2f} kg")
    canvas.line(6, HEIGHT - 80, WIDTH - 6, HEIGHT - 80)
    canvas.setFont(BOLD, 8)
    canvas.drawString(_EDGE, HEIGHT - 92, "SHIP TO")
    _address(canvas, HEIGHT - 110, shown_address(facts.recipient), room=118, largest=13, width=wide)
    canvas.line(6, HEIGHT - 232, WIDTH - 6, HEIGHT - 232)
    canvas.setFont(BOLD, 16)
    canvas.drawString(_EDGE, HEIGHT - 252, printable(f"{facts.carrier} {facts.shipment.service}".upper())[:28])
    canvas.setFont(PLAIN, 8)
    canvas.drawString(_EDGE, HEIGHT - 266, printable(f"ORDER {facts.reference}")[:58])
    canvas.drawString(_EDGE, HEIGHT - 277, f"LEAVES {facts.shipment.ship_on.isoformat()}")
    canvas.line(6, HEIGHT - 286, WIDTH - 6, HEIGHT - 286)
    _bars(canvas, carton.tracking_number)


def _bars(canvas: Canvas, number: str) -> None:
    code = Code128(number, barHeight=26 * mm, barWidth=1.0, quiet=False)
    widest = WIDTH - 2 * 18
    if code.width > widest:
        code = Code128(number, barHeight=26 * mm, barWidth=widest / code.width, quiet=False)
    code.drawOn(canvas, (WIDTH - code.width) / 2, 44)
    canvas.setFont(BOLD, 11)
    canvas.drawCentredString(WIDTH / 2, 24, spaced(number))


def spaced(number: str) -> str:
    """Return a number in groups of four, as people read it."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4)) if number.isalnum() else number


def _address(canvas: Canvas, top: float, lines: list[str], *, room: float, largest: float, width: float) -> None:
    """Write an address as large as it fits, whole: a line that is too long goes on in the next."""
    size = largest
    while True:
        shown = [part for text in lines for part in fitted_lines(text, width, size)]
        if len(shown) * size * 1.27 <= room or size <= 5:
            break
        size -= 0.5
    for number, line in enumerate(shown):
        canvas.setFont(PLAIN, size)
        canvas.drawString(_EDGE, top - number * size * 1.27, line)
