"""The wire form of stock: counts, adjustments, and the positions of a SKU. Putting supplies: supplies.py."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.schemas.fields import Body, Count, Delta, Identifier, Reply, Text
from engine.inventory.conditions import Condition

MOST_CHANGES = 10_000


class PositionBody(Body, frozen=True, kw_only=True):
    """A count of one SKU at one node, or `unlimited` instead of on_hand.

    With expected_version it is refused if the position moved since.
    """

    node_id: Identifier
    sku: Identifier
    on_hand: Count | None = None
    safety_stock: Count = 0
    expected_version: Count | None = None
    unlimited: bool = False


class PositionsBody(Body, frozen=True, kw_only=True):
    """Counts, all or nothing; each (node_id, sku) once."""

    positions: Annotated[list[PositionBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class AdjustmentBody(Body, frozen=True, kw_only=True):
    """Units that came (`delta` > 0) or went (< 0), in which condition, and why."""

    node_id: Identifier
    sku: Identifier
    delta: Delta
    reason: Text
    condition: Condition = Condition.SELLABLE


class AdjustmentsBody(Body, frozen=True, kw_only=True):
    """Adjustments, all or nothing."""

    adjustments: Annotated[list[AdjustmentBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class ConditionChangeBody(Body, frozen=True, kw_only=True):
    """Units that are in another condition from now on, and why; `sellable` units are those of on_hand."""

    node_id: Identifier
    sku: Identifier
    quantity: Annotated[int, Meta(ge=1, le=2**31 - 2)]
    from_condition: Condition
    to_condition: Condition
    reason: Text


class ConditionChangesBody(Body, frozen=True, kw_only=True):
    """Changes of condition, all or nothing."""

    changes: Annotated[list[ConditionChangeBody], Meta(min_length=1, max_length=MOST_CHANGES)]


class SupplyReply(Reply, frozen=True, kw_only=True):
    """A scheduled receipt; `unpegged` is negative if more is pegged to it than will come."""

    supply_id: str
    quantity: int
    expected_on: date
    pegged: int
    unpegged: int


class DatedDemandReply(Reply, frozen=True, kw_only=True):
    """Units promised to leave on a later day; they count once, on that day. `pegged` of them wait for their supply."""

    ship_on: date
    quantity: int
    pegged: int


class QuotaReply(Reply, frozen=True, kw_only=True):
    """What a channel may count on: `reserve` units, or `share` percent; `used` are its open units."""

    channel: str
    reserve: int | None
    share: int | None
    overflow: bool
    release_at: datetime | None
    used: int


class PositionReply(Reply, frozen=True, kw_only=True):
    """One SKU at one node: reserved = held + confirmed, available = on_hand - safety_stock - reserved.

    If `unlimited`, on_hand is 2147483647 whatever leaves the node. `conditions` are the units beside on_hand that
    cannot be sold, `buffer` is what rules keep back where that is more than safety_stock, `quotas` is what channels may
    count on; answers to counts and adjustments leave them out. Only where a request names positions with many supplies
    again and again are `supplies` and `dated_demand` left out.
    """

    node_id: str
    sku: str
    on_hand: int
    reserved: int
    held: int
    confirmed: int
    safety_stock: int
    available: int
    version: int
    unlimited: bool
    supplies: list[SupplyReply] | UnsetType = UNSET
    dated_demand: list[DatedDemandReply] | UnsetType = UNSET
    conditions: dict[str, int] | UnsetType = UNSET
    buffer: int | UnsetType = UNSET
    quotas: list[QuotaReply] | UnsetType = UNSET


class PositionsReply(Reply, frozen=True, kw_only=True):
    """The positions that were changed, as they are now."""

    positions: list[PositionReply]


class SkuReply(Reply, frozen=True, kw_only=True):
    """All positions of one SKU."""

    sku: str
    positions: list[PositionReply]
