"""Where an order goes, as it was asked for or amended since. Not here: whether it can be (delivery.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an order goes: degrees, or a postal code with its country (ISO 3166 alpha-2), or both.

    `time_zone` is an IANA name; a home costs more with some services, and some serve no post office boxes.
    """

    latitude: float | None = None
    longitude: float | None = None
    postal_code: str | None = None
    country: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False
