"""Long messages to and from the store, packed and unpacked in turns of the event loop: thousands of rows in one call.

What they say is what redis_rows.py and replies.py make of them at once. Not here: sending them (redis_store.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from engine.inventory.buffers import Kept
from engine.inventory.model import Hold
from engine.inventory.receipts import Received
from engine.inventory.redis_hold_rows import Filled, columns_of, fill, record_of
from engine.inventory.replies import Positions, Reply, value_of
from engine.inventory.supply_replies import settled_units
from engine.storage.client import Part
from engine.turns import ROWS, in_turns, taken_in_turns

T = TypeVar("T")

LONG_BYTES = 2**15
"""A reply of more is unpacked in turns; a millisecond's worth has some hundred kilobytes."""
LONG_KINDS = frozenset(["positions", "received"])
"""Kinds of reply that may hold thousands of positions."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_members = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def weight_of(hold: Hold) -> int:
    """Return how many rows' worth of work a hold is."""
    return 2 + len(hold.lines)


async def packed_rows(rows_of: Callable[[Sequence[T]], Iterable[object]], changes: Sequence[T]) -> bytes:
    """Return changes as a function of lua/ takes them: a list of the rows that `rows_of` makes, packed."""
    if len(changes) <= ROWS:
        return _pack(rows_of(changes))
    pieces = [b"".join(map(_pack, rows_of(piece))) async for _, piece in in_turns(changes)]
    return b"".join((b"\xdd", len(changes).to_bytes(4, "big"), *pieces))


async def long_holds_message(holds: Sequence[Hold], today: Mapping[str, int], buffers: Kept | None) -> list[Part]:
    """Return what `holds_message` does."""
    kept: list[Part] = []
    filled: Filled = ([], [], {}, [], [], {})
    async for _, piece in in_turns(holds, weight=weight_of):
        fill(filled, piece, today)
        kept += map(record_of, piece)
    return [columns_of(filled, holds, buffers), *kept]


class _PositionRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A row of positions, see lua/replies.lua; ten thousand lists would be gone through by a search for garbage."""

    node_id: str
    sku: str
    on_hand: int
    held: int
    confirmed: int
    safety_stock: int
    version: int
    schedule: Any
    conditions: Any = None


_position_row = msgspec.msgpack.Decoder(_PositionRow).decode


async def unpacked(packed: bytes | msgspec.Raw, row: Callable[[msgspec.Raw], Any] = _unpack) -> Any:
    """Return a reply, or a long member of one whose own are unpacked by `row`; positions of LONG_KINDS are structs."""
    if len(packed) <= LONG_BYTES or not _is_list(memoryview(packed)[0]):
        return _unpack(packed)
    members, found = _members(packed), list[Any]()
    inner = _position_row if row is _unpack and _kind(members[0]) in LONG_KINDS else _unpack
    async for piece in taken_in_turns(members):
        found += [row(each) if len(each) <= LONG_BYTES else await unpacked(each, inner) for each in piece]
    return found


def _kind(first: msgspec.Raw) -> object:
    """Return the first member of a reply, which says what it is."""
    kind = _unpack(first)
    return kind if isinstance(kind, str) else None


def _is_list(first: int) -> bool:
    """Return whether a value that begins with this byte is a list."""
    return first & 0xF0 == 0x90 or first in {0xDC, 0xDD}


def _row(row: Any) -> Sequence[Any]:
    return structs.astuple(row) if isinstance(row, _PositionRow) else row


async def value_in_turns(reply: Reply) -> Any:
    """Return what a reply of LONG_KINDS holds; the rows are taken off it."""
    if len(reply[1]) <= ROWS:
        return value_of(reply)
    made = Positions()
    positions = [position async for piece in taken_in_turns(reply[1]) for position in made.of(map(_row, piece))]
    if reply[0] == "positions":
        return positions
    settled = [settled_units(*row) async for piece in taken_in_turns(reply[2]) for row in piece]
    return Received(positions=tuple(positions), settled=tuple(settled))
