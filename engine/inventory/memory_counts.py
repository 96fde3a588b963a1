"""Counts, adjustments and changes of condition in the in-memory store: each looks at everything, then changes it.

They answer in the replies of lua/replies.lua.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.inventory.conditions import Condition, ConditionChange
from engine.inventory.memory_stock import MemoryStock
from engine.inventory.model import (
    MAX_ON_HAND,
    MAX_UNITS,
    ON_HAND,
    SAFETY_STOCK,
    VERSION,
    Adjustment,
    PositionCount,
)
from engine.inventory.replies import Reply


def put_positions(stock: MemoryStock, counts: Sequence[PositionCount]) -> Reply:
    """Set counts, all or none."""
    versions: dict[tuple[str, str], tuple[int, int, int]] = {}
    moved: list[Any] = []
    for index, count in enumerate(counts):
        place = (count.sku, count.node_id)
        cell = stock.cell(*place)
        on_hand, safety, version = versions.get(place, (cell[ON_HAND], cell[SAFETY_STOCK], cell[VERSION]))
        if count.expected_version is not None and count.expected_version != version:
            moved.append((index, count.node_id, count.sku, count.expected_version, version))
        changes = version == 0 or (on_hand, safety) != (count.units, count.safety_stock)
        versions[place] = (count.units, count.safety_stock, version + changes)
    if moved:
        return ("moved", moved)
    for place, (on_hand, safety, version) in versions.items():
        cell_to_change = stock.cell_to_change(*place)
        cell_to_change[ON_HAND], cell_to_change[SAFETY_STOCK], cell_to_change[VERSION] = on_hand, safety, version
    return _positions(stock, counts)


def missing_on_hand(stock: MemoryStock, leaving: Mapping[tuple[str, str], int]) -> list[tuple[str, str, int, int]]:
    """Return (sku, node_id, asked, on_hand) where more units are to leave than there are."""
    found = [(*place, quantity, stock.cell(*place)[ON_HAND]) for place, quantity in leaving.items()]
    return [each for each in found if each[2] > each[3]]


def take_off_hand(stock: MemoryStock, leaving: Mapping[tuple[str, str], int]) -> None:
    """Take units off on_hand that leave; what is unlimited stays so."""
    for place, quantity in leaving.items():
        cell = stock.cell_to_change(*place)
        if cell[ON_HAND] != MAX_UNITS:
            cell[ON_HAND] -= quantity
            cell[VERSION] += 1


def adjust(stock: MemoryStock, adjustments: Sequence[Adjustment]) -> Reply:
    """Add deltas to on_hand or to units of another condition, all or none."""
    units: dict[tuple[str, str, Condition], int] = {}
    refused: list[Any] = []
    for index, change in enumerate(adjustments):
        place = (change.sku, change.node_id, change.condition)
        before = units.get(place, stock.units_in(*place))
        if before != MAX_UNITS and 0 <= before + change.delta <= MAX_ON_HAND:
            units[place] = before + change.delta
        else:
            refused.append((index, change.node_id, change.sku, change.delta, before, change.condition))
    if refused:
        return ("out_of_range", refused)
    for change in adjustments:
        place = (change.sku, change.node_id, change.condition)
        stock.set_units(*place, stock.units_in(*place) + change.delta)
        stock.because(change.sku, change.node_id, change.reason)
    return _positions(stock, adjustments)


def change_conditions(stock: MemoryStock, changes: Sequence[ConditionChange]) -> Reply:
    """Move units from one condition to another, all or none."""
    units: dict[tuple[str, str, Condition], int] = {}
    refused: list[Any] = []
    for index, change in enumerate(changes):
        sides = [(change.sku, change.node_id, of) for of in (change.from_condition, change.to_condition)]
        there, other = (units.get(side, stock.units_in(*side)) for side in sides)
        if there != MAX_UNITS and change.quantity <= there and other + change.quantity <= MAX_ON_HAND:
            units[sides[0]], units[sides[1]] = there - change.quantity, other + change.quantity
        else:
            asked = (change.quantity, change.from_condition, change.to_condition)
            refused.append((index, change.node_id, change.sku, *asked, there, other))
    if refused:
        return ("wrong_condition", refused)
    for change in changes:
        for condition, by in ((change.from_condition, -change.quantity), (change.to_condition, change.quantity)):
            place = (change.sku, change.node_id, condition)
            stock.set_units(*place, stock.units_in(*place) + by)
        stock.because(change.sku, change.node_id, change.reason)
    rows = stock.position_rows([(change.sku, change.node_id) for change in changes])
    for row, change in zip(rows, changes, strict=True):
        row.append(list(stock.conditions(change.sku, change.node_id).items()))
    return ("positions", rows)


def _positions(stock: MemoryStock, rows: Sequence[PositionCount] | Sequence[Adjustment]) -> Reply:
    return ("positions", stock.position_rows([(row.sku, row.node_id) for row in rows]))
