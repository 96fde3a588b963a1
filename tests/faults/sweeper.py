"""A process that gives expired units back, as the API does; it says `sweeping` once it has begun.

Run it as `python -m faults.sweeper ADDRESS TENANT`.
"""

from __future__ import annotations

import asyncio
import os
import sys

from api.sweeper import keep_sweeping
from engine.bootstrap import allot_engine
from engine.config import Settings


async def sweep(address: str, tenant: str) -> None:
    """Sweep until killed."""
    async with allot_engine(Settings(redis_url=address, tenant=tenant, durability="standard")) as engine:
        os.write(1, b"sweeping\n")
        await keep_sweeping(engine)


if __name__ == "__main__":
    asyncio.run(sweep(*sys.argv[1:]))
