"""Sealing what orders tell of their customer, under the customer's key; an order without one gets a guest of its own.

The order is noted as one of the customer's in the step that finds their key, so that an export has it, and an erasure
counts it. Not here: what of an order is personal (engine/orders/personal.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from engine.customers.keys import CustomerKeys
from engine.customers.sealing import keyed_digest, opened_text, sealed_text, terms_of
from engine.inventory.model import Replay
from engine.orders.life import Life
from engine.orders.personal import NOTHING_PERSONAL, Personal, Sealed

EMAIL_NAMES = frozenset({"email", "e_mail", "email_address"})
PHONE_NAMES = frozenset({"phone", "phone_number", "mobile", "mobile_phone", "telephone"})
_DEEPEST = 4
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Personal).decode


class CustomerSeal:
    """The `Seal` of orders that keeps keys by customer."""

    def __init__(self, keys: CustomerKeys) -> None:
        self._keys = keys

    async def seal(
        self, personal: Personal, *, customer_id: str | None, order_id: str, at: datetime, replay: Replay | None
    ) -> Sealed:
        """See `Seal.seal`."""
        whose = customer_id or guest_id(order_id, replay)
        told = list(texts_of(personal.customer or {}))
        emails = [value for name, value in told if name in EMAIL_NAMES]
        phones = [value for name, value in told if name in PHONE_NAMES]
        terms = terms_of(await self._keys.root(), emails, phones) if emails or phones else ()
        at_ms = round(at.timestamp() * 1000)
        key = await self._keys.claim(whose, order_id=order_id, at_ms=at_ms, terms=terms)
        plain = _encode(personal)
        bound_to = self._bound_to(whose)
        closed = "" if personal == NOTHING_PERSONAL else sealed_text(key, plain, bound_to)
        return Sealed(customer_id=whose, sealed=closed, digest=keyed_digest(key, bound_to, plain))

    async def opened(self, life: Life) -> Personal | None:
        """See `Seal.opened`."""
        if not life.sealed:
            return None
        (key,) = await self._keys.of([life.customer_id])
        if key is None:
            return None
        return _decode(opened_text(key, life.sealed, self._bound_to(life.customer_id)))

    def _bound_to(self, customer_id: str) -> str:
        return f"order\0{self._keys.tenant}\0{customer_id}"


def guest_id(order_id: str, replay: Replay | None) -> str:
    """Return the id of the customer of an order that names none; by its key (`replay`) where its id is of chance."""
    said = f"order\0{order_id}" if replay is None else f"key\0{replay.digest}"
    return f"guest_{sha256(said.encode()).hexdigest()[:24]}"


def texts_of(said: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts of a document with the name that each stands under, in lower case."""
    for name, value in said.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield name.lower(), each
            elif isinstance(each, Mapping) and depth < _DEEPEST:
                yield from texts_of(each, depth + 1)
