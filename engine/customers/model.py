"""A customer as people know them: their name, addresses, and how they want to hear of their orders.

All of it is personal: it is kept sealed (sealing.py), and shown to those who may see it. Not here: what a store knows
of a customer without their key (store.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One address of a customer; `country` has two capital letters of ISO 3166."""

    address_id: str
    name: str = ""
    company: str = ""
    street: str = ""
    street_2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""

    def __repr__(self) -> str:
        """Tell nothing: what is written into logs must not name people."""
        return "Address(…)"


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a customer; notices go over `channels`, but for those of `opt_outs` (`*`: none at all)."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    addresses: tuple[Address, ...] = ()
    channels: tuple[str, ...] = ("email",)
    opt_outs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Tell nothing: what is written into logs must not name people."""
        return "Profile(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer, and which change of theirs this is (1, 2, …)."""

    customer_id: str
    version: int
    changed_at: datetime
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What is left of a customer who was erased: that they were, and when; `orders` still name them."""

    customer_id: str
    erased_at: datetime
    orders: int
