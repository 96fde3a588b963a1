"""Simulations that were asked for over HTTP, as folders of the data directory: what is wanted, how far it is, results.

A folder appears whole, and every file in it is replaced at once. Who works on a simulation holds its lock (flock),
which the system lets go of when that process dies, however it does: so every process of the machine knows what is left
lying. Not here: the work (api/simulation_runner.py), who starts it (api/simulation_work.py).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import IdempotencyConflict

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
OVER = frozenset({DONE, FAILED, CANCELLED})
_ID = "sim_"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, by whom (the id of a key), and what it may cost."""

    simulation_id: str
    holder: str
    name: str
    created_at: datetime
    fingerprint: str
    policies: list[str]
    replications: int | None
    most_seconds: float
    most_orders: int


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a scenario."""

    path: str
    message: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a simulation is; `starts` counts since the last replication that came to its end."""

    status: str = QUEUED
    started_at: datetime | None = None
    finished_at: datetime | None = None
    replications: int = 0
    """Of all policies together."""
    replications_done: int = 0
    days: int = 0
    """Of all replications together."""
    days_done: int = 0
    starts: int = 0
    failure: str | None = None
    code: str | None = None
    flaws: list[Flaw] = []


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation: what is wanted, and how far it is."""

    wanted: Wanted
    state: State


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a simulation; its number counts from 1."""

    event: str
    data: dict[str, Any]


class JobFolder:
    """The folder of one simulation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results = path / "results"

    def job(self) -> Job | None:
        """Return what is wanted and how far it is, None if there is no such simulation."""
        try:
            wanted = msgspec.json.decode((self.path / "wanted.json").read_bytes(), type=Wanted)
        except FileNotFoundError:
            return None
        return Job(wanted=wanted, state=self.state())

    def state(self) -> State:
        """Return how far it is."""
        try:
            return msgspec.json.decode((self.path / "state.json").read_bytes(), type=State)
        except FileNotFoundError:
            return State()

    def put_state(self, state: State) -> None:
        """Say how far it is; for whoever has the lock."""
        self.put("state.json", msgspec.json.encode(state))

    def put(self, name: str, content: bytes) -> None:
        """Replace a file."""
        part = self.path / f"{name}.part"
        part.write_bytes(content)
        part.replace(self.path / name)

    def text(self) -> str:
        """Return the scenario."""
        return (self.path / "scenario.yaml").read_text(encoding="utf-8")

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Append an event; for whoever has the lock."""
        with (self.path / "events.ndjson").open("ab") as file:
            file.write(msgspec.json.encode(Told(event=event, data=data)) + b"\n")

    def told(self, after: int) -> list[tuple[int, Told]]:
        """Return the events after a number, each with its own."""
        try:
            lines = (self.path / "events.ndjson").read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        return [(n, msgspec.json.decode(line, type=Told)) for n, line in enumerate(lines, 1) if n > after and line]

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wants it to end."""
        return (self.path / "cancel").exists()

    def cancel(self) -> None:
        """Ask whoever works on it to end."""
        (self.path / "cancel").touch()

    def lock(self) -> int | None:
        """Return a file descriptor that holds the lock, None if somebody else has it."""
        return lock(self.path / "lock")

    def end(self, status: str, now: datetime, **said: Any) -> None:
        """Say that it is over, and how; for whoever has the lock."""
        self.put_state(msgspec.structs.replace(self.state(), status=status, finished_at=now, **said))
        self.tell("over", {"status": status, "failure": said.get("failure")})
        if status != DONE:
            shutil.rmtree(self.results, ignore_errors=True)


class Jobs:
    """The simulations of one tenant."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, simulation_id: str) -> JobFolder | None:
        """Return the folder of a simulation, None if there is none such."""
        if not simulation_id.startswith(_ID) or not simulation_id[len(_ID) :].isalnum():
            return None
        path = self._folder / simulation_id
        return JobFolder(path) if path.is_dir() else None

    def all(self) -> Iterator[tuple[JobFolder, Job]]:
        """Yield every simulation, the oldest first."""
        if not self._folder.is_dir():
            return
        found = [JobFolder(path) for path in self._folder.iterdir() if path.name.startswith(_ID)]
        jobs = [(folder, job) for folder in found if (job := folder.job()) is not None]
        yield from sorted(jobs, key=lambda each: (each[1].wanted.created_at, each[1].wanted.simulation_id))

    def under_way(self, holder: str) -> int:
        """Return how many simulations of a key are not over."""
        return sum(job.wanted.holder == holder and job.state.status not in OVER for _, job in self.all())

    def create(self, wanted: Wanted, text: str) -> bool:
        """Keep a new simulation; False if it is there already. Raises IdempotencyConflict if that is another one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        made = JobFolder(self._folder / f".{secrets.token_hex(8)}")
        made.path.mkdir()
        made.put("wanted.json", msgspec.json.encode(wanted))
        made.put("scenario.yaml", text.encode())
        try:
            made.path.rename(self._folder / wanted.simulation_id)
        except OSError:  # it is there, and not empty
            shutil.rmtree(made.path)
            there = JobFolder(self._folder / wanted.simulation_id).job()
            if there is None or there.wanted.fingerprint != wanted.fingerprint:
                raise IdempotencyConflict from None
            return False
        return True

    def remove(self, folder: JobFolder) -> None:
        """Forget a simulation that is over."""
        gone = folder.path.with_name(f".{secrets.token_hex(8)}")
        folder.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def slot(self, number: int) -> int | None:
        """Return a file descriptor that holds one of the places to work in, None if it is taken.

        Places are those of all tenants of a data directory.
        """
        places = self._folder.parent / ".places"
        places.mkdir(parents=True, exist_ok=True)
        return lock(places / str(number))


def lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock of a file for as long as it, or a copy in a child, is open."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
