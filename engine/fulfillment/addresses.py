"""The addresses on labels and documents: of a customer, and of a node.

An order's customer is sealed as it came, in whatever words its channel has; the usual ones are understood. Not here:
where that is kept, and who may read it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.network.document import NodeDocument
from engine.orders.model import Order
from engine.orders.personal import Seal

_NAMES = ("name", "full_name", "recipient")
_STREETS = ("street", "street1", "address1", "address_line1", "line1")
_SECONDS = ("street2", "address2", "address_line2", "line2")
_CITIES = ("city", "town", "locality")
_REGIONS = ("region", "state", "province")
_CODES = ("postal_code", "zip", "postcode")
_PHONES = ("phone", "phone_number", "telephone")


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
    said = dict(customer or {})
    for word in ("address", "shipping_address", "ship_to"):
        if isinstance(said.get(word), Mapping):
            said = {**said, **said[word]}
    place = order.captured.destination if order.life.amendment is None else order.life.amendment.destination
    both = " ".join(part for part in (_first(said, ("first_name",)), _first(said, ("last_name",))) if part)
    return Address(
        name=_first(said, _NAMES) or both,
        company=_first(said, ("company",)),
        street=_first(said, _STREETS),
        street2=_first(said, _SECONDS),
        city=_first(said, _CITIES),
        region=_first(said, _REGIONS),
        postal_code=_first(said, _CODES) or place.postal_code or "",
        country=_first(said, ("country",)) or place.country or "",
        phone=_first(said, _PHONES),
        email=_first(said, ("email",)),
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


def _first(said: Mapping[str, Any], words: tuple[str, ...]) -> str:
    return next((str(said[word]).strip() for word in words if said.get(word)), "")
