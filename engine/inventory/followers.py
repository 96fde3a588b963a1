"""Bringing the parts of reservations to what their homes say: after a change, and by sweep for whoever died on the way.

The home of a reservation is the truth about it (lua/partitions/parts.lua). Each step here may be taken by anybody, in
any order, any number of times. Not here: holding, and changes at home (partitioned_holds.py, partitioned_changes.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from engine.errors import Unavailable
from engine.inventory.partition import DuePart, Partition
from engine.inventory.partitions import Partitions, Row, Truth
from engine.inventory.replies import Reply

log = logging.getLogger("allot.partitions")

PATIENCE_SECONDS = 30.0
"""How long nobody takes an attempt to hold for dead: longer than all its calls may take, by their deadlines."""
_AT_ONCE = 50


class Followers:
    """The parts of all reservations of a tenant."""

    def __init__(self, partitions: Sequence[Partition], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._all = partitions
        self.hashing = Partitions(number=len(partitions))
        self.patience_ms = round(patience_seconds * 1000)

    def home(self, reservation_id: str) -> Partition:
        """Return the partition that has the truth about a reservation."""
        return self._all[self.hashing.of(reservation_id)]

    async def after(self, reservation_id: str, truth: Truth, act: str) -> None:
        """Let the parts follow a change that is made; if they cannot be reached now, the sweeper does it."""
        with suppress(Unavailable):
            await self.settle(reservation_id, truth, act)

    async def settle(self, reservation_id: str, truth: Truth, act: str, also: Iterable[int] = ()) -> None:
        """Bring all parts, and those that may be in the partitions `also`, to the truth, and note that at home."""
        home = self.home(reservation_id)
        others = sorted(set(truth.partitions) - {home.number} | set(also))
        replies = await asyncio.gather(*(self._follow(home, reservation_id, truth, each, act) for each in others))
        if truth.partitions and all(reply[0] == "done" for reply in replies):
            await home.finish(reservation_id, truth.version)

    async def ask(self, reservation_id: str, *, token: str = "", tried_at: int = -1) -> Truth:
        """Return the truth about a reservation, and give up the attempt or the consumption named, unless decided."""
        return (await self.home(reservation_id).answer(reservation_id, token, tried_at))[1]

    async def give_up(self, reservation_id: str, token: str, act: str, touched: Iterable[int]) -> Truth:
        """Give back what an attempt has held in the partitions it touched, unless the home has it; return the truth."""
        truth = await self.ask(reservation_id, token=token)
        await self.settle(reservation_id, truth, act, also=touched)
        return truth

    async def try_to_leave(self, reservation_id: str, truth: Truth, partition: int, lines: Sequence[Row]) -> Reply:
        """Take lines of one part off on_hand before the home has decided; see lua/partitions/follow.lua."""
        share = truth.share(self.hashing, partition, is_home=False)
        return await self._all[partition].follow("consume", reservation_id, share, lines, self.patience_ms)

    async def check_leaving(self, reservation_id: str, truth: Truth, partition: int, lines: Sequence[Row]) -> Reply:
        """Return what `try_to_leave` would say, unless it can be done: then raises StoreReplyError CHECKED."""
        share = truth.share(self.hashing, partition, is_home=False)
        at = self._all[partition]
        return await at.follow("consume", reservation_id, share, lines, self.patience_ms, is_check=True)

    async def tell_days(self, reservation_id: str, partition: int) -> None:
        """Tell the home of a reservation the days of its lines that wait for supplies in a partition."""
        with suppress(Unavailable):
            truth = await self.ask(reservation_id)
            if truth.state != "gone":
                reply = await self._follow(self.home(reservation_id), reservation_id, truth, partition, "settle")
                await self.home(reservation_id).redate(reservation_id, reply[1] if reply[0] == "done" else ())

    async def sweep_unfinished(self, limit: int) -> None:
        """Settle what was changed at a home and has not reached all its parts."""
        for home in self._all:
            names = await home.unfinished(limit)
            for at in range(0, len(names), _AT_ONCE):
                await asyncio.gather(*(self._resettle(name) for name in names[at : at + _AT_ONCE]))

    async def sweep_due(self, partition: int, limit: int) -> list[bool]:
        """Ask the homes of the parts of a partition that are due; return for each whether that found it expired."""
        due = await self._all[partition].due_parts(limit)
        found: list[bool] = []
        for at in range(0, len(due), _AT_ONCE):
            found += await asyncio.gather(*(self._look_after(partition, part) for part in due[at : at + _AT_ONCE]))
        return found

    async def _look_after(self, partition: int, part: DuePart) -> bool:
        here = self._all[partition]
        if part.home < 0:
            await here.forget_due(part.reservation_id)
            return False
        # An attempt that may still be alive is asked about without giving it up.
        token = part.token if part.is_patience_over else ""
        home = self._all[part.home]
        has_expired, truth = await home.answer(part.reservation_id, token, part.tried_at)
        if truth.state != "gone" or token:
            await self.settle(part.reservation_id, truth, "settle", also=(partition,))
        return has_expired

    async def _resettle(self, reservation_id: str) -> None:
        truth = await self.ask(reservation_id)
        if truth.state == "gone":
            await self.home(reservation_id).finish(reservation_id, 0)
        else:
            await self.settle(reservation_id, truth, "settle")

    async def _follow(self, home: Partition, reservation_id: str, truth: Truth, partition: int, act: str) -> Reply:
        share = truth.share(self.hashing, partition, is_home=partition == home.number)
        reply = await self._all[partition].follow(act, reservation_id, share, (), self.patience_ms)
        if reply[0] == "lost":
            log.error("partition %s has lost its part of reservation %s", partition, reservation_id)
        return reply
