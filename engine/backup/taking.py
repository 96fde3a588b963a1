"""Taking a backup of a store in use: all is copied while it goes on, then what changed meanwhile, at one instant.

The server tells which keys are changed while they are copied. These are copied again, until few are left; then writes
wait for the moment in which the rest is copied (`CLIENT PAUSE … WRITE`; reads go on). So the backup is of the instant
at which writes waited, as if the server had stopped there: what was acknowledged before is in it, what comes after is
not, and nothing is half in it. The keys of customers go into a file of their own, which is not to be kept as long: a
key that was destroyed since would come back with it; archived orders into another one (archive.py). Not here: the form
of the files (file.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from engine.backup.archive import archive_path, take_archive
from engine.backup.file import CUSTOMER_KEYS, Header, Record, Writer, keys_path
from engine.errors import Fault, InvalidInput, Unavailable
from engine.storage.direct import DirectLink

PREFIX = "{"
"""What every key of allot begins with."""
PAUSE_SECONDS = 3.0
"""Writes wait at most so long: shorter than callers wait for the store."""
_FEW, _ROUNDS, _TRIES, _AT_ONCE = 1000, 20, 10, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a backup came to; `paused_seconds` is how long writes waited."""

    keys: int
    size_bytes: int
    paused_seconds: float
    seconds: float
    archive_files: int = 0


def take(link: DirectLink, path: Path, libraries: dict[str, int], archive: Path | None = None) -> Taken:
    """Write a backup of a store to a file, and of its archive to one beside it, if there is any.

    Raises Unavailable if it cannot be done now, and then leaves no backup.
    """
    began = time.monotonic()
    if b"cluster_enabled:1" in bytes(link.ask("INFO", "cluster")):
        message = "is of a cluster, of which no backup of one instant can be taken; use the means of its provider."
        raise InvalidInput(Fault(path="ALLOT_REDIS_URL", message=message))
    header = Header(
        version=1,
        created_at=datetime.now(UTC).isoformat(),
        server=link.server,
        libraries=dict(sorted(libraries.items())),
    )
    with Writer(path, header) as writer:
        link.follow(PREFIX)
        names: set[bytes] = set()
        parted = _Parted(writer)
        for some in _scan(link):
            _copy(link, some, parted, names)
        paused = _catch_up(link, parted, names)
        _write_keys(keys_path(path), header, parted.keys)
        archived = 0 if archive is None else take_archive(archive, archive_path(path), header)
        size = writer.finish()
    return Taken(
        keys=len(names),
        size_bytes=size,
        paused_seconds=paused,
        seconds=time.monotonic() - began,
        archive_files=archived,
    )


class _Parted:
    """Takes records: those of the keys of customers are kept, all else is written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.keys = dict[bytes, Record]()

    def put(self, record: Record) -> None:
        if record.key.endswith(CUSTOMER_KEYS):
            self.keys[record.key] = record
        else:
            self._writer.put(record)


def _write_keys(path: Path, header: Header, found: Mapping[bytes, Record]) -> None:
    """Write the keys of customers, if there are any."""
    if not found:
        return
    with Writer(path, header) as writer:
        for record in found.values():
            writer.put(record)
        writer.finish()


def _catch_up(link: DirectLink, writer: _Parted, names: set[bytes]) -> float:
    """Copy what was changed, the last of it while writes wait; return how long they waited."""
    for _ in range(_TRIES):
        for _ in range(_ROUNDS):
            if len(_changed(link)) <= _FEW:
                break
            _copy_changed(link, writer, names)
        began = time.monotonic()
        link.ask("CLIENT", "PAUSE", round(1000 * PAUSE_SECONDS), "WRITE")
        try:
            # A second round trip: what was changed before the pause is told ahead of its answer.
            if len(_changed(link)) <= 10 * _FEW:
                _copy_changed(link, writer, names)
                waited = time.monotonic() - began
                if waited < PAUSE_SECONDS - 0.5 and not link.changed:
                    return waited
        finally:
            link.ask("CLIENT", "UNPAUSE")
    raise Unavailable("The store changes faster than it can be copied. Take the backup when there is less to do.")


def _changed(link: DirectLink) -> set[bytes]:
    """Return the keys that were changed and not copied since."""
    link.ask("PING")
    link.ask("PING")
    if link.is_flushed:
        raise Unavailable("The store was emptied while it was copied. Take the backup again.")
    return link.changed


def _copy_changed(link: DirectLink, writer: _Parted, names: set[bytes]) -> None:
    changed, link.changed = link.changed, set()
    for some in _pieces(changed):
        _copy(link, some, writer, names)


def _scan(link: DirectLink) -> Iterator[Sequence[bytes]]:
    cursor = b"0"
    while True:
        cursor, found = link.ask("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", _AT_ONCE)
        yield from _pieces(found)
        if cursor == b"0":
            return


def _pieces(found: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    left = iter(found)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _copy(link: DirectLink, keys: Sequence[bytes], writer: _Parted, names: set[bytes]) -> None:
    """Copy keys as they are now: value and deadline of each in one round trip."""
    asked: list[tuple[str | bytes, ...]] = [
        command for key in keys for command in (("DUMP", key), ("PEXPIRETIME", key))
    ]
    replies = link.ask_all(asked)
    for key, value, expires_ms in zip(keys, replies[::2], replies[1::2], strict=True):
        if value is None or expires_ms == -2:
            names.discard(key)
            writer.put(Record(key, 0, None))
        else:
            names.add(key)
            writer.put(Record(key, max(0, expires_ms), value))
