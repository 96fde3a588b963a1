"""Checks of where an order goes: what an address has to have, and whether it looks like one.

Pure. Not here: whether the network knows the place at all (engine/orders/delivery.py refuses it otherwise), and whether
a house is there: that takes the data of a post office.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import asin, cos, radians, sin, sqrt

from engine.errors import Fault
from engine.orders.checking.document import AddressChecksDocument
from engine.orders.checking.model import CheckedOrder

_EARTH_KM = 6371.0088
_AT = "$.destination"
POSTAL_CODES = {
    "AT": r"[1-9]\d{3}",
    "AU": r"\d{4}",
    "BE": r"[1-9]\d{3}",
    "BR": r"\d{5}-?\d{3}",
    "CA": r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d",
    "CH": r"[1-9]\d{3}",
    "CZ": r"\d{3} ?\d{2}",
    "DE": r"\d{5}",
    "DK": r"\d{4}",
    "ES": r"(?:0[1-9]|[1-4]\d|5[0-2])\d{3}",
    "FI": r"\d{5}",
    "FR": r"\d{5}",
    "GB": r"(?:[A-Z]{1,2}\d[A-Z\d]?|GIR) ?(?:\d[ABD-HJLNP-UW-Z]{2}|0AA)",
    "IE": r"[A-Z]\d[\dW] ?[A-Z\d]{4}",
    "IN": r"[1-9]\d{5}",
    "IT": r"\d{5}",
    "JP": r"\d{3}-?\d{4}",
    "MX": r"\d{5}",
    "NL": r"[1-9]\d{3} ?[A-Z]{2}",
    "NO": r"\d{4}",
    "NZ": r"\d{4}",
    "PL": r"\d{2}-\d{3}",
    "PT": r"\d{4}-\d{3}",
    "SE": r"\d{3} ?\d{2}",
    "US": r"\d{5}(?:-\d{4})?",
}
"""How postal codes look, by country."""
_FORMATS = {country: re.compile(pattern) for country, pattern in POSTAL_CODES.items()}


def address_faults(order: CheckedOrder, rule: AddressChecksDocument) -> Iterator[Fault]:
    """Yield what is wrong with where an order goes; nothing of one that is picked up."""
    if order.captured.picked_up_at is not None:
        return
    place = order.captured.destination
    for name in rule.required:
        found = getattr(place, name) if name in {"postal_code", "country"} else getattr(order.contact, name)
        if not (found or "").strip():
            where = f"{_AT}.{name}" if name in {"postal_code", "country"} else f"$.customer.{name}"
            yield Fault(path=where, message="is needed; add it")
    if rule.countries is not None and place.country not in rule.countries:
        shown = "no country" if place.country is None else repr(place.country)
        message = f"{shown} is not where orders may go: {', '.join(rule.countries[:8])}"
        yield Fault(path=f"{_AT}.country", message=message)
    if place.is_po_box and not rule.po_boxes:
        yield Fault(path=f"{_AT}.is_po_box", message="a post office box is not served; give a street address")
    if rule.postal_code_formats:
        yield from _format_faults(place.country, place.postal_code)
    if rule.max_km_from_postal_code is not None:
        yield from _distance_faults(order, rule.max_km_from_postal_code)


def _format_faults(country: str | None, postal_code: str | None) -> Iterator[Fault]:
    expected = _FORMATS.get(country or "")
    if expected is None or postal_code is None:
        return
    if not expected.fullmatch(postal_code.strip().upper()):
        message = f"{postal_code!r} does not look like a postal code of {country}; correct it"
        yield Fault(path=f"{_AT}.postal_code", message=message)


def _distance_faults(order: CheckedOrder, most_km: float) -> Iterator[Fault]:
    place = order.captured.destination
    if place.country is None or place.postal_code is None or place.latitude is None or place.longitude is None:
        return
    known = order.network.place_of(place.country, place.postal_code)
    if known is None:
        return
    apart = _km(place.latitude, place.longitude, known.latitude, known.longitude)
    if apart > most_km:
        message = f"{place.country} {place.postal_code} is {apart:.0f} km from the coordinates; correct one of both"
        yield Fault(path=f"{_AT}.postal_code", message=message)


def _km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance; haversine."""
    north, south = radians(latitude), radians(other_latitude)
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))
