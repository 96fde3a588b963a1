"""Routing runs over HTTP: start one, then ask how it stands."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import routing_runs as wire
from engine.errors import Fault, InvalidInput, NotFound
from engine.routing.run_model import Run, RunRequest


async def start_routing_run(call: Call[wire.RoutingRunBody, NoQuery]) -> Answer:
    """Routes the orders in the background, exactly and with a proven bound, and commits the plan to stock.

    Each order is committed by itself or not at all; one whose stock moved meanwhile is solved again.
    """
    body = call.body
    if (body.order_ids is None) != body.all_open:
        path, message = "$", 'nothing to route; give order_ids, or "all_open": true'
        if body.all_open:
            path, message = "$.order_ids", 'order_ids and "all_open": true exclude each other; give one of them'
        raise InvalidInput(Fault(path=path, message=message))
    request = RunRequest(
        order_ids=None if body.order_ids is None else tuple(body.order_ids),
        time_limit_seconds=body.time_limit_seconds,
        dry_run=body.dry_run,
        method=body.method,
        policy=body.policy,
        shadow=body.shadow,
        target_gap=body.target_gap,
        max_orders=body.max_orders,
        method_options=body.method_options or {},
    )
    started = await call.engine.routing_runs.start(request, replay=call.replay)
    shown = wire.RoutingRunStarted(run_id=started.value.run_id, status=started.value.status.value)
    return Answer(value=shown, status=202, is_replayed=started.replayed)


async def get_routing_run(call: Call[None, NoQuery]) -> Answer:
    """How the run stands; when it is over, its cost, its proven bound, and every line that no node ships."""
    return Answer(value=_shown(await call.engine.routing_runs.get(call.path["run_id"])))


def _shown(run: Run) -> wire.RoutingRun:
    return wire.RoutingRun(
        run_id=run.run_id,
        status=run.status.value,
        policy=run.request.policy,
        created_at=run.created_at,
        finished_at=run.finished_at,
        summary=dict(run.summary),
        unrouted=[
            wire.UnroutedLine(
                order_id=line.order_id,
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                reason=line.reason,
            )
            for line in run.unrouted
        ],
        failure=run.failure,
        drop_ship_orders=[
            wire.DropShipOrder(
                drop_ship_id=each.drop_ship_id,
                node_id=each.node_id,
                order_id=each.order_id,
                service=each.service,
                ship_on=each.ship_on,
                lines=[
                    wire.DropShipLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in each.lines
                ],
            )
            for each in run.drop_ship_orders
        ],
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/routing-runs",
        summary="Route open orders",
        handler=start_routing_run,
        body=wire.RoutingRunBody,
        reply=wire.RoutingRunStarted,
        scope="routing-runs:write",
        status=202,
        is_keyed=True,
        example={"all_open": True, "time_limit_seconds": 30},
    ),
    Endpoint(
        method="GET",
        path="/v1/routing-runs/{run_id}",
        summary="Get a routing run",
        handler=get_routing_run,
        reply=wire.RoutingRun,
        scope="routing-runs:read",
        refusals=(NotFound,),
        path_examples={"run_id": "run_1"},
    ),
)
