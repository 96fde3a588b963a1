"""A view of stock brought up to date by the entries of the event journal, see lua/journal.lua.

Not here: reading the journal (redis_reads.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from msgspec import structs

from engine.inventory.model import KINDS, QUOTAS, StockView
from engine.inventory.view import Peg, scheduled_of

Move = tuple[int, str, int, int]
"""(day ordinal, supply_id or blank, delta before, delta after).

Negative deltas are of dated demand; those of day 0 are of units that cannot be sold, by condition, not in a view.
"""
Row = tuple[str, int, str | tuple[str, ...], tuple[Move, ...]]
"""(SKU, slot, why or whys, moves)."""
Entry = tuple[int, str, str | dict[str, str], tuple[Row, ...]]
"""(milliseconds, act, who or who by reservation, rows)."""

_CELL_BYTES = KINDS * 4
_AT = QUOTAS * 4
_NO_QUOTAS = bytes(4)


def apply_changes(
    view: StockView, entries: Sequence[tuple[Entry, bytes]], epoch: int, *, scheduled_then: Collection[int] = ()
) -> StockView | None:
    """Return the view at `epoch` from an earlier one and every entry between, each with its cells before and after.

    Schedules of the SKU rows `scheduled_then` are as of `epoch` already. Returns None if a SKU or a node is new: then
    every cell has to be read.
    """
    row_of = {sku: row for row, sku in enumerate(view.skus)}
    latest: dict[tuple[int, int], bytes] = {}
    moves: dict[tuple[int, int], list[Move]] = {}
    for (_, _, _, rows), cells in entries:
        for place, (sku, slot, _, moved) in enumerate(rows):
            row = row_of.get(sku)
            if row is None or slot >= len(view.node_ids):
                return None
            latest[row, slot] = cells[(2 * place + 1) * _CELL_BYTES : (2 * place + 2) * _CELL_BYTES]
            if moved and row not in scheduled_then:
                moves.setdefault((row, slot), []).extend(move for move in moved if move[0] > 0)
    return _moved(structs.replace(view, epoch=epoch, cells=_changed(view, latest)), moves)


def rows_with_quotas(view: StockView, entries: Sequence[tuple[Entry, bytes]]) -> set[int]:
    """Return the SKU rows of a view with a position that had quotas before or after one of the entries."""
    skus = {
        row[0]
        for (_, _, _, rows), cells in entries
        for place, row in enumerate(rows)
        for at in (2 * place * _CELL_BYTES + _AT, (2 * place + 1) * _CELL_BYTES + _AT)
        if cells[at : at + 4] != _NO_QUOTAS
    }
    return {i for i, sku in enumerate(view.skus) if sku in skus} if skus else set()


def _changed(view: StockView, latest: dict[tuple[int, int], bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Return the cells of the view with the latest of those that changed."""
    if not latest:
        return view.cells
    cells = view.cells.copy()
    rows, slots = np.array(list(latest)).T
    cells[rows, slots] = np.frombuffer(b"".join(latest.values()), dtype=">u4").reshape(-1, KINDS)
    cells.flags.writeable = False
    return cells


def _moved(view: StockView, moves: dict[tuple[int, int], list[Move]]) -> StockView:
    """Return the view with the moves made in its schedules."""
    if not moves:
        return view
    schedule, supplies, pegs = dict(view.schedule), dict(view.supplies), dict(view.pegs)
    for place, made in moves.items():
        named = {
            (supply.expected_on.toordinal(), supply.supply_id, False): supply.quantity
            for supply in supplies.pop(place, ())
        }
        named |= _demand(schedule.pop(place, ()), pegs.pop(place, ()))
        for day, name, before, after in made:
            named[day, name, before < 0 or after < 0] = after
        left = [(day, delta, name) for (day, name, _), delta in named.items() if delta]
        found = scheduled_of(view.skus[place[0]], view.node_ids[place[1]], left)
        if found[0]:
            schedule[place] = found[0]
        if found[1]:
            supplies[place] = found[1]
        if found[2]:
            pegs[place] = found[2]
    return structs.replace(view, schedule=schedule, supplies=supplies, pegs=pegs)


def _demand(schedule: Sequence[tuple[int, int]], pegs: Sequence[Peg]) -> dict[tuple[int, str, bool], int]:
    """Return dated demand, negative, by (day, supply it is pegged to or blank, True)."""
    named = {(day, name, True): -units for day, units, name in pegs}
    for day, delta in schedule:
        if delta < 0:
            named[day, "", True] = named.get((day, "", True), 0) + delta
    for day, units, _ in pegs:
        named[day, "", True] += units
    return named
