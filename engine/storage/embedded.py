"""The embedded store: a real Valkey server under our supervision, one per data directory.

Who owns the server: everybody who uses it. Each `ensure_server` starts it or attaches to the one that runs, and counts
as a user until its `stop()` (which also runs at exit); the last user stops the server. A user that is killed is no
user any more, since its lock goes with it; if it was the last, the server stays until the next user attaches and
leaves. A server that was killed is started again by the next `ensure_server` or `revive`, on the same data.

Not here: which binary (binary.py), the files and locks (datadir.py), the client (client.py).
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Literal

import hiredis

from engine.errors import Fault, InvalidInput, Unavailable
from engine.storage.binary import find_server
from engine.storage.datadir import DataDir, try_lock, wait_until

Durability = Literal["memory", "standard"]

_SETTINGS: dict[str, list[str]] = {
    "memory": ["--appendonly", "no"],
    "standard": ["--appendonly", "yes", "--appendfsync", "always"],
}
_IF_KNOWN = {"min-string-size-avoid-copy-reply": "1024", "min-io-threads-avoid-copy-reply": "1"}
"""Replies refer to long strings instead of copying them: two thirds of the time of a snapshot (Valkey 9 and later)."""
_LOADING_SECONDS = 600.0


def ensure_server(
    data_dir: Path, durability: Durability = "standard", *, deadline_seconds: float = 15.0
) -> EmbeddedServer:
    """Start the server of `data_dir`, or attach to the one that runs, and return a handle to it.

    `memory` keeps nothing; `standard` has every acknowledged write on disk (append-only file, fsync always). Blocks
    until it answers, at most `deadline_seconds` (longer only while it reports that it is loading its data). Raises
    Unavailable, naming the log, if it does not start; InvalidInput if the directory cannot be used that way.
    """
    files = DataDir(data_dir)
    server = EmbeddedServer(files, durability, deadline_seconds)
    server.revive()
    atexit.register(server.stop)
    return server


class EmbeddedServer:
    """A user's handle to the server of one data directory."""

    def __init__(self, files: DataDir, durability: Durability, deadline_seconds: float) -> None:
        self._files = files
        self._durability = durability
        self._deadline_seconds = deadline_seconds
        self._process_id = os.getpid()
        self._users: int | None = None
        self.socket_path = Path()

    @property
    def pid(self) -> int:
        """Return the server's process id; raises Unavailable if it is not running."""
        pid = self._files.pid()
        if pid is None:
            raise Unavailable(f"The store in {self._files.path} is not running. See {self._files.log_path}.")
        return pid

    @property
    def log_path(self) -> Path:
        """Return the server's log."""
        return self._files.log_path

    def revive(self) -> None:
        """Make sure that the server runs and that we count as a user: start it again if it died."""
        with self._files.exclusive(self._deadline_seconds):
            if self._files.server_is_alive():
                self._attach()
            else:
                self._start()
            if self._users is None:
                self._users = self._files.open_lock("store.users")
                fcntl.flock(self._users, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Stop using the server; the last user stops it and waits for its end. Calling again does nothing."""
        # A forked child inherits the handle, but is not the one to end it.
        if self._users is None or os.getpid() != self._process_id:
            return
        atexit.unregister(self.stop)
        users, self._users = self._users, None
        try:
            with self._files.exclusive(self._deadline_seconds):
                if try_lock(users, fcntl.LOCK_EX) and self._files.server_is_alive():
                    self._terminate()
        finally:
            os.close(users)

    def _attach(self) -> None:
        """Check that what runs is our server, in the mode asked for."""
        noted = self._files.started()
        if noted is None:
            raise self._broken("its store.json is missing or damaged")
        self.socket_path, durability = noted
        self._wait_ready()
        if durability != self._durability:
            raise InvalidInput(
                Fault(
                    path="ALLOT_DURABILITY",
                    message=f"the store in {self._files.path} runs with durability {durability!r}, "
                    f"asked was {self._durability!r}. Use the same, or another data directory.",
                )
            )

    def _start(self) -> None:
        """Start the server, detached from us, and wait until it answers; the start lock is held."""
        files = self._files
        if self._durability == "memory" and files.has_data():
            message = f"{files.path} holds kept data, which durability 'memory' would ignore. Use 'standard'."
            raise InvalidInput(Fault(path="ALLOT_DURABILITY", message=message))
        self.socket_path = files.socket_path()
        self.socket_path.unlink(missing_ok=True)
        files.pid_path.unlink(missing_ok=True)
        files.note_start(self.socket_path, self._durability)
        lock = files.open_lock("store.server")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                started = subprocess.run(
                    self._command(),
                    pass_fds=(lock,),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=self._deadline_seconds,
                    env={**os.environ, "LC_ALL": "C"},
                    cwd="/",
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise self._broken(str(error)) from error
        finally:
            os.close(lock)
        if started.returncode != 0:
            raise self._broken((started.stderr or started.stdout).decode(errors="replace").strip())
        self._wait_ready()
        for name, value in _IF_KNOWN.items():
            _ask(self.socket_path, "CONFIG", "SET", name, value)  # one that does not know it says so, and goes on

    def _command(self) -> list[str]:
        """Return the command line; the server leaves our session by itself and keeps the lock it inherits."""
        files = self._files
        return [
            str(find_server()),
            *("--port", "0", "--unixsocket", str(self.socket_path), "--unixsocketperm", "700"),
            *("--dir", str(files.path), "--logfile", str(files.log_path), "--pidfile", str(files.pid_path)),
            *("--daemonize", "yes", "--maxmemory-policy", "noeviction", "--save", ""),
            *_SETTINGS[self._durability],
        ]

    def _wait_ready(self) -> None:
        """Wait until the server answers and is seen to be the one of this directory; raises Unavailable."""
        loading = False

        def settled() -> bool:
            nonlocal loading
            try:
                loading = str(_ask(self.socket_path, "PING")).startswith("LOADING")
            except (OSError, hiredis.HiredisError):
                return not self._files.server_is_alive()
            return not loading

        if not wait_until(settled, self._deadline_seconds) and not (loading and wait_until(settled, _LOADING_SECONDS)):
            raise self._broken(f"it does not answer within {self._deadline_seconds:g} s")
        if not self._files.server_is_alive():
            raise self._broken(_last_words(self._files.log_path))
        self._check_identity()

    def _check_identity(self) -> None:
        """Ask the server over its socket whether it is the process and the directory we think; raises Unavailable."""
        info = _ask(self.socket_path, "INFO", "server").decode()
        directory = _ask(self.socket_path, "CONFIG", "GET", "dir")[1]
        if f"process_id:{self._files.pid()}\r" not in info or Path(os.fsdecode(directory)) != self._files.path:
            raise self._broken(f"{self.socket_path} is answered by another server ({os.fsdecode(directory)})")

    def _terminate(self) -> None:
        """Send SIGTERM and wait until the server has let go of its lock; nobody else uses it."""
        pid = self._files.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: not self._files.server_is_alive(), self._deadline_seconds):
            raise self._broken(f"it did not stop within {self._deadline_seconds:g} s (pid {pid})")
        self.socket_path.unlink(missing_ok=True)

    def _broken(self, reason: str) -> Unavailable:
        return Unavailable(f"The store in {self._files.path} does not run: {reason}. See {self._files.log_path}.")


def _ask(socket_path: Path, *command: str) -> Any:
    """Ask one command over a connection of its own; an error reply is returned, not raised."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect(str(socket_path))
        connection.sendall(hiredis.pack_command(command))  # type: ignore[arg-type]  # its stub knows one part
        reader = hiredis.Reader()
        while (reply := reader.gets()) is False:
            received = connection.recv(65536)
            if not received:
                raise ConnectionResetError("the server closed the connection")
            reader.feed(received)
    return reply


def _last_words(log_path: Path) -> str:
    """Return the last line of the log, for the error message."""
    try:
        lines = log_path.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    return lines[-1].strip() if lines else "it ended without a word"
