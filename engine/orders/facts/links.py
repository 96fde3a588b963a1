"""What else an order has to do with: other orders, notices to its customer, alerts about it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from engine.orders.destination import Destination
from engine.orders.facts.money import Prices, Tender
from engine.routing.model import OrderLine


class SplitOff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an order that was split off is to begin with, until it has.

    `stock` are the lines (sku, node, quantity, ship_on ordinal or 0) that the other gave back for it, and
    `is_confirmed` whether they were confirmed. They are reserved by `reservation_id` since then; where that is blank,
    they have to be held anew.
    """

    lines: tuple[OrderLine, ...]
    destination: Destination
    stock: tuple[tuple[str, str, int, int], ...] = ()
    is_confirmed: bool = False
    reservation_id: str = ""
    prices: Prices | None = None
    tenders: tuple[Tender, ...] = ()


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another order that this one has to do with.

    Kinds: `split_from`, `split_to`, `merged_from`, `merged_into`, `exchange_for`, `exchanged_by`.
    """

    kind: str
    order_id: str
    split_off: SplitOff | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message to the customer: which, about what, by which channel, and whether it went out."""

    notice_id: str
    template: str
    channel: str
    at: datetime
    subject: str = ""
    outcome: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands in the way of keeping the promise: how bad, why, and by how many days at what probability.

    `subject` is the shipment that it is about, the node of a parcel that has not left, blank for units without a node.
    These arrive on `predicted_on` as likely as not, and by `latest_on` nine times of ten; blank if nobody can tell.
    `told_on` is the day that the customer was told instead of the promised one. It is open until `closed_at`.
    """

    alert_id: str
    severity: str
    cause: str
    at: datetime
    subject: str = ""
    promised_on: date | None = None
    predicted_on: date | None = None
    latest_on: date | None = None
    late_probability: float = 0.0
    message: str = ""
    told_on: date | None = None
    closed_at: datetime | None = None
    outcome: str = ""

    @property
    def delay_days(self) -> int | None:
        """Return by how many days it is late, as likely as not; None if nobody can tell."""
        if self.predicted_on is None or self.promised_on is None:
            return None
        return max(0, (self.predicted_on - self.promised_on).days)
