"""The two servers of a comparison on one store, each a process of its own, and the load that is sent to them.

The server has one core, the store and the load have the other. The store syncs its append-only file every second for
both sides, since the yardstick would not do better. Not here: what is asked (questions.py), what is told (http.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import msgspec

from benchmarks.wire.load import Measured, Plan
from engine.storage.embedded import EmbeddedServer

TENANT = "bench"
_SERVER_CORE, _OTHER_CORE = {0}, {1}
_READY = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A server that runs: its name, port, process, and the API key to send, if it asks for one."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    key: str | None = None

    def memory_kib(self) -> int:
        """Return the resident memory of the server."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    def cpu_seconds(self) -> float:
        """Return the processor time that the server has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def yardstick(store: EmbeddedServer) -> Iterator[Side]:
    """Run the yardstick by uvicorn, with uvloop and httptools as ours."""
    options = ["--port", "0", "--no-access-log", "--no-server-header", "--loop", "uvloop", "--http", "httptools"]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.wire.yardstick:app", *options]
    with _running("yardstick", command, {"YARDSTICK_SOCKET": str(store.socket_path)}, None) as side:
        yield side


@contextmanager
def ours(store: EmbeddedServer, key: str) -> Iterator[Side]:
    """Run `allot serve` with keys, limits and metrics, as it is."""
    settings = {
        "ALLOT_REDIS_URL": f"unix://{store.socket_path}",
        "ALLOT_TENANT": TENANT,
        "ALLOT_AUTH": "keys",
        "ALLOT_DURABILITY": "memory",
    }
    command = [sys.executable, "-m", "api.cli.main", "serve", "--port", "0"]
    with _running("allot", command, settings, key) as side:
        yield side


@contextmanager
def _running(name: str, command: list[str], settings: dict[str, str], key: str | None) -> Iterator[Side]:
    process = subprocess.Popen(
        command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    try:
        side = Side(name=name, port=_port(process), process=process, key=key)
        pin(process.pid, _SERVER_CORE)
        _wait_for(side.port)
        yield side
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _port(process: subprocess.Popen[bytes]) -> int:
    """Return the port that a server says it listens on."""
    assert process.stdout is not None
    said = b""
    while line := process.stdout.readline():
        said += line
        if found := _READY.search(line):
            return int(found[1])
    raise RuntimeError(f"the server ended before it was ready: {said.decode(errors='replace')}")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/openapi.json")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def pin(pid: int, cores: set[int]) -> None:
    """Keep all threads of a process on some cores, where the system can do that and there is more than one."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), cores)


def pin_others(store: EmbeddedServer) -> None:
    """Keep this process, and the load that it starts, on the core of the store."""
    pin(store.pid, _OTHER_CORE)
    pin(os.getpid(), _OTHER_CORE)


def send(plan: Plan) -> Measured:
    """Send load from a process of its own, and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.wire.load"], input=msgspec.json.encode(plan), capture_output=True, check=True
    )
    return msgspec.json.decode(done.stdout, type=Measured)
