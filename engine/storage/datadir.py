"""The files of an embedded server's data directory: locks, pid file, socket, log.

    store.lock      held for the moment in which a server is started or stopped
    store.users     shared lock, held by every process (rather: every handle) that uses the server
    store.server    exclusive lock, held by the server itself: it inherits the open file, so the lock goes with it,
                    however it ends; a free lock means that no server is alive, whatever a pid file says
    store.pid       written by the server
    store.json      where its socket is, and the durability it was started with
    store.log       what it says
    appendonlydir/  the data

Not here: starting and stopping (embedded.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from engine.errors import Fault, InvalidInput, Unavailable

# A unix socket's path has room for 104 bytes (macOS) or 108 (Linux), the final zero included.
_LONGEST_SOCKET_PATH_BYTES = 100
_STARTED = "store.json"


def holds_store(path: Path) -> bool:
    """Say whether a server was ever started on a folder; nothing is created."""
    return (path / _STARTED).exists()


class DataDir:
    """One data directory, created if need be; raises InvalidInput if it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path = self.path.resolve()
            (self.path / "store.lock").touch()
        except OSError as error:
            message = f"cannot write to {self.path}: {error.strerror}. Choose another data directory."
            raise InvalidInput(Fault(path="ALLOT_DATA_DIR", message=message)) from error

    @property
    def log_path(self) -> Path:
        """Return the server's log."""
        return self.path / "store.log"

    @property
    def pid_path(self) -> Path:
        """Return the pid file, written and removed by the server."""
        return self.path / "store.pid"

    def pid(self) -> int | None:
        """Return the process id in the pid file, if there is one."""
        try:
            return int(self.pid_path.read_text())
        except (OSError, ValueError):
            return None

    def has_data(self) -> bool:
        """Say whether data was ever kept here."""
        return (self.path / "appendonlydir").exists()

    def started(self) -> tuple[Path, str] | None:
        """Return (socket path, durability) of the last start, if one was noted."""
        try:
            noted = json.loads((self.path / _STARTED).read_text())
            return Path(noted["socket_path"]), str(noted["durability"])
        except (OSError, ValueError, KeyError):
            return None

    def note_start(self, socket_path: Path, durability: str) -> None:
        """Write down how the server is about to be started."""
        text = json.dumps({"socket_path": str(socket_path), "durability": durability})
        fresh = self.path / f"{_STARTED}.new"
        fresh.write_text(text + "\n")
        fresh.replace(self.path / _STARTED)

    def socket_path(self) -> Path:
        """Return where a new server shall listen: in the directory, or in a short private one if its path is long."""
        here = self.path / "store.sock"
        if len(os.fsencode(here)) <= _LONGEST_SOCKET_PATH_BYTES:
            return here
        digest = sha256(os.fsencode(self.path)).hexdigest()[:16]
        for root in (Path(tempfile.gettempdir()), Path("/tmp")):  # checked to be ours, below
            folder = root / f"allot-{os.geteuid()}-{digest}"
            if len(os.fsencode(folder / "store.sock")) <= _LONGEST_SOCKET_PATH_BYTES:
                _make_private(folder)
                return folder / "store.sock"
        raise Unavailable(f"No path short enough for a unix socket: shorten TMPDIR or {self.path}.")

    def open_lock(self, name: str) -> int:
        """Open the lock file `name` and return its descriptor (not inherited by other programs)."""
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def exclusive(self, deadline_seconds: float) -> Iterator[None]:
        """Be the only one that starts or stops a server here; raises Unavailable after the deadline."""
        descriptor = self.open_lock("store.lock")
        try:
            if not wait_until(lambda: try_lock(descriptor, fcntl.LOCK_EX), deadline_seconds):
                raise Unavailable(
                    f"Another process has been starting or stopping the store in {self.path} for "
                    f"{deadline_seconds:g} s. See {self.log_path}."
                )
            yield
        finally:
            os.close(descriptor)

    def server_is_alive(self) -> bool:
        """Say whether a server holds its lock."""
        descriptor = self.open_lock("store.server")
        try:
            return not try_lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock (fcntl.LOCK_SH or LOCK_EX) without waiting, and say whether that worked."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_until(condition: Callable[[], bool], deadline_seconds: float) -> bool:
    """Ask `condition()` every few milliseconds until it holds; False after the deadline."""
    end = time.monotonic() + deadline_seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.005)
    return True


def _make_private(folder: Path) -> None:
    """Create `folder` for us alone; raises Unavailable if somebody else has taken its place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Unavailable(f"{folder} is not a private directory of this user. Remove it, or set TMPDIR.")
