"""A process that sells from a hot shelf, and notes what it asks for before it asks and what it was told after.

Run it as `python -m faults.seller ADDRESS TENANT NAME ATTEMPTS KEEPS VARIANT`. It prints `try ID SKU QUANTITY`,
`held ID`, `short ID`, `give ID` (asks to cancel) and `gave ID`. With KEEPS 0 half of what is held is cancelled again.
VARIANT `whole` uses the store as it is; `split` is a seeded bug: the check is a call of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Mapping

from faults.clients import PATIENCE_SECONDS

from engine.errors import InsufficientStock, ShortLine
from engine.inventory.model import Hold, HoldLine, Outcome, Replay, Reservation
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import connect
from engine.storage.keys import Keys

SKUS = [f"hot-{number}" for number in range(5)]
NODE = "berlin"
TODAY = {NODE: 738_000}
IN_FLIGHT = 40


class SplitStore(RedisInventoryStore):
    """The seeded bug: looks at what is available, and then takes it."""

    async def hold(self, hold: Hold, *, today: Mapping[str, int], replay: Replay | None = None) -> Outcome[Reservation]:
        line = hold.lines[0]
        view = await self.read([line.sku])
        available = view.position(0, view.node_ids.index(line.node_id)).available
        if available < line.quantity:
            short = ShortLine(sku=line.sku, node_id=line.node_id, quantity=line.quantity, available=available)
            raise InsufficientStock([short])
        return await super().hold(hold, today=today, replay=replay)


STORES = {"whole": RedisInventoryStore, "split": SplitStore}


def note(*words: object) -> None:
    """Print a line in one piece: what a killed process has noted is whole lines, and perhaps the start of one."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def sell(address: str, tenant: str, name: str, attempts: int, *, keeps: bool, variant: str) -> None:
    """Make the attempts, IN_FLIGHT at a time."""
    client = connect(address, deadline_seconds=PATIENCE_SECONDS)
    store = STORES[variant](client, Keys(tenant))
    chance = random.Random(name)
    numbers = iter(range(attempts))

    async def work() -> None:
        for number in numbers:
            reservation_id, sku = f"{name}-{number}", chance.choice(SKUS)
            quantity = 1 if keeps else chance.randint(1, 3)
            note("try", reservation_id, sku, quantity)
            line = HoldLine(sku=sku, quantity=quantity, node_id=NODE)
            try:
                await store.hold(Hold(reservation_id=reservation_id, lines=(line,)), today=TODAY)
            except InsufficientStock:
                note("short", reservation_id)
                continue
            note("held", reservation_id)
            if not keeps and chance.random() < 0.5:
                note("give", reservation_id)
                await store.cancel(reservation_id)
                note("gave", reservation_id)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    await client.close()


if __name__ == "__main__":
    address, tenant, name, attempts, keeps, variant = sys.argv[1:]
    asyncio.run(sell(address, tenant, name, int(attempts), keeps=keeps == "1", variant=variant))
