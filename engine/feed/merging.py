"""Entries of several streams in one order: by time, and those of each stream as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.feed.cursor import Reached
from engine.feed.entries import FeedEntry
from engine.feed.model import Event, Wanted


@dataclass(slots=True, kw_only=True)
class Stream:
    """What was read of one stream, how far it is taken, and whether more of it could not be read yet."""

    entries: Sequence[FeedEntry]
    reached: Reached
    has_more: bool
    at: int = 0

    @property
    def head(self) -> FeedEntry | None:
        """The next entry, None if there is none."""
        return self.entries[self.at] if self.at < len(self.entries) else None

    def take(self, wanted: Wanted, most: int) -> list[Event]:
        """Take events of the next entry, at most so many that are wanted."""
        entry = self.entries[self.at]
        row = self.reached.rows
        found: list[Event] = []
        if not entry.may_be(wanted):
            row = entry.rows
        while row < entry.rows and len(found) < most:
            event = entry.event(row)
            row += 1
            if event.type in wanted:
                found.append(event)
        if row < entry.rows:
            self.reached = Reached(entry.number - 1, row)
        else:
            self.reached, self.at = Reached(entry.number), self.at + 1
        return found


def merge(streams: Sequence[Stream], wanted: Wanted, most: int) -> list[Event]:
    """Return the next events that are wanted, at most so many.

    Ends where a stream of which more can be read has come to its end: what comes next may be of it.
    """
    found: list[Event] = []
    while len(found) < most:
        if any(stream.has_more and stream.head is None for stream in streams):
            break
        waiting = [stream for stream in streams if stream.head is not None]
        if not waiting:
            break
        found += min(waiting, key=_at_ms).take(wanted, most - len(found))
    return found


def _at_ms(stream: Stream) -> int:
    assert stream.head is not None
    return stream.head.at_ms
