"""What nodes and people say of orders over HTTP: rejections, acceptances, overrides, order holds."""

from __future__ import annotations

import msgspec

from api.endpoint import Answer, Call, Endpoint, Handler, NoQuery
from api.routes.orders import ORDER, shown_order
from api.schemas import order_steering as wire
from api.schemas.orders import Order
from engine.errors import IllegalState, NotFound
from engine.inventory.model import Outcome
from engine.orders import model
from engine.orders.approving import NewApproval
from engine.orders.holding import NewHold
from engine.orders.overriding import NewOverride
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind


async def reject_order(call: Call[wire.RejectionBody, NoQuery]) -> Answer:
    """Takes lines away from a node that does not ship them: they are open again, and the next run excludes it.

    What other nodes have stays with them. The units are free again at the node; of a short pick they are not there, so
    on hand falls with what is reserved. Units that are `damaged` lie there as that from then on. After
    `ALLOT_MOST_REJECTIONS` attempts the order is left for people.
    """
    body = call.body
    new = NewRejection(
        node_id=body.node_id,
        reason=body.reason,
        kind=RejectionKind(body.kind),
        lines=tuple((line.line_id, line.quantity) for line in body.lines or ()),
    )
    found = await call.engine.steering.reject(call.path["order_id"], new, by=body.by, replay=call.replay)
    return _answer(found)


async def accept_order(call: Call[wire.AcceptanceBody, NoQuery]) -> Answer:
    """Notes that a node ships what it was given; one with `acceptance_minutes` that does not say so loses it again."""
    body = call.body
    found = await call.engine.steering.accept(call.path["order_id"], body.node_id, by=body.by, replay=call.replay)
    return _answer(found)


async def override_order(call: Call[wire.OverrideBody, NoQuery]) -> Answer:
    """Pins lines to nodes, forbids nodes, or sets the priority, with the reason and who gave it.

    Runs keep to it. Lines that ship from elsewhere are open again, and keep their stock until they are routed. It
    counts attempts anew, and releases an order hold for too many.
    """
    body = call.body
    new = NewOverride(
        reason=body.reason,
        pins=tuple((pin.line_id, pin.node_id) for pin in body.pins or ()),
        forbidden_node_ids=None if body.forbidden_node_ids is None else tuple(body.forbidden_node_ids),
        priority=body.priority,
    )
    found = await call.engine.steering.override(call.path["order_id"], new, by=body.by, replay=call.replay)
    return _answer(found)


async def hold_order(call: Call[wire.OrderHoldBody, NoQuery]) -> Answer:
    """Puts an order hold on an order: routing runs leave it alone until it has none. Its stock stays its own.

    In place of one of the same kind; others stay beside it.
    """
    body = call.body
    new = NewHold(reason=body.reason, kind=body.kind, release_at=body.release_at, release_on=body.release_on or "")
    found = await call.engine.steering.stop(call.path["order_id"], new, by=body.by, replay=call.replay)
    return _answer(found)


async def unhold_order(call: Call[wire.UnholdBody, NoQuery]) -> Answer:
    """Takes the order hold of a kind off an order, without a kind all, and counts the attempts to route it anew.

    One that waits for approval is released by that only.
    """
    found = await call.engine.steering.release(
        call.path["order_id"], call.body.kind, by=call.body.by, replay=call.replay
    )
    return _answer(found)


async def approve_order(call: Call[wire.ApprovalBody, NoQuery]) -> Answer:
    """Approves what rules of the order policy have stopped: it goes on when each has as many approvals as it asks for.

    Each is by somebody else; who approved what, and when, is in `checks`. Not approving it cancels the order.
    """
    body = call.body
    order_id, new = call.path["order_id"], NewApproval(is_approved=body.is_approved, rule=body.rule, reason=body.reason)
    found = await call.engine.steering.approve(order_id, new, by=body.by, replay=call.replay)
    await call.engine.effects.settle(order_id)
    return _answer(found)


def _answer(found: Outcome[model.Order]) -> Answer:
    return Answer(value=shown_order(found.value), is_replayed=found.replayed)


def _said_of_order(
    last: str, summary: str, handler: Handler, body: type[msgspec.Struct], example: object = None
) -> Endpoint:
    """Return an endpoint by which something is said of an order, under a key; it answers the order as it is then."""
    return Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/" + last,
        summary=summary,
        handler=handler,
        body=body,
        is_body_optional=body is wire.UnholdBody,
        reply=Order,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example=example,
    )


ENDPOINTS = (
    _said_of_order(
        "rejections",
        "Reject lines of an order at a node",
        reject_order,
        wire.RejectionBody,
        {
            "node_id": "chicago-dc",
            "kind": "short_pick",
            "reason": "bin empty",
            "lines": [{"line_id": "1", "quantity": 1}],
        },
    ),
    _said_of_order(
        "acceptances", "Accept an order at a node", accept_order, wire.AcceptanceBody, {"node_id": "chicago-dc"}
    ),
    _said_of_order(
        "overrides",
        "Override how an order is routed",
        override_order,
        wire.OverrideBody,
        {"reason": "the store has it for him", "pins": [{"line_id": "1", "node_id": "chicago-dc"}]},
    ),
    _said_of_order(
        "hold", "Put an order hold on an order", hold_order, wire.OrderHoldBody, {"reason": "address to be checked"}
    ),
    _said_of_order("unhold", "Release order holds", unhold_order, wire.UnholdBody),
    _said_of_order(
        "approve", "Approve an order", approve_order, wire.ApprovalBody, {"by": "anna", "rule": "large discount"}
    ),
)
