"""`allot serve`: the HTTP API in one process, by default with its own store."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.errors import Fault, InvalidInput, NotFound

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.calibration.learned import LearnedDocument
    from engine.config import Settings
    from engine.integrations.demo_data import DemoDay

GRACE_SECONDS = 10
PATIENCE_SECONDS = 2
SWITCH_SECONDS = 0.0005
"""How long a routing run beside the requests may keep the interpreter to itself; a request needs it several times."""
DEMO_FOLDER = "demo"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def command(
    host: Annotated[str, typer.Option(help="The address to listen on; others than loopback need keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = 8000,
    data: Annotated[
        Path | None, typer.Option(help="Where the store keeps its data.", show_default="ALLOT_DATA_DIR or .allot")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Start with the demo network, catalog and stock, in a folder of their own.")
    ] = False,
    lead_times: Annotated[
        Path | None, typer.Option("--lead-times", help="A file of allot calibrate --out: promised dates are learned.")
    ] = None,
    route_every: Annotated[
        int | None,
        typer.Option(
            "--route-every",
            min=1,
            max=86_400,
            help="Route all open orders every so many seconds.",
            show_default="ALLOT_ROUTE_EVERY_SECONDS or never",
        ),
    ] = None,
) -> None:
    """Serve the HTTP API until interrupted, with the embedded store or the one of ALLOT_REDIS_URL.

    Prints one line when it is ready. The API is described at /docs and /openapi.json.
    """
    settings = _settings(host, data, demo, route_every)
    learned = None if lead_times is None else _read_lead_times(lead_times)
    with _listening(host, port) as listener:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(_serve(listener, settings, host, demo, learned))


def auth_of(host: str, chosen: Literal["off", "keys"] | None) -> Literal["off", "keys"]:
    """Return whether callers need keys; raises InvalidInput if they shall not, though other machines can reach us."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback and chosen == "off":
        message = (
            f"{host!r} can be reached from other machines, and auth is off, so anybody could change stock and orders. "
            "Use 127.0.0.1, or set ALLOT_AUTH to 'keys' and make one: allot keys create"
        )
        raise InvalidInput(Fault(path="--host", message=message))
    return chosen or ("off" if is_loopback else "keys")


def _settings(host: str, data: Path | None, demo: bool, route_every: int | None) -> Settings:
    """Return the settings of the environment with what the command line says instead; raises InvalidInput."""
    from engine.bootstrap import read_settings

    settings = read_settings(data)
    changed: dict[str, object] = {"auth": auth_of(host, settings.auth)}
    if route_every is not None:
        changed["route_every_seconds"] = route_every
    if demo and data is None and settings.redis_url is None:
        changed["data_dir"] = settings.data_dir / DEMO_FOLDER
    return settings.model_copy(update=changed)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises InvalidInput if the port is taken or not allowed."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((bare, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reasons = {
            errno.EADDRINUSE: "is taken by another program; stop that, or choose another port with --port",
            errno.EACCES: "needs privileges; choose a port from 1024 with --port",
        }
        reason = reasons.get(error.errno or 0, f"cannot be listened on: {error.strerror}")
        raise InvalidInput(Fault(path="--port", message=f"{host}:{port} {reason}")) from None
    return listener


def _fast_loop() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _read_lead_times(path: Path) -> LearnedDocument:
    """Return a learned file; raises InvalidInput with the file before each path."""
    from engine.calibration.learned import parse_learned

    try:
        body = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}; give a file of allot calibrate --out"
        raise InvalidInput(Fault(path=f"--lead-times {path}", message=message)) from None
    return parse_learned(body, path.name)


async def _serve(
    listener: socket.socket, settings: Settings, host: str, demo: bool, learned: LearnedDocument | None
) -> None:
    import uvicorn

    from api.app import create_app
    from api.connections import Connection, keep_looking
    from engine.bootstrap import allot_engine
    from engine.storage.address import parse_address

    store = (
        f"its own store in {settings.data_dir}"
        if settings.redis_url is None
        else f"the store at {parse_address(settings.redis_url)}"
    )
    address = listener.getsockname()
    shown = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                typer.echo(f"allot is ready on http://{shown} with {store} (docs at /docs, Ctrl-C stops it)")
                sys.stdout.flush()

    async with allot_engine(settings) as engine:
        if demo:
            await _load_demo(engine)
        if learned is not None:
            await engine.lead_times.put(learned)
        hosts = LOOPBACK_NAMES | {host.lower()} if settings.auth == "off" else None  # no other site knows a key
        if settings.auth == "keys" and settings.jwt_issuer is None and not await engine.access.tenants():
            typer.echo("nobody can call it yet: make a key with: allot keys create", err=True)
        await _warm_up()
        await _look_around(engine)
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # what is there now stays: going through all of it again would hold requests up for 0.1 s
        config = uvicorn.Config(
            create_app(settings, engine=engine, hosts=hosts),
            http=Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        # uvicorn raises the signal that stopped it once more when it is done: let that one pass, we stop anyway.
        before = {number: signal.signal(number, _pass) for number in (signal.SIGINT, signal.SIGTERM)}
        server = Server(config)
        looking = asyncio.create_task(keep_looking(server.server_state.connections))
        try:
            await server.serve(sockets=[listener])
        finally:
            looking.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)


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
