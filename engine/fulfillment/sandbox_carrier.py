"""A carrier for development, tests and simulations: it needs no network, and keeps nothing.

What it sells follows from the key alone, so that asked again it sells the same. Its numbers are serial shipping
container codes as of GS1: a carton's bar code is one that every scanner reads. Postal codes make it refuse
(`00000`), or fail for now (`00001`).
"""

from __future__ import annotations

from hashlib import sha256

from engine.errors import Refused, Unavailable
from engine.fulfillment.carriers import BoughtLabel, WantedLabel

REFUSED_POSTAL_CODE, FAILING_POSTAL_CODE = "00000", "00001"
_BASE_CENTS, _CENTS_PER_KG = 450, 60


class SandboxCarriers:
    """Sells labels of every carrier by a made-up tariff: 4.50 and 0.60 for each kilogram begun."""

    async def buy(self, wanted: WantedLabel) -> BoughtLabel:
        """Sell a label; raises as `Carriers.buy`."""
        code = wanted.recipient.postal_code
        if code == REFUSED_POSTAL_CODE:
            raise Refused(f"{wanted.carrier} does not deliver to postal code {code!r}. Correct the address.")
        if code == FAILING_POSTAL_CODE:
            raise Unavailable(f"{wanted.carrier} does not answer. It is asked again.")
        return BoughtLabel(
            carrier=wanted.carrier,
            tracking_number=number_of(wanted.key),
            cents=_BASE_CENTS + _CENTS_PER_KG * -(-wanted.weight_g // 1000),
        )

    async def void(self, tracking_number: str) -> None:
        """Take a label back; the sandbox remembers none, and takes any of its own."""
        if not is_number(tracking_number):
            raise Refused(f"{tracking_number!r} is no number of the sandbox carrier. Give one that it has sold.")


def number_of(key: str) -> str:
    """Return the tracking number of a key: 17 digits of its digest, and the check digit."""
    digits = f"{int(sha256(key.encode()).hexdigest(), 16) % 10**17:017d}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """Return the check digit of a number: weights 3 and 1 from the right, to the next ten (GS1 specification 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_number(text: str) -> bool:
    """Say whether a text is a number with a check digit that is right: no slip of the hand, or of a scanner."""
    return len(text) == 18 and text.isdecimal() and check_digit(text[:-1]) == text[-1]
