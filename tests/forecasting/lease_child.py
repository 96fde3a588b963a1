"""A server that makes bid prices and never ends: it takes the lease, says so, and keeps it until it is killed.

python lease_child.py STORE_ADDRESS TENANT LEASE_SECONDS
"""

from __future__ import annotations

import asyncio
import sys

from engine.forecasting.service import LEASE
from engine.storage.client import connect
from engine.storage.keys import Keys
from engine.storage.leases import RedisLeases, leased


async def keep(address: str, tenant: str, seconds: float) -> None:
    leases = RedisLeases(connect(address), Keys(tenant))
    async with leased(leases, LEASE, "child", seconds) as is_mine:
        sys.stdout.write("taken\n" if is_mine else "refused\n")
        sys.stdout.flush()
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(keep(sys.argv[1], sys.argv[2], float(sys.argv[3])))
