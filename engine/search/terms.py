"""What orders are found by, as numbers: keyed hashes, from which nobody reads a phone number, or tries them out.

A term is the first 64 bits of HMAC-SHA-256, under a key of the tenant that lies in the store, of a kind and a value in
the one form that all ways to write it have in common. Not here: where terms are kept (index.py).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum

from engine.errors import Fault, InvalidInput

_DIGITS = re.compile(r"\D+")
_FEWEST_DIGITS, _COMPARED_DIGITS = 6, 9
KEY_BYTES = 32


class Kind(StrEnum):
    """What can be searched by, that which few orders have in common first."""

    NUMBER = "number"
    PHONE = "phone"
    EMAIL = "email"
    CUSTOMER = "customer"
    SKU = "sku"
    CHANNEL = "channel"
    STATE = "state"


PERSONAL = frozenset({Kind.PHONE, Kind.EMAIL, Kind.CUSTOMER})
"""Kinds of what is of a customer; erasure takes them out of the index."""


class Terms:
    """Makes the terms of one tenant."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: Kind, value: str) -> int:
        """Return the term of a value; raises InvalidInput where it has no form to compare by."""
        written = f"{kind.value}\0{_COMMON[kind](value)}".encode()
        return int.from_bytes(hmac.digest(self._key, written, "sha256")[:8], "big", signed=True)

    def of_many(self, kind: Kind, values: Iterable[str]) -> set[int]:
        """Return the terms of all values that have one."""
        found = set()
        for value in values:
            try:
                found.add(self.of(kind, value))
            except InvalidInput:
                continue
        return found


def common_phone(value: str) -> str:
    """Return the last 9 digits of a phone number: they are the same with and without the code of a country."""
    digits = _DIGITS.sub("", value)
    if len(digits) < _FEWEST_DIGITS:
        message = f"{value[:40]!r} is no phone number; give one of {_FEWEST_DIGITS} digits or more"
        raise InvalidInput(Fault(path="query.phone", message=message))
    return digits[-_COMPARED_DIGITS:]


def common_email(value: str) -> str:
    """Return an e-mail address in small letters."""
    found = unicodedata.normalize("NFC", value.strip()).casefold()
    if "@" not in found[1:-1]:
        message = f"{value[:40]!r} is no e-mail address; give one like ada@example.com"
        raise InvalidInput(Fault(path="query.email", message=message))
    return found


def _casefolded(value: str) -> str:
    return value.strip().casefold()


def _as_it_is(value: str) -> str:
    return value


_COMMON: dict[Kind, Callable[[str], str]] = {
    Kind.NUMBER: _casefolded,
    Kind.PHONE: common_phone,
    Kind.EMAIL: common_email,
    Kind.CUSTOMER: _as_it_is,
    Kind.SKU: _as_it_is,
    Kind.CHANNEL: _as_it_is,
    Kind.STATE: _as_it_is,
}
