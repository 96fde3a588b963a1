"""What of an order's customer it is searched by: taken to make terms of, kept nowhere.

Not here: terms (terms.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.orders.model import Order
from engine.orders.personal import Seal

_PHONES = frozenset({"phone", "phones", "phone_number", "mobile", "mobile_phone", "telephone"})
_EMAILS = frozenset({"email", "emails", "e_mail", "email_address"})
_IDS = frozenset({"customer_id", "id", "number"})
_DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The customer of an order: ids, phone numbers and e-mail addresses, as they were written."""

    ids: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()


ContactOf = Callable[[Order], Awaitable[Contact]]
"""Finds the customer of an order; nothing of one whose data were erased."""


def contacts_under(seal: Seal) -> ContactOf:
    """Return what finds the customer of an order in its personal data, which the seal opens."""

    async def found(order: Order) -> Contact:
        personal = await seal.opened(order.life)
        contact = told_contact({} if personal is None else personal.customer or {})
        return replace(contact, ids=contact.ids | ({order.life.customer_id} - {""}))

    return found


def told_contact(customer: Mapping[str, Any]) -> Contact:
    """Return what a channel tells of a customer, wherever it stands."""
    told = [*_texts(customer, 0)]
    return Contact(
        ids=frozenset(value for name, value, depth in told if name in _IDS and depth == 0),
        phones=frozenset(value for name, value, _ in told if name in _PHONES),
        emails=frozenset(value for name, value, _ in told if name in _EMAILS),
    )


def _texts(said: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str, int]]:
    """Yield texts with the name that they stand under, those of lists under that of the list."""
    for name, value in said.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield name.lower(), each, depth
            elif isinstance(each, Mapping) and depth < _DEEPEST:
                yield from _texts(each, depth + 1)
