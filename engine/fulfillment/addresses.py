"""The addresses on labels and documents: of a customer, and of a node.

An order's customer is sealed as it came, in whatever words its channel has; the usual ones are understood. Not here:
where that is kept, and who may read it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.network.document import NodeDocument
from engine.orders.contact import contact_of
from engine.orders.model import Order
from engine.orders.personal import Seal

_CODES = ("postal_code", "zip", "postcode", "zip_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who is where; what is not known is blank."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""

    @property
    def lines(self) -> list[str]:
        """The address as it stands on an envelope, without blank lines."""
        place = " ".join(part for part in (self.city, self.region, self.postal_code) if part)
        return [line for line in (self.name, self.company, self.street, self.street2, place, self.country) if line]


def address_of(order: Order, customer: Mapping[str, Any] | None) -> Address:
    """Return where an order goes, by what is known of its customer and of its destination."""
    who = contact_of(customer)
    place = order.captured.destination if order.life.amendment is None else order.life.amendment.destination
    said = customer or {}
    return Address(
        name=who.name,
        company=who.company,
        street=who.street,
        street2=who.street_2,
        city=who.city,
        region=who.region,
        postal_code=place.postal_code or _text(said, _CODES),
        country=place.country or _text(said, ("country",)),
        phone=who.phone,
        email=who.email,
    )


def addresses_under(seal: Seal) -> Callable[[Order], Awaitable[Address]]:
    """Return what tells where an order goes, by its personal data, which the seal opens."""

    async def found(order: Order) -> Address:
        personal = await seal.opened(order.life)
        return address_of(order, None if personal is None else personal.customer)

    return found


def address_of_node(node: NodeDocument) -> Address:
    """Return where a node is, as far as the network says so."""
    at = node.address
    if at is None:
        return Address(name=node.name or node.node_id)
    return Address(
        name=node.name or node.node_id,
        street=at.street,
        street2=at.street2 or "",
        city=at.city,
        region=at.region or "",
        postal_code=at.postal_code or "",
        country=at.country,
        phone=at.phone or "",
    )


def _text(said: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return what a channel says under one of some names, in its outermost words or those of an address in them."""
    levels = [said, *(each for each in said.values() if isinstance(each, Mapping))]
    found = (level[name] for level in levels for name in names if isinstance(level.get(name), str))
    return next(found, "").strip()
