"""Which index file is in use, and which process writes it.

    orders-<n>.sqlite  an index; the one that `current` names is in use, another is being made
    current            its name
    writer             locked by the process that writes; its time is until when that has read the feed

A server on another machine has a folder, and an index, of its own. Not here: what is in an index (index.py).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.storage.datadir import try_lock

_BESIDE = ("", "-wal", "-shm")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class IndexFolder:
    """The folder of one tenant's index; made when something is written there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def take(self) -> bool:
        """Become the process that writes, or say that another one is."""
        if self._lock is not None:
            return True
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path / "writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(descriptor, fcntl.LOCK_EX):
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def release(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def current(self) -> Path | None:
        """Return the index that is in use, None if there is none yet."""
        try:
            found = self.path / (self.path / "current").read_text(encoding="utf-8").strip()
        except OSError:
            return None
        return found if found.exists() else None

    def begin(self) -> Path:
        """Return the path of a new index, and remove what others have left; for the process that writes."""
        in_use = self.current()
        self._remove_all_but(in_use)
        number = 0 if in_use is None else int(in_use.stem.partition("-")[2])
        return self.path / f"orders-{number + 1}.sqlite"

    def use(self, path: Path) -> None:
        """Put an index that is closed into use; those who read the one before can go on with it."""
        fresh = self.path / "current.new"
        fresh.write_text(path.name, encoding="utf-8")
        fresh.replace(self.path / "current")
        self._remove_all_but(path)

    def caught_up(self, at: datetime) -> None:
        """Note until when the feed was read."""
        with suppress(OSError):
            os.utime(self.path / "writer", (at.timestamp(), at.timestamp()))

    def as_of(self) -> datetime:
        """Return until when the feed was read."""
        try:
            return datetime.fromtimestamp((self.path / "writer").stat().st_mtime, UTC)
        except OSError:
            return _LONG_AGO

    def _remove_all_but(self, kept: Path | None) -> None:
        names = set() if kept is None else {f"{kept.name}{beside}" for beside in _BESIDE}
        for path in self.path.glob("orders-*.sqlite*"):
            if path.name not in names:
                path.unlink(missing_ok=True)
