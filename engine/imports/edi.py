"""From an X12 file of purchase orders (850) to rows: each order as the body of a request, by the sender's own number.

Read are BEG, CUR, DTM, AMT, N1, N3, N4 and PER of the ship-to party, and PO1; other segments say nothing that an order
needs. The sender (GS02, else ISA06) is the channel. Not here: answering the sender (997, 855), other documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.errors import Fault, InvalidInput
from engine.imports.model import MOST_ROWS, Row

_ISA_BYTES = 106
_SKU_BY = ("SK", "VN", "VP", "BP", "UP", "EN")
"""Whose number of a product counts first: seller's SKU, vendor's, buyer's part, UPC, EAN."""
_SHIP_TO, _DELIVERY_REQUESTED, _TOTAL = "ST", "002", "TT"
Segment = tuple[str, ...]


def is_x12(body: bytes) -> bool:
    """Return whether a file begins as an X12 interchange does."""
    start = body.lstrip()[:4]
    return start[:3] == b"ISA" and len(start) == 4 and not start[3:].isalnum()


def rows_of_x12(body: bytes) -> list[Row]:
    """Return a row for each purchase order of an interchange; raises InvalidInput for what is none."""
    try:
        text = body.decode("utf-8").lstrip()
    except UnicodeDecodeError as error:
        raise InvalidInput(Fault(path="body", message=f"is not UTF-8 at byte {error.start}; send UTF-8 text")) from None
    if len(text) < _ISA_BYTES:
        raise InvalidInput(Fault(path="body", message="ends within the ISA segment; send the whole interchange"))
    rows = list(_orders(_segments(text)))
    if not rows:
        raise InvalidInput(Fault(path="body", message="has no purchase order (ST*850)"))
    if len(rows) > MOST_ROWS:
        message = f"has {len(rows):,} orders, and may have {MOST_ROWS:,}; send it in several imports"
        raise InvalidInput(Fault(path="body", message=message))
    return rows


def _segments(text: str) -> Iterator[tuple[int, Segment]]:
    """Yield each segment with its number, from 1."""
    separator, terminator = text[3], text[_ISA_BYTES - 1]
    for number, segment in enumerate(text.split(terminator), start=1):
        if segment.strip():
            yield number, tuple(part.strip() for part in segment.strip().split(separator))


def _orders(segments: Iterable[tuple[int, Segment]]) -> Iterator[Row]:
    sender, began, found, is_order = "", 0, list[Segment](), False
    for number, segment in segments:
        if segment[0] == "ISA":
            sender = _at(segment, 6)
        elif segment[0] == "GS":
            sender = _at(segment, 2) or sender
        elif segment[0] == "ST":
            began, found, is_order = number, [], _at(segment, 1) == "850"
        elif segment[0] == "SE" and is_order:
            yield _row(began, found, sender)
            is_order = False
        else:
            found.append(segment)
    if is_order:
        yield Row(began, None, "is not closed by SE; send the whole transaction")


def _row(line: int, segments: list[Segment], sender: str) -> Row:
    order: dict[str, Any] = {"channel": sender, "lines": []}
    try:
        for segment in segments:
            _take(order, segment)
        order.update(_ship_to(segments))
    except ValueError as error:
        return Row(line, order, str(error))
    return Row(line, order, "" if "channel_order_id" in order else "has no BEG03, the number of the purchase order")


def _take(order: dict[str, Any], segment: Segment) -> None:
    name = segment[0]
    if name == "BEG" and _at(segment, 3):
        order["channel_order_id"] = _at(segment, 3)
    elif name == "CUR" and _at(segment, 2):
        order["currency"] = _at(segment, 2)
    elif name == "DTM" and _at(segment, 1) == _DELIVERY_REQUESTED:
        order["need_by"] = _date(_at(segment, 2))
    elif name == "AMT" and _at(segment, 1) == _TOTAL:
        order["total_cents"] = _cents(_at(segment, 2), "AMT02")
    elif name == "PO1":
        order["lines"].append(_line(segment))


def _line(segment: Segment) -> dict[str, Any]:
    ids = dict(zip(segment[6::2], segment[7::2], strict=False))
    sku = next((ids[by] for by in _SKU_BY if ids.get(by)), "")
    if not sku:
        raise ValueError(f"PO1 {_at(segment, 1)} names no product; give one of {', '.join(_SKU_BY)}")
    quantity = _at(segment, 2)
    if not quantity.isdecimal():
        raise ValueError(f"PO102: {quantity[:60]!r} is not a whole number of units")
    line: dict[str, Any] = {"sku": sku, "quantity": int(quantity)}
    if _at(segment, 1):
        line["line_id"] = _at(segment, 1)
    if _at(segment, 4):
        line["unit_price_cents"] = _cents(_at(segment, 4), "PO104")
    return line


def _ship_to(segments: list[Segment]) -> dict[str, Any]:
    """Return the destination and the customer of the ship-to party, as a request has them."""
    place, customer, is_here = dict[str, Any](), dict[str, Any](), False
    for segment in segments:
        name = segment[0]
        if name in {"N1", "PO1"}:
            is_here = name == "N1" and _at(segment, 1) == _SHIP_TO
            if is_here and _at(segment, 2):
                customer["name"] = _at(segment, 2)
        elif is_here and name == "N3":
            customer.update(_given(street=_at(segment, 1), street_2=_at(segment, 2)))
        elif is_here and name == "N4":
            customer.update(_given(city=_at(segment, 1), region=_at(segment, 2)))
            place.update(_given(postal_code=_at(segment, 3), country=_at(segment, 4) or "US"))
        elif is_here and name == "PER":
            ways = dict(zip(segment[3::2], segment[4::2], strict=False))
            customer.update(_given(phone=ways.get("TE", ""), email=ways.get("EM", "")))
    return {name: value for name, value in (("destination", place), ("customer", customer)) if value}


def _given(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _at(segment: Segment, index: int) -> str:
    return segment[index] if index < len(segment) else ""


def _date(text: str) -> str:
    try:
        return datetime.strptime(text, "%Y%m%d").date().isoformat()
    except ValueError:
        raise ValueError(f"DTM02: {text[:60]!r} is not a date (YYYYMMDD)") from None


def _cents(text: str, place: str) -> int:
    """Return an amount in cents, of whole currency units with decimals."""
    try:
        cents = Decimal(text) * 100
        if cents.is_finite() and cents == cents.to_integral_value() and cents >= 0:
            return int(cents)
    except InvalidOperation:
        pass
    raise ValueError(f"{place}: {text[:60]!r} is no amount of whole cents")
