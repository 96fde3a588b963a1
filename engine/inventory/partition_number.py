"""How many partitions a store has: chosen when it is begun, and kept in it, since everything lies by hashes of them.

Not here: what the partitions do.
"""

from __future__ import annotations

from engine.errors import Fault, InvalidInput
from engine.storage.client import StoreClient
from engine.storage.keys import Keys


async def keep_number(client: StoreClient, tenant: str, number: int) -> None:
    """Keep the number if the store is new; raises InvalidInput if it was begun with another."""
    keys = Keys(tenant)
    begun = await client.call("GET", keys.partitions)
    if begun is None and await client.call("EXISTS", keys.stock_epoch):
        begun = 1  # by a build that knew one partition only
    if begun is None:
        begun = await client.call("SET", keys.partitions, number, "NX", "GET") or number
    if int(begun) != number:
        raise InvalidInput(
            Fault(
                path="ALLOT_PARTITIONS",
                message=f"the store of tenant {tenant!r} was begun with {int(begun)} partitions, not {number}; set "
                f"ALLOT_PARTITIONS={int(begun)}, or begin a new store",
            )
        )
