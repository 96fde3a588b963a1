"""What happened, over HTTP: a feed of events that readers follow by a cursor."""

from __future__ import annotations

import asyncio
from time import monotonic

from api.endpoint import Answer, Call, Endpoint
from api.schemas import events as wire
from engine.bootstrap import Engine
from engine.errors import CursorExpired, Unavailable
from engine.feed.model import wanted
from engine.feed.service import EventFeed

LOOK_SECONDS = 0.25


async def read_events(call: Call[None, wire.FeedQuery]) -> Answer:
    """What happened to positions, reservations, orders, runs, documents and webhooks, oldest first.

    Without `after` it begins with the oldest event that is kept, with `after=now` behind the newest. Read on with
    `after` set to `next` of the answer before: every event then comes once, whatever is written meanwhile, and `data`
    may be empty though `has_more`. `types` are separated by commas, such as `order.*,reservation.expired`. With
    `wait_seconds` an answer without events comes only after so long.
    """
    query, feed = call.query, feed_of(call.engine)
    kinds, ends = wanted(query.types.split(","), "query.types"), monotonic() + query.wait_seconds
    page = await feed.page(query.after, limit=query.limit, wanted=kinds)
    while not page.events and monotonic() < ends:
        if not page.has_more:
            await asyncio.sleep(LOOK_SECONDS)
        page = await feed.page(page.next_cursor, limit=query.limit, wanted=kinds)
    return Answer(value=wire.FeedReply(data=list(page.events), has_more=page.has_more, next=page.next_cursor))


def feed_of(engine: Engine) -> EventFeed:
    """Return the feed; raises Unavailable if everything is in memory, where none is kept."""
    if engine.feed is None:
        raise Unavailable("there is no feed where everything is in memory")
    return engine.feed


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/events",
        summary="Follow what happens",
        handler=read_events,
        query=wire.FeedQuery,
        reply=wire.FeedReply,
        scope="events:read",
        refusals=(CursorExpired,),
    ),
)
