"""Who an order is for, as its checks know them: read from `customer`, which channels send in any form.

They are personal data: looked at while the order is captured, and never kept, told or logged from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_NAMES = {
    "name": ("name", "full_name", "customer_name"),
    "company": ("company", "organisation", "organization"),
    "email": ("email", "e_mail", "email_address", "mail"),
    "phone": ("phone", "telephone", "mobile", "phone_number"),
    "street": ("street", "address", "address_1", "address1", "street_1", "line_1", "line1"),
    "street_2": ("street_2", "street2", "address_2", "address2", "line_2", "line2"),
    "city": ("city", "town"),
    "region": ("region", "state", "province", "county"),
}
_DEEPEST = 3


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person or company, how to reach them, and the lines of their address that routing does not need."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    region: str = ""

    def __repr__(self) -> str:
        """Tell nothing: what is written into logs must not name people."""
        return "Contact(…)"


NO_CONTACT = Contact()


def contact_of(customer: Mapping[str, Any] | None) -> Contact:
    """Return what a channel says of a customer in the words of checks; of several the first counts."""
    if not customer:
        return NO_CONTACT
    said: dict[str, str] = {}
    for name, value in _texts(customer, _DEEPEST):
        said.setdefault(name.casefold().replace("-", "_"), value)
    found = {field: next((said[name] for name in names if name in said), "") for field, names in _NAMES.items()}
    if not found["name"]:
        found["name"] = " ".join(said[name] for name in ("first_name", "last_name") if name in said)
    return Contact(**found)


def _texts(said: Mapping[str, Any], levels: int) -> Iterator[tuple[str, str]]:
    """Yield each name with its text, those of the outermost level first."""
    for name, value in said.items():
        if isinstance(value, str) and value.strip():
            yield name, value.strip()
    for value in said.values():
        if isinstance(value, Mapping) and levels:
            yield from _texts(value, levels - 1)
