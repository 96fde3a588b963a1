"""Supplies over HTTP: what is to come, and what has come."""

from __future__ import annotations

from collections.abc import Sequence

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.long_answers import Fields, written_object, written_rows
from api.routes.inventory import LARGE, ShownPositions
from api.schemas import supplies as wire
from engine.errors import SupplyUnavailable, TooManySupplies
from engine.inventory.model import Supply
from engine.inventory.receipts import AffectedLine, Receipt, SettledUnits
from engine.turns import let_go, taken_in_turns


async def put_supplies(call: Call[wire.SuppliesBody, NoQuery]) -> Answer:
    """Adds, changes or moves scheduled receipts by their supply_id; quantity 0 removes one.

    Reservations pegged to a supply follow its day in the same step. The answer names them, those that have nothing to
    come from any more, and other dated lines of these positions that are short as things stand. It is never refused
    for that: `available` may go negative, and nothing more is sold.

    `quantity` is what is still to come; receipts lower it. With an Idempotency-Key, which is optional here, the same
    request again, however late, changes nothing and gets the first answer.
    """
    supplies = [
        Supply(
            supply_id=body.supply_id,
            node_id=body.node_id,
            sku=body.sku,
            quantity=body.quantity,
            expected_on=body.expected_on,
        )
        async for piece in taken_in_turns(call.body.supplies)
        for body in piece
    ]
    put = await call.engine.inventory.put_supplies(supplies, replay=call.replay)
    shown: Fields = {"supplies": len(supplies), "affected": await written_rows(_affected, put.value)}
    await let_go(supplies)
    return Answer(value=await written_object(shown), is_replayed=put.replayed)


async def receive_supplies(call: Call[wire.ReceiptsBody, NoQuery]) -> Answer:
    """Takes units of supplies into stock, all receipts or none: the supply goes down, on_hand goes up.

    Units that reservations have pegged to the supply are held or confirmed from now on, in the same step; where too
    few have come, those that ship first come first.
    """
    receipts = [
        Receipt(
            supply_id=body.supply_id,
            node_id=body.node_id,
            sku=body.sku,
            quantity=body.quantity,
            reason=body.reason,
        )
        async for piece in taken_in_turns(call.body.receipts)
        for body in piece
    ]
    received = await call.engine.inventory.receive(receipts, replay=call.replay)
    shown = {
        "positions": await written_rows(ShownPositions().of, received.value.positions),
        "settled": await written_rows(_settled, received.value.settled),
    }
    await let_go(receipts)
    return Answer(value=await written_object(shown), is_replayed=received.replayed)


def _affected(lines: Sequence[AffectedLine]) -> list[wire.AffectedReply]:
    return [
        wire.AffectedReply(
            reservation_id=line.reservation_id,
            order_id=line.order_id,
            state="held" if line.state == "held" else "confirmed",
            sku=line.sku,
            node_id=line.node_id,
            quantity=line.quantity,
            supply_id=line.supply_id,
            ship_on_before=line.ship_on_before,
            ship_on=line.ship_on,
            shortfall=line.shortfall,
            covered_on=line.covered_on,
        )
        for line in lines
    ]


def _settled(settled: Sequence[SettledUnits]) -> list[wire.SettledReply]:
    return [
        wire.SettledReply(
            reservation_id=units.reservation_id,
            order_id=units.order_id,
            state="held" if units.state == "held" else "confirmed",
            sku=units.sku,
            node_id=units.node_id,
            quantity=units.quantity,
            supply_id=units.supply_id,
        )
        for units in settled
    ]


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/inventory/supplies",
        summary="Put scheduled receipts",
        handler=put_supplies,
        body=wire.SuppliesBody,
        reply=wire.SuppliesReply,
        scope="inventory:write",
        refusals=(TooManySupplies,),
        may_be_keyed=True,
        max_body_bytes=LARGE,
        example={
            "supplies": [
                {
                    "supply_id": "po-1",
                    "node_id": "chicago-dc",
                    "sku": "MUG-RED",
                    "quantity": 100,
                    "expected_on": "2026-12-01",
                }
            ]
        },
    ),
    Endpoint(
        method="POST",
        path="/v1/inventory/receipts",
        summary="Receive supplies",
        handler=receive_supplies,
        body=wire.ReceiptsBody,
        reply=wire.ReceiptsReply,
        scope="inventory:write",
        refusals=(SupplyUnavailable,),
        is_keyed=True,
        max_body_bytes=LARGE,
        example={"receipts": [{"supply_id": "po-1", "node_id": "chicago-dc", "sku": "MUG-RED", "quantity": 40}]},
    ),
)
