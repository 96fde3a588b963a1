"""Searching orders over HTTP."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint
from api.schemas import order_search as wire
from engine.bootstrap import Engine
from engine.errors import Unavailable
from engine.search.asked import moment
from engine.search.model import Question
from engine.search.service import OrderSearch


async def search_orders(call: Call[None, wire.OrderSearchQuery]) -> Answer:
    """Orders by number, customer, phone, e-mail, SKU, channel, state and date of capture, the newest first.

    What is asked for counts together. A phone number is compared by its last 9 digits, with or without the code of a
    country. The index follows what happens within about a second, and `as_of` says until when; only an order's own
    number is looked up in the store too, if it is not there yet.
    """
    query = call.query
    question = Question(
        number=query.number,
        customer=query.customer,
        phone=query.phone,
        email=query.email,
        sku=query.sku,
        channel=query.channel,
        states=tuple(state.strip() for state in query.state.split(",") if state.strip()),
        from_at=moment(query.since, "query.from"),
        until=moment(query.until, "query.to", is_end=True),
        starting_after=query.starting_after,
        limit=query.limit,
    )
    found = await search_of(call.engine).find(question)
    return Answer(
        value=wire.FoundOrders(
            data=found.orders, has_more=found.next_id is not None, next=found.next_id, as_of=found.as_of
        )
    )


def search_of(engine: Engine) -> OrderSearch:
    """Return what searches orders; raises Unavailable if everything is in memory, where there is no index."""
    if engine.desk is None:
        raise Unavailable("orders cannot be searched where everything is in memory")
    return engine.desk.search


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/orders",
        summary="Search orders",
        handler=search_orders,
        query=wire.OrderSearchQuery,
        reply=wire.FoundOrders,
        scope="orders:read",
    ),
)
