"""One attempt to hold lines of several partitions: their parts one after another, then the home, which commits.

Whoever comes first to a contested SKU goes on to the next partition, so of carts that cross each other one gets all.
Not here: what follows from an attempt that fails (partitioned_holds.py), and from one that dies (followers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from secrets import token_hex
from typing import cast

from engine.errors import StoreReplyError, TooManyHolds
from engine.inventory.followers import Followers
from engine.inventory.model import Hold, Replay
from engine.inventory.partition import Context, Partition
from engine.inventory.partitions import truth_of
from engine.inventory.redis_hold_rows import hold_row
from engine.inventory.replies import Reply

LATEST_SECONDS = 1800
"""After so long an attempt is not decided on any more: shorter than it is kept that one was given up."""
_MANY_DUE = 1000
_FOR_WANT = frozenset({"short", "unpeggable"})


class Failure(Enum):
    """Why an attempt came to nothing; it holds nothing then."""

    SHORT = "lines are short"
    TAKEN = "another attempt holds other lines under this id"
    LATE = "an attempt that holds its parts was given up"
    UNKNOWN = "there is no such reservation"
    PARTS_DUE = "lines are short, and parts of other reservations are due"


Answer = tuple[bool, Reply]
"""Whether it was answered before, and the reply."""


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What an attempt has done: the partitions it asked, the attempts that hold its parts, and when the first did.

    `days` are those of lines that wait for a supply, by their place in the hold.
    """

    touched: list[int]
    tokens: list[str]
    days: dict[int, int]
    since_ms: int = 0


class Attempt:
    """One attempt; `lines` of the hold are shared out to partitions by their SKU."""

    def __init__(self, partitions: Sequence[Partition], followers: Followers, hold: Hold, context: Context) -> None:
        self._all, self._followers, self._hold, self._context = partitions, followers, hold, context
        self.token = token_hex(8)
        self.home = followers.hashing.of(hold.reservation_id)
        self.shares = followers.hashing.split(hold.lines, [line.sku for line in hold.lines])
        self._progress = _Progress(touched=[], tokens=[], days={})

    @property
    def is_whole(self) -> bool:
        """Whether all lines lie where the reservation is at home: then one call does it."""
        return list(self.shares) == [self.home]

    async def make(self, replay: Replay | None) -> Answer | Failure:
        """Hold the parts in ascending order, then commit at home."""
        order = list(self.shares)
        for each in order[:-1] if order[-1] == self.home else order:
            verdict = await self._hold_part(each)
            if verdict[0] != "held":
                await self.give_back()
                return Failure.SHORT if verdict[0] in _FOR_WANT else Failure.TAKEN
        answer = await self.commit("first", replay)
        if answer is Failure.PARTS_DUE:
            await self._followers.sweep_due(self.home, _MANY_DUE)
            answer = await self.commit("again", replay)
        return answer

    def part_entry(self, partition: int) -> tuple[object, object]:
        """Return the part of one partition as lua/partitions/hold_parts.lua takes it."""
        share = tuple(line for _, line in self.shares[partition])
        return (
            hold_row(replace(self._hold, lines=share, promised=self._hold.promised if self.is_whole else None)),
            False if self.is_whole else (self.home, self.token, self._followers.patience_ms),
        )

    def note(self, partition: int, verdict: Reply) -> None:
        """Note what a partition said to `part_entry`."""
        self._progress.touched.append(partition)
        if verdict[0] == "held" and not self.is_whole:
            self._progress.tokens.append(verdict[2])
            self._progress.since_ms = self._progress.since_ms or verdict[1]
            for (index, _), row in zip(self.shares[partition], verdict[3] or (), strict=False):
                self._progress.days[index] = row[3]

    async def commit(self, mode: str, replay: Replay | None) -> Answer | Failure:
        """Make the reservation at home; see lua/partitions/commit_hold.lua."""
        since_ms = self._progress.since_ms
        places = [index + 1 for index, _ in self.shares.get(self.home, ())]
        partitions = [] if self.is_whole else list(self.shares)
        too_late_ms = since_ms + LATEST_SECONDS * 1000 if since_ms else 2**52
        crossing = (partitions, places, self._progress.tokens, too_late_ms)
        try:
            answer = await self._all[self.home].commit_hold(self._row(), self._context, crossing, mode, replay)
        except TooManyHolds:
            await self.give_back()
            raise
        except StoreReplyError as error:
            failure = _failure(error)
            if failure is not Failure.PARTS_DUE:
                await self.give_back()
            return failure
        if not self._is_as_held(answer):
            await self.give_back()
        return answer

    async def give_back(self) -> None:
        """Give back what this attempt holds, unless it belongs to a reservation that was made."""
        if self._progress.touched:
            touched = self._progress.touched
            await self._followers.give_up(self._hold.reservation_id, self.token, "hold", touched)
            self._progress = _Progress(touched=[], tokens=[], days={})

    def _row(self) -> tuple[object, ...]:
        """Return the hold as lua/holding.lua takes it, lines that wait for a supply with the day their part has."""
        identifier, ttl_ms, lines, *rest = hold_row(self._hold)
        dated = [
            (*line[:3], self._progress.days.get(index, line[3]), *line[4:])
            for index, line in enumerate(cast("list[tuple[object, ...]]", lines))
        ]
        return (identifier, ttl_ms, dated, *rest)

    async def _hold_part(self, partition: int) -> Reply:
        """Hold the lines of one partition, after looking at what others hold there if they are short."""
        here, rows = self._all[partition], [self.part_entry(partition)]
        (verdict,) = await here.hold_parts("hold", rows, self._context)
        if verdict[0] in _FOR_WANT and await self._followers.sweep_due(partition, _MANY_DUE):
            (verdict,) = await here.hold_parts("hold", rows, self._context)
        self.note(partition, verdict)
        return verdict

    @staticmethod
    def _is_as_held(answer: Answer) -> bool:
        """Return whether the parts are those of the reservation that the answer tells of."""
        is_replayed, reply = answer
        return not is_replayed and reply[0] == "reservation" and truth_of(reply).version == 1


def _failure(error: StoreReplyError) -> Failure:
    """Return what an error of lua/partitions/commit_hold.lua stands for, or raise it."""
    words = {
        "PARTSDUE": Failure.PARTS_DUE,
        "SHORT": Failure.SHORT,
        "UNKNOWN": Failure.UNKNOWN,
        "LATE": Failure.LATE,
    }
    for word, failure in words.items():
        if f" {word} " in str(error):
            return failure
    raise error
