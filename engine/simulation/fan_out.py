"""Spreads the tasks of stories over Ray workers, or does them here: the same bytes, whoever does them.

A worker is handed one task: a story, a policy, the number of a replication. It writes into a folder of its own, and
what it wrote comes back with the result, so that only this process writes where results are kept, wherever workers
are. A worker that dies is replaced, and its task done again by another. Not here: Ray itself (engine/dispatch/ray.py),
what a task is, and what is there already (running.py).
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.dispatch.options import RayOptions
from engine.errors import Unavailable
from engine.simulation.results import replication_path
from engine.simulation.running import Mapping, Task, one_by_one, perform

if TYPE_CHECKING:
    from engine.dispatch.ray import Fleet

FROM_ORDERS = 10_000
"""Orders to simulate in all from which on Ray workers are worth their start: some five seconds, and as much again until
each has loaded what is compiled. Less is done here, however many workers are asked for."""
SILENT_SECONDS = 3600.0
"""A worker that finishes no day for so long is taken for dead."""

DayTold = Callable[[Task, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """What came of a task elsewhere: its result, and the files beside it by name."""

    result: bytes
    files: dict[str, bytes]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fan_out(
    *, workers: int, address: str | None = None, from_orders: int = FROM_ORDERS, told: DayTold | None = None
) -> Mapping:
    """Return a mapping that runs tasks by so many Ray workers if there is enough to do, else here, one by one.

    `address` is that of a cluster that is there; None: one of our own, for as long as it takes. `told` hears of each
    task's days as they are over; a task that is done again tells them again.
    """

    def run(tasks: Sequence[Task]) -> Iterator[bytes]:
        count = min(workers, len(tasks))
        if count < 2 or (from_orders and orders_of(tasks) < from_orders):
            yield from one_by_one(told)(tasks)
            return
        from engine.dispatch.ray import Fleet

        try:
            fleet = Fleet(RayOptions(workers=count, address=address, part_seconds=SILENT_SECONDS))
        except Unavailable as error:
            log.warning("simulations run in this process: %s", error)
            yield from one_by_one(told)(tasks)
            return
        try:
            yield from by(fleet, told)(tasks)
        finally:
            fleet.close()

    return run


def by(fleet: Fleet, told: DayTold | None = None) -> Mapping:
    """Return a mapping that runs tasks by workers that are there."""
    from engine.dispatch.ray import Session

    def run(tasks: Sequence[Task]) -> Iterator[bytes]:
        def heard(place: int, day: int) -> None:
            if told is not None:
                told(tasks[place], day)

        session = Session(fleet)
        try:
            for place, away in session.as_they_come(perform_away, ((task,) for task in tasks), heard):
                _keep(tasks[place], away)
                yield away.result
        finally:
            session.close()

    return run


def perform_away(task: Task, *, told: Callable[[int], None] | None = None) -> Away:
    """Do a task in a folder of its own, which is gone when this returns."""
    with tempfile.TemporaryDirectory(prefix="allot-simulation-") as folder:
        result = perform(replace(task, folder=Path(folder)), told)
        files = {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    return Away(result=result, files=files)


def _keep(task: Task, away: Away) -> None:
    """Write the files of a task where they are kept; its result comes after them."""
    folder = replication_path(task.folder, task.policy.name, task.replication).parent
    for name, content in away.files.items():
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def orders_of(tasks: Sequence[Task]) -> int:
    """Return about how many orders tasks have to simulate, by the first day of each story."""
    a_day = {id(task.story): task.story for task in tasks}
    counted = {number: len(story.demand.orders(0, 0)) * story.days for number, story in a_day.items()}
    return sum(counted[id(task.story)] for task in tasks)
