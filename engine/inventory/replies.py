"""From a store's reply to a value or a refusal; the one place where refusals of stock and reservations are worded.

A reply is a list whose first member says what follows; lua/replies.lua lists them, and the in-memory store answers in
the same form. A reply is what is kept for an idempotency key, so it says everything itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import structs

from engine.errors import (
    AllotError,
    Fault,
    IllegalState,
    InsufficientStock,
    NotFound,
    OnHandOutOfRange,
    ShortLine,
    StoredRefusal,
    TooManyHolds,
    VersionConflict,
    WrongCondition,
)
from engine.inventory.conditions import Condition
from engine.inventory.model import (
    MAX_ON_HAND,
    MAX_UNITS,
    Hold,
    HoldLine,
    Position,
    Reservation,
    ReservationState,
    Supply,
    dated_demand,
)
from engine.inventory.quotas import Uncounted, quota_of
from engine.inventory.receipts import Received
from engine.inventory.supply_replies import affected_line, not_received, settled_units, too_many_supplies, unpeggable

Reply = Sequence[Any]

_CONDITIONS = {condition.value: condition for condition in Condition}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEDIES = {
    "held": "Confirm it first.",
    "confirmed": "Confirmed stock has no deadline.",
    "consumed": "Its units have left the node.",
    "cancelled": "Its units were given back; hold them anew.",
    "expired": "Its deadline has passed and its units were given back; hold them anew.",
}


def value_of(reply: Reply, *, replayed: bool = False) -> Any:
    """Return what a reply holds (a Reservation, Positions, AffectedLines, Received), or raise its refusal."""
    kind, *rest = reply
    if kind == "reservation":
        return _reservation(*rest)
    if kind == "kept":
        reservation_id, deadline, (lines, _, *terms, others) = rest
        found = _reservation(reservation_id, ReservationState.HELD, deadline, lines, *terms)
        return replace(found, promised=others.get("promised")) if others else found
    if kind == "positions":
        return Positions().of(rest[0])
    if kind == "quotas":
        return [tuple(quota_of(*row) for row in quotas) for quotas in rest[0]]
    if kind == "affected":
        return tuple(affected_line(*row) for row in rest[0])
    if kind == "received":
        return Received(positions=tuple(Positions().of(rest[0])), settled=tuple(settled_units(*row) for row in rest[1]))
    error = _REFUSALS[kind](*rest)
    error.replayed = replayed
    raise error


def verdict_of(hold: Hold, reply: Reply | int, *, replayed: bool = False) -> Reservation | AllotError:
    """Return what became of one hold of many: the reservation, or the refusal without raising it.

    A bare number is the deadline of a hold, in milliseconds.
    """
    if isinstance(reply, int):
        reply = ("held", reply)
    if reply[0] == "held":
        return Reservation(
            reservation_id=hold.reservation_id,
            state=ReservationState.HELD,
            expires_at=_EPOCH + timedelta(milliseconds=reply[1]),
            lines=hold.lines,
            reference=hold.reference,
            channel=hold.channel,
            promised_on=hold.promised_on,
            promised=hold.promised,
        )
    try:
        found: Reservation = value_of(reply, replayed=replayed)
    except AllotError as refusal:
        return refusal
    return found


def milliseconds(instant: datetime) -> int:
    """Return an instant as whole milliseconds since 1970, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def supplies_of(sku: str, node_id: str, entries: Sequence[tuple[int, int, str]]) -> tuple[Supply, ...]:
    """Return the supplies among (day, delta, supply_id) entries, by day and id."""
    pegged = Counter[str]()
    for _, units, supply_id in pegs_of(entries):
        pegged[supply_id] += units
    return tuple(
        Supply(
            supply_id=supply_id,
            node_id=node_id,
            sku=sku,
            quantity=delta,
            expected_on=date.fromordinal(day),
            pegged=pegged[supply_id],
        )
        for day, supply_id, delta in sorted((day, supply_id, delta) for day, delta, supply_id in entries)
        if delta > 0
    )


def pegs_of(entries: Iterable[tuple[int, int, str]]) -> tuple[tuple[int, int, str], ...]:
    """Return (day, units, supply_id) of the dated demand among (day, delta, supply_id) entries that is pegged."""
    return tuple(sorted((day, -delta, supply_id) for day, delta, supply_id in entries if delta < 0 and supply_id))


def _reservation(
    reservation_id: str,
    state: str,
    deadline: int,
    lines: Sequence[Any],
    reference: Any,
    channel: Any,
    promised_on: int = 0,  # absent from what an older build kept for an idempotency key
    _crossing: object = False,
    promised: Any = False,
) -> Reservation:
    return Reservation(
        reservation_id=reservation_id,
        state=ReservationState(state),
        expires_at=_EPOCH + timedelta(milliseconds=deadline) if deadline else None,
        lines=tuple(
            HoldLine(
                sku=sku,
                node_id=node_id,
                quantity=quantity,
                ship_on=date.fromordinal(day) if day else None,
                supply_id=supply_id[0] if supply_id else None,
            )
            for sku, node_id, quantity, day, *supply_id in lines
        ),
        reference=None if reference is False else reference,
        channel=None if channel is False else channel,
        promised_on=date.fromordinal(promised_on) if promised_on else None,
        promised=promised or None,
    )


class Positions:
    """Makes positions of rows, some after others; a row that names a position again may say false for its schedule."""

    def __init__(self) -> None:
        self._scheduled: dict[tuple[str, str], Position] = {}

    def of(self, rows: Iterable[Sequence[Any]]) -> list[Position]:
        """Return the positions of rows."""
        return [self._position(*row) for row in rows]

    def _position(
        self,
        node_id: str,
        sku: str,
        on_hand: int,
        held: int,
        confirmed: int,
        safety_stock: int,
        version: int,
        schedule: Any,
        conditions: Any = None,
    ) -> Position:
        position = Position(
            node_id=node_id,
            sku=sku,
            on_hand=on_hand,
            held=held,
            confirmed=confirmed,
            safety_stock=safety_stock,
            version=version,
            conditions=None if conditions is None else {_CONDITIONS[name]: units for name, units in conditions},
        )
        if schedule:
            entries = [(day, delta, supply_id) for _, day, delta, supply_id in schedule]
            dated = dated_demand(((day, delta) for day, delta, _ in entries), pegs_of(entries))
            position = structs.replace(position, supplies=supplies_of(sku, node_id, entries), dated=dated)
            self._scheduled[node_id, sku] = position
        elif schedule is False and (before := self._scheduled.get((node_id, sku))) is not None:
            position = structs.replace(position, supplies=before.supplies, dated=before.dated)
        return position


def _missing(reservation_id: str) -> AllotError:
    return NotFound(f"There is no reservation {reservation_id!r}; it may be long over. Hold the units anew.")


def _past(reservation_id: str, state: str, verb: str) -> AllotError:
    was = "has expired" if state == "expired" else f"is {state}"
    return IllegalState(f"Reservation {reservation_id!r} {was}, so it cannot {_PASSIVE[verb]}. {_REMEDIES[state]}")


_PASSIVE = {
    "hold": "be held again",
    "confirm": "be confirmed",
    "cancel": "be cancelled",
    "extend": "be extended",
    "consume": "be consumed",
}


def _taken(reservation_id: str) -> AllotError:
    return IllegalState(f"Reservation {reservation_id!r} exists with other lines. Use a new id.")


def _of_order(reservation_id: str, order_id: str) -> AllotError:
    return IllegalState(f"Reservation {reservation_id!r} keeps stock for order {order_id!r}. Cancel the order instead.")


def _forestalled(reservation_id: str) -> AllotError:
    return IllegalState(f"Reservation {reservation_id!r} was cancelled before this hold arrived. Use a new id.")


def _short(rows: Sequence[Any]) -> AllotError:
    return InsufficientStock(
        [
            ShortLine(
                sku=sku, node_id=node_id, quantity=quantity, available=0 if available < -MAX_UNITS // 2 else available
            )
            for sku, node_id, quantity, available in rows
        ]
    )


def _too_many(reservation_id: str, rows: Sequence[Any]) -> AllotError:
    named = "; ".join(f"{sku} at {node_id}: {asked} asked, {kept} reserved" for sku, node_id, asked, kept in rows)
    return IllegalState(f"Reservation {reservation_id!r} does not hold that much: {named}. Ask for what it holds.")


def _not_on_hand(reservation_id: str, rows: Sequence[Any]) -> AllotError:
    named = "; ".join(f"{sku} at {node_id}: {asked} leave, {found} on hand" for sku, node_id, asked, found in rows)
    return IllegalState(f"Reservation {reservation_id!r} cannot be consumed: {named}. Correct the count first.")


def _moved(rows: Sequence[Any]) -> AllotError:
    named = "; ".join(
        f"$.positions[{index}].expected_version: {sku} at {node_id} is at version {found}, not {expected}"
        for index, node_id, sku, expected, found in rows
    )
    return VersionConflict(f"{named}. Read the position again.")


def _out_of_range(rows: Sequence[Any]) -> AllotError:
    return OnHandOutOfRange(
        [Fault(path=f"$.adjustments[{index}].delta", message=_why_not(*row)) for index, *row in rows]
    )


def _why_not(node_id: str, sku: str, delta: int, units: int, condition: str = Condition.SELLABLE) -> str:
    if units == MAX_UNITS:
        return f"{sku} at {node_id} is unlimited, so {delta:+d} means nothing; count it first"
    what = "on_hand" if condition == Condition.SELLABLE else condition
    return (
        f"{delta:+d} would take {what} of {sku} at {node_id} from {units} to {units + delta}; "
        f"it must stay within 0 and {MAX_ON_HAND}"
    )


def _wrong_condition(rows: Sequence[Any]) -> AllotError:
    return WrongCondition(
        [Fault(path=f"$.changes[{index}].quantity", message=_why_not_moved(*row)) for index, *row in rows]
    )


def _why_not_moved(
    node_id: str, sku: str, quantity: int, from_condition: str, to_condition: str, units_from: int, units_to: int
) -> str:
    if MAX_UNITS in {units_from, units_to}:
        return f"{sku} at {node_id} is unlimited, so {quantity} more or less means nothing; count it first"
    if quantity > units_from:
        return f"{quantity} {from_condition} of {sku} at {node_id} asked, {units_from} there; change at most so many"
    return f"{quantity} more would take {to_condition} of {sku} at {node_id} beyond {MAX_ON_HAND}; change fewer"


_REFUSALS: dict[str, Callable[..., AllotError]] = {
    "missing": _missing,
    "past": _past,
    "taken": _taken,
    "of_order": _of_order,
    "forestalled": _forestalled,
    "short": _short,
    "too_many": _too_many,
    "not_on_hand": _not_on_hand,
    "moved": _moved,
    "out_of_range": _out_of_range,
    "wrong_condition": _wrong_condition,
    "too_many_holds": TooManyHolds,
    "uncounted": Uncounted,
    "unpeggable": unpeggable,
    "not_received": not_received,
    "too_many_supplies": too_many_supplies,
    "answer": StoredRefusal,
}
