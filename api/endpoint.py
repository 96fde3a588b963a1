"""One row of the endpoint table, and the Starlette route made of the rows that share a path.

The same rows make the OpenAPI document (openapi.py) and the page at /docs. A handler gets a typed `Call` and
returns an `Answer` or raises; reading, decoding, keys and errors are the same for all of them and live here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api import idempotency
from api.decoding import decode, decode_query
from api.deps import door_of, name_request, request_id_of
from api.errors import (
    BodyTooLarge,
    InternalError,
    Located,
    Overloaded,
    UnsupportedMediaType,
    kind_of,
    problem_response,
)
from api.idempotency import REPLAYED
from api.traffic import READING, WORKING, Flight, Traffic, Way, lane_of
from engine.access.scopes import bit
from engine.bootstrap import Engine
from engine.errors import AllotError
from engine.events.actor import acting_as
from engine.events.holder import hold_as
from engine.inventory.model import Replay

log = logging.getLogger("allot.api")

DOCUMENT_FACTOR = 6.0
"""How many times the time limit of a request whole documents have."""
B = TypeVar("B")
Q = TypeVar("Q")


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of an endpoint that takes no parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[B, Q]):
    """One request as a handler sees it: typed body and query, decoded path parameters, idempotency key."""

    engine: Engine
    body: B
    query: Q
    path: Mapping[str, str]
    replay: Replay | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler returns: a struct, or JSON that is already bytes."""

    value: msgspec.Struct | bytes
    status: int = 200
    is_replayed: bool = False


Handler = Callable[[Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint: what it takes, what it answers, and how it may refuse."""

    method: str
    path: str
    summary: str
    handler: Handler
    reply: type[msgspec.Struct | BaseModel]
    scope: str | None
    """What a caller has to be allowed; None: anybody may."""
    body: type[msgspec.Struct | BaseModel] | None = None
    query: type[msgspec.Struct] = NoQuery
    status: int = 200
    refusals: Sequence[type[AllotError]] = ()
    is_keyed: bool = False
    may_be_keyed: bool = False
    is_body_optional: bool = False
    max_body_bytes: int = 2**20
    example: object = None
    path_examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes_key(self) -> bool:
        """Return whether an idempotency key is honoured, needed or not."""
        return self.is_keyed or self.may_be_keyed

    @property
    def tag(self) -> str:
        """Return the word of the path, which names the files that serve it too."""
        return self.path.split("/")[2]

    @property
    def public_path(self) -> str:
        """Return the path as documented, without Starlette's convertors."""
        return self.path.replace(":path}", "}")


def routes(endpoints: Sequence[Endpoint], traffic: Traffic) -> list[Route]:
    """Return one Starlette route for each path of the table, in the order of the table."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        Route(path, _Served(methods, traffic), methods=list(methods), name=path, include_in_schema=False)
        for path, methods in by_path.items()
    ]


class _Served:
    """The ASGI application of one path."""

    def __init__(self, methods: Mapping[str, Endpoint], traffic: Traffic) -> None:
        self._traffic = traffic
        self._methods = {
            method: (row, _way(row, traffic), 0 if row.scope is None else bit(row.scope))
            for method, row in methods.items()
        }
        if "GET" in methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        traffic, (endpoint, way, needed) = self._traffic, self._methods[scope["method"]]
        try:
            flight = traffic.take_off(way, (scope, receive, send))
        except Overloaded as error:
            await problem_response(error, request_id_of(scope))(scope, receive, send)
            return
        status = 0
        try:
            response = await _answer(endpoint, needed, Request(scope, receive), flight, traffic)
            status = response.status_code
        except ClientDisconnect:
            return  # nobody is left to answer
        finally:
            is_answered = flight.is_over
            traffic.land(flight, status)
        if not is_answered:
            await response(scope, receive, send)


def _way(endpoint: Endpoint, traffic: Traffic) -> Way:
    """Return the way of an endpoint; whole documents, which are long, have longer."""
    is_document = endpoint.body is not None and issubclass(endpoint.body, BaseModel)
    lane = lane_of(endpoint.method, endpoint.tag)
    return traffic.way(endpoint.method, endpoint.public_path, lane, factor=DOCUMENT_FACTOR if is_document else 1)


async def _answer(endpoint: Endpoint, needed: int, request: Request, flight: Flight, traffic: Traffic) -> Response:
    """Let in, read, decode and handle one request; every failure becomes a problem document."""
    replay: Replay | None = None
    try:
        door = door_of(request)
        caller = door.admit(request.scope, needed)
        if caller is None:
            caller = await door.look_up(request.scope, needed)
        engine = caller.engine
        flight.phase = READING
        raw = await _read(request, endpoint.max_body_bytes)
        if flight.way.is_queued:
            await traffic.turn(flight)
        flight.phase = WORKING
        if endpoint.is_keyed or (endpoint.may_be_keyed and idempotency.HEADER in request.headers):
            replay = idempotency.replay_of(request, engine.tenant, raw)
            name_request(request.scope, idempotency.request_id(replay))
        call = Call(
            engine=engine,
            body=await _decode(endpoint, request, raw),
            query=decode_query(request.query_params, endpoint.query),
            path=request.path_params,
            replay=replay,
        )
        hold_as(caller.holder, caller.most_open_holds)
        with acting_as(request_id_of(request.scope)):
            return _response(await endpoint.handler(call))
    except ClientDisconnect:
        raise
    except AllotError as error:
        return _refusal(error, request, flight)
    except Exception:  # the last line of defence: details go to the log, never to the caller
        request_id = request_id_of(request.scope)
        flight.code = InternalError.code
        log.exception("request %s failed: %s %s", request_id, request.method, request.url.path)
        failure = InternalError(f"The service failed; the log says why under {request_id}.")
        return problem_response(failure, request_id)


def _refusal(error: AllotError, request: Request, flight: Flight) -> Response:
    flight.code = error.error.code if isinstance(error, Located) else error.code
    headers = {REPLAYED: "true"} if error.replayed else getattr(error, "headers", None)
    if kind_of(error).status >= 500:
        log.warning("request %s: %s: %s", request_id_of(request.scope), type(error).__name__, error)
    return problem_response(error, request_id_of(request.scope), headers)


async def _read(request: Request, max_bytes: int) -> bytes:
    """Return the body; raises BodyTooLarge before more than `max_bytes` are kept."""
    error = BodyTooLarge(f"The body is larger than {max_bytes:,} bytes; send it in several requests.")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise error
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise error
        chunks.append(chunk)
    return b"".join(chunks)


async def _decode(endpoint: Endpoint, request: Request, raw: bytes) -> Any:
    if endpoint.body is None:
        return None
    if endpoint.is_body_optional and not raw.strip():
        return endpoint.body()
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise UnsupportedMediaType(
            f"The body is declared as {declared or 'nothing'!r}; send it with Content-Type: application/json."
        )
    if issubclass(endpoint.body, BaseModel):  # whole documents take long to check
        return await asyncio.to_thread(decode, raw, endpoint.body)
    return decode(raw, endpoint.body)


def _response(answer: Answer) -> Response:
    content = answer.value if isinstance(answer.value, bytes) else msgspec.json.encode(answer.value)
    headers = {REPLAYED: "true"} if answer.is_replayed else None
    return Response(content, status_code=answer.status, media_type="application/json", headers=headers)
