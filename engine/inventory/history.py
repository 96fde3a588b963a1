"""What happened to one position: who changed it, why, and the quantities before and after, newest first.

Here: the events, and how they are read from rows of the journal (lua/journal.lua). Not here: where the journal is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine.clock import instant_of
from engine.inventory.conditions import Condition
from engine.inventory.model import CONFIRMED, HELD, KINDS, ON_HAND, SAFETY_STOCK, VERSION

_CELL = struct.Struct(f">{KINDS}I")
Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """The quantities of a position at one moment."""

    on_hand: int
    safety_stock: int
    held: int
    confirmed: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChange:
    """A scheduled quantity of a day before and after: of a supply, or, negative, of dated demand.

    The `supply_id` of dated demand is that of the supply it is pegged to, None if there is none.
    """

    day: date
    supply_id: str | None
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionMove:
    """The units that cannot be sold for one reason, before and after."""

    condition: Condition
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockEvent:
    """One change of a position.

    `event` numbers the changes of a partition, `act` is what was done (`hold`, `adjust`, …), `who` did it, `whys` names
    the reservations, orders or reasons it was done for.
    """

    event: int
    at: datetime
    act: str
    who: str
    whys: tuple[str, ...]
    before: Quantities
    after: Quantities
    schedule: tuple[ScheduleChange, ...] = ()
    conditions: tuple[ConditionMove, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Events of a position, newest first; `has_more`: on the next page; `is_cut_off`: older ones are no longer kept."""

    events: tuple[StockEvent, ...]
    has_more: bool
    is_cut_off: bool


def history_of(rows: Sequence[Sequence[Any]], cells: bytes, *, has_more: bool, is_cut_off: bool) -> History:
    """Return the history of rows {event, ms, act, who, whys, moves} and of their cells, before and after."""
    found = list(_CELL.iter_unpack(cells))
    events = tuple(_event(row, found[2 * i], found[2 * i + 1]) for i, row in enumerate(rows))
    return History(events=events, has_more=has_more, is_cut_off=is_cut_off)


def pack_cell(cell: Sequence[int]) -> bytes:
    """Return the eight numbers of a cell group as 32 bytes, big-endian."""
    return _CELL.pack(*cell)


def _event(row: Sequence[Any], before: Cell, after: Cell) -> StockEvent:
    event, ms, act, who, whys, moves = row
    return StockEvent(
        event=event,
        at=instant_of(ms),
        act=act,
        who=_who(who, _list(whys)),
        whys=_list(whys),
        before=_quantities(before),
        after=_quantities(after),
        schedule=tuple(
            ScheduleChange(day=date.fromordinal(day), supply_id=name or None, before=earlier, after=later)
            for day, name, earlier, later in moves
            if day > 0
        ),
        conditions=tuple(
            ConditionMove(condition=Condition(name), before=earlier, after=later)
            for day, name, earlier, later in moves
            if day == 0
        ),
    )


def _quantities(cell: Cell) -> Quantities:
    return Quantities(
        on_hand=cell[ON_HAND],
        safety_stock=cell[SAFETY_STOCK],
        held=cell[HELD],
        confirmed=cell[CONFIRMED],
        version=cell[VERSION],
    )


def _list(whys: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(whys, str):
        return (whys,) if whys else ()
    return tuple(whys)


def _who(who: str | Mapping[str, str], whys: Sequence[str]) -> str:
    """Return who acted; if several did at the same moment, those whose reservations are among `whys`."""
    if isinstance(who, str):
        return who
    return ", ".join(dict.fromkeys(who[why] for why in whys if why in who))
