"""JSON documents that are one long array of objects, read and written piece by piece.

A decoder holds all threads up from the beginning of a call to its end, and a document of a hundred megabytes takes one
most of a second. Here: pieces of some milliseconds. Not here: what the objects are, and checking them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_BETWEEN = b'},{"'
_PIECE_BYTES = 2**18
_PIECE_ROWS = 2_000


def pieces_of(body: bytes, beginning: bytes) -> Iterator[bytes]:
    """Yield the array of a compact document, as `written` makes it, in arrays of some of its objects.

    The document begins with `beginning`, up to the array's bracket, and no other bracket closes after it. No text in it
    has an end of one object and the beginning of the next, since quotes are escaped there. Raises ValueError.
    """
    if not body.startswith(beginning):
        raise ValueError(f"the document begins with {body[: len(beginning)]!r}, not {beginning!r}")
    begin, end = len(beginning), body.rindex(b"]")
    while begin < end:
        cut = body.find(_BETWEEN, begin + _PIECE_BYTES, end)
        last = end if cut < 0 else cut + 1
        yield b"[" + body[begin:last] + b"]"
        begin = last + 1


def without_array(body: bytes, beginning: bytes) -> bytes:
    """Return a document with its array empty."""
    return beginning + body[body.rindex(b"]") :]


def written(document: bytes, beginning: bytes, rows: Sequence[T], dump: Callable[[Sequence[T]], bytes]) -> bytes:
    """Return a document, given with its array empty, with rows in it; `dump` writes some of them as an array."""
    starts = range(0, len(rows), _PIECE_ROWS)
    array = b",".join([dump(rows[start : start + _PIECE_ROWS])[1:-1] for start in starts])
    return beginning + array + document[len(beginning) :]
