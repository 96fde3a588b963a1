"""Stock by its condition: what can be sold is on_hand, what cannot is kept beside it and never counts in ATP.

Not here: where it is kept (lua/conditions.lua, memory_stock.py).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """In what condition units are."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    QUALITY_HOLD = "quality_hold"
    IN_TRANSIT = "in_transit"


class ConditionChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units of a position that turn out to be, or are now, in another condition; the reason is for people."""

    node_id: str
    sku: str
    quantity: int
    from_condition: Condition
    to_condition: Condition
    reason: str
