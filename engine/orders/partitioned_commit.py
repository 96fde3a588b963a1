"""Committing allocations over several partitions: tried everywhere, decided at the home of each order, then followed.

Lines of other partitions are tried there as parts of the reservation that the order will get, and uses where they are
counted: all orders of a batch in one call per partition. Then the homes decide, each order by itself, and what was
tried for those that were refused comes back. Whoever dies leaves that to the sweeper, which asks the homes; the same
run again commits an order once. Not here: what a home decides (lua/partitions/decide.lua).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

import msgspec

from engine.errors import LeaseLost, Unavailable
from engine.events.actor import actor
from engine.inventory.followers import Followers
from engine.inventory.partition import Partition
from engine.inventory.partitioned_attempt import LATEST_SECONDS
from engine.inventory.partitions import Truth
from engine.orders.batch import Entry
from engine.orders.partitioned_reads import KnownOrder
from engine.orders.partitioned_uses import DROP, KEEP, PartitionedUses
from engine.orders.replies import unless_fenced
from engine.storage.client import Part

_MANY_DUE, _AT_ONCE = 1000, 50
_ACT = "commit_orders"
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
Verdict = Sequence[Any]
AGAIN: Verdict = ("again",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a batch is checked against: capacities of nodes, the day at each, and units kept back by SKU and node."""

    run_id: str
    epoch: int
    limits: Mapping[str, tuple[int, int]]
    today: Mapping[str, int]
    buffers: Mapping[str, Mapping[str, int]]


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One allocation on its way: `touched` are partitions that hold parts of it, since when, and what became of it."""

    entry: Entry
    known: KnownOrder
    channel: str
    shares: dict[int, list[tuple[int, tuple[str, str, int, int]]]]
    token: str = field(default_factory=lambda: token_hex(8))
    touched: list[int] = field(default_factory=list)
    since_ms: int = 0
    has_uses: bool = False
    verdict: Verdict | None = None

    @property
    def partitions(self) -> list[int]:
        """Return the partitions of its lines, none if all lie at home."""
        return [] if set(self.shares) <= {self.known.home} else sorted(self.shares)


class PartitionedCommit:
    """Commits the allocations of runs of a tenant."""

    def __init__(self, partitions: Sequence[Partition], followers: Followers, uses: PartitionedUses) -> None:
        self._all, self._followers, self._uses = partitions, followers, uses
        self._hashing = followers.hashing

    async def commit(
        self, setting: Setting, entries: Sequence[Entry], known: Sequence[KnownOrder], channels: Sequence[str]
    ) -> list[Verdict]:
        """Commit each allocation by itself; the verdicts are those of lua/partitions/decide.lua. Raises LeaseLost."""
        attempts = [
            self._attempt(entry, order, channel) for entry, order, channel in zip(entries, known, channels, strict=True)
        ]
        await self._try_uses(setting, [each for each in attempts if each.entry.lines])
        await self._try_parts(setting, attempts)
        try:
            await self._decide(setting, attempts)
        except LeaseLost:
            for each in attempts:
                each.verdict = each.verdict or AGAIN
            await self._follow(attempts)
            raise
        await self._follow(attempts)
        return [each.verdict or AGAIN for each in attempts]

    def _attempt(self, entry: Entry, known: KnownOrder, channel: str) -> _Attempt:
        while self._hashing.of(entry.reservation_id) != known.home:
            entry = replace(entry, reservation_id=f"res_{token_hex(16)}")
        shares = self._hashing.split(entry.lines, [line[0] for line in entry.lines])
        return _Attempt(entry=entry, known=known, channel=channel, shares=shares)

    async def _try_uses(self, setting: Setting, attempts: Sequence[_Attempt]) -> None:
        if not attempts:
            return
        rows = [
            (each.entry.reservation_id, each.known.home, each.token, each.entry.uses, each.known.uses)
            for each in attempts
        ]
        for each, verdict in zip(attempts, await self._uses.try_(rows, setting.limits), strict=True):
            each.has_uses = verdict[0] == "held"
            if not each.has_uses:
                each.verdict = ("moved", *verdict)

    async def _try_parts(self, setting: Setting, attempts: Sequence[_Attempt]) -> None:
        """Hold what lies in each partition, in all of them at once."""
        by_partition: dict[int, list[_Attempt]] = {}
        for each in attempts:
            if each.verdict is None:
                for partition in each.shares:
                    by_partition.setdefault(partition, []).append(each)

        async def ask(partition: int, asked: Sequence[_Attempt]) -> list[Verdict]:
            packed = _pack(([self._part(each, partition) for each in asked], partition, setting.today, setting.buffers))
            return await self._call(partition, "allot_try_orders_v1", packed)

        async def try_in(partition: int, asked: Sequence[_Attempt]) -> None:
            found = list(zip(asked, await ask(partition, asked), strict=True))
            short = [each for each, verdict in found if verdict[0] == "short"]
            if short and await self._followers.sweep_due(partition, _MANY_DUE):
                again = iter(await ask(partition, short))
                found = [(each, next(again) if verdict[0] == "short" else verdict) for each, verdict in found]
            for each, verdict in found:
                if verdict[0] == "held":
                    each.touched.append(partition)
                    each.since_ms = min(each.since_ms or verdict[1], verdict[1])
                else:
                    each.verdict = ("moved", *verdict)

        await asyncio.gather(*(try_in(partition, asked) for partition, asked in sorted(by_partition.items())))

    async def _decide(self, setting: Setting, attempts: Sequence[_Attempt]) -> None:
        by_home: dict[int, list[_Attempt]] = {}
        for each in attempts:
            if each.verdict is None:
                by_home.setdefault(each.known.home, []).append(each)

        async def decide_at(home: int, asked: Sequence[_Attempt]) -> None:
            packed = _pack([self._row(each) for each in asked])
            with unless_fenced(setting.run_id):
                found = await self._call(home, "allot_decide_orders_v1", setting.run_id, packed, setting.epoch)
            for each, verdict in zip(asked, found, strict=True):
                each.verdict = verdict

        # All have to have answered: what is taken for undecided then is given up, with its uses.
        calls = (decide_at(home, asked) for home, asked in sorted(by_home.items()))
        errors = [found for found in await asyncio.gather(*calls, return_exceptions=True) if found is not None]
        for error in sorted(errors, key=lambda error: isinstance(error, LeaseLost)):
            raise error

    async def _follow(self, attempts: Sequence[_Attempt]) -> None:
        """Let parts and uses follow what was decided; what cannot be reached now is the sweeper's."""
        for start in range(0, len(attempts), _AT_ONCE):
            await asyncio.gather(*(self._follow_one(each) for each in attempts[start : start + _AT_ONCE]))
        for home in self._all:
            made = [each for each in attempts if each.known.home == home.number and self._is_made(each)]
            rows = [(each.entry.reservation_id, KEEP) for each in made if each.has_uses]
            rows += [(each.verdict[3], DROP) for each in made if each.verdict and each.verdict[3]]
            with suppress(Unavailable):
                await self._uses.settle(rows, home)
        with suppress(Unavailable):
            failed = [each for each in attempts if each.has_uses and not self._is_made(each)]
            await self._uses.settle([(each.entry.reservation_id, DROP) for each in failed])

    async def _follow_one(self, each: _Attempt) -> None:
        name = each.entry.reservation_id
        with suppress(Unavailable):
            if not self._is_made(each):
                if each.touched:
                    await self._followers.give_up(name, each.token, _ACT, each.touched)
                return
            if each.partitions:
                lines, partitions = each.entry.lines, tuple(each.partitions)
                truth = Truth(state="confirmed", version=1, lines=lines, partitions=partitions)
                await self._followers.settle(name, truth, _ACT)
            for earlier in each.verdict[2] if each.verdict else ():
                await self._followers.settle(earlier, await self._followers.ask(earlier), _ACT)

    @staticmethod
    def _is_made(each: _Attempt) -> bool:
        """Say whether it was this attempt that was committed, and with lines."""
        verdict = each.verdict
        return verdict is not None and verdict[0] == "committed" and verdict[1] == each.entry.reservation_id

    def _part(self, each: _Attempt, partition: int) -> tuple[object, ...]:
        """Return the part of one partition as lua/partitions/try_orders.lua takes it."""
        own = [found.reservation_id for found in each.known.own]
        lines = [line for _, line in each.shares[partition]]
        patience_ms = self._followers.patience_ms
        name, home = each.entry.reservation_id, each.known.home
        return (each.entry.order_id, name, home, each.token, patience_ms, lines, each.channel, own)

    def _row(self, each: _Attempt) -> tuple[object, ...]:
        """Return an allocation as lua/partitions/decide.lua takes it."""
        entry, known = each.entry, each.known
        shipped = [line[0] for line in entry.lines]
        here = [index + 1 for index, _ in each.shares.get(known.home, ())]
        own = [(found.reservation_id, found.version, found.staying(shipped)) for found in known.own]
        head = (entry.order_id, entry.state.value, entry.rows.decode(), entry.reservation_id, entry.lines)
        too_late_ms = each.since_ms + LATEST_SECONDS * 1000
        return (*head, here, each.partitions, each.token, own, each.has_uses, too_late_ms, entry.revision)

    async def _call(self, partition: int, function: str, *args: Part) -> list[Verdict]:
        here = self._all[partition]
        verdicts: list[Verdict] = _unpack(await here.client.fcall(function, [here.keys.deadlines], [actor(), *args]))
        return verdicts
