"""From a store's reply about one order to the order or the refusal; the one place where these refusals are worded.

A reply is (verdict, detail, fields); lua/capture.lua and lua/cancel.lua list the verdicts, and the in-memory store
answers in the same form. A reply is what is kept for an idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from engine.errors import AllotError, IllegalState, LeaseLost, NotFound, StoreReplyError
from engine.inventory.model import Outcome
from engine.orders.model import Order
from engine.orders.records import order_of
from engine.routing.model import Verdict, VerdictOutcome

Reply = Sequence[Any]


class OrderArchived(IllegalState):
    """The id is that of an order which has been archived (engine/archive)."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"The id {order_id!r} is that of an order that is archived. Send this one under its own id.")


def unknown_orders(order_ids: Sequence[str]) -> NotFound:
    """Return the error that names orders nobody has captured."""
    return NotFound(f"There is no order {', '.join(order_ids)}. Check the id.")


def capture_outcome(reply: Reply, captured_id: str, reservation_id: str, *, replayed: bool) -> Outcome[Order]:
    """Return the captured order, or raise the refusal."""
    verdict, detail, _ = reply
    if verdict == "other":
        raise _marked(
            IllegalState(f"The id {captured_id!r} is that of another order. Send this one under its own id."), replayed
        )
    if verdict == "archived":
        raise _marked(OrderArchived(captured_id), replayed)
    if verdict == "no_reservation":
        error = NotFound(f"There is no reservation {reservation_id!r}. Hold the stock anew, or leave the field out.")
        raise _marked(error, replayed)
    if verdict == "past":
        message = (
            f"Reservation {reservation_id!r} is {detail} and keeps no stock. Hold it anew, or leave the field out."
        )
        raise _marked(IllegalState(message), replayed)
    if verdict == "taken":
        message = f"Reservation {reservation_id!r} keeps stock for order {detail!r}. Hold other stock for this one."
        raise _marked(IllegalState(message), replayed)
    return _outcome(reply, replayed)


def cancel_outcome(reply: Reply, order_id: str, *, replayed: bool) -> Outcome[Order]:
    """Return the cancelled order, or raise the refusal."""
    verdict = reply[0]
    if verdict == "missing":
        raise _marked(unknown_orders([order_id]), replayed)
    if verdict == "left":
        message = f"Order {order_id!r} cannot be cancelled: units of it have left a node. Take them back as a return."
        raise _marked(IllegalState(message), replayed)
    return _outcome(reply, replayed)


def revision_outcome(reply: Reply, order_id: str, *, replayed: bool) -> Outcome[Order]:
    """Return the revised order, or raise the refusal."""
    verdict, detail, _ = reply[:3]
    if verdict == "missing":
        raise _marked(unknown_orders([order_id]), replayed)
    if verdict == "refused":
        raise _marked(IllegalState(detail), replayed)
    if verdict == "left":
        message = f"Order {order_id!r} cannot be changed: units of it have left a node. Take them back as a return."
        raise _marked(IllegalState(message), replayed)
    return _outcome(reply, replayed)


def verdict_of(order_id: str, reply: Reply) -> Verdict:
    """Return the verdict on one allocation."""
    outcome = VerdictOutcome(reply[0])
    if outcome is not VerdictOutcome.MOVED:
        return Verdict(order_id=order_id, outcome=outcome)
    if reply[1] == "revised":
        reason = "a node or people have said something of the order since it was decided on"
    elif reply[1] == "short":
        sku, node_id, asked, available = reply[2]
        reason = f"{sku} at {node_id}: {asked} asked, {max(0, available)} available"
    else:
        node_id, day, what, asked, left, limit = reply[2]
        reason = f"{node_id} on {date.fromordinal(day)}: {asked} {what} asked, {max(0, left)} of {limit} left"
    return Verdict(order_id=order_id, outcome=outcome, reason=reason)


@contextmanager
def unless_fenced(run_id: str) -> Iterator[None]:
    """Raise LeaseLost where the store refuses a commit since another process has taken the run up."""
    try:
        yield
    except StoreReplyError as error:
        if "FENCED" not in str(error):
            raise
        raise lease_lost(run_id) from None


def lease_lost(run_id: str) -> LeaseLost:
    """Return the error of whoever goes on with a run that another process has taken up."""
    return LeaseLost(f"Another process has taken run {run_id!r} up, or it is over; nothing was committed.")


def _outcome(reply: Reply, replayed: bool) -> Outcome[Order]:
    return Outcome(value=order_of(reply[2]), replayed=replayed)


def _marked(error: AllotError, replayed: bool) -> AllotError:
    error.replayed = replayed
    return error
