"""Where orders are at home, in a store of several partitions: with the reservation they came with, else by their id.

So one call decides on an order and all its reservations. An id whose order is elsewhere keeps, where it hashes to, the
place of it. Not here: what is kept of an order (lua/partitions/capture.lua).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.errors import StoreReplyError, Unavailable
from engine.inventory.model import Replay
from engine.inventory.partition import Partition
from engine.inventory.partitions import Partitions
from engine.orders.replies import Reply
from engine.storage.client import Part

_TRIES = 8


class Places:
    """The places of the orders of a tenant."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._all = partitions
        self._hashing = Partitions(number=len(partitions))

    async def of(self, order_id: str) -> Partition:
        """Return the partition in which an order is, if there is one."""
        return (await self.of_many([order_id]))[0]

    async def of_many(self, order_ids: Sequence[str]) -> list[Partition]:
        """Return the partition of each order."""
        shares = self._hashing.split(order_ids, order_ids)
        found: list[Partition] = [self._all[0]] * len(order_ids)

        async def look(here: Partition, share: Sequence[tuple[int, str]]) -> None:
            keys = [here.keys.named("order_at", order_id) for _, order_id in share]
            for (index, _), at in zip(share, await here.client.call("MGET", *keys), strict=True):
                found[index] = here if at is None else self._all[_parsed(at)[0]]

        await asyncio.gather(*(look(self._all[each], share) for each, share in shares.items()))
        return found

    async def capture(
        self,
        order_id: str,
        reservation_id: str,
        partition: int | None,
        replay: Replay | None,
        *args: Part,
        life: bytes = b"",
    ) -> tuple[bool, Reply]:
        """Keep a new order where it is to be at home; return whether it was answered before, and the reply.

        `partition` is where its idempotency key is answered; raises Unavailable if the order belongs elsewhere now.
        """
        for _ in range(_TRIES):
            at = await self.of_new(order_id, reservation_id)
            here = self._all[_parsed(at)[0]]
            if partition not in {None, here.number}:
                break
            is_beside = not reservation_id or self._hashing.of(reservation_id) == here.number
            try:
                more: list[Part] = [at, int(is_beside), life]
                return await here.change("allot_capture_order_over_v1", replay, order_id, *args, *more)
            except StoreReplyError as error:
                if "ELSEWHERE" not in str(error):
                    raise
        raise Unavailable(f"Order {order_id!r} is being captured by another call. Send it again.")

    async def of_new(self, order_id: str, reservation_id: str) -> str:
        """Return the place of an order that may be there already: else where it is to be, from now on."""
        first = self._all[self._hashing.of(order_id)]
        wanted = self._hashing.of(reservation_id) if reservation_id else first.number
        at = await self._place(first, order_id, wanted, "")
        for _ in range(_TRIES):
            number, serial = _parsed(at)
            if number == wanted:
                return at
            there = self._all[number]
            if await there.client.fcall("allot_bar_order_v1", [there.keys.deadlines], [order_id, serial]):
                return at
            at = await self._place(first, order_id, wanted, at)
        raise Unavailable(f"Order {order_id!r} is being captured by another call. Send it again.")

    async def _place(self, first: Partition, order_id: str, wanted: int, barred: str) -> str:
        args: list[Part] = [order_id, wanted, first.number, barred]
        at: bytes = await first.client.fcall("allot_place_order_v1", [first.keys.deadlines], args)
        return at.decode()


def _parsed(at: bytes | str) -> tuple[int, int]:
    """Return the partition and the serial of a place."""
    number, serial = at.split()
    return int(number), int(serial)
