"""Many reservations in one request: each is held or refused by itself, all in one step of the store."""

from __future__ import annotations

from collections.abc import Sequence

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.long_answers import Fields, written_object, written_rows
from api.routes.inventory import LARGE
from api.routes.reservations import hold_lines, shown
from api.schemas import reservations as wire
from engine.errors import InsufficientStock
from engine.inventory.long_messages import weight_of
from engine.inventory.model import Hold, Reservation
from engine.inventory.store import Verdict
from engine.turns import in_turns


async def reserve_many(call: Call[wire.BatchBody, NoQuery]) -> Answer:
    """Holds each reservation, all of its lines or none, in the order given; one that is refused stops no other.

    The answer is 200 with a verdict for each. A reservation_id that comes again with the same lines takes nothing more.
    """
    holds = [
        Hold(
            reservation_id=body.reservation_id,
            lines=hold_lines(body.lines),
            ttl_seconds=body.ttl_seconds,
            channel=body.channel,
            reference=body.reference,
        )
        async for _, piece in in_turns(call.body.reservations, weight=_weight)
        for body in piece
    ]
    found = await call.engine.inventory.hold_many(holds, replay=call.replay)
    held = sum(isinstance(verdict, Reservation) for verdict in found.value)
    decided = list(zip(holds, found.value, strict=True))
    shown: Fields = {
        "held": held,
        "refused": len(holds) - held,
        "verdicts": await written_rows(_verdicts, decided, lambda row: weight_of(row[0])),
    }
    return Answer(value=await written_object(shown), is_replayed=found.replayed)


def _weight(body: wire.NamedReservationBody) -> int:
    return 2 + len(body.lines)


def _verdicts(decided: Sequence[tuple[Hold, Verdict]]) -> list[wire.BatchVerdict]:
    return [_verdict(hold, verdict) for hold, verdict in decided]


def _verdict(hold: Hold, verdict: Verdict) -> wire.BatchVerdict:
    if isinstance(verdict, Reservation):
        return wire.BatchVerdict(reservation_id=hold.reservation_id, reservation=shown(verdict))
    lines = verdict.lines if isinstance(verdict, InsufficientStock) else ()
    return wire.BatchVerdict(
        reservation_id=hold.reservation_id,
        reservation=None,
        code=verdict.code,
        detail=str(verdict),
        short=[
            wire.ShortLineReply(sku=line.sku, node_id=line.node_id, quantity=line.quantity, available=line.available)
            for line in lines
        ],
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/reservation-batches",
        summary="Hold stock for many reservations",
        handler=reserve_many,
        body=wire.BatchBody,
        reply=wire.BatchReply,
        scope="reservation-batches:write",
        is_keyed=True,
        max_body_bytes=LARGE,
        example={
            "reservations": [
                {
                    "reservation_id": "cart-1",
                    "lines": [{"sku": "MUG-RED", "quantity": 2, "node_id": "chicago-dc"}],
                    "ttl_seconds": 900,
                }
            ]
        },
    ),
)
