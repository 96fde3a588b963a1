"""Many reservations in one request: each is held or refused by itself, all in one step of the store."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.inventory import LARGE
from api.routes.reservations import hold_lines, shown
from api.schemas import reservations as wire
from engine.errors import InsufficientStock
from engine.inventory.model import Hold, Reservation
from engine.inventory.store import Verdict


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
        for body in call.body.reservations
    ]
    found = await call.engine.inventory.hold_many(holds, replay=call.replay)
    verdicts = [_verdict(hold, verdict) for hold, verdict in zip(holds, found.value, strict=True)]
    held = sum(verdict.reservation is not None for verdict in verdicts)
    reply = wire.BatchReply(held=held, refused=len(verdicts) - held, verdicts=verdicts)
    return Answer(value=reply, is_replayed=found.replayed)


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
