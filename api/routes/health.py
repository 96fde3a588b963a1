"""Health over HTTP: is the process alive, and does the store keep what we promise."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.errors import NotReady
from api.schemas.health import Live, Ready
from engine.counts import COUNTS


async def is_live(call: Call[None, NoQuery]) -> Answer:  # noqa: ARG001 - every handler takes its call
    """Answers as long as the process does; it looks at nothing else."""
    return Answer(value=Live())


async def is_ready(call: Call[None, NoQuery]) -> Answer:
    """The store answers in time, has our functions, evicts nothing, and writes as the durability mode states."""
    if COUNTS.is_stopping:
        raise NotReady("This process is stopping; others serve.")
    broken = await call.engine.broken_promises()
    if broken:
        raise NotReady(" ".join(broken))
    return Answer(value=Ready(durability=call.engine.durability))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/health/live",
        summary="Say that the process is alive",
        handler=is_live,
        reply=Live,
        scope=None,
    ),
    Endpoint(
        method="GET",
        path="/v1/health/ready",
        summary="Say that the service can keep its promises, or why not",
        handler=is_ready,
        reply=Ready,
        scope=None,
        refusals=(NotReady,),
    ),
)
