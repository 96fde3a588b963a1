"""An outage does not fill the log: a line when it begins, then how many requests have failed, and no more."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from api.door import Door
from api.endpoint import Answer, Call, Endpoint
from api.outages import Outages
from api.schemas.fields import Nothing
from api.served import Entrance, Served
from api.traffic import Traffic
from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.errors import NotFound, Unavailable

MINUTE = 0.2


async def ask(served: Served) -> int:
    """Return the status of one request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/v1/x", "query_string": b"", "headers": [], "path_params": {}}
    await served(scope, receive, send)
    status: int = sent[0]["status"]
    return status


async def test_an_outage_is_told_when_it_begins_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Catches a line for each request (as it was), counts that begin anew, and an outage that is never over."""
    said: list[Exception] = []

    async def fail(_: Call[Any, Any]) -> Answer:
        raise said[0]

    row = Endpoint(method="GET", path="/v1/x", summary="", handler=fail, reply=Nothing, scope=None)
    async with allot_engine(Settings(), memory=True) as engine:
        entrance = Entrance(Traffic(), Door(engine))
        entrance.outages = Outages(tell_seconds=MINUTE)
        served = Served(row, entrance)

        def lines() -> list[str]:
            return [each.getMessage() for each in caplog.records if each.name == "allot.api"]

        with caplog.at_level(logging.WARNING):
            said[:] = [NotFound("a mistake of the caller")]
            assert await ask(served) == 404
            assert lines() == []
            said[:] = [Unavailable("the store is gone")]
            assert {await ask(served) for _ in range(100)} == {503}
            assert [line.partition(": ")[2] for line in lines()] == [
                "Unavailable: the store is gone (more like it are counted)"
            ]
            await asyncio.sleep(1.2 * MINUTE)
            assert lines()[1:] == [f"99 more requests failed in {MINUTE:g} s: unavailable"]
            await ask(served)
            await asyncio.sleep(MINUTE)
            assert lines()[2:] == [f"1 more requests failed in {MINUTE:g} s: unavailable"]
            await asyncio.sleep(1.2 * MINUTE)
            await ask(served)
            assert len(lines()) == 4  # the next outage begins
            assert lines()[3].endswith("Unavailable: the store is gone (more like it are counted)")
