"""Several server processes of `allot serve`, on one port and one store.

Not here: what one of them does (serve_one.py), and how they are replaced (api/processes.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli import serve_one
from engine.errors import AllotError, InvalidInput

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from engine.calibration.learned import LearnedDocument
    from engine.config import Settings


def serve_in_processes(
    listener: socket.socket,
    settings: Settings,
    host: str,
    demo: bool,
    learned: LearnedDocument | None,
    count: int,
    say_ready: Callable[[], None],
) -> None:
    """Serve in several processes; an own store is ours as well as theirs, so it runs while they are replaced."""
    from api.processes import Processes
    from engine.storage.embedded import ensure_server

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="allot-")))
        if settings.redis_url is None and settings.durability != "replicated":
            stack.callback(ensure_server(settings.data_dir, settings.durability).stop)
        work = partial(_work, listener, settings, host, demo, learned, folder)
        code = Processes(count, work).run(say_ready, listener.close)
    if code:
        raise typer.Exit(code)


def _work(
    listener: socket.socket,
    settings: Settings,
    host: str,
    demo: bool,
    learned: LearnedDocument | None,
    folder: Path,
    number: int,
    ready: Event,
    parent: int,
    is_first: bool,
) -> None:
    """Serve as one of several processes; only the first of all puts what is there to begin with."""
    from api.logs import set_up_logs
    from api.siblings import Place

    set_up_logs(settings.log_level, settings.log_format)
    place = Place(number=number, folder=folder)
    if not is_first:
        demo, learned = False, None

    async def serve() -> None:
        following = asyncio.create_task(_end_with(parent))
        await serve_one.serve(listener, settings, host, demo, learned, ready.set, place)
        following.cancel()

    try:
        serve_one.run(serve())
    except AllotError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, InvalidInput) else 1)


async def _end_with(parent: int) -> None:
    """Stop this process when the one that started it has gone."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells us
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
