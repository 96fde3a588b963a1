"""The port behind which carriers are: labels bought and given back, by whoever has them.

sandbox_carrier.py is the default, and needs nobody; easypost_carrier.py speaks to EasyPost. Not here: which shipments
get labels when (labels.py), and what carriers say of them later (tracking.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.fulfillment.addresses import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLabel:
    """A label for one carton; `key` names it for good, so that asked for twice it is bought once."""

    key: str
    carrier: str
    service: str
    sender: Address
    recipient: Address
    weight_g: int
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtLabel:
    """What a carrier has sold: the number it is followed by, its price, and where its picture is, if it has one."""

    carrier: str
    tracking_number: str
    cents: int = 0
    url: str = ""


class Carriers(Protocol):
    """Sells labels of all carrier services that the network names."""

    async def buy(self, wanted: WantedLabel) -> BoughtLabel:
        """Sell a label, or return the one that was sold under its key.

        Raises Refused if it is not to be had, so that asking again is no use; Unavailable if it may be later.
        """
        ...

    async def void(self, tracking_number: str) -> None:
        """Take a label back that is not used; again is no harm. Raises Refused if it is too late, Unavailable."""
        ...
