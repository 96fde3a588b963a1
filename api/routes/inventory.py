"""Stock over HTTP: counts, adjustments, and the positions of a SKU. Supplies: supplies.py."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import inventory as wire
from engine.errors import NotFound, OnHandOutOfRange, VersionConflict, WrongCondition
from engine.inventory.conditions import ConditionChange
from engine.inventory.model import Adjustment, Position, PositionCount
from engine.inventory.quotas import Quota

MOST_REPEATED = 10_000
LARGE = 4 * 2**20


async def put_positions(call: Call[wire.PositionsBody, NoQuery]) -> Answer:
    """Sets counts, all or nothing.

    `version` moves with on_hand and safety_stock, never with holds; with expected_version a count is refused if
    somebody else counted since. A count may leave `available` negative. `unlimited` instead of on_hand is for vendors
    who always have more.
    """
    positions = await call.engine.inventory.put_positions([new_count(body) for body in call.body.positions])
    return Answer(value=wire.PositionsReply(positions=position_replies(positions)))


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
        for body in call.body.adjustments
    ]
    adjusted = await call.engine.inventory.adjust(adjustments, replay=call.replay)
    shown = wire.PositionsReply(positions=position_replies(adjusted.value))
    return Answer(value=shown, is_replayed=adjusted.replayed)


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
        for body in call.body.changes
    ]
    changed = await call.engine.inventory.change_conditions(changes, replay=call.replay)
    shown = wire.PositionsReply(positions=position_replies(changed.value))
    return Answer(value=shown, is_replayed=changed.replayed)


async def get_inventory(call: Call[None, NoQuery]) -> Answer:
    """Every node that has a position of the SKU, with supplies, dated demand, quotas, and units that cannot be sold."""
    sku = call.path["sku"]
    positions = await call.engine.inventory.positions(sku)
    return Answer(value=wire.SkuReply(sku=sku, positions=[position_reply(position) for position in positions]))


def position_replies(positions: Sequence[Position]) -> list[wire.PositionReply]:
    """Return the positions that a request has changed, one for each of its rows.

    What is scheduled at one that is named again and again is left out after MOST_REPEATED supplies and dated demands.
    """
    shown: dict[tuple[str, str], wire.PositionReply] = {}
    found: list[wire.PositionReply] = []
    repeated = 0
    for position in positions:
        place = (position.sku, position.node_id)
        if place in shown:
            repeated += len(position.supplies) + len(position.dated)
            if repeated > MOST_REPEATED:
                shown[place] = replace(shown[place], supplies=UNSET, dated_demand=UNSET)
        else:
            shown[place] = position_reply(position)
        found.append(shown[place])
    return found


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
        supplies=[
            wire.SupplyReply(
                supply_id=supply.supply_id,
                quantity=supply.quantity,
                expected_on=supply.expected_on,
                pegged=supply.pegged,
                unpegged=supply.unpegged,
            )
            for supply in position.supplies
        ],
        dated_demand=[
            wire.DatedDemandReply(ship_on=demand.ship_on, quantity=demand.quantity, pegged=demand.pegged)
            for demand in position.dated
        ],
        buffer=UNSET if position.buffer is None else position.buffer,
        quotas=UNSET if position.quotas is None else [quota_reply(quota) for quota in position.quotas],
        conditions=UNSET if position.conditions is None else {str(name): n for name, n in position.conditions.items()},
    )


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
