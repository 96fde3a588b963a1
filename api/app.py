"""The HTTP application: the table of endpoints in a FastAPI container, and what starts and stops with it.

Not here: what an endpoint does (routes/), how errors look (errors.py), which parts run (engine/bootstrap.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import docs_page, openapi
from api.deps import request_id_of
from api.door import Door
from api.errors import InternalError, MethodNotAllowed, MissingScope, RouteNotFound, problem_reply
from api.gate import Application, Hosts
from api.logs import AccessLog
from api.metrics import Metrics
from api.reply import Reply
from api.served import Around, Entrance, paths, routes
from api.siblings import Place, offering
from api.sweeper import (
    keep_alerts,
    keep_archive,
    keep_bid_prices,
    keep_decisions,
    keep_effects,
    keep_erasures,
    keep_imports,
    keep_index,
    keep_load,
    keep_runs,
    keep_simulations,
    keep_slots,
    keep_sweeping,
    keep_watching,
    keep_webhooks,
)
from api.table import ENDPOINTS
from api.tenants import Tenants
from api.traffic import Traffic
from engine.access.bearer import tokens_of
from engine.access.scopes import bit
from engine.bootstrap import Engine, allot_engine
from engine.config import Settings, read_settings
from engine.errors import AllotError, Fault, InvalidInput


def create_app(
    settings: Settings | None = None,
    *,
    engine: Engine | None = None,
    hosts: frozenset[str] | None = None,
    place: Place | None = None,
) -> FastAPI:
    """Return the application; it starts an engine from `settings` with its lifespan, or uses a running `engine`.

    With `hosts`, requests whose Host header names another one are refused: a page of another site that has its name
    point to this machine (DNS rebinding) must not reach an API that asks nobody who they are. With a `place` among
    several processes, its metrics are theirs too.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            house = engine
            if house is None:
                house = await stack.enter_async_context(allot_engine(settings))
            app.state.engine = house
            await stack.enter_async_context(_kept(house))
            entrance.door = await _door(house, chosen, stack)
            stack.push_async_callback(_end, asyncio.create_task(traffic.keep_time()))
            if place is not None:
                await stack.enter_async_context(offering(place, metrics.own))
            if access is not None:
                stack.push_async_callback(_end, asyncio.create_task(access.keep_writing()))
            yield

    chosen = settings or read_settings()
    is_open = chosen.auth != "keys"  # else nobody is let in before the lifespan has begun
    entrance = Entrance(Traffic(chosen), Door(engine) if engine is not None and is_open else None)
    traffic = entrance.traffic
    metrics = Metrics(traffic, _version(), place=place)
    access = AccessLog(chosen.access_log, chosen.log_format) if chosen.access_log else None
    traffic.note = None if access is None else access.note
    app = Application(
        title=openapi.TITLE, openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False
    )
    app.state.engine = engine
    app.state.traffic = traffic
    app.served = paths(ENDPOINTS, entrance, _around(chosen))
    app.hosts = None if hosts is None else Hosts(hosts)
    app.router.routes.extend(routes(ENDPOINTS))
    app.openapi = _described  # type: ignore[method-assign]
    app.router.add_route("/openapi.json", _openapi, methods=["GET"], include_in_schema=False)
    app.router.add_route("/docs", _docs, methods=["GET"], include_in_schema=False)
    app.router.add_route("/metrics", _guarded(metrics.answer, entrance), methods=["GET"], include_in_schema=False)
    app.router.add_route("/", _home, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _broken)
    return app


def _guarded(
    serve: Callable[[Request], Awaitable[Response]], entrance: Entrance
) -> Callable[[Request], Awaitable[Response]]:
    """Return what serves metrics to callers who may see them: they tell of all tenants, so those of the house only."""
    needed = bit("metrics:read")

    async def answer(request: Request) -> Response:
        door = entrance.door
        assert door is not None
        try:
            caller = door.admit(request.scope, needed) or await door.look_up(request.scope, needed)
            if caller.engine is not door.house:
                raise MissingScope(needed)
        except AllotError as error:
            return _response(problem_reply(error, request_id_of(request.scope), getattr(error, "headers", None)))
        return await serve(request)

    return answer


def _around(settings: Settings) -> Around | None:
    """Return what goes around each endpoint: nothing, unless requests are traced."""
    if settings.traces == "off":
        return None
    from api.tracing import Traced

    return Traced


@asynccontextmanager
async def _kept(engine: Engine) -> AsyncIterator[None]:
    """Run the background tasks of one engine."""
    async with AsyncExitStack() as stack:
        for keep in (
            keep_sweeping,
            keep_watching,
            keep_load,
            keep_slots,
            keep_runs,
            keep_bid_prices,
            keep_effects,
            keep_erasures,
            keep_alerts,
            keep_decisions,
            keep_webhooks,
            keep_imports,
            keep_index,
            keep_archive,
            keep_simulations,
        ):
            stack.push_async_callback(_end, asyncio.create_task(keep(engine)))
        yield


async def _door(house: Engine, settings: Settings, stack: AsyncExitStack) -> Door:
    """Return what lets requests in, with the engines of all tenants that have keys behind it."""
    if settings.auth != "keys":
        return Door(house)

    @asynccontextmanager
    async def run(tenant: str) -> AsyncIterator[Engine]:
        chosen = settings.model_copy(update={"tenant": tenant})
        is_memory = house.client is None
        async with allot_engine(chosen, memory=is_memory, clock=house.clock, beside=house) as engine, _kept(engine):
            yield engine

    tokens = tokens_of(settings, house.clock)
    tenants = Tenants(house, run, settings.most_tenants)
    stack.push_async_callback(tenants.stop)
    door = Door(house, house.access, tenants.engine_of, settings.requests_per_second, tokens, tenants.running)
    stack.push_async_callback(_end, asyncio.create_task(door.keep_watch()))
    starting = asyncio.create_task(tenants.start_all(await house.access.tenants()))
    stack.push_async_callback(_end, starting)
    return door


@cache
def _described() -> dict[str, Any]:
    return openapi.document(ENDPOINTS, _version())


@cache
def _described_bytes() -> bytes:
    return msgspec.json.encode(_described())


async def _openapi(_: Request) -> Response:
    return Response(await asyncio.to_thread(_described_bytes), media_type="application/json")


@cache
def _page() -> str:
    return docs_page.render(ENDPOINTS, _version())


async def _docs(_: Request) -> Response:
    return Response(_page(), media_type="text/html", headers=docs_page.HEADERS)


async def _home(_: Request) -> Response:
    return RedirectResponse("/docs")


async def _not_routed(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses."""
    if not isinstance(error, HTTPException):
        return await _broken(request, error)
    path, request_id = request.url.path[:200], request_id_of(request.scope)
    refusal: AllotError
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        refusal = MethodNotAllowed(f"{request.method} {path} is not possible; use {allowed}.")
    elif error.status_code == 404:
        refusal = RouteNotFound(f"There is no endpoint {path}; see /docs.")
    else:
        refusal = InvalidInput(Fault(path="$", message=str(error.detail)))
    request.app.state.traffic.problems[refusal.code] += 1
    return _response(problem_reply(refusal, request_id, error.headers))


async def _broken(request: Request, _: Exception) -> Response:
    """Answer what nobody foresaw; Starlette hands the exception to the server's log."""
    request_id = request_id_of(request.scope)
    failure = InternalError(f"The service failed; the log says why. Request {request_id}.")
    return _response(problem_reply(failure, request_id))


def _response(reply: Reply) -> Response:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, headers=headers)


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _version() -> str:
    try:
        return version_of("allot")
    except PackageNotFoundError:
        return "0"
