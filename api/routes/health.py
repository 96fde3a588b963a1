"""Health over HTTP: is the process alive, and does the store keep what we promise.

Anybody may ask, so asking often must not cost the store more: those who ask at once share one look at it.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.errors import NotReady
from api.schemas.health import Live, Ready
from engine.bootstrap import Engine
from engine.counts import COUNTS

READY_SECONDS = 1.0
"""How long the store is believed to be ready."""


class _Latest:
    """The latest look at the store of one engine."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._looking: asyncio.Task[list[str]] | None = None
        self._until = 0.0

    async def of(self, engine: Engine) -> list[str]:
        """Return what an engine's store does not keep; raises Unavailable."""
        looking = self._looking
        if engine is not self._engine or looking is None or (looking.done() and monotonic() >= self._until):
            self._engine, self._until = engine, 0.0
            looking = self._looking = asyncio.create_task(engine.broken_promises())
        broken = await asyncio.shield(looking)
        if not broken and not self._until and looking is self._looking:
            self._until = monotonic() + READY_SECONDS
        return broken


_LATEST = _Latest()


async def is_live(call: Call[None, NoQuery]) -> Answer:  # noqa: ARG001 - every handler takes its call
    """Answers as long as the process does; it looks at nothing else."""
    return Answer(value=Live())


async def is_ready(call: Call[None, NoQuery]) -> Answer:
    """The store answers in time, has our functions, evicts nothing, and writes as the durability mode states."""
    if COUNTS.is_stopping:
        raise NotReady("This process is stopping; others serve.")
    broken = await _LATEST.of(call.engine)
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
