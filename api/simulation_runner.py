"""The process that works on one simulation of the API: `python -m api.simulation_runner FOLDER`, at low priority.

It goes on where the last one stopped: replications that are in the folder are not simulated again. It ends when its
server dies, when somebody cancels, and at its deadline. Not here: who starts it (simulation_work.py), the folder
(engine/simulation/jobs.py).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.config import read_settings
from engine.errors import AllotError, Fault, InvalidInput
from engine.reporting.kpi_files import kpi_rows, write_reports
from engine.scenarios.reading import story_of
from engine.scenarios.story import Story
from engine.simulation.expectations import check
from engine.simulation.fan_out import fan_out
from engine.simulation.jobs import CANCELLED, DONE, FAILED, RUNNING, Flaw, JobFolder, Wanted
from engine.simulation.running import Task, run_story

NICE = 10
WATCH_SECONDS = 0.25
TELL_SECONDS = 0.5
"""Days are told so often at most."""
KPIS = "kpis.json"
log = logging.getLogger("allot.simulations")


class Runner:
    """The work on one simulation; whatever ends it first says so, once."""

    def __init__(self, folder: JobFolder, wanted: Wanted) -> None:
        self._folder, self._wanted, self._parent = folder, wanted, os.getppid()
        self._guard, self._told_at = threading.Lock(), 0.0
        self._days_done: dict[tuple[str, int], int] = {}

    def run(self) -> None:
        """Simulate, and say what came of it."""
        state = self._folder.state()
        started = state.started_at or datetime.now(UTC)
        running = msgspec.structs.replace(state, status=RUNNING, started_at=started, starts=state.starts + 1)
        self._folder.put_state(running)
        self._folder.tell("started", {"again": state.started_at is not None})
        threading.Thread(target=self._watch, args=(started,), daemon=True).start()
        try:
            self._simulate()
        except InvalidInput as error:
            flaws = [Flaw(path=fault.path, message=fault.message) for fault in error.faults[:100]]
            self._end(FAILED, failure="The scenario is not valid.", code=error.code, flaws=flaws)
        except AllotError as error:
            self._end(FAILED, failure=str(error), code=error.code)
        except Exception as error:
            log.exception("a simulation failed")
            failure = f"The simulation failed ({type(error).__name__}); the log of the server's machine says why."
            self._end(FAILED, failure=failure, code="internal_error")
        else:
            self._end(DONE)

    def _simulate(self) -> None:
        wanted = self._wanted
        story = story_of(self._folder.text(), source="scenario")
        replications = story.replications if wanted.replications is None else wanted.replications
        tasks = len(wanted.policies or story.policies) * replications
        check_size(story, tasks, wanted.most_orders)
        with self._guard:
            state = msgspec.structs.replace(self._folder.state(), replications=tasks, days=tasks * story.days)
            self._folder.put_state(state)
        settings = read_settings()
        workers = settings.ray_workers if settings.ray_address is not None else 1
        results = run_story(
            story,
            self._folder.results,
            policies=wanted.policies,
            replications=wanted.replications,
            mapping=fan_out(workers=workers, address=settings.ray_address, told=self._day),
            done=lambda done, of: self._replication(done, of, story.days),
        )
        checked = check(story, results)
        write_reports(results, self._folder.results, checked)
        expected = [
            {"kpi": each.kpi, "policy": each.policy, "relation": each.relation, "bar": each.bar, "value": each.value}
            | {"holds": each.holds}
            for each in checked
        ]
        rows = [
            {
                "policy": row.policy,
                "kpi": row.kpi,
                "unit": row.unit,
                "mean": row.mean,
                "half_width": row.half_width,
                "difference": row.difference,
                "difference_half_width": row.difference_half_width,
            }
            for row in kpi_rows(results)
        ]
        self._folder.put(KPIS, msgspec.json.encode({"kpis": rows, "expectations": expected}))

    def _day(self, task: Task, day: int) -> None:
        """Hear of a day that is over; what is told of it is what is known then."""
        with self._guard:
            key = (task.policy.name, task.replication)
            self._days_done[key] = max(day + 1, self._days_done.get(key, 0))
            if time.monotonic() < self._told_at + TELL_SECONDS:
                return
            self._told_at = time.monotonic()
            self._progress({"policy": key[0], "replication": key[1], "day": day})

    def _replication(self, done: int, of: int, days: int) -> None:
        """Hear of a replication that is over, and kept."""
        with self._guard:
            state = self._folder.state()
            known = sum(self._days_done.values())
            self._folder.put_state(
                msgspec.structs.replace(
                    state, replications_done=done, replications=of, days_done=max(done * days, known), starts=0
                )
            )
            self._folder.tell("replication", {"done": done, "of": of})

    def _progress(self, about: dict[str, Any]) -> None:
        state = self._folder.state()
        days_done = max(state.days_done, min(state.days, sum(self._days_done.values())))
        self._folder.put_state(msgspec.structs.replace(state, days_done=days_done))
        self._folder.tell("day", {**about, "days_done": days_done, "days": state.days})

    def _watch(self, started: datetime) -> None:
        """End with the server, at the deadline, and when somebody cancels."""
        while True:
            time.sleep(WATCH_SECONDS)
            if os.getppid() != self._parent:
                os._exit(1)  # the next server goes on
            if self._folder.is_cancelled:
                self._end(CANCELLED)
            if (datetime.now(UTC) - started).total_seconds() > self._wanted.most_seconds:
                failure = f"It took longer than {self._wanted.most_seconds:g} s; ask for fewer days or replications."
                self._end(FAILED, failure=failure, code="deadline_exceeded")

    def _end(self, status: str, **said: Any) -> None:
        """Say how it ended, and end: the first who calls does, and nothing is written after."""
        with self._guard:
            self._folder.end(status, datetime.now(UTC), **said)
            os._exit(0)


def check_size(story: Story, tasks: int, most_orders: int) -> None:
    """Raise InvalidInput if a story has more orders in all than may be simulated."""
    orders = 0
    for day in range(story.days):
        orders += len(story.demand.orders(0, day)) * tasks
        if orders > most_orders:
            message = (
                f"has more than {most_orders:,} orders in {story.days} days × {tasks} replications of its policies; "
                "ask for fewer days, replications or policies, or for a part of the demand"
            )
            raise InvalidInput(Fault(path="scenario", message=message))


def main(arguments: Sequence[str]) -> None:
    """Work on the simulation of a folder, whose lock this process was handed."""
    os.nice(NICE)
    folder = JobFolder(Path(arguments[0]))
    job = folder.job()
    if job is not None:
        Runner(folder, job.wanted).run()


if __name__ == "__main__":
    main(sys.argv[1:])
