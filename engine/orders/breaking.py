"""Units that a node finds broken before they leave: they are on hand no more, and lie there as damaged from then on.

The step by which the node says so takes them off on hand with what is reserved; the other half is an effect, done once
under its key. Not here: what becomes of the order (rejecting.py), and of broken units later (the condition of stock).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.inventory.conditions import Condition
from engine.inventory.model import Adjustment, Replay
from engine.inventory.service import InventoryService
from engine.orders.changing import Rule
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, StockLine, revision_of

BROKEN = "stock.damaged"
"""The kind of the effect by which units are kept as damaged at their node."""


class BrokenStock:
    """Keeps broken units as damaged."""

    def __init__(self, inventory: InventoryService) -> None:
        self._inventory = inventory

    async def keep(self, order: Order, effect: Effect) -> Rule:
        """Do `stock.damaged`, once; unlimited stock is not counted."""
        key, node_id, sku = effect.effect_id, effect.target, effect.subject
        positions = await self._inventory.positions(sku)
        if not any(each.node_id == node_id and each.unlimited for each in positions):
            broken = Adjustment(
                node_id=node_id,
                sku=sku,
                delta=effect.units,
                reason=f"damaged, order {order.order_id}",
                condition=Condition.DAMAGED,
            )
            await self._inventory.adjust([broken], replay=Replay(digest=key, fingerprint=key))
        return lambda seen, _: _kept(seen, effect)


def with_broken(order: Order, lines: Sequence[StockLine], at: datetime) -> Order:
    """Return an order that asks for units to be kept as damaged where they are."""
    units: dict[tuple[str, str], int] = {}
    for sku, node_id, count, _ in lines:
        units[node_id, sku] = units.get((node_id, sku), 0) + count
    effects = [
        Effect(
            effect_id=f"{order.order_id}:damaged:{order.steering.revision + 1}:{number}",
            kind=BROKEN,
            due_at=at,
            target=node_id,
            subject=sku,
            units=count,
        )
        for number, ((node_id, sku), count) in enumerate(units.items(), 1)
    ]
    return replace(order, life=with_effects(order.life, *effects))


def _kept(order: Order, effect: Effect) -> Revision:
    after = replace(order, life=without_effect(order.life, effect.effect_id))
    said = f"{effect.units} {effect.subject}: damaged"
    return revision_of(order, after, Note(event="damaged_kept", by="stock", node_id=effect.target, reason=said))
