"""What a reservation keeps of the option it was made from, so that an order that takes it over knows it too.

Here: the terms, and the text that a reservation keeps of them, which stores do not look into. Not here: who makes them
(engine/promising/kept.py), what an order does with them (engine/orders).
"""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Struct


class PromisedParcel(Struct, frozen=True, kw_only=True):
    """A parcel as it was promised: from a node, by a service (`pickup`: handed over there), on a day, so many grams."""

    node_id: str
    service: str
    ship_on: date
    weight_g: int = 0


class PromisedTerms(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An option as it was promised, and what was asked for beside its lines.

    `service_level` is the option's, `wanted_level` the only one that was asked for, if it was one. `p50` and `p90` are
    days of arrival; `time_zone`, `residential` and `is_po_box` are of the destination.
    """

    service_level: str
    p50: date
    p90: date
    parcels: tuple[PromisedParcel, ...] = ()
    pickup_node_id: str | None = None
    wanted_level: str | None = None
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PromisedTerms).decode


def text_of(terms: PromisedTerms) -> str:
    """Return terms as a reservation keeps them."""
    return _encode(terms).decode()


def terms_of(text: str | None) -> PromisedTerms | None:
    """Return the terms that a reservation keeps, None if it was made from no option."""
    return None if text is None else _decode(text)
