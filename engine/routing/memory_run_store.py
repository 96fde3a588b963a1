"""The RunStore of one process, gone with it; for simulation and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.clock import Clock
from engine.inventory.model import Outcome, Replay
from engine.routing.model import RUN_OVER
from engine.routing.run_model import Run
from engine.routing.run_store import LEASE_SECONDS, Record, lost, replayed, unknown_run


class MemoryRunStore:
    """Runs in this process."""

    def __init__(self, clock: Clock, lease_seconds: float = LEASE_SECONDS) -> None:
        self._clock, self._lease_seconds = clock, lease_seconds
        self._records: dict[str, Record] = {}
        self._leases: dict[str, float] = {}
        self._epochs: dict[str, int] = {}
        self._steps: dict[str, dict[str, bytes]] = {}
        self._window: tuple[int, str] | None = None

    @property
    def lease_seconds(self) -> float:
        """See `RunStore.lease_seconds`."""
        return self._lease_seconds

    async def create(self, run: Run, replay: Replay | None) -> Outcome[Run]:
        """See `RunStore.create`."""
        fingerprint = "" if replay is None else replay.fingerprint
        found = self._records.setdefault(run.run_id, Record(fingerprint, run))
        return Outcome(value=run) if found.run is run else replayed(run, found, fingerprint)

    async def is_due(self, start: int) -> bool:
        """See `RunStore.is_due`."""
        return self._window is None or self._window[0] < start

    async def open_window(self, run: Run, start: int) -> bool:
        """See `RunStore.open_window`."""
        latest = self._window
        if latest is not None and (latest[0] >= start or not self._records[latest[1]].run.status.over):
            return False
        self._window = start, run.run_id
        self._records.setdefault(run.run_id, Record("", run))
        return True

    async def put(self, run: Run, epoch: int) -> None:
        """See `RunStore.put`."""
        self._check(run.run_id, epoch)
        self._records[run.run_id] = Record(self._records[run.run_id].fingerprint, run)
        if run.status.over:
            self._epochs[run.run_id] = RUN_OVER
            self._leases.pop(run.run_id, None)
            self._steps.pop(run.run_id, None)

    async def get(self, run_id: str) -> Run:
        """See `RunStore.get`."""
        if run_id not in self._records:
            raise unknown_run(run_id)
        return self._records[run_id].run

    async def claim(self, run_id: str) -> int:
        """See `RunStore.claim`."""
        epoch = self._epochs.get(run_id, 0)
        if epoch >= RUN_OVER or await self.leased(run_id):
            return 0
        self._epochs[run_id] = epoch + 1
        await self.renew(run_id, epoch + 1)
        return epoch + 1

    async def renew(self, run_id: str, epoch: int) -> None:
        """See `RunStore.renew`."""
        self._check(run_id, epoch)
        self._leases[run_id] = self._clock.now().timestamp() + self._lease_seconds

    async def hand_over(self, run_id: str, epoch: int) -> None:
        """See `RunStore.hand_over`."""
        self._check(run_id, epoch)
        self._leases.pop(run_id, None)

    async def leased(self, run_id: str) -> bool:
        """See `RunStore.leased`."""
        return self._leases.get(run_id, 0.0) > self._clock.now().timestamp()

    async def unfinished(self) -> Sequence[str]:
        """See `RunStore.unfinished`."""
        return sorted(run_id for run_id, record in self._records.items() if not record.run.status.over)

    async def keep_step(self, run_id: str, epoch: int, name: str, body: bytes) -> None:
        """See `RunStore.keep_step`."""
        self._check(run_id, epoch)
        self._steps.setdefault(run_id, {})[name] = body

    async def steps(self, run_id: str) -> Mapping[str, bytes]:
        """See `RunStore.steps`."""
        return dict(self._steps.get(run_id, {}))

    def forget(self, run_ids: Iterable[str]) -> None:
        """Forget runs that are over."""
        for run_id in run_ids:
            self._records.pop(run_id, None)
            self._epochs.pop(run_id, None)

    def _check(self, run_id: str, epoch: int) -> None:
        if self._epochs.get(run_id, 0) != epoch:
            raise lost(run_id)
