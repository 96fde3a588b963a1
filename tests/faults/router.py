"""A process that works on routing runs in children of its own, each of which is killed in the middle of its run.

Run it as `python -m faults.router ADDRESS TENANT PHASE:FUNCTION:TIMES …`: a child per phase starts the run of `KEY` in
the key space TENANT-PHASE, in the world of routing/redis_desk.py, and gets SIGKILL right behind that call of a function
of the store. The parent has done such a run in TENANT-warm before, so that no child compiles or loads anything.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter

from engine.inventory.model import Replay
from engine.orders import redis_store
from engine.routing.run_model import RunRequest
from engine.storage.client import connect
from engine.storage.keys import Keys
from tests.routing.redis_desk import GatedClient, desk, furnish

KEY = Replay(digest="d" * 64, fingerprint="f" * 64)
RUN_ID = f"run_{'d' * 32}"
AT_ONCE = 5
"""Orders of one call of a commit."""


async def work(address: str, tenant: str, function: str, times: int) -> None:
    seen: Counter[str] = Counter()

    async def before(_: str) -> None:
        pass

    async def after(called: str) -> None:
        seen[called] += 1
        if seen[function] == times:
            os.kill(os.getpid(), signal.SIGKILL)

    redis_store._CHUNK = AT_ONCE
    here = desk(GatedClient(connect(address), before, after), Keys(tenant))
    await here.runs.start(RunRequest(), replay=KEY)
    await here.runs.finish()


async def warm_up(address: str, tenant: str) -> None:
    client = connect(address)
    here = desk(client, Keys(tenant))
    await furnish(here, [{"MUG": 1}, {"MUG": 1}], {"east": {"MUG": 1}})
    await here.runs.execute(RunRequest())
    await client.close()


def main(address: str, tenant: str, *deaths: str) -> None:
    asyncio.run(warm_up(address, f"{tenant}-warm"))
    children = []
    for death in deaths:
        phase, function, times = death.split(":")
        child = os.fork()
        if not child:
            asyncio.run(work(address, f"{tenant}-{phase}", function, int(times)))
            os._exit(1)  # nobody killed it
        children.append(child)
    for child in children:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "a child came to its end"
        assert os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
