"""Where a reader of the feed has come to: a text that is opaque outside, and stays good over restarts.

Of each partition it says how far both streams were read (lua/feed.lua); an entry may be read in part. It names the life
of the store, which is another after a restore, for the numbers of its events may then stand for others.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

import msgspec

from engine.errors import Fault, InvalidInput

_MOST_CHARACTERS = 8192


class Reached(msgspec.Struct, frozen=True, array_like=True):
    """How far a stream was read: all entries up to one, and so many rows of the next."""

    entry: int
    rows: int = 0


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far the streams of one partition were read."""

    journal: Reached
    events: Reached


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How far all partitions were read."""

    life: str
    places: tuple[Place, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Cursor).decode


def text_of(cursor: Cursor) -> str:
    """Return a cursor as text."""
    return urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def cursor_of(text: str, path: str) -> Cursor:
    """Return the cursor of a text; raises InvalidInput if `text_of` made none such."""
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError("too long")
        found = _decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        if any(min(each.entry, each.rows) < 0 for place in found.places for each in (place.journal, place.events)):
            raise ValueError("negative")
    except (Error, ValueError, msgspec.DecodeError) as error:
        message = f"{text[:40]!r} is no cursor; give `next` of an earlier answer, `now`, or nothing to begin"
        raise InvalidInput(Fault(path=path, message=message)) from error
    return found
