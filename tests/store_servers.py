"""Store servers that a test starts, kills, pauses and starts again: what the supervisor of the embedded one never does.

with StoreServer(tmp_path / "primary", *KEPT) as server: connect(server.url)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hiredis

from engine.storage.binary import find_server

KEPT = ("--appendonly", "yes", "--appendfsync", "always")
START_SECONDS = 60.0


class StoreServer:
    """One server on a port of its own; `wrapper` is put before its command line."""

    def __init__(self, folder: Path, *options: str, wrapper: tuple[str, ...] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = _free_port()
        self.pid = 0
        self._command = [
            *wrapper,
            *(str(find_server()), "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""),
            *("--dir", str(folder), "--logfile", str(folder / "server.log"), "--maxmemory-policy", "noeviction"),
            *("--repl-diskless-sync-delay", "0", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def __enter__(self) -> StoreServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers and has loaded its data."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}
        )
        until(self._answers, START_SECONDS)
        info = self.ask("INFO", "server").decode()
        self.pid = int(info.partition("process_id:")[2].partition("\r")[0])

    def kill(self) -> None:
        """End it by SIGKILL, whether it runs, is paused or is gone."""
        if self._process is None:
            return
        if self._process.poll() is None and self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._process = None

    def stop(self) -> None:
        """End it by SIGTERM, as an orderly restart does."""
        assert self._process is not None
        os.kill(self.pid, signal.SIGTERM)
        self._process.wait(START_SECONDS)
        self._process = None

    def pause(self) -> None:
        """Let it be silent, with its connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ask(self, *command: str | bytes | int) -> Any:
        """Ask one command over a connection of its own; an error reply is returned, not raised."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(hiredis.pack_command(command))
            reader = hiredis.Reader()
            while (reply := reader.gets()) is False:
                received = connection.recv(65536)
                if not received:
                    raise ConnectionResetError("the server closed the connection")
                reader.feed(received)
        return reply

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended: {(self.folder / 'server.log').read_text()[-500:]}")
        try:
            return bool(self.ask("PING") == b"PONG")
        except OSError:
            return False


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds; fails the test after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
