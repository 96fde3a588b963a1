"""Requests in flight: who is refused first, who waits, and who is told that the time is over."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from api import traffic as rules
from api.errors import Overloaded
from api.table import ENDPOINTS
from api.traffic import FEW, Lane, Traffic, Way, lane_of
from engine.config import Settings


class Caller:
    """The other end of one request: what was sent to it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    @property
    def asgi(self) -> Any:
        return {"type": "http", "path": "/v1/promises"}, self._send

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def ways(traffic: Traffic) -> dict[Lane, Way]:
    return {lane: traffic.way("POST", f"/v1/{lane.name}", lane) for lane in Lane}


def test_lanes_are_refused_one_after_the_other_as_requests_pile_up() -> None:
    traffic = Traffic(Settings(most_in_flight=100))
    known, refused = ways(traffic), {}
    for number in range(120):
        for lane in Lane:
            if lane not in refused:
                try:
                    traffic.land(traffic.take_off(known[lane], Caller().asgi), 200)
                except Overloaded:
                    refused[lane] = number
        traffic.take_off(known[Lane.HEALTH], Caller().asgi)
    assert refused == {Lane.PROMISES: 60, Lane.READS: 75, Lane.CHANGES: 90, Lane.RESERVATIONS: 100}
    assert traffic.problems["overloaded"] == 4


def test_a_loop_that_lags_refuses_promises_first_and_never_an_idle_caller() -> None:
    traffic = Traffic(Settings())
    known = ways(traffic)
    for _ in range(FEW):
        traffic._press(9.9)
        traffic.take_off(known[Lane.PROMISES], Caller().asgi)
    for lag, lanes in ((0.0, 0), (0.3, 1), (0.6, 2), (1.5, 3), (2.5, 4)):
        traffic._press(lag)
        refused = set()
        for lane in Lane:
            try:
                traffic.land(traffic.take_off(known[lane], Caller().asgi), 200)
            except Overloaded:
                refused.add(lane)
        assert refused == set(list(Lane)[:lanes])


async def test_promises_wait_for_their_turn_in_the_order_in_which_they_came() -> None:
    traffic = Traffic(Settings(most_promises_at_once=2))
    way, order, free = ways(traffic)[Lane.PROMISES], [], asyncio.Event()

    async def promise(number: int) -> None:
        flight = traffic.take_off(way, Caller().asgi)
        await traffic.turn(flight)
        order.append(number)
        await free.wait()
        traffic.land(flight, 200)

    making = [asyncio.create_task(promise(number)) for number in range(6)]
    await asyncio.sleep(0)
    assert (order, traffic.at_work, traffic.waiting) == ([0, 1], 2, 4)
    making[2].cancel()
    free.set()
    await asyncio.gather(*making, return_exceptions=True)
    assert (order, traffic.at_work, traffic.waiting) == ([0, 1, 3, 4, 5], 0, 0)


async def test_a_promise_that_waits_too_long_is_refused_and_leaves_its_place_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "MOST_WAIT_SECONDS", 0.05)
    traffic = Traffic(Settings(most_promises_at_once=1))
    way = ways(traffic)[Lane.PROMISES]
    first, second = (traffic.take_off(way, Caller().asgi) for _ in range(2))
    await traffic.turn(first)
    clock = asyncio.create_task(traffic.keep_time())
    with pytest.raises(Overloaded):
        await traffic.turn(second)
    traffic.land(second, 503)
    assert (traffic.at_work, traffic.in_flight) == (1, 1)
    traffic.land(first, 200)
    assert (traffic.at_work, traffic.in_flight) == (0, 0)
    clock.cancel()
    with suppress(asyncio.CancelledError):
        await clock


@pytest.mark.parametrize(
    ("lane", "phase", "status", "word"),
    [
        (Lane.READS, rules.WORKING, 503, b"Nothing was changed"),
        (Lane.RESERVATIONS, rules.WORKING, 503, b"It may have happened"),
        (Lane.RESERVATIONS, rules.READING, 408, b"body had not arrived"),
    ],
)
async def test_who_waits_too_long_is_answered_and_counted_once(
    lane: Lane, phase: int, status: int, word: bytes
) -> None:
    traffic, caller, told = Traffic(Settings(request_timeout_seconds=0.1)), Caller(), []
    traffic.note = lambda flight, code, seconds: told.append((flight.code, code))
    way = ways(traffic)[lane]
    flight = traffic.take_off(way, caller.asgi)
    flight.phase = phase
    clock = asyncio.create_task(traffic.keep_time())
    await asyncio.sleep(0.35)
    clock.cancel()
    assert caller.status == status
    assert word in caller.sent[1]["body"]
    assert b'"retryable":true' in caller.sent[1]["body"]
    assert flight.is_over
    traffic.land(flight, 201)  # it has come to its end after all
    assert traffic.in_flight == 0
    assert told == [(flight.code, status)]
    assert sum(way.statuses[2].counts) == 0
    assert sum(way.statuses[status // 100].counts) == 1


def test_every_endpoint_has_the_lane_that_the_reference_says() -> None:
    lanes = {f"{row.method} {row.public_path}": lane_of(row.method, row.tag) for row in ENDPOINTS}
    assert lanes["POST /v1/promises"] is lanes["POST /v1/get-it-by"] is Lane.PROMISES
    assert lanes["POST /v1/availability"] is lanes["GET /v1/reservations/{reservation_id}"] is Lane.READS
    assert lanes["PUT /v1/network"] is lanes["POST /v1/routing-runs"] is Lane.CHANGES
    assert lanes["POST /v1/reservations"] is lanes["POST /v1/orders"] is Lane.RESERVATIONS
    assert lanes["GET /v1/health/ready"] is Lane.HEALTH
