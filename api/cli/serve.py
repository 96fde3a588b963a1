"""`allot serve`: the HTTP API in one process, by default with its own store."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.calibration.learned import LearnedDocument
    from engine.config import Settings

DEMO_FOLDER = "demo"


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
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Server processes on one port and one store; one that dies is replaced.")
    ] = 1,
) -> None:
    """Serve the HTTP API until interrupted, with the embedded store or the one of ALLOT_REDIS_URL.

    Prints one line when it is ready. The API is described at /docs and /openapi.json.
    """
    from api.cli import serve_one, serve_several
    from api.logs import set_up_logs

    settings = _settings(host, data, demo, route_every)
    learned = None if lead_times is None else _read_lead_times(lead_times)
    with _listening(host, port) as listener:
        set_up_logs(settings.log_level, settings.log_format)
        shown = _ready_line(listener, settings, processes)
        if processes == 1:
            serve_one.run(serve_one.serve(listener, settings, host, demo, learned, lambda: _say(shown)))
        else:
            serve_several.serve_in_processes(listener, settings, host, demo, learned, processes, lambda: _say(shown))


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
    from engine.config import read_settings

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


def _read_lead_times(path: Path) -> LearnedDocument:
    """Return a learned file; raises InvalidInput with the file before each path."""
    from engine.calibration.learned import parse_learned

    try:
        body = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}; give a file of allot calibrate --out"
        raise InvalidInput(Fault(path=f"--lead-times {path}", message=message)) from None
    return parse_learned(body, path.name)


def _ready_line(listener: socket.socket, settings: Settings, processes: int) -> str:
    from engine.storage.address import parse_address

    store = (
        f"its own store in {settings.data_dir}"
        if settings.redis_url is None
        else f"the store at {parse_address(settings.redis_url)}"
    )
    address = listener.getsockname()
    shown = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    several = "" if processes == 1 else f", in {processes} processes"
    return f"allot is ready on http://{shown} with {store}{several} (docs at /docs, Ctrl-C stops it)"


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
