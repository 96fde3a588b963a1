"""Shipping labels as ZPL II, which label printers understand without a driver: 4 by 6 inches at 203 dots an inch."""

from __future__ import annotations

from textwrap import wrap

from engine.fulfillment.papers.facts import PaperFacts
from engine.fulfillment.papers.label import spaced
from engine.fulfillment.papers.sheet import shown_address
from engine.orders.facts.shipments import Carton

_WIDTH, _HEIGHT = 812, 1218
_SPECIAL = frozenset("^~_\\")


def zpl(facts: PaperFacts) -> bytes:
    """Return the labels of a shipment; each of its cartons has to have a tracking number."""
    labels = [_label(facts, carton, number) for number, carton in enumerate(facts.shipment.cartons, 1)]
    return "".join(labels).encode()


def _label(facts: PaperFacts, carton: Carton, number: int) -> str:
    shipment = facts.shipment
    fields = [
        *_address(40, shown_address(facts.sender), room=150, largest=24, wide=580),
        _text(640, 40, 36, f"{number} / {len(shipment.cartons)}"),
        _text(640, 84, 24, f"{carton.weight_g / 1000:.2f} kg"),
        _line(200),
        _text(30, 216, 22, "SHIP TO"),
        *_address(250, shown_address(facts.recipient), room=330, largest=40, wide=750),
        _line(590),
        _text(30, 612, 48, f"{facts.carrier} {shipment.service}".upper()),
        _text(30, 672, 26, f"ORDER {facts.reference}"),
        _text(30, 706, 26, f"LEAVES {shipment.ship_on.isoformat()}"),
        _line(748),
        f"^FO70,790^BY3,2,280^BCN,280,N,N,N,A^FD{_safe(carton.tracking_number)}^FS",
        _text(70, 1100, 40, spaced(carton.tracking_number)),
    ]
    return f"^XA^CI28^PW{_WIDTH}^LL{_HEIGHT}\n" + "\n".join(fields) + "\n^XZ\n"


def _address(top: int, lines: list[str], *, room: int, largest: int, wide: int) -> list[str]:
    """Return fields of an address as large as it fits, whole; a letter is taken to be half as wide as it is high."""
    size = largest
    while True:
        shown = [part for text in lines for part in wrap(text, 2 * wide // size)]
        high = size * 23 // 20
        if len(shown) * high <= room or size <= 14:
            return [_text(30, top + row * high, size, text) for row, text in enumerate(shown)]
        size -= 2


def _text(x: int, y: int, size: int, text: str) -> str:
    """Return a field of text; `^FH` lets letters that mean something to the printer be written as their codes."""
    return f"^FO{x},{y}^A0N,{size},{size}^FH_^FD{_safe(text)}^FS"


def _line(y: int) -> str:
    return f"^FO12,{y}^GB{_WIDTH - 24},3,3^FS"


def _safe(text: str) -> str:
    """Return a text without anything that the printer would take as a command: an address may hold any letter."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(f"_{ord(letter):02X}" if letter in _SPECIAL else letter for letter in shown)
