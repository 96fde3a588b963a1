"""Chooses where the parts of a solve are done: here, on threads, or by Ray workers for batches that are large enough.

Ray is started, or joined, by the first batch that is large enough, and its workers stay for the next ones. If it
cannot be had, the batch is solved here: plans do not depend on where they are made.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.dispatch.local import threads
from engine.dispatch.options import RayOptions
from engine.errors import Unavailable
from solvers.prices import Map

if TYPE_CHECKING:
    from engine.dispatch.ray import Fleet

GRACE_SECONDS = 1.0
"""How long after the time limit of a solve its workers are waited for."""
AGAIN_SECONDS = 300.0
"""How long after a failure Ray is not tried again."""

log = logging.getLogger(__name__)


def _for_ever() -> None:
    """Return that there is no limit."""


class Dispatcher:
    """Yields a `spread` for each solve; one for all solves of a process."""

    def __init__(self, workers: int = 1, ray: RayOptions | None = None) -> None:
        """Take the number of threads for batches that do not go to Ray, and how to use Ray; None: never."""
        self._workers, self._ray = workers, ray
        self._fleet: Fleet | None = None
        self._guard, self._not_before = threading.Lock(), 0.0

    @contextmanager
    def spread(
        self, orders: int, seconds_left: Callable[[], float | None] = _for_ever, *, wide: bool = True
    ) -> Iterator[Map]:
        """Yield what spreads the solve of a batch of so many orders, which may take so long once workers are there.

        Solves that are not `wide` have little to spread, and stay here.
        """
        fleet = self._fleet_for(orders) if wide else None
        if fleet is None:
            with threads(self._workers) as local:
                yield local
            return
        from engine.dispatch.ray import Session

        seconds = seconds_left()
        session = Session(fleet, None if seconds is None else time.monotonic() + seconds + GRACE_SECONDS)
        try:
            yield session
        finally:
            session.close()

    def _fleet_for(self, orders: int) -> Fleet | None:
        """Return the workers for a batch of so many orders, or None if it is to be solved here."""
        if self._ray is None or orders < self._ray.from_orders:
            return None
        with self._guard:
            if self._fleet is None and time.monotonic() >= self._not_before:
                from engine.dispatch.ray import Fleet

                try:
                    self._fleet = Fleet(self._ray)
                except Unavailable as error:
                    self._not_before = time.monotonic() + AGAIN_SECONDS
                    log.warning("batches are solved in this process: %s", error)
            return self._fleet

    def close(self) -> None:
        """Stop the workers, if there are any."""
        with self._guard:
            if self._fleet is not None:
                self._fleet.close()
                self._fleet = None
