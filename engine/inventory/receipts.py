"""Receipts of supplies, and what becomes of reservations when supplies change.

Not here: supplies themselves (model.py), the rules (lua/coverage.lua, lua/receive.lua).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from engine.inventory.model import Position, ReservationState


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units of a supply that have come; the reason is for people."""

    supply_id: str
    node_id: str
    sku: str
    quantity: int
    reason: str = ""


class SettledUnits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units of a reservation that waited for a supply and have come with a receipt: held or confirmed today."""

    reservation_id: str
    order_id: str | None
    state: ReservationState
    sku: str
    node_id: str
    quantity: int
    supply_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The positions of the receipts, in order, and the units that no longer wait."""

    positions: tuple[Position, ...]
    settled: tuple[SettledUnits, ...]


class AffectedLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of a reservation after its supply, or one it counts on, has changed.

    With a `supply_id` it is pegged: its `ship_on` has followed the supply, and `shortfall` units have nothing to come
    from any more. Without, `shortfall` units are not covered by its `ship_on` as things stand, first come first served;
    `covered_on` is the first day on which the whole line is, None if there is none.
    """

    reservation_id: str
    order_id: str | None
    state: ReservationState
    sku: str
    node_id: str
    quantity: int
    supply_id: str | None
    ship_on_before: date
    ship_on: date
    shortfall: int
    covered_on: date | None
