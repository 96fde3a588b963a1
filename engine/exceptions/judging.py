"""What is wrong with an order, part by part: when it arrives, how likely that is too late, and why; pure.

Not here: reading what that takes (seeing.py), what is made of it (alerting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.exceptions.arriving import Arriving, Journey, Place, day_at, share_after
from engine.exceptions.leaving import Leaving
from engine.exceptions.parcels import Parcel
from engine.exceptions.policy import AlertPolicyDocument, Severity
from engine.network.days import NEVER
from engine.orders.facts.money import EntryKind
from engine.orders.model import Order
from solvers.problem import IntArray

LIKELY, LATEST = 0.5, 0.9


class Cause(StrEnum):
    """Why a promise is in jeopardy."""

    STOCK = "stock"
    NODE_LATE = "node_late"
    NODE_CLOSED = "node_closed"
    CARRIER_LATE = "carrier_late"
    SUPPLY_LATE = "supply_late"
    HOLD_OPEN = "hold_open"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When a part of an order leaves (None: nobody can tell) and arrives, and how likely that is after the promise."""

    subject: str
    cause: Cause
    leaves_on: date | None
    predicted_on: date | None
    latest_on: date | None
    late_probability: float
    message: str = ""


def due_of(order: Order) -> date | None:
    """Return the day that was promised for an order as it is now, None if none was."""
    return order.promised_on or order.need_by


def outlook_of(parcel: Parcel, order: Order, due: date, place: Place, leaving: Leaving, arriving: Arriving) -> Outlook:
    """Return the outlook of a parcel."""
    leaves = leaving.leaves(parcel)
    days = arriving.days(journey_of(parcel, leaves), place)
    cause = _cause(parcel, order, leaves, leaving)
    return outlook_by(days, parcel.subject, cause, due, leaves, _message(parcel, cause, leaves))


def outlook_by(days: IntArray, subject: str, cause: Cause, due: date, leaves: int, message: str) -> Outlook:
    """Return the outlook of what arrives on `days`, one for each level, and leaves on a day (ordinal)."""
    return Outlook(
        subject=subject,
        cause=cause,
        leaves_on=None if leaves >= NEVER else date.fromordinal(leaves),
        predicted_on=day_at(days, LIKELY),
        latest_on=day_at(days, LATEST),
        late_probability=round(share_after(days, due), 4),
        message=message,
    )


def journey_of(parcel: Parcel, leaves: int) -> Journey:
    """Return a parcel on its way, from the day on which it leaves."""
    return Journey(
        node_id=parcel.node_id,
        service=parcel.service,
        weight_g=parcel.weight_g,
        leaves=leaves,
        has_left=parcel.shipped_on is not None,
        carrier_on=parcel.carrier_on,
    )


def severity_of(outlook: Outlook, due: date, policy: AlertPolicyDocument, *, is_open: bool) -> Severity | None:
    """Return how bad it is, None if it is no alert; one that is open stays so until it is clearly better."""
    late = outlook.late_probability
    if late >= policy.critical_probability:
        return "critical"
    delay = 0 if outlook.predicted_on is None else (outlook.predicted_on - due).days
    if late >= policy.major_probability:
        return "critical" if delay >= max(1, policy.critical_delay_days) else "major"
    least = policy.minor_probability * (0.8 if is_open else 1.0)
    return "minor" if late >= least and late > 0 else None


def is_declined(order: Order) -> bool:
    """Say whether money for an order was refused, or is not set aside any more, and nothing has come instead."""
    last = {
        entry.tender_id: entry.kind
        for entry in order.life.money.ledger
        if entry.kind in {EntryKind.AUTHORISED, EntryKind.DECLINED, EntryKind.EXPIRED, EntryKind.CAPTURED}
    }
    return any(kind in {EntryKind.DECLINED, EntryKind.EXPIRED} for kind in last.values())


def stopped_by(order: Order) -> Cause | None:
    """Return what of the order itself stops it: its payment, an order hold; None if nothing does."""
    hold = order.steering.order_hold
    if is_declined(order) or (hold is not None and "payment" in (hold.reason, getattr(hold, "kind", ""))):
        return Cause.PAYMENT
    return None if hold is None else Cause.HOLD_OPEN


def worst_of(outlooks: Sequence[Outlook]) -> list[Outlook]:
    """Return one for each subject: that which is most likely late, then that which comes last."""
    found: dict[str, Outlook] = {}
    for each in outlooks:
        other = found.get(each.subject)
        if other is None or _badness(each) > _badness(other):
            found[each.subject] = each
    return list(found.values())


def _badness(outlook: Outlook) -> tuple[float, bool, date]:
    return outlook.late_probability, outlook.predicted_on is None, outlook.predicted_on or date.max


def _cause(parcel: Parcel, order: Order, leaves: int, leaving: Leaving) -> Cause:
    if parcel.shipped_on is not None:
        return Cause.NODE_LATE if parcel.shipped_on > parcel.ship_on else Cause.CARRIER_LATE
    if leaving.is_closed(parcel):
        return Cause.NODE_CLOSED
    stopped = stopped_by(order)
    if stopped is not None:
        return stopped
    if parcel.awaited is not None and parcel.awaited > parcel.ship_on:
        return Cause.SUPPLY_LATE
    if leaves <= parcel.ship_on.toordinal():
        return Cause.CARRIER_LATE
    return Cause.STOCK if parcel.is_planned else Cause.NODE_LATE


def _message(parcel: Parcel, cause: Cause, leaves: int) -> str:
    """Return in words what is the matter."""
    what, by = f"{parcel.quantity} units from {parcel.node_id!r}", f"by {parcel.service!r}"
    leaves_on = None if leaves >= NEVER else date.fromordinal(leaves)
    match cause:
        case Cause.NODE_CLOSED:
            return f"{what}: the node, or {parcel.service!r} there, is switched off."
        case Cause.SUPPLY_LATE:
            return f"{what} wait for a supply, expected on {parcel.awaited}; planned to leave on {parcel.ship_on}."
        case Cause.CARRIER_LATE if parcel.shipped_on is not None:
            return f"{what} left on {parcel.shipped_on} {by}, and have not arrived."
        case Cause.CARRIER_LATE:
            return f"{what} leave on {leaves_on} as planned, and {by} is slower than was promised."
        case Cause.NODE_LATE if parcel.shipped_on is not None:
            return f"{what} left on {parcel.shipped_on}, planned for {parcel.ship_on}."
        case Cause.STOCK:
            return f"{what} were to leave on {parcel.ship_on}, and have no node yet."
        case Cause.PAYMENT:
            return f"{what} wait for a payment; planned to leave on {parcel.ship_on}."
        case Cause.HOLD_OPEN:
            return f"{what} wait for an order hold; planned to leave on {parcel.ship_on}."
        case _:
            return f"{what} leave on {leaves_on} as the node stands, planned for {parcel.ship_on}."
