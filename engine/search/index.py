"""The index of orders in one SQLite file: written by one process, read by many.

    orders   place → the order as a list shows it, and its terms. A place is the instant of capture (ms) and 20 bits of
             its number's term, the next ones if another order has them: orders are listed by place.
    entries  (term, place), see terms.py: all orders of a term lie together, newest last.
    meta     how far the feed has been read, and what the file is.

What is written comes in transactions that say how far the feed has been read with it: after a crash nothing is missing,
and what comes again changes nothing. Not here: where what is written comes from (following.py), and which file is in
use (files.py).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.search.model import Entry, FoundOrder

VERSION = 1
"""A file of another version is made again."""
_SHIFT = 20
_TOGETHER = 2**_SHIFT
_PAGE_BYTES = 4096
_LAST_MS = 2**42
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE orders (
    place INTEGER PRIMARY KEY, order_id TEXT NOT NULL, terms BLOB NOT NULL, personal BLOB NOT NULL,
    over_ms INTEGER, doc BLOB NOT NULL);
CREATE TABLE entries (term INTEGER, place INTEGER, PRIMARY KEY (term, place)) WITHOUT ROWID;
CREATE INDEX over ON orders (over_ms) WHERE over_ms IS NOT NULL;
CREATE TEMP TABLE loaded (term INTEGER, place INTEGER);
"""
_FOLLOWING = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536", "wal_autocheckpoint = 20000")
_LOADING = (
    f"page_size = {_PAGE_BYTES}",
    "journal_mode = OFF",
    "synchronous = OFF",
    "cache_size = -65536",
    "temp_store = FILE",
)
"""A file that is being made is thrown away if that does not end well."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FoundOrder).decode


class IndexWriter:
    """The one writer of an index file; one that is `new` is not to be read before it is `finished`.

    A file is never closed while another thread writes: a task that is cancelled does not end the thread it waits for.
    """

    def __init__(self, path: Path, *, is_new: bool = False) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._path, self._is_new = path, is_new
        self._alone = threading.Lock()
        for pragma in _LOADING if is_new else _FOLLOWING:
            self._file.execute(f"PRAGMA {pragma}")
        if is_new:
            self._file.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file, once nobody writes."""
        with self._alone:
            self._file.close()

    def meta(self, name: str) -> str | None:
        """Return what is noted under a name."""
        found = self._file.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def apply(self, entries: Iterable[Entry], **noted: str) -> None:
        """Keep orders as they are now, and note how far that is, in one step."""
        with self._transaction():
            for entry in entries:
                self._put(entry)
            self._note(noted)

    def finish(self, **noted: str) -> None:
        """Sort what a new file was given, all at once; then it is on the disk, and may be read. It is closed."""
        with self._transaction():
            self._file.execute("INSERT OR IGNORE INTO entries SELECT term, place FROM loaded ORDER BY term, place")
            self._note(noted)
        self._file.execute("PRAGMA journal_mode = WAL")
        self.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def forget(self, term: int) -> int:
        """Take what is personal out of all orders of a customer; return of how many."""
        with self._transaction():
            found = self._file.execute(
                "SELECT o.place, o.terms, o.personal FROM entries e JOIN orders o USING (place) WHERE e.term = ?",
                (term,),
            ).fetchall()
            for place, terms, personal in found:
                gone = _unpacked(personal)
                self._file.executemany(
                    "DELETE FROM entries WHERE term = ? AND place = ?", ((each, place) for each in gone)
                )
                stay = _packed(_unpacked(terms) - gone)
                self._file.execute("UPDATE orders SET terms = ?, personal = '' WHERE place = ?", (stay, place))
        return len(found)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all of it or nothing, alone."""
        with self._alone:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise

    def _note(self, noted: Mapping[str, str]) -> None:
        self._file.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", noted.items())

    def _put(self, entry: Entry) -> None:
        place, known = self._place(entry)
        before = frozenset[int]() if known is None else _unpacked(known)
        row = (
            place,
            entry.order.order_id,
            _packed(entry.terms),
            _packed(entry.personal_terms),
            entry.changed_ms if entry.is_over else None,
            _encode(entry.order),
        )
        self._file.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?)", row)
        gone, new = ((term, place) for term in before - entry.terms), ((term, place) for term in entry.terms - before)
        if self._is_new:
            self._file.executemany("INSERT INTO loaded VALUES (?, ?)", new)
        else:
            self._file.executemany("DELETE FROM entries WHERE term = ? AND place = ?", gone)
            self._file.executemany("INSERT INTO entries VALUES (?, ?)", new)

    def _place(self, entry: Entry) -> tuple[int, bytes | None]:
        """Return the place of an order, and its terms if it is there already."""
        first = place_of(round(entry.order.captured_at.timestamp() * 1000))
        for more in range(_TOGETHER):
            place = first + (entry.number + more) % _TOGETHER
            found = self._file.execute("SELECT order_id, terms FROM orders WHERE place = ?", (place,)).fetchone()
            if found is None or found[0] == entry.order.order_id:
                return place, None if found is None else found[1]
        raise OverflowError(f"more than {_TOGETHER} orders were captured in one millisecond")


class IndexReader:
    """Reads an index file; to be used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=rw"  # one that is gone is not made again
        self._file = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA query_only = ON")
        self._file.execute("PRAGMA cache_size = -32768")
        self._file.execute("PRAGMA mmap_size = 1073741824")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def place(self, number: int, order_id: str) -> int | None:
        """Return the place of an order, whose id has the term `number`."""
        found = _row_of(self._file, number, order_id, "place")
        return None if found is None else int(found[0])

    def count(self, term: int, least: int, below: int, most: int) -> int:
        """Return how many orders of a term lie from a place on and below another; `most` stands for more too."""
        inner = "SELECT 1 FROM entries WHERE term = ? AND place >= ? AND place < ? LIMIT ?"
        return int(self._file.execute(f"SELECT count(*) FROM ({inner})", (term, least, below, most)).fetchone()[0])

    def places(
        self, terms: Sequence[int], least: int, below: int, *, limit: int, most_looked_at: int
    ) -> tuple[list[int], int | None]:
        """Return at most `limit` places of orders that have all terms, newest first, and the last that was looked at.

        Orders of the first term are looked at, so it should be the rarest; without terms, all. The last is None where
        there are no more.
        """
        tests = "".join(
            " AND EXISTS (SELECT 1 FROM entries o WHERE o.term = ? AND o.place = e.place)" for _ in terms[1:]
        )
        if terms:
            every, values = "SELECT place FROM entries WHERE term = ? AND place >= ? AND place < ?", [*terms[:1]]
        else:
            every, values = "SELECT place FROM orders WHERE place >= ? AND place < ?", []
        asked = f"SELECT place, 1{tests} FROM ({every} ORDER BY place DESC LIMIT ?) e"
        rows = self._file.execute(asked, [*terms[1:], *values, least, below, most_looked_at])
        found: list[int] = []
        looked_at, last = 0, None
        for place, has_all in rows:
            looked_at, last = looked_at + 1, place
            if has_all:
                found.append(place)
                if len(found) == limit:
                    break
        is_end = len(found) < limit and looked_at < most_looked_at
        return found, None if is_end else last

    def orders(self, places: Collection[int]) -> list[FoundOrder]:
        """Return the orders at places, newest first."""
        marks = ",".join("?" * len(places))
        rows = self._file.execute(f"SELECT doc FROM orders WHERE place IN ({marks}) ORDER BY place DESC", [*places])
        return [_decode(doc) for (doc,) in rows]

    def order_id(self, place: int) -> str:
        """Return the id of the order at a place."""
        return str(self._file.execute("SELECT order_id FROM orders WHERE place = ?", (place,)).fetchone()[0])

    def over(self, before_ms: int, limit: int) -> list[str]:
        """Return ids of orders that are over, and last changed before a time, those of the longest ago first."""
        asked = "SELECT order_id FROM orders WHERE over_ms < ? ORDER BY over_ms LIMIT ?"
        return [order_id for (order_id,) in self._file.execute(asked, (before_ms, limit))]


def place_of(captured_ms: int) -> int:
    """Return the first place of a millisecond."""
    return min(max(captured_ms, 0), _LAST_MS) << _SHIFT


def millisecond_of(place: int) -> int:
    """Return the millisecond of a place."""
    return place >> _SHIFT


def _row_of(file: sqlite3.Connection, number: int, order_id: str, columns: str) -> tuple[int, bytes] | None:
    asked = f"SELECT {columns} FROM entries JOIN orders USING (place) WHERE term = ? AND order_id = ?"
    found: tuple[int, bytes] | None = file.execute(asked, (number, order_id)).fetchone()
    return found


def _packed(terms: Collection[int]) -> bytes:
    return array("q", sorted(terms)).tobytes()


def _unpacked(packed: bytes) -> frozenset[int]:
    return frozenset(array("q", packed or b""))
