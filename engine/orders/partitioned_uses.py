"""What allocations use of the nodes, in a store of several partitions: counted in partition 0, for all of them.

Uses are tried before an order is decided on, and kept or dropped as its home decides. Whoever dies in between leaves
them counted until the sweeper has asked that home. Not here: the numbers (lua/partitions/uses.lua).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.inventory.followers import Followers
from engine.inventory.partition import Partition

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
KEEP, DROP = "keep", "drop"


def becoming(uses: Sequence[object] | None) -> str:
    """Return what uses become as a verdict: dropped where there are none left, blank where they stay as they are."""
    if uses is None:
        return ""
    return msgspec.json.encode(uses).decode() if uses else DROP


class PartitionedUses:
    """The uses of a tenant, under the reservations that its allocations got."""

    def __init__(self, partitions: Sequence[Partition], followers: Followers) -> None:
        self._all, self._followers = partitions, followers
        self._at = partitions[0]

    async def try_(self, entries: Sequence[object], limits: Mapping[str, tuple[int, int]]) -> list[Sequence[Any]]:
        """Count uses, each by itself, and say which do not fit; see lua/partitions/uses.lua."""
        packed = _pack((entries, limits, self._followers.patience_ms))
        verdicts: list[Sequence[Any]] = _unpack(
            await self._at.client.fcall("allot_try_uses_v1", [self._at.keys.deadlines], [packed])
        )
        return verdicts

    async def settle(self, rows: Sequence[tuple[str, str]], home: Partition | None = None) -> None:
        """Keep, drop or lower uses, and note at the home that decided so that it is done."""
        if not rows:
            return
        packed, key = _pack(rows), self._at.keys.deadlines
        lowered = [(name, msgspec.json.decode(verdict)) for name, verdict in rows if verdict not in {KEEP, DROP}]
        if lowered:
            await self._at.client.fcall("allot_lower_uses_v1", [key], [_pack(lowered)])
        if len(lowered) < len(rows):
            others = packed if not lowered else _pack([row for row in rows if row[1] in {KEEP, DROP}])
            await self._at.client.fcall("allot_settle_uses_v1", [key], [others])
        if home is not None:
            await home.client.fcall("allot_uses_settled_v1", [home.keys.deadlines], [packed])

    async def sweep(self, limit: int) -> None:
        """Do what homes have decided, and ask them about what they have not."""
        for home in self._all:
            _, found = await home.client.call("HSCAN", home.keys.named("uses_to_settle"), 0, "COUNT", limit)
            rows = [(name.decode(), verdict.decode()) for name, verdict in zip(found[::2], found[1::2], strict=True)]
            await self.settle(rows, home)
        due = _unpack(await self._at.client.fcall("allot_due_uses_v1", [self._at.keys.deadlines], [limit]))
        for name, home_number, token in due:
            is_gone = home_number < 0 or (await self._followers.ask(name, token=token)).state == "gone"
            await self.settle([(name, DROP if is_gone else KEEP)])
