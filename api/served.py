"""How a request of an endpoint is served: let in, read, decoded, handled, answered; a failure is a problem document.

The same for all endpoints, and what each request pays for: nothing is made here that only some of them need. Not here:
what an endpoint is (endpoint.py), which one a path has (paths.py), who may come in (door.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from api import idempotency
from api.decoding import decode, decode_query, decoded
from api.deps import name_request, request_id_of
from api.door import Door
from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.errors import BodyTooLarge, InternalError, Located, Overloaded, UnsupportedMediaType, kind_of, problem_reply
from api.idempotency import REPLAYED
from api.long_bodies import LONG_BYTES, decoded_in_turns
from api.outages import Outages
from api.paths import Paths
from api.reply import IS_REPLAYED, JSON, Reply, send_reply
from api.traffic import READING, WORKING, Flight, Traffic, lane_of
from engine.access.scopes import bit
from engine.errors import AllotError
from engine.events.actor import act_as
from engine.events.holder import hold_as
from engine.inventory.model import Replay

log = logging.getLogger("allot.api")

DOCUMENT_FACTOR = 6.0
"""How many times the time limit of a request whole documents have."""
SHORT_BYTES = 1024
"""What is wrong with a body so long is found in a millisecond; longer ones are gone through on a thread."""
_NO_QUERY = NoQuery()
_PLAIN, _AGAIN = (JSON,), (JSON, IS_REPLAYED)
_encode = msgspec.json.Encoder().encode
Heads = Mapping[bytes, bytes]


class Entrance:
    """What every request passes; the door is there as soon as the application has started."""

    __slots__ = ("door", "outages", "traffic")

    def __init__(self, traffic: Traffic, door: Door | None) -> None:
        self.traffic, self.door, self.outages = traffic, door, Outages()


class Served:
    """The ASGI application of one endpoint."""

    def __init__(self, endpoint: Endpoint, entrance: Entrance) -> None:
        self._endpoint, self._entrance = endpoint, entrance
        is_document = bool(endpoint.takes) or (endpoint.body is not None and issubclass(endpoint.body, BaseModel))
        lane, factor = lane_of(endpoint.method, endpoint.tag), DOCUMENT_FACTOR if is_document else 1
        self._way = entrance.traffic.way(endpoint.method, endpoint.public_path, lane, factor=factor)
        self._needed = 0 if endpoint.scope is None else bit(endpoint.scope)
        self._is_plain = endpoint.query is NoQuery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the parameters of its path are in the scope."""
        traffic = self._entrance.traffic
        try:
            flight = traffic.take_off(self._way, (scope, send))
        except Overloaded as error:
            await send_reply(problem_reply(error, request_id_of(scope)), scope, send)
            return
        status = 0
        try:
            reply = await self._reply(scope, receive, flight)
            status = reply.status
        except ClientDisconnect:
            return  # nobody is left to answer
        finally:
            is_answered = flight.is_over
            traffic.land(flight, status)
        if not is_answered:
            await send_reply(reply, scope, send)

    async def _reply(self, scope: Scope, receive: Receive, flight: Flight) -> Reply:
        """Let in, read, decode and handle one request."""
        try:
            return await self._handled(scope, receive, flight)
        except ClientDisconnect:
            raise
        except AllotError as error:
            if kind_of(error).status >= 500:
                self._entrance.outages.note(error, request_id_of(scope))
            return _refusal(error, scope, flight)
        except Exception:  # the last line of defence: details go to the log, never to the caller
            request_id = request_id_of(scope)
            flight.code = InternalError.code
            # A signed link must not stand in the log: whoever reads it there could use it.
            path = self._endpoint.public_path if self._endpoint.scope is None else scope["path"]
            log.exception("request %s failed: %s %s", request_id, scope["method"], path)
            failure = InternalError(f"The service failed; the log says why under {request_id}.")
            return problem_reply(failure, request_id)

    async def _handled(self, scope: Scope, receive: Receive, flight: Flight) -> Reply:
        endpoint, door = self._endpoint, self._entrance.door
        assert door is not None
        caller = door.admit(scope, self._needed)
        if caller is None:
            caller = await door.look_up(scope, self._needed)
        engine, heads = caller.engine, dict(scope["headers"])
        flight.phase = READING
        raw = await _read(receive, heads, endpoint.max_body_bytes)
        if flight.way.is_queued:
            await self._entrance.traffic.turn(flight)
        flight.phase = WORKING
        replay: Replay | None = None
        if endpoint.is_keyed or (endpoint.may_be_keyed and idempotency.RAW_HEADER in heads):
            key = heads.get(idempotency.RAW_HEADER, b"").decode("latin-1")
            replay = idempotency.replay_of(engine.tenant, scope["method"], scope["path"], key, raw)
            name_request(scope, idempotency.request_id(replay))
        query = scope["query_string"]
        call = Call(
            engine=engine,
            body=None if endpoint.body is None else await _decode(endpoint, heads, raw),
            query=_NO_QUERY if self._is_plain and not query else decode_query(QueryParams(query), endpoint.query),
            path=scope["path_params"],
            replay=replay,
            heads=heads,
            running=door.running,
            mask=caller.mask,
        )
        hold_as(caller.holder, caller.most_open_holds)
        act_as(request_id_of(scope))
        return _reply_of(await endpoint.handler(call))


Around = Callable[[ASGIApp, str, str], ASGIApp]


def paths(endpoints: Sequence[Endpoint], entrance: Entrance, around: Around | None = None) -> Paths[ASGIApp]:
    """Return what serves each endpoint, with `around` (of it, its method and path) if given; GET serves HEAD too."""
    rows = []
    for endpoint in endpoints:
        served: ASGIApp = Served(endpoint, entrance)
        if around is not None:
            served = around(served, endpoint.method, endpoint.public_path)
        rows += [(endpoint.method, endpoint.path, served)]
        rows += [("HEAD", endpoint.path, served)] if endpoint.method == "GET" else []
    return Paths(rows)


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return Starlette's routes of the paths, which say what methods a path has to those who send another."""
    methods: dict[str, list[str]] = {}
    for endpoint in endpoints:
        methods.setdefault(endpoint.path, []).append(endpoint.method)
    return [
        Route(path, _NotServed(), methods=found, name=path, include_in_schema=False) for path, found in methods.items()
    ]


class _NotServed:
    """Stands for an endpoint where only its methods matter."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError(f"{scope['method']} {scope['path']} is served by Paths")


def _refusal(error: AllotError, scope: Scope, flight: Flight) -> Reply:
    flight.code = error.error.code if isinstance(error, Located) else error.code
    headers = {REPLAYED: "true"} if error.replayed else getattr(error, "headers", None)
    return problem_reply(error, request_id_of(scope), headers)


async def _read(receive: Receive, heads: Heads, max_bytes: int) -> bytes:
    """Return the body; raises BodyTooLarge before more than `max_bytes` are kept, ClientDisconnect."""
    declared = heads.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {max_bytes:,} bytes; send it in several requests.")


async def _decode(endpoint: Endpoint, heads: Heads, raw: bytes) -> Any:
    assert endpoint.body is not None
    if endpoint.takes:
        _check_kind(heads.get(b"content-type", b"").decode("latin-1"), endpoint.takes)
        return raw
    if endpoint.is_body_optional and not raw.strip():
        return endpoint.body()
    declared = heads.get(b"content-type", b"")
    if declared != b"application/json":
        _check_kind(declared.decode("latin-1"), ("application/json",))
    if issubclass(endpoint.body, BaseModel):  # whole documents take long to check
        return await asyncio.to_thread(decode, raw, endpoint.body)
    is_long = len(raw) > LONG_BYTES
    body = await decoded_in_turns(raw, endpoint.body) if is_long else decoded(raw, endpoint.body)
    if body is not None:
        return body
    if len(raw) > SHORT_BYTES:  # all that is wrong takes long to find
        return await asyncio.to_thread(decode, raw, endpoint.body)
    return decode(raw, endpoint.body)


def _check_kind(declared: str, known: Iterable[str]) -> None:
    kind = declared.partition(";")[0].strip().lower()
    if kind not in known:
        raise UnsupportedMediaType(
            f"The body is declared as {kind or 'nothing'!r}; send it with Content-Type: {' or '.join(known)}."
        )


def _reply_of(answer: Answer) -> Reply:
    body = answer.value if isinstance(answer.value, bytes) else _encode(answer.value)
    if answer.media_type is not None:
        return Reply(answer.status, ((b"content-type", answer.media_type.encode()), *answer.headers), body)
    return Reply(answer.status, _AGAIN if answer.is_replayed else _PLAIN, body)
