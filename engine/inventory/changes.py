"""A view of stock brought up to date by the entries of the event journal, see lua/journal.lua.

Not here: reading the journal (redis_reads.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from engine.inventory.model import KINDS, StockView
from engine.inventory.view import scheduled_of

Move = tuple[int, str, int, int]
"""(day ordinal, supply_id or blank, delta before, delta after)."""
Row = tuple[str, int, tuple[str, ...], tuple[Move, ...]]
"""(SKU, slot, whys, moves)."""
Entry = tuple[int, str, str, tuple[Row, ...]]
"""(milliseconds, act, who, rows)."""

_CELL_BYTES = KINDS * 4


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
                moves.setdefault((row, slot), []).extend(moved)
    return _moved(replace(view, epoch=epoch, cells=_changed(view, latest)), moves)


def _changed(view: StockView, latest: dict[tuple[int, int], bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Return the cells of the view with the latest of those that changed."""
    cells = view.cells.copy()
    if latest:
        rows, slots = np.array(list(latest)).T
        cells[rows, slots] = np.frombuffer(b"".join(latest.values()), dtype=">u4").reshape(-1, KINDS)
    cells.flags.writeable = False
    return cells


def _moved(view: StockView, moves: dict[tuple[int, int], list[Move]]) -> StockView:
    """Return the view with the moves made in its schedules."""
    if not moves:
        return view
    schedule, supplies = dict(view.schedule), dict(view.supplies)
    for (row, slot), made in moves.items():
        named = {
            (supply.expected_on.toordinal(), supply.supply_id): supply.quantity
            for supply in supplies.pop((row, slot), ())
        }
        named |= {(day, ""): delta for day, delta in schedule.pop((row, slot), ()) if delta < 0}
        for day, name, _, after in made:
            named[day, name] = after
        left = [(day, delta, name) for (day, name), delta in named.items() if delta]
        schedule_now, supplies_now = scheduled_of(view.skus[row], view.node_ids[slot], left)
        if schedule_now:
            schedule[row, slot] = schedule_now
        if supplies_now:
            supplies[row, slot] = supplies_now
    return replace(view, schedule=schedule, supplies=supplies)
