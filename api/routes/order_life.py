"""The whole life of an order over HTTP, for the service desk."""

from __future__ import annotations

from typing import Any

import msgspec

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.orders import ORDER, shown_history, shown_order
from api.schemas import order_life as wire
from engine.bootstrap import Engine
from engine.errors import NotFound
from engine.orders.life import Life
from engine.orders.model import HistoryEntry, Order

_NOT_SHOWN = frozenset({"sealed", "token"})
"""What is only for who has the customer's key, or could pay with it."""


async def get_order_life(call: Call[None, NoQuery]) -> Answer:
    """The order, what has happened to it (payments, shipments, returns, …), and every step; archived or not."""
    order, history, is_archived = await whole_order(call.engine, call.path["order_id"])
    return Answer(value=shown_whole(order, history, is_archived=is_archived))


async def whole_order(engine: Engine, order_id: str) -> tuple[Order, list[HistoryEntry], bool]:
    """Return an order, its steps, and whether it is archived; raises NotFound."""
    order, history = await engine.orders.get(order_id), await engine.orders.history(order_id)
    return order, history, engine.desk is not None and bool(await engine.desk.archive.find([order_id]))


def shown_whole(order: Order, history: list[HistoryEntry], *, is_archived: bool) -> wire.OrderLife:
    """Return all of an order as it goes over the wire."""
    return wire.OrderLife(
        order=shown_order(order),
        life=shown_life(order.life),
        history=shown_history(history).data,
        is_archived=is_archived,
    )


def shown_life(life: Life) -> dict[str, Any]:
    """Return what has happened to an order, without what is sealed and what could be paid with."""
    found: dict[str, Any] = _shown(msgspec.to_builtins(life))
    return found


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items() if name not in _NOT_SHOWN}
    return [_shown(each) for each in value] if isinstance(value, list | tuple) else value


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/life",
        summary="Get the whole life of an order",
        handler=get_order_life,
        reply=wire.OrderLife,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
)
