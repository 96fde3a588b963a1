"""Stock over HTTP: counts, adjustments, and the positions of a SKU. Supplies: supplies.py."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.long_answers import written_object, written_rows
from api.schemas import inventory as wire
from engine.errors import NotFound, OnHandOutOfRange, VersionConflict, WrongCondition
from engine.inventory.conditions import ConditionChange
from engine.inventory.model import Adjustment, DatedDemand, Position, PositionCount, Supply
from engine.inventory.quotas import Quota
from engine.turns import let_go, taken_in_turns

MOST_REPEATED = 10_000
LARGE = 4 * 2**20


async def put_positions(call: Call[wire.PositionsBody, NoQuery]) -> Answer:
    """Sets counts, all or nothing.

    `version` moves with on_hand and safety_stock, never with holds; with expected_version a count is refused if
    somebody else counted since. A count may leave `available` negative. `unlimited` instead of on_hand is for vendors
    who always have more.
    """
    counts = [new_count(body) async for piece in taken_in_turns(call.body.positions) for body in piece]
    positions = await call.engine.inventory.put_positions(counts)
    await let_go(counts)
    return Answer(value=await written_positions(positions))


def new_count(body: wire.PositionBody) -> PositionCount:
    """Return what was counted by the body of a position."""
    return PositionCount(
        node_id=body.node_id,
        sku=body.sku,
        on_hand=body.on_hand,
        safety_stock=body.safety_stock,
        expected_version=body.expected_version,
        unlimited=body.unlimited,
    )


async def adjust_stock(call: Call[wire.AdjustmentsBody, NoQuery]) -> Answer:
    """Adds each delta to on_hand, or to the units of another `condition`, all or nothing.

    What is changed never leaves 0 to 2147483646; unlimited stock is refused.
    """
    adjustments = [
        Adjustment(node_id=body.node_id, sku=body.sku, delta=body.delta, reason=body.reason, condition=body.condition)
        async for piece in taken_in_turns(call.body.adjustments)
        for body in piece
    ]
    adjusted = await call.engine.inventory.adjust(adjustments, replay=call.replay)
    await let_go(adjustments)
    return Answer(value=await written_positions(adjusted.value), is_replayed=adjusted.replayed)


async def change_conditions(call: Call[wire.ConditionChangesBody, NoQuery]) -> Answer:
    """Moves units between conditions, all or nothing: `sellable` (on_hand), damaged, quality_hold, in_transit.

    Only sellable units can be promised or reserved. Taking units off on_hand may leave `available` negative.
    """
    changes = [
        ConditionChange(
            node_id=body.node_id,
            sku=body.sku,
            quantity=body.quantity,
            from_condition=body.from_condition,
            to_condition=body.to_condition,
            reason=body.reason,
        )
        async for piece in taken_in_turns(call.body.changes)
        for body in piece
    ]
    changed = await call.engine.inventory.change_conditions(changes, replay=call.replay)
    await let_go(changes)
    return Answer(value=await written_positions(changed.value), is_replayed=changed.replayed)


async def get_inventory(call: Call[None, NoQuery]) -> Answer:
    """Every node that has a position of the SKU, with supplies, dated demand, quotas, and units that cannot be sold."""
    sku = call.path["sku"]
    positions = await call.engine.inventory.positions(sku)
    return Answer(value=wire.SkuReply(sku=sku, positions=[position_reply(position) for position in positions]))


class ShownPositions:
    """The positions that a request has changed, one for each of its rows; they may come in pieces.

    What is scheduled at one that is named again and again is left out after MOST_REPEATED supplies and dated demands.
    """

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], wire.PositionReply] = {}
        self._repeated = 0

    def of(self, positions: Sequence[Position]) -> list[wire.PositionReply]:
        """Return positions as they go over the wire."""
        return [self._of(position) for position in positions]

    def _of(self, position: Position) -> wire.PositionReply:
        if not position.supplies and not position.dated:
            return position_reply(position)
        place = (position.sku, position.node_id)
        if place not in self._shown:
            self._shown[place] = position_reply(position)
        else:
            self._repeated += len(position.supplies) + len(position.dated)
            if self._repeated > MOST_REPEATED:
                self._shown[place] = replace(self._shown[place], supplies=UNSET, dated_demand=UNSET)
        return self._shown[place]


async def written_positions(positions: list[Position]) -> bytes:
    """Return `PositionsReply` as JSON; the positions are taken off their list."""
    rows = await written_rows(ShownPositions().of, positions)
    await let_go(positions)
    return await written_object({"positions": rows})


def position_reply(position: Position) -> wire.PositionReply:
    """Return a position as it goes over the wire."""
    return wire.PositionReply(
        node_id=position.node_id,
        sku=position.sku,
        on_hand=position.on_hand,
        reserved=position.reserved,
        held=position.held,
        confirmed=position.confirmed,
        safety_stock=position.safety_stock,
        available=position.available,
        version=position.version,
        unlimited=position.unlimited,
        supplies=[_supply_reply(supply) for supply in position.supplies] if position.supplies else [],
        dated_demand=[_demand_reply(demand) for demand in position.dated] if position.dated else [],
        buffer=UNSET if position.buffer is None else position.buffer,
        quotas=UNSET if position.quotas is None else [quota_reply(quota) for quota in position.quotas],
        conditions=UNSET if position.conditions is None else {str(name): n for name, n in position.conditions.items()},
    )


def _supply_reply(supply: Supply) -> wire.SupplyReply:
    return wire.SupplyReply(
        supply_id=supply.supply_id,
        quantity=supply.quantity,
        expected_on=supply.expected_on,
        pegged=supply.pegged,
        unpegged=supply.unpegged,
    )


def _demand_reply(demand: DatedDemand) -> wire.DatedDemandReply:
    return wire.DatedDemandReply(ship_on=demand.ship_on, quantity=demand.quantity, pegged=demand.pegged)


def quota_reply(quota: Quota) -> wire.QuotaReply:
    """Return a channel quota as it goes over the wire."""
    return wire.QuotaReply(
        channel=quota.channel,
        reserve=quota.reserve,
        share=quota.share,
        overflow=quota.overflow,
        release_at=quota.release_at,
        used=quota.used,
    )


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/inventory/positions",
        summary="Set stock counts",
        handler=put_positions,
        body=wire.PositionsBody,
        reply=wire.PositionsReply,
        scope="inventory:write",
        refusals=(VersionConflict,),
        max_body_bytes=LARGE,
        example={"positions": [{"node_id": "chicago-dc", "sku": "MUG-RED", "on_hand": 20, "safety_stock": 2}]},
    ),
    Endpoint(
        method="POST",
        path="/v1/inventory/adjustments",
        summary="Adjust stock",
        handler=adjust_stock,
        body=wire.AdjustmentsBody,
        reply=wire.PositionsReply,
        scope="inventory:write",
        refusals=(OnHandOutOfRange,),
        is_keyed=True,
        max_body_bytes=LARGE,
        example={"adjustments": [{"node_id": "chicago-dc", "sku": "MUG-RED", "delta": -1, "reason": "damaged"}]},
    ),
    Endpoint(
        method="POST",
        path="/v1/inventory/condition-changes",
        summary="Move stock between conditions",
        handler=change_conditions,
        body=wire.ConditionChangesBody,
        reply=wire.PositionsReply,
        scope="inventory:write",
        refusals=(WrongCondition,),
        is_keyed=True,
        max_body_bytes=LARGE,
        example={
            "changes": [
                {
                    "node_id": "chicago-dc",
                    "sku": "MUG-RED",
                    "quantity": 1,
                    "from_condition": "sellable",
                    "to_condition": "quality_hold",
                    "reason": "label peels off",
                }
            ]
        },
    ),
    Endpoint(
        method="GET",
        path="/v1/inventory/{sku:path}",
        summary="Get the stock of a SKU",
        handler=get_inventory,
        reply=wire.SkuReply,
        scope="inventory:read",
        refusals=(NotFound,),
        path_examples={"sku": "MUG-RED"},
    ),
)
