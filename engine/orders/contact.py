"""Who an order is for: the personal data that come with it. Never in the journal, the feed or logs.

Not here: keeping them under the customer's key (engine/customers).
"""

from __future__ import annotations

import msgspec


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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
