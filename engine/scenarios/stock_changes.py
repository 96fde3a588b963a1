"""What changes of stock and supplies come to: units that come, go, move or arrive late, and counts that are wrong.

Not here: other changes (changes.py).
"""

from __future__ import annotations

from dataclasses import replace

from engine.inventory.model import Adjustment
from engine.scenarios.change_document import (
    DelaySuppliesDocument,
    MiscountDocument,
    MoveStockDocument,
    StockChangeDocument,
)
from engine.scenarios.changing import Changing
from engine.scenarios.story import DAY_SECONDS, AdjustStock, PlannedSupply
from engine.scenarios.yaml_tree import Location


def add_stock(change: StockChangeDocument, location: Location, changing: Changing) -> None:
    """Read `add_stock`."""
    _adjust(change, 1, location, changing)


def remove_stock(change: StockChangeDocument, location: Location, changing: Changing) -> None:
    """Read `remove_stock`."""
    _adjust(change, -1, location, changing)


def _adjust(change: StockChangeDocument, sign: int, location: Location, changing: Changing) -> None:
    changing.node(change.node_id, (*location, "node_id"))
    changing.sku(change.sku, (*location, "sku"))
    adjustment = Adjustment(node_id=change.node_id, sku=change.sku, delta=sign * change.quantity, reason=change.reason)
    changing.act(changing.second(change.day, change.at, (*location, "day")), AdjustStock(adjustments=(adjustment,)))


def move_stock(change: MoveStockDocument, location: Location, changing: Changing) -> None:
    """Read `move_stock`: it is expected at the other node from the start of the story on."""
    for key in ("from_node_id", "to_node_id"):
        changing.node(getattr(change, key), (*location, key))
    changing.sku(change.sku, (*location, "sku"))
    if change.from_node_id == change.to_node_id:
        message = f"{change.to_node_id!r} is where it is already; name another node"
        changing.findings.note((*location, "to_node_id"), message)
    from_s = changing.second(change.day, change.at, (*location, "day"))
    leaves = Adjustment(node_id=change.from_node_id, sku=change.sku, delta=-change.quantity, reason="moved")
    comes = Adjustment(node_id=change.to_node_id, sku=change.sku, delta=change.quantity, reason="moved")
    if change.transit_days == 0:
        changing.act(from_s, AdjustStock(adjustments=(leaves, comes)))
        return
    changing.act(from_s, AdjustStock(adjustments=(leaves,)))
    arrives_s = from_s + change.transit_days * DAY_SECONDS
    changing.supplies.append(
        PlannedSupply(
            supply_id=f"move-{location[1]}",
            node_id=change.to_node_id,
            sku=change.sku,
            quantity=change.quantity,
            expected_s=arrives_s,
            arrives_s=arrives_s,
        )
    )


def delay_supplies(change: DelaySuppliesDocument, location: Location, changing: Changing) -> None:
    """Read `delay_supplies`."""
    known = {supply.supply_id for supply in changing.supplies}
    for at, supply_id in enumerate(change.supply_ids or ()):
        changing.findings.note_unknown((*location, "supply_ids", at), "supply", supply_id, known)
    changing.nodes(change.node_ids, (*location, "node_ids"))
    for at, sku in enumerate(change.skus or ()):
        changing.sku(sku, (*location, "skus", at))
    told_s = None
    if change.told_day is not None:
        told_s = changing.second(change.told_day, "00:00", (*location, "told_day"))
    meant = [at for at, supply in enumerate(changing.supplies) if _is_delayed(supply, change)]
    if not meant:
        changing.findings.note(location, "no supply is meant; leave a condition out, or add the supply")
    for at in meant:
        supply = changing.supplies[at]
        arrives_s = supply.expected_s if supply.arrives_s is None else supply.arrives_s
        later_s = max(arrives_s + change.days * DAY_SECONDS, 0)
        changing.supplies[at] = replace(supply, arrives_s=later_s, told_s=told_s)


def _is_delayed(supply: PlannedSupply, change: DelaySuppliesDocument) -> bool:
    return (
        (change.supply_ids is None or supply.supply_id in change.supply_ids)
        and (change.node_ids is None or supply.node_id in change.node_ids)
        and (change.skus is None or supply.sku in change.skus)
    )


def miscount_stock(change: MiscountDocument, location: Location, changing: Changing) -> None:
    """Read `miscount_stock`."""
    if changing.miscounts:
        changing.findings.note(location, "stock is miscounted once, as the story begins; keep one of the two")
    changing.miscounts.append(change)
