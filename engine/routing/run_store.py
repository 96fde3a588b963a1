"""Where routing runs are kept: one record per run, made once per idempotency key, under a lease while somebody works.

Here: the port and its two forms. A record is one JSON value; making it is one `SET … NX GET`, so two requests with the
same key make one run. The lease tells a run that is being worked on from one whose worker died.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import msgspec

from engine.clock import Clock
from engine.errors import IdempotencyConflict, NotFound
from engine.inventory.model import Outcome, Replay
from engine.routing.run_model import Run
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

LEASE_SECONDS = 15
KEPT_SECONDS = 30 * 24 * 3600


class _Record(msgspec.Struct, frozen=True):
    fingerprint: str
    run: Run


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Record).decode


class RunStore(Protocol):
    """Keeps routing runs."""

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """Keep a new run; with the same idempotency key again, return the run as it was first made.

        Raises IdempotencyConflict when the key comes back with another body.
        """
        ...

    async def put(self, run: Run) -> None:
        """Replace the record of a run."""
        ...

    async def get(self, run_id: str) -> Run:
        """Return a run; raises NotFound."""
        ...

    async def claim(self, run_id: str) -> bool:
        """Lease a run that nobody works on; False if somebody does."""
        ...

    async def lease(self, run_id: str) -> None:
        """Say that somebody works on a run, for the next `LEASE_SECONDS`."""
        ...

    async def leased(self, run_id: str) -> bool:
        """Return whether somebody works on a run."""
        ...


def replayed(run: Run, found: _Record, fingerprint: str) -> Outcome[Run]:
    """Return the first answer to an idempotency key that came back."""
    if found.fingerprint != fingerprint:
        raise IdempotencyConflict
    return Outcome(value=replace(run, created_at=found.run.created_at), replayed=True)


class RedisRunStore:
    """Runs in Redis or Valkey."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """See `RunStore.create`."""
        fingerprint = "" if replay is None else replay.fingerprint
        body = _encode(_Record(fingerprint, run))
        found = await self._client.call("SET", self._key(run.run_id), body, "EX", KEPT_SECONDS, "NX", "GET")
        return Outcome(value=run) if found is None else replayed(run, _decode(found), fingerprint)

    async def put(self, run: Run) -> None:
        """See `RunStore.put`."""
        found = await self._client.call("GET", self._key(run.run_id))
        fingerprint = "" if found is None else _decode(found).fingerprint
        await self._client.call("SET", self._key(run.run_id), _encode(_Record(fingerprint, run)), "EX", KEPT_SECONDS)

    async def get(self, run_id: str) -> Run:
        """See `RunStore.get`."""
        found = await self._client.call("GET", self._key(run_id))
        if found is None:
            raise NotFound(f"There is no routing run {run_id!r}.")
        return _decode(found).run

    async def claim(self, run_id: str) -> bool:
        """See `RunStore.claim`."""
        key = self._keys.named("run_lease", run_id)
        return await self._client.call("SET", key, "1", "EX", LEASE_SECONDS, "NX") is not None

    async def lease(self, run_id: str) -> None:
        """See `RunStore.lease`."""
        await self._client.call("SET", self._keys.named("run_lease", run_id), "1", "EX", LEASE_SECONDS)

    async def leased(self, run_id: str) -> bool:
        """See `RunStore.leased`."""
        return bool(await self._client.call("EXISTS", self._keys.named("run_lease", run_id)))

    def _key(self, run_id: str) -> str:
        return self._keys.named("run", run_id)


class MemoryRunStore:
    """Runs in this process; for simulation and tests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._leases: dict[str, float] = {}

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """See `RunStore.create`."""
        fingerprint = "" if replay is None else replay.fingerprint
        found = self._records.setdefault(run.run_id, _Record(fingerprint, run))
        return Outcome(value=run) if found.run is run else replayed(run, found, fingerprint)

    async def put(self, run: Run) -> None:
        """See `RunStore.put`."""
        self._records[run.run_id] = _Record(self._records[run.run_id].fingerprint, run)

    async def get(self, run_id: str) -> Run:
        """See `RunStore.get`."""
        if run_id not in self._records:
            raise NotFound(f"There is no routing run {run_id!r}.")
        return self._records[run_id].run

    async def claim(self, run_id: str) -> bool:
        """See `RunStore.claim`."""
        if await self.leased(run_id):
            return False
        await self.lease(run_id)
        return True

    async def lease(self, run_id: str) -> None:
        """See `RunStore.lease`."""
        self._leases[run_id] = self._clock.now().timestamp() + LEASE_SECONDS

    async def leased(self, run_id: str) -> bool:
        """See `RunStore.leased`."""
        return self._leases.get(run_id, 0.0) > self._clock.now().timestamp()
