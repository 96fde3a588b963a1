"""What the checks of an order look at, and what they found: plain values, so that every rule is a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from engine.catalog.model import Catalog
from engine.errors import Fault
from engine.network.model import Network
from engine.orders.contact import NO_CONTACT, Contact
from engine.orders.facts.checks import Checks
from engine.orders.facts.money import Prices
from engine.orders.model import Captured
from engine.orders.steering import OrderHold


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentOrders:
    """Orders of the same buyer lately, by (what they have in common, its digest): id and instant, this one too."""

    seen: Mapping[str, Sequence[tuple[str, datetime]]] = field(default_factory=dict)

    def since(self, by: str, start: datetime) -> list[str]:
        """Return the orders with something in common from an instant on, the newest first."""
        return [order_id for order_id, at in self.seen.get(by, ()) if at >= start]


NO_RECENT = RecentOrders()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOrder:
    """An order as its checks see it; `stated_total_cents` is what the channel says it comes to."""

    captured: Captured
    network: Network
    catalog: Catalog
    customer_id: str = ""
    contact: Contact = NO_CONTACT
    prices: Prices | None = None
    stated_total_cents: int | None = None

    @property
    def units(self) -> int:
        """Its units, of all lines."""
        return sum(line.quantity for line in self.captured.lines)

    @property
    def gross_cents(self) -> int:
        """What its lines come to before discounts; 0 without prices."""
        return sum(line.quantity * line.unit_price_cents for line in self.prices.lines) if self.prices else 0

    @property
    def discount_percent(self) -> float | None:
        """The discounts of its lines, of what they come to before; None if they come to nothing."""
        if self.prices is None or not (gross := self.gross_cents):
            return None
        return 100 * sum(line.discount_cents for line in self.prices.lines) / gross

    @property
    def margin_percent(self) -> float | None:
        """What is left of its lines without tax after their costs; None if a cost or every price is unknown."""
        if self.prices is None:
            return None
        revenue = cost = 0
        skus = {line.line_id: line.sku for line in self.captured.lines}
        for line in self.prices.lines:
            unit_cost = line.unit_cost_cents
            if unit_cost is None:
                unit_cost = self.catalog.costs.get(skus.get(line.line_id, ""))
            if unit_cost is None:
                return None
            revenue += line.total_cents - line.tax_cents
            cost += unit_cost * line.quantity
        return 100 * (revenue - cost) / revenue if revenue > 0 else (-100.0 if cost else None)

    def common(self, by: str) -> str:
        """Return what orders of the same buyer have in common, as a digest; blank if it is not known.

        The blank keeps orders without a customer, say, from being counted as those of one.
        """
        if by == "customer":
            return _digest(by, self.customer_id)
        if by == "contact":
            return _digest(by, self.contact.email.strip().casefold() or _digits(self.contact.phone))
        place, contact = self.captured.destination, self.contact
        street = " ".join(f"{contact.street} {contact.street_2} {contact.city}".casefold().split())
        code = (place.postal_code or "").replace(" ", "").upper()
        where = "" if place.latitude is None else f"{place.latitude:.4f},{place.longitude:.4f}"
        return _digest(by, f"{place.country}|{code}|{street}" if street else where)

    @property
    def same_again(self) -> str:
        """What the same order sent again has in common with it: buyer and units; blank if no buyer is known."""
        buyer = self.common("customer") or self.common("contact") or self.common("address")
        lines = ",".join(sorted(f"{line.sku}\t{line.quantity}" for line in self.captured.lines))
        return buyer and _digest("again", f"{buyer}|{lines}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOutcome:
    """What the checks came to: what is written down, order holds to begin with, and why it is refused, if it is."""

    checks: Checks
    holds: tuple[OrderHold, ...] = ()
    faults: tuple[Fault, ...] = ()
    refusal: str = ""


def _digest(by: str, value: str) -> str:
    return sha256(f"{by}\0{value}".encode()).hexdigest()[:32] if value else ""


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdigit())
