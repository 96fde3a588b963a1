"""One server process of `allot serve`: its engine, what it begins with, and its end.

Not here: the options (serve.py), several processes (serve_several.py), how requests end (api/serving.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import typer

from engine.errors import Fault, InvalidInput, NotFound

if TYPE_CHECKING:
    from api.siblings import Place
    from engine.bootstrap import Engine
    from engine.calibration.learned import LearnedDocument
    from engine.config import Settings
    from engine.integrations.demo_data import DemoDay

PATIENCE_SECONDS = 2
GC_THRESHOLD = 10_000, 20, 20
"""Requests leave next to no cycles behind; looking for them so much more rarely gives them a twentieth more time."""
THREADS_SECONDS = 1
SWITCH_SECONDS = 0.0005
"""How long a routing run beside the requests may keep the interpreter to itself; a request needs it several times."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def run(serving: Coroutine[Any, Any, None]) -> None:
    """Run a server to its end, on the fastest loop there is."""
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(serving)
        runner.run(_end_threads())


def _fast_loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(
    listener: socket.socket,
    settings: Settings,
    host: str,
    demo: bool,
    learned: LearnedDocument | None,
    say_ready: Callable[[], None],
    place: Place | None = None,
) -> None:
    """Serve until told to stop; with a `place`, as one of several processes."""
    from api.app import create_app
    from api.connections import keep_looking
    from api.serving import GracefulServer
    from engine.bootstrap import allot_engine

    async with AsyncExitStack() as stack:
        if settings.traces != "off":
            from api.tracing import exporting

            stack.enter_context(exporting())
        engine = await stack.enter_async_context(allot_engine(settings))
        if demo:
            await _load_demo(engine)
        if learned is not None:
            await engine.lead_times.put(learned)
        hosts = LOOPBACK_NAMES | {host.lower()} if settings.auth == "off" else None  # no other site knows a key
        is_first = place is None or place.number == 0
        if is_first and settings.auth == "keys" and settings.jwt_issuer is None and not await engine.access.tenants():
            where = "" if settings.redis_url is not None else f" --data {shlex.quote(str(settings.data_dir))}"
            how = f"allot keys create NAME --scope SCOPE{where}"
            typer.echo(f"nobody can call it yet: make a key with: {how}", err=True)
        await _warm_up()
        await _look_around(engine)
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # what is there now stays: going through all of it again would hold requests up for 0.1 s
        gc.set_threshold(*GC_THRESHOLD)
        app = create_app(settings, engine=engine, hosts=hosts, place=place)
        server = GracefulServer(app, drain_seconds=settings.drain_seconds, when_ready=say_ready)
        # uvicorn raises the signal that stopped it once more when it is done: let that one pass, we stop anyway.
        before = {number: signal.signal(number, _pass) for number in (signal.SIGINT, signal.SIGTERM)}
        looking = asyncio.create_task(keep_looking(server.server_state.connections))
        try:
            await server.serve(sockets=[listener])
        finally:
            looking.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)


async def _end_threads() -> None:
    """Wait for threads, but not for those that still solve for runs that were left to others: the process ends now."""
    try:
        async with asyncio.timeout(THREADS_SECONDS):
            await asyncio.get_running_loop().shutdown_default_executor()
    except TimeoutError:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _pass(*_: object) -> None:
    """Do nothing with a signal."""


async def _warm_up() -> None:
    """Have the kernels compiled before the first request would wait for it; says so if that takes a while."""
    from engine.promising.warming import warm_up

    warming = asyncio.create_task(asyncio.to_thread(warm_up))
    done, _ = await asyncio.wait({warming}, timeout=PATIENCE_SECONDS)
    if not done and sys.stderr.isatty():
        typer.echo("compiling the kernels; this is needed once on a machine …", err=True)
    await warming


async def _look_around(engine: Engine) -> None:
    """Read the network and the catalog that are there, for the first request, and before what is there is set apart."""
    with suppress(NotFound):
        await engine.network.current()
        await engine.catalog.current()


async def _load_demo(engine: Engine) -> None:
    """Put the demo day unless it is there: what has happened to it since stays as it is."""
    from dataclasses import replace

    from engine.integrations.demo_data import load_demo_day
    from engine.integrations.load import put_documents

    day = load_demo_day()
    if not await _is_there(engine, day):
        await put_documents(replace(day, orders=()), engine)


async def _is_there(engine: Engine, day: DemoDay) -> bool:
    """Say whether the demo day was put to its end; raises InvalidInput if the store holds another network."""
    try:
        network = await engine.network.current()
    except NotFound:
        return False
    if network.document.name != day.network.name:
        message = "the store holds another network, which would be lost; choose a new folder with --data"
        raise InvalidInput(Fault(path="--demo", message=message))
    last = day.positions[-1]
    stock = await engine.stock.read([last.sku])
    return last.node_id in {position.node_id for position in stock.positions(0)}
