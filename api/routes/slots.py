"""Slots over HTTP: the windows of time that customers may book, and what is free in each."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint
from api.schemas.slots import SlotsQuery
from engine.errors import NotFound
from engine.promising.slot_list import SlotList, SlotsAsked


async def list_slots(call: Call[None, SlotsQuery]) -> Answer:
    """The windows of pick-ups at a node, or of deliveries by a service or to a place, by when they begin.

    Full ones are there with nothing free, those that cannot be booked any more are not. To book one, name it in
    POST /v1/reservations.
    """
    query = call.query
    asked = SlotsAsked(
        node_id=query.node_id,
        service=query.service,
        country=query.country,
        postal_code=query.postal_code,
        first_on=query.first_on,
        days=query.days,
        limit=query.limit,
        starting_after=query.starting_after,
    )
    return Answer(value=await call.engine.slot_list.find(asked))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/slots",
        summary="List slots of pick-ups or deliveries",
        handler=list_slots,
        query=SlotsQuery,
        reply=SlotList,
        scope="slots:read",
        refusals=(NotFound,),
    ),
)
