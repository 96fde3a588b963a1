"""Answers of thousands of rows, made and written in turns of the event loop: the bytes that msgspec writes at once.

Not here: what a row looks like (routes/), long bodies of requests (long_bodies.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from engine.turns import ROWS, in_turns, turn

T = TypeVar("T")
Fields = Mapping[str, int | Sequence[bytes]]
"""What an object says by name: numbers, and arrays as `written_rows` returns them."""

_MANY_PARTS = 16
"""Of so many parts the whole has a megabyte or so: putting it together is a piece of its own."""
_encode = msgspec.json.Encoder().encode


async def written_rows(
    make: Callable[[Sequence[T]], Iterable[msgspec.Struct]], rows: Sequence[T], weight: Callable[[T], int] | None = None
) -> list[bytes]:
    """Return what `make` makes of rows as the parts of a JSON array; it is given them in pieces, in order."""
    parts = [b"["]
    async for first, piece in in_turns(rows, ROWS, weight):
        parts += (b"," if first else b"", _encode(make(piece))[1:-1])
    return [*parts, b"]"]


async def written_object(fields: Fields) -> bytes:
    """Return an object of numbers and of arrays that `written_rows` has written."""
    parts: list[bytes] = []
    for name, value in fields.items():
        parts += (b',"%s":' % name.encode(), *([b"%d" % value] if isinstance(value, int) else value))
    if len(parts) > _MANY_PARTS:
        await turn()
    whole = b"".join((b"{", parts[0][1:], *parts[1:], b"}"))
    if len(parts) > _MANY_PARTS:
        await turn()
    return whole
