"""What happened to a position over HTTP: the event journal, newest first."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint
from api.schemas import inventory_events as wire
from engine.inventory.history import Quantities, StockEvent


async def list_events(call: Call[None, wire.EventsQuery]) -> Answer:
    """Every change of one SKU at one node, newest first: who, why, and the quantities before and after.

    `starting_after` is the `event` of the last one of the page before.
    """
    query = call.query
    history = await call.engine.inventory.history(
        query.sku, query.node_id, limit=query.limit, after_event=query.starting_after
    )
    return Answer(
        value=wire.EventsReply(
            data=[shown(event) for event in history.events],
            has_more=history.has_more,
            is_cut_off=history.is_cut_off,
        )
    )


def shown(event: StockEvent) -> wire.EventReply:
    """Return an event as it goes over the wire."""
    return wire.EventReply(
        event=event.event,
        at=event.at,
        act=event.act,
        who=event.who,
        whys=list(event.whys),
        before=_quantities(event.before),
        after=_quantities(event.after),
        schedule=[
            wire.ScheduleChangeReply(
                day=change.day, supply_id=change.supply_id, before=change.before, after=change.after
            )
            for change in event.schedule
        ],
        conditions=[
            wire.ConditionMoveReply(condition=move.condition, before=move.before, after=move.after)
            for move in event.conditions
        ],
    )


def _quantities(found: Quantities) -> wire.QuantitiesReply:
    return wire.QuantitiesReply(
        on_hand=found.on_hand,
        safety_stock=found.safety_stock,
        held=found.held,
        confirmed=found.confirmed,
        version=found.version,
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/inventory-events",
        summary="List what happened to a position",
        handler=list_events,
        query=wire.EventsQuery,
        reply=wire.EventsReply,
        scope="inventory-events:read",
    ),
)
