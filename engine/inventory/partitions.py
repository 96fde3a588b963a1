"""Which partition a SKU, a reservation and an idempotency key belong to, and what the home of a reservation says of it.

Not here: keys and calls (partition.py), what is done over several partitions (partitioned_*.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zlib import crc32

from engine.inventory.replies import Reply

T = TypeVar("T")

Row = Sequence[Any]
"""A line as Lua has it: {sku, node_id, quantity, ship_on ordinal or 0, …}, in a reply then its supply_id, if any."""

_OPEN = frozenset({"held", "confirmed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """So many partitions; a store keeps its number for ever, since everything lies by these hashes."""

    number: int

    def of(self, name: str) -> int:
        """Return the partition of a SKU, of a reservation id (its home), or of an idempotency key."""
        return crc32(name.encode()) % self.number

    def shares(self, lines: Iterable[Row]) -> dict[int, list[Row]]:
        """Return the lines by the partition of their SKU, in ascending order of partitions, each in order of lines."""
        found: dict[int, list[Row]] = {}
        for line in lines:
            found.setdefault(self.of(line[0]), []).append(line)
        return dict(sorted(found.items()))

    def split(self, rows: Sequence[T], skus: Iterable[str]) -> dict[int, list[tuple[int, T]]]:
        """Return (index, row) by the partition of the SKU of each row, in ascending order of partitions."""
        found: dict[int, list[tuple[int, T]]] = {}
        for index, (row, sku) in enumerate(zip(rows, skus, strict=True)):
            found.setdefault(self.of(sku), []).append((index, row))
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the home of a reservation says: its state at a version, the lines left, and those consumed elsewhere.

    State `gone`: it knows nothing of the attempt `token`, and never will. `partitions` are those of its lines.
    """

    state: str
    version: int = 0
    deadline_ms: int = 0
    lines: Sequence[Row] = ()
    eaten: Sequence[Row] = ()
    partitions: tuple[int, ...] = ()
    token: str = ""
    channel: str = ""

    def share(self, partitions: Partitions, partition: int, *, is_home: bool) -> tuple[object, ...]:
        """Return what concerns one partition, as lua/partitions/follow.lua takes it; the home's lines are no part."""

        def here(lines: Iterable[Row]) -> list[Row]:
            return [] if is_home else [as_asked(line) for line in lines if partitions.of(line[0]) == partition]

        return (
            self.state,
            self.version,
            self.deadline_ms,
            here(self.lines),
            here(self.eaten),
            self.token,
            self.channel,
        )


def truth_of(reply: Reply, token: str = "") -> Truth:
    """Return the truth that a reply `reservation` or `missing` holds."""
    if reply[0] != "reservation":
        return Truth(state="gone", token=token)
    _, _, state, deadline_ms, lines, _, channel, _, crossing, *_ = reply
    version, partitions, eaten = crossing or (1, (), ())
    return Truth(
        state=state,
        version=version,
        deadline_ms=deadline_ms,
        lines=lines if state in _OPEN else (),
        eaten=eaten,
        partitions=tuple(partitions),
        token=token,
        channel=channel or "",
    )


def as_asked(line: Row) -> Row:
    """Return a line of a reply as a request has it; one that is so already stays so."""
    pegs = {5: line[4:5], 7: line[6:7], 8: line[6:7]}.get(len(line), ())
    return [*line[:4], 0, 0, *pegs] if pegs and pegs[0] else list(line[:4])
