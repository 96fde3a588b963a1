"""JSON documents that are one long array of objects, read and written piece by piece.

A decoder holds all threads up from the beginning of a call to its end, and a document of a hundred megabytes takes one
most of a second. Here: pieces of some milliseconds. Not here: what the objects are, and checking them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_LONGEST_TAIL = 256
_BETWEEN = b'},{"'
_PIECE_BYTES, _ANY_PIECE_BYTES = 2**18, 2**16
_PIECE_ROWS = 2_000
_OF_ANY = re.compile(rb"\}\s*,\s*(?=\{\s*\")")
"""Between two objects of an array, however it is laid out; no text has that in it, since quotes are escaped there."""


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


def pieces_of_any(body: bytes, name: str) -> Iterator[bytes] | None:
    """Return the pieces of a document that is one array of flat objects under a name, however it is laid out.

    None if it is anything else, such as no JSON at all; what is in the pieces is to be checked by whoever reads them.
    """
    begins = re.match(rb"\s*\{\s*\"" + name.encode() + rb"\"\s*:\s*\[", body)
    tail = body[-_LONGEST_TAIL:]
    ends = re.search(rb"\]\s*\}\s*\Z", tail)
    if begins is None or ends is None:
        return None
    return _pieces(body, begins.end(), len(body) - len(tail) + ends.start())


def _pieces(body: bytes, begin: int, end: int) -> Iterator[bytes]:
    while begin < end:
        cut = _OF_ANY.search(body, begin + _ANY_PIECE_BYTES, end)
        yield b"[" + body[begin : end if cut is None else cut.start() + 1] + b"]"
        begin = end if cut is None else cut.end()


def without_array(body: bytes, beginning: bytes) -> bytes:
    """Return a document with its array empty."""
    return beginning + body[body.rindex(b"]") :]


def written(document: bytes, beginning: bytes, rows: Sequence[T], dump: Callable[[Sequence[T]], bytes]) -> bytes:
    """Return a document, given with its array empty, with rows in it; `dump` writes some of them as an array."""
    starts = range(0, len(rows), _PIECE_ROWS)
    array = b",".join([dump(rows[start : start + _PIECE_ROWS])[1:-1] for start in starts])
    return beginning + array + document[len(beginning) :]
