"""Where routing runs are kept: one record per run, made once per idempotency key, and who works on it.

Here: the port and its form in Redis; memory_run_store.py is the one of a process. A record is one JSON value. Whoever
takes a run up gets an epoch above all before it, and a lease that it renews; with an earlier epoch nothing is written
any more (lua/runs.lua). Beside the record lies what the run has decided and may not have committed yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Protocol

import msgspec

from engine.errors import IdempotencyConflict, LeaseLost, NotFound
from engine.inventory.model import Outcome, Replay
from engine.routing.run_model import Run
from engine.storage.client import Part, StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("runs", 1, [files("engine.routing") / "lua" / "runs.lua"])
LEASE_SECONDS = 15.0
KEPT_SECONDS = 30 * 24 * 3600


class Record(msgspec.Struct, frozen=True):
    """A run as it is kept, with the fingerprint of the request that made it."""

    fingerprint: str
    run: Run


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class RunStore(Protocol):
    """Keeps routing runs."""

    @property
    def lease_seconds(self) -> float:
        """After so many seconds without a sign of life a run may be taken up by somebody else."""
        ...

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """Keep a new run; with the same idempotency key again, return the run as it was first made.

        Raises IdempotencyConflict when the key comes back with another body.
        """
        ...

    async def is_due(self, start: int) -> bool:
        """Return whether no window was opened yet that begins at this second or later."""
        ...

    async def open_window(self, run: Run, start: int) -> bool:
        """Keep the run of the window that begins at a second, in one step.

        False, and nothing is kept, if that window or a later one was opened, or the run of the last is not over.
        """
        ...

    async def put(self, run: Run, epoch: int) -> None:
        """Replace the record of a run; one that is over stays as it is. Raises LeaseLost."""
        ...

    async def get(self, run_id: str) -> Run:
        """Return a run; raises NotFound."""
        ...

    async def claim(self, run_id: str) -> int:
        """Take up a run that nobody works on, and return the epoch; 0 if somebody does, or it is over."""
        ...

    async def renew(self, run_id: str, epoch: int) -> None:
        """Say that whoever has this epoch still works on a run; raises LeaseLost."""
        ...

    async def hand_over(self, run_id: str, epoch: int) -> None:
        """Let others take up at once what whoever has this epoch worked on; raises LeaseLost."""
        ...

    async def leased(self, run_id: str) -> bool:
        """Return whether somebody works on a run."""
        ...

    async def unfinished(self) -> Sequence[str]:
        """Return the ids of runs that are not over."""
        ...

    async def keep_step(self, run_id: str, epoch: int, name: str, body: bytes) -> None:
        """Keep something that a run has decided, until it is over; raises LeaseLost."""
        ...

    async def steps(self, run_id: str) -> Mapping[str, bytes]:
        """Return what a run has decided so far."""
        ...


def replayed(run: Run, found: Record, fingerprint: str) -> Outcome[Run]:
    """Return the first answer to an idempotency key that came back."""
    if found.fingerprint != fingerprint:
        raise IdempotencyConflict
    return Outcome(value=replace(run, created_at=found.run.created_at), replayed=True)


def unknown_run(run_id: str) -> NotFound:
    """Return the error of a run that nobody has started, or that is not kept any more."""
    return NotFound(f"There is no routing run {run_id!r}.")


def lost(run_id: str) -> LeaseLost:
    """Return the error of whoever writes about a run that another process has taken up."""
    return LeaseLost(f"Another process has taken run {run_id!r} up, or it is over.")


class RedisRunStore:
    """Runs in Redis or Valkey; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, keys: Keys, lease_seconds: float = LEASE_SECONDS) -> None:
        self._client, self._keys, self._lease_seconds = client, keys, lease_seconds
        self._lease_ms = round(lease_seconds * 1000)

    @property
    def lease_seconds(self) -> float:
        """See `RunStore.lease_seconds`."""
        return self._lease_seconds

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """See `RunStore.create`."""
        fingerprint = "" if replay is None else replay.fingerprint
        body = _encode(Record(fingerprint, run))
        found = await self._call("allot_create_run_v1", run.run_id, run.run_id, body, KEPT_SECONDS)
        return Outcome(value=run) if found is None else replayed(run, _decode(found), fingerprint)

    async def is_due(self, start: int) -> bool:
        """See `RunStore.is_due`."""
        latest = await self._client.call("HGET", self._keys.named("run_windows"), "start")
        return latest is None or int(latest) < start

    async def open_window(self, run: Run, start: int) -> bool:
        """See `RunStore.open_window`."""
        keys = [self._keys.named("run_windows"), self._keys.named("run", run.run_id)]
        args: list[Part] = [start, run.run_id, _encode(Record("", run)), KEPT_SECONDS]
        keys.append(self._keys.named("unfinished_runs"))
        return bool(await self._client.fcall("allot_open_run_window_v1", keys, args))

    async def put(self, run: Run, epoch: int) -> None:
        """See `RunStore.put`."""
        found = await self._client.call("GET", self._keys.named("run", run.run_id))
        body = _encode(Record("" if found is None else _decode(found).fingerprint, run))
        said: tuple[Part, ...] = (epoch, run.run_id, body, KEPT_SECONDS, int(run.status.over), str(run.status))
        if not await self._call("allot_put_run_v1", run.run_id, *said):
            raise lost(run.run_id)

    async def get(self, run_id: str) -> Run:
        """See `RunStore.get`."""
        found = await self._client.call("GET", self._keys.named("run", run_id))
        if found is None:
            raise unknown_run(run_id)
        return _decode(found).run

    async def claim(self, run_id: str) -> int:
        """See `RunStore.claim`."""
        return int(await self._call("allot_claim_run_v1", run_id, run_id, KEPT_SECONDS, self._lease_ms))

    async def renew(self, run_id: str, epoch: int) -> None:
        """See `RunStore.renew`."""
        if not await self._call("allot_renew_run_v1", run_id, epoch, self._lease_ms):
            raise lost(run_id)

    async def hand_over(self, run_id: str, epoch: int) -> None:
        """See `RunStore.hand_over`."""
        if not await self._call("allot_renew_run_v1", run_id, epoch, 1):
            raise lost(run_id)

    async def leased(self, run_id: str) -> bool:
        """See `RunStore.leased`."""
        return bool(await self._client.call("EXISTS", self._keys.named("run_lease", run_id)))

    async def unfinished(self) -> Sequence[str]:
        """See `RunStore.unfinished`."""
        found = await self._client.call("SMEMBERS", self._keys.named("unfinished_runs"))
        return sorted(run_id.decode() for run_id in found)

    async def keep_step(self, run_id: str, epoch: int, name: str, body: bytes) -> None:
        """See `RunStore.keep_step`."""
        if not await self._call("allot_keep_run_step_v1", run_id, epoch, name, body, KEPT_SECONDS):
            raise lost(run_id)

    async def steps(self, run_id: str) -> Mapping[str, bytes]:
        """See `RunStore.steps`."""
        found = await self._client.call("HGETALL", self._keys.named("run_steps", run_id))
        return {name.decode(): body for name, body in zip(found[::2], found[1::2], strict=True)}

    async def _call(self, function: str, run_id: str, *args: Part) -> Any:
        words = ("run", "run_lease", "run_epoch", "run_steps")
        keys = [*(self._keys.named(word, run_id) for word in words), self._keys.named("unfinished_runs")]
        return await self._client.fcall(function, keys, args)
