"""The side of the archive that lies in the store: which file has which order, and the steps that move them.

Of an archived order the store keeps about 20 bytes: a hash of its id, and the number of its file. Not here: files
(files.py), and when what is moved (service.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files

import msgspec

from engine.archive.model import Kept
from engine.errors import StoreReplyError, Unavailable
from engine.events.actor import actor
from engine.inventory.partition import Partition
from engine.inventory.redis_store import SNIPPETS
from engine.orders.places import Places
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library

LIBRARY = library(
    "archive",
    1,
    [REPLAY, *SNIPPETS, files("engine.orders") / "lua" / "orders.lua", files("engine.archive") / "lua" / "archive.lua"],
)
_AT_ONCE = 50
"""Orders of one function call: some 3 ms in which the server serves nobody else."""
_pack = msgspec.msgpack.Encoder().encode


class ArchiveBarred(Unavailable):
    """Another process archives now; what this one has written does not count."""


class ArchiveBook:
    """Of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, tenant: str, partitions: int) -> None:
        self._all = [Partition(client, tenant, each) for each in range(partitions)]
        self._places = Places(self._all)

    async def begin(self, last: int) -> int:
        """Bar all files there were, and return the number of a new one, above `last`: a restored store counts anew."""
        first = self._all[0]
        counter = first.keys.named("archive_files")
        number = int(await first.client.call("INCR", counter))
        if number <= last:
            number = int(await first.client.call("INCRBY", counter, last + 1 - number))
        for each in self._all:
            await each.client.fcall("allot_fence_archive_v1", [each.keys.deadlines], [number - 1])
        return number

    async def numbers(self, order_ids: Sequence[str]) -> list[int | None]:
        """Return the number of the file that has each order, None for those that are not archived."""
        found: list[int | None] = [None] * len(order_ids)
        for home, indexes in (await self._by_home(order_ids)).items():
            calls = [("HGET", *self._place(home, order_ids[index])) for index in indexes]
            for index, reply in zip(indexes, await home.client.pipeline(calls), strict=True):
                found[index] = None if reply is None else int(reply)
        return found

    async def read(self, order_ids: Sequence[str]) -> list[Kept]:
        """Return what the store keeps of orders; those that are not there are left out."""
        found = []
        for home, indexes in (await self._by_home(order_ids)).items():
            names = [order_ids[index] for index in indexes]
            calls: list[tuple[str, ...]] = []
            for name in names:  # the steps last: those of a change between both are too few, and the removal is refused
                calls += [("LRANGE", home.keys.order_history(name), "0", "-1"), ("HGETALL", home.keys.order(name))]
            replies = await home.client.pipeline(calls)
            for name, steps, pairs in zip(names, replies[::2], replies[1::2], strict=True):
                if steps and pairs:
                    fields = {pairs[at].decode(): pairs[at + 1] for at in range(0, len(pairs), 2)}
                    found.append(Kept(order_id=name, fields=fields, steps=tuple(steps)))
        return found

    async def remove(self, number: int, orders: Sequence[Kept]) -> dict[str, str]:
        """Take orders out of the store that a file has, if they are as they were; return what became of each.

        archived, changed, or keeps (stock, or something to be done). Raises ArchiveBarred once a later file was begun.
        """
        verdicts: dict[str, str] = {}
        for home, indexes in (await self._by_home([each.order_id for each in orders])).items():
            for start in range(0, len(indexes), _AT_ONCE):
                some = [orders[index] for index in indexes[start : start + _AT_ONCE]]
                rows = _pack([(each.order_id, len(each.steps)) for each in some])
                try:
                    reply = await home.client.fcall(
                        "allot_archive_orders_v1", [home.keys.deadlines], [actor(), number, rows]
                    )
                except StoreReplyError as error:
                    if "BARRED" in str(error):
                        raise ArchiveBarred(f"File {number} of the archive takes no orders any more.") from None
                    raise
                verdicts |= {each.order_id: found.decode() for each, found in zip(some, reply, strict=True)}
        return verdicts

    async def put_back(self, number: int, kept: Kept) -> bool:
        """Put an order of a file back into the store; False if that file does not have it any more."""
        (home,) = await self._by_home([kept.order_id])
        flat = [part for pair in kept.fields.items() for part in pair]
        args: list[Part] = [actor(), number, kept.order_id, len(flat), *flat, *kept.steps]
        return bool(await home.client.fcall("allot_restore_order_v1", [home.keys.deadlines], args))

    async def _by_home(self, order_ids: Sequence[str]) -> dict[Partition, list[int]]:
        """Return the indexes of orders by the partition in which they are."""
        if len(self._all) == 1:
            return {self._all[0]: list(range(len(order_ids)))} if order_ids else {}
        homes: dict[Partition, list[int]] = {}
        for index, home in enumerate(await self._places.of_many(order_ids)):
            homes.setdefault(home, []).append(index)
        return homes

    def _place(self, home: Partition, order_id: str) -> tuple[str, bytes]:
        """Return the hash and the field, as archive_place of engine/orders/lua/orders.lua does."""
        digest = sha1(order_id.encode(), usedforsecurity=False).digest()
        return home.keys.archived(digest[:2].hex()), digest[2:10]
