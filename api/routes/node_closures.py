"""Nodes switched off in an emergency, and on again, over HTTP."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import node_closures as wire
from engine.errors import IllegalState, NotFound
from engine.orders.closing import Closure

NODE = {"node_id": "chicago-dc"}


async def put_closure(call: Call[wire.ClosureBody, NoQuery]) -> Answer:
    """Switches a node off, or with `"closed": false` on again. What is so already stays as it was.

    From now on it is not promised, reserved or routed to. The server then opens the orders that it has to ship, so that
    the next run sends them elsewhere; `opened_orders` and `drained` say how far it is.
    """
    node_id, body, closures = call.path["node_id"], call.body, call.engine.closures
    if body.closed:
        closure = await closures.close(node_id, body.reason, by=body.by, reroute=body.reroute)
    else:
        closure = await closures.reopen(node_id)
    return Answer(value=_shown(closure))


async def list_closures(call: Call[None, NoQuery]) -> Answer:
    """The nodes that are off, and those that were, each with its last closure and what became of its orders."""
    return Answer(value=wire.Closures(data=[_shown(each) for each in await call.engine.closures.all()]))


def _shown(closure: Closure) -> wire.Closure:
    return wire.Closure(
        closure_id=closure.closure_id,
        node_id=closure.node_id,
        closed=closure.reopened_at is None,
        reason=closure.reason,
        by=closure.by,
        closed_at=closure.closed_at,
        reopened_at=closure.reopened_at,
        reroute=closure.reroute,
        opened_orders=closure.opened_orders,
        left_orders=closure.left_orders,
        pickup_orders=closure.pickup_orders,
        pickup_order_ids=list(closure.pickup_order_ids),
        drained=closure.drained,
        run_id=closure.run_id,
    )


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/nodes/{node_id:path}/closure",
        summary="Switch a node off, or on",
        handler=put_closure,
        body=wire.ClosureBody,
        reply=wire.Closure,
        scope="nodes:write",
        refusals=(NotFound, IllegalState),
        path_examples=NODE,
        example={"reason": "fire alarm", "reroute": True},
    ),
    Endpoint(
        method="GET",
        path="/v1/node-closures",
        summary="List nodes that are, or were, off",
        handler=list_closures,
        reply=wire.Closures,
        scope="node-closures:read",
    ),
)
