"""Changes of positions and supplies as the functions of lua/ take them, one row each.

Not here: holds and their lines (redis_holds.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.inventory.conditions import ConditionChange
from engine.inventory.model import Adjustment, PositionCount, Supply
from engine.inventory.receipts import Receipt


def count_rows(counts: Iterable[PositionCount]) -> list[tuple[object, ...]]:
    """Return counts as lua/put_positions.lua takes them."""
    return [
        (
            count.node_id,
            count.sku,
            count.units,
            count.safety_stock,
            -1 if count.expected_version is None else count.expected_version,
        )
        for count in counts
    ]


def adjustment_rows(adjustments: Iterable[Adjustment]) -> list[tuple[object, ...]]:
    """Return adjustments as lua/adjust.lua takes them."""
    return [(change.node_id, change.sku, change.delta, change.reason, change.condition) for change in adjustments]


def condition_rows(changes: Iterable[ConditionChange]) -> list[tuple[object, ...]]:
    """Return changes of conditions as lua/change_conditions.lua takes them."""
    return [
        (change.node_id, change.sku, change.quantity, change.from_condition, change.to_condition, change.reason)
        for change in changes
    ]


def supply_rows(supplies: Iterable[Supply]) -> list[tuple[object, ...]]:
    """Return supplies as lua/put_supplies.lua takes them."""
    return [
        (supply.supply_id, supply.node_id, supply.sku, supply.quantity, supply.expected_on.toordinal())
        for supply in supplies
    ]


def receipt_rows(receipts: Iterable[Receipt]) -> list[tuple[object, ...]]:
    """Return receipts as lua/receive.lua takes them."""
    return [(receipt.supply_id, receipt.node_id, receipt.sku, receipt.quantity, receipt.reason) for receipt in receipts]
