"""Real servers of the HTTP API, each killed by SIGKILL right behind changes of the store, and followed by another.

Run it as `python -m faults.life_server FOLDER SETTINGS TENANT=DEATH,DEATH …`: for each tenant a socket that stays
open, and on it one server process after another, as a supervisor has it. A death is `FUNCTION:TIMES`: the process dies
when that function of the store has answered so often, `any` counts each that changes something; the process after the
last death lives on. They are children of a process that has loaded everything, so that each costs no more than itself.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from faults.life_shop import CATALOG, NETWORK

from api import connections, sweeper
from api.app import create_app
from api.cli import serve_one
from api.logs import set_up_logs
from engine.bootstrap import allot_engine
from engine.catalog.document import CatalogDocument
from engine.config import Settings
from engine.network.document import NetworkDocument
from engine.storage.client import MultiplexedClient
from engine.storage.link import Part

CHANGES = frozenset(
    {
        "allot_hold_v1",
        "allot_confirm_v1",
        "allot_capture_order_v1",
        "allot_revise_order_v1",
        "allot_add_document_v1",
        "allot_create_run_v1",
        "allot_keep_run_step_v1",
        "allot_commit_orders_v1",
        "allot_put_run_v1",
        "allot_number_bill_v1",
        "allot_adjust_v1",
        "allot_change_conditions_v1",
    }
)
"""What a life changes; leases, and what servers keep for themselves, come whenever they come."""
HOST = "127.0.0.1"
LOADED = (connections, serve_one)
"""What a server would load when it begins."""


def serve(listener: socket.socket, settings: Settings, death: str, trace: Path) -> None:
    """Serve as one process until it dies, or its parent is gone."""
    parent, seen = os.getppid(), Counter[str]()
    function, _, times = death.partition(":")
    call = MultiplexedClient.fcall

    async def counted(self: MultiplexedClient, called: str, keys: Sequence[str], args: Sequence[Part]) -> object:
        answer = await call(self, called, keys, args)
        if called in CHANGES:
            seen.update([called, "any"])
            with trace.open("a") as file:
                file.write(f"{called}:{seen[called]}\n")
            if death and called in {function, called if function == "any" else ""} and seen[function] == int(times):
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    async def watched() -> None:
        serving = asyncio.create_task(serve_one.serve(listener, settings, HOST, False, None, lambda: None))
        while os.getppid() == parent:
            await asyncio.wait([serving], timeout=0.2)
        os._exit(0)

    async def nothing() -> None:
        """Get no kernel ready: nobody asks for a promise."""

    serve_one._warm_up = nothing
    MultiplexedClient.fcall = counted  # type: ignore[method-assign]
    set_up_logs(settings.log_level, settings.log_format)
    serve_one.run(watched())


async def load() -> None:
    """Load what servers need, with nobody's store."""
    async with allot_engine(Settings(), memory=True) as engine:
        await engine.network.put(NetworkDocument.model_validate(NETWORK))
        await engine.catalog.put(CatalogDocument.model_validate(CATALOG))
        create_app(engine=engine)


def say(line: str) -> None:
    """Tell the test something."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(folder: str, chosen: str, *lives: str) -> None:
    """Keep a server for each tenant, and say when one is there, and when it was killed."""
    Path(folder).mkdir()
    sweeper.ALONE_SECONDS = 1.0  # a dead process has its leases no longer than that
    asyncio.run(load())
    gc.collect()
    gc.freeze()  # or each child goes through all of it
    deaths = {tenant: said.split(",") if said else [] for tenant, _, said in (life.partition("=") for life in lives)}
    listeners = {tenant: socket.create_server((HOST, 0), backlog=128) for tenant in deaths}
    running = dict[int, str]()
    given = json.loads(chosen)

    def start(tenant: str) -> None:
        death = deaths[tenant].pop(0) if deaths[tenant] else ""
        settings = Settings(**given, tenant=tenant, data_dir=Path(folder) / tenant)
        child = os.fork()
        if not child:
            with suppress(BaseException):
                serve(listeners[tenant], settings, death, Path(folder) / f"{tenant}.calls")
            os._exit(1)
        running[child] = tenant

    for tenant, listener in listeners.items():
        start(tenant)
        say(f"ready {tenant} http://{HOST}:{listener.getsockname()[1]}")
    while running:
        child, status = os.wait()
        tenant = running.pop(child)
        assert os.WIFSIGNALED(status), f"the server of {tenant} came to its end"
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        say(f"killed {tenant}")
        start(tenant)


if __name__ == "__main__":
    main(*sys.argv[1:])
