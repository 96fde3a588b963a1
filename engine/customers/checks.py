"""The rules of customers: every fault of an id or of what is known of them, with its JSON path.

Faults name where and what is wrong; of personal data they show nothing, since faults are written into logs.
"""

from __future__ import annotations

import re

import msgspec

from engine.customers.model import Profile
from engine.errors import Fault, InvalidInput

MOST_ADDRESSES = 100
LONGEST_TEXT = 400
CHANNELS = ("email", "webhook")
_EMAIL = re.compile(r"[^\s@<>\",;:\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PHONE = re.compile(r"\+?[\d\s()./-]{3,40}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def check_customer_id(customer_id: str, path: str) -> None:
    """Raise InvalidInput for an id that is none, or that is personal itself: ids are not sealed."""
    if not 1 <= len(customer_id) <= 128 or not customer_id.isprintable():
        raise InvalidInput(Fault(path=path, message="is no id; give 1 to 128 printable characters"))
    if "@" in customer_id:
        message = "has an @: ids are kept in the clear, so an e-mail address cannot be one. Give a number of your own"
        raise InvalidInput(Fault(path=path, message=message))


def is_email(text: str) -> bool:
    """Return whether a mail can be sent there, as far as its form tells."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def check_profile(profile: Profile) -> None:
    """Raise InvalidInput with every fault of what is known of a customer."""
    faults = list[Fault]()
    _check_texts(profile, "$", faults)
    if profile.email and not is_email(profile.email):
        faults.append(Fault(path="$.email", message="is no e-mail address; give one such as ann@example.com"))
    if profile.phone and not _PHONE.fullmatch(profile.phone):
        faults.append(Fault(path="$.phone", message="is no telephone number; give one such as +44 20 7946 0000"))
    if profile.language and not _LANGUAGE.fullmatch(profile.language):
        faults.append(Fault(path="$.language", message=f"{profile.language!r} is no language; give one such as en"))
    for index, channel in enumerate(profile.channels):
        if channel not in CHANNELS:
            message = f"{channel[:40]!r} is no channel; use one of: {', '.join(CHANNELS)}"
            faults.append(Fault(path=f"$.channels[{index}]", message=message))
    if len(profile.addresses) > MOST_ADDRESSES:
        message = f"has {len(profile.addresses)} addresses; give {MOST_ADDRESSES} at most"
        faults.append(Fault(path="$.addresses", message=message))
    _check_addresses(profile, faults)
    if faults:
        raise InvalidInput(faults)


def _check_addresses(profile: Profile, faults: list[Fault]) -> None:
    first = dict[str, int]()
    for index, address in enumerate(profile.addresses[:MOST_ADDRESSES]):
        path = f"$.addresses[{index}]"
        _check_texts(address, path, faults)
        if first.setdefault(address.address_id, index) != index:
            message = f"{address.address_id[:40]!r} repeats $.addresses[{first[address.address_id]}].address_id"
            faults.append(Fault(path=f"{path}.address_id", message=f"{message}; give each its own"))
        if address.country and not _COUNTRY.fullmatch(address.country):
            message = f"{address.country[:10]!r} is no country; give two capital letters of ISO 3166, such as US"
            faults.append(Fault(path=f"{path}.country", message=message))
        if address.phone and not _PHONE.fullmatch(address.phone):
            faults.append(Fault(path=f"{path}.phone", message="is no telephone number; give such as +44 20 7946 0000"))


def _check_texts(said: msgspec.Struct, path: str, faults: list[Fault]) -> None:
    for name in said.__struct_fields__:
        text = getattr(said, name)
        if not isinstance(text, str):
            continue
        if len(text) > LONGEST_TEXT:
            message = f"has {len(text)} characters; give {LONGEST_TEXT} at most"
            faults.append(Fault(path=f"{path}.{name}", message=message))
        elif not text.isprintable():
            faults.append(Fault(path=f"{path}.{name}", message="has control characters; leave them out"))
