"""From rows of a store's reply about supplies to values and refusals; the one place where these are worded.

Not here: which reply has which rows (lua/coverage.lua, lua/pegs.lua, lua/receive.lua), all other replies (replies.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from engine.errors import Fault, SupplyUnavailable, TooManySupplies
from engine.inventory.model import MAX_ON_HAND, ReservationState
from engine.inventory.receipts import AffectedLine, SettledUnits


def affected_line(
    reservation_id: str,
    order_id: str,
    state: str,
    sku: str,
    node_id: str,
    quantity: int,
    supply_id: str,
    before: int,
    day: int,
    shortfall: int,
    covered_on: int,
) -> AffectedLine:
    """Return a line affected by a change of supplies, from its row (lua/coverage.lua)."""
    return AffectedLine(
        reservation_id=reservation_id,
        order_id=order_id or None,
        state=ReservationState(state),
        sku=sku,
        node_id=node_id,
        quantity=quantity,
        supply_id=supply_id or None,
        ship_on_before=date.fromordinal(before),
        ship_on=date.fromordinal(day),
        shortfall=shortfall,
        covered_on=date.fromordinal(covered_on) if covered_on else None,
    )


def settled_units(
    reservation_id: str, order_id: str, state: str, sku: str, node_id: str, quantity: int, supply_id: str
) -> SettledUnits:
    """Return units that a receipt has settled, from their row (lua/receive.lua)."""
    return SettledUnits(
        reservation_id=reservation_id,
        order_id=order_id or None,
        state=ReservationState(state),
        sku=sku,
        node_id=node_id,
        quantity=quantity,
        supply_id=supply_id,
    )


def unpeggable(rows: Sequence[Any]) -> SupplyUnavailable:
    """Return the refusal of a hold whose lines name supplies that cannot cover them."""
    return SupplyUnavailable(
        [
            Fault(path=f"$.lines[{index}].supply_id", message=_UNPEGGABLE[problem](*rest))
            for index, problem, *rest in rows
        ]
    )


def not_received(rows: Sequence[Any]) -> SupplyUnavailable:
    """Return the refusal of receipts that do not fit their supplies."""
    return SupplyUnavailable(
        [Fault(path=f"$.receipts[{index}]", message=_NOT_RECEIVED[problem](*rest)) for index, problem, *rest in rows]
    )


def too_many_supplies(rows: Sequence[Any]) -> TooManySupplies:
    """Return the refusal of supplies that positions have no room for."""
    return TooManySupplies(
        [
            Fault(
                path=f"$.supplies[{index}]",
                message=f"{sku} at {node_id} would have {count} supplies, and at most {most} fit; "
                "remove those that will not come (quantity 0), or put several of one day together as one",
            )
            for index, sku, node_id, count, most in rows
        ]
    )


def _no_such(supply_id: str, sku: str, node_id: str, *_: int) -> str:
    return (
        f"there is no supply {supply_id!r} of {sku} at {node_id}; name one that GET /v1/inventory/{sku} shows there, "
        "or leave supply_id out"
    )


def _overdue(supply_id: str, sku: str, node_id: str, _: int, day: int) -> str:
    return (
        f"supply {supply_id!r} of {sku} at {node_id} was expected on {date.fromordinal(day)} and has not come; "
        "name another one, or wait until it has a new date"
    )


def _too_little(supply_id: str, sku: str, node_id: str, asked: int, left: int) -> str:
    return (
        f"{asked} of {sku} at {node_id} asked from supply {supply_id!r}, {max(0, left)} of it unpegged; "
        "take fewer, or name another one"
    )


def _all_in(supply_id: str, sku: str, node_id: str, *_: int) -> str:
    return (
        f"there is no supply {supply_id!r} of {sku} at {node_id}: it has come in full, was removed, or was never put; "
        "put it first, or adjust on_hand"
    )


def _too_much(supply_id: str, sku: str, node_id: str, quantity: int, expected: int) -> str:
    return (
        f"{quantity} received of supply {supply_id!r} of {sku} at {node_id}, {expected} expected; "
        "put what is expected first, or adjust on_hand for the rest"
    )


def _beyond(_: str, sku: str, node_id: str, quantity: int, on_hand: int) -> str:
    more = f"{quantity} more would take on_hand of {sku} at {node_id} to {on_hand + quantity}"
    return f"{more}; at most {MAX_ON_HAND} fit"


_UNPEGGABLE: dict[str, Callable[..., str]] = {"unknown": _no_such, "overdue": _overdue, "too_little": _too_little}
_NOT_RECEIVED: dict[str, Callable[..., str]] = {"unknown": _all_in, "too_much": _too_much, "out_of_range": _beyond}
