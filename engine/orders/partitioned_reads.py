"""Orders as a routing run or a commit needs them, in a store of several partitions, with what their reservations keep.

Their home knows the lines; which of those in other partitions are dated demand now, their parts know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from engine.inventory.partition import Partition
from engine.orders.open import OwnLine
from engine.orders.steering import steering_of

T = TypeVar("T")
_MANY = 250
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReservation:
    """A reservation of an order that keeps something; a line is {sku, node_id, units, day, is_dated, supply_id}."""

    reservation_id: str
    version: int
    partitions: tuple[int, ...]
    lines: tuple[Sequence[Any], ...]

    def staying(self, shipped: Iterable[str]) -> list[Sequence[Any]]:
        """Return the lines that stay when SKUs are shipped, as lua/partitions/decide.lua takes them."""
        skus = set(shipped)
        return [
            [*line[:4], 0, 0, line[5]] if line[5] else [*line[:4], 0, 0]
            for line in self.lines
            if line[4] and line[0] not in skus
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order as it is kept at `home`; its state is `left` where units have left a node, blank if there is none.

    `rows` is its allocation if nodes or people have said something of it, `steering`, else blank.
    """

    home: int
    state: str
    doc: str
    demand: str
    seq: int
    uses: str
    own: tuple[OwnReservation, ...]
    steering: str = ""
    rows: str = ""

    def demand_at(self, revision: int) -> str | None:
        """Return what it asks for; None if there is none such, or it has another revision by now."""
        return self.demand if self.state and steering_of(self.steering).revision == revision else None

    @property
    def own_lines(self) -> list[OwnLine]:
        """Return what its reservations keep."""
        return [
            (sku, node_id, quantity, ship_on if is_dated else 0)
            for each in self.own
            for sku, node_id, quantity, ship_on, is_dated, _ in each.lines
        ]


async def known_orders(
    partitions: Sequence[Partition], order_ids: Sequence[str], homes: Sequence[int]
) -> list[KnownOrder]:
    """Return orders, each from its home, in a few calls of each partition."""
    replies: list[Any] = [None] * len(order_ids)
    by_home: dict[int, list[int]] = {}
    for index, home in enumerate(homes):
        by_home.setdefault(home, []).append(index)

    async def read(home: int, indices: Sequence[int]) -> None:
        here = partitions[home]
        for some in _chunks(indices):
            names = [order_ids[index] for index in some]
            packed = await here.client.fcall("allot_read_orders_over_v1", [here.keys.deadlines], names)
            for index, reply in zip(some, _unpack(packed), strict=True):
                replies[index] = reply

    await asyncio.gather(*(read(home, indices) for home, indices in by_home.items()))
    parts = await _parts_of(partitions, replies, homes)
    return [
        KnownOrder(
            home=home,
            state=reply[0],
            doc=reply[1],
            demand=reply[2],
            seq=int(reply[3] or 0),
            uses=reply[4],
            own=tuple(
                OwnReservation(
                    reservation_id=name,
                    version=version,
                    partitions=tuple(crossed),
                    lines=(*lines, *(line for each in crossed for line in parts.get((each, name), ()))),
                )
                for name, version, crossed, lines in reply[5]
            ),
            steering=reply[6],
            rows=reply[7],
        )
        for reply, home in zip(replies, homes, strict=True)
    ]


async def done_by(
    partitions: Sequence[Partition], run_id: str, order_ids: Sequence[str], homes: Sequence[int]
) -> frozenset[str]:
    """Return which orders a run has committed already, as their homes know."""
    by_home: dict[int, list[str]] = {}
    for order_id, home in zip(order_ids, homes, strict=True):
        by_home.setdefault(home, []).append(order_id)
    done: set[str] = set()

    async def ask(home: int, names: Sequence[str]) -> None:
        here = partitions[home]
        for some in _chunks(names):
            found = await here.client.fcall("allot_done_by_run_v1", [here.keys.open_orders], [run_id, *some])
            done.update(name for name, is_done in zip(some, found, strict=True) if is_done)

    await asyncio.gather(*(ask(home, names) for home, names in by_home.items()))
    return frozenset(done)


def _chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + _MANY] for start in range(0, len(items), _MANY)]


async def _parts_of(
    partitions: Sequence[Partition], replies: Sequence[Any], homes: Sequence[int]
) -> dict[tuple[int, str], list[Any]]:
    """Return the lines of the parts of reservations, by partition and reservation."""
    wanted: dict[int, list[str]] = {}
    for reply, home in zip(replies, homes, strict=True):
        for name, _, crossed, _ in reply[5]:
            for each in set(crossed) - {home}:
                wanted.setdefault(each, []).append(name)
    found: dict[tuple[int, str], list[Any]] = {}

    async def read(partition: int, names: Sequence[str]) -> None:
        here = partitions[partition]
        for some in _chunks(names):
            packed = await here.client.fcall("allot_read_parts_v1", [here.keys.deadlines], some)
            found.update({(partition, name): lines for name, lines in zip(some, _unpack(packed), strict=True)})

    await asyncio.gather(*(read(partition, names) for partition, names in wanted.items()))
    return found
