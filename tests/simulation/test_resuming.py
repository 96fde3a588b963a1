"""Stories whose process is killed: the next one goes on where it stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.simulation.running import Task, one_by_one, run_story
from tests.dispatch.stories import PLACED, DeadlyOrders, content, of
from tests.simulation.small_world import Orders


def test_a_killed_process_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    """Killed in its second task: the first is kept, and the rest is done by the next process.

    Seeded bugs this catches: results written when all tasks are done; tables of a task written under their final names.
    """
    run_story(of(Orders(placed=PLACED)), tmp_path / "whole")
    deadly = of(DeadlyOrders(placed=PLACED, mark=tmp_path / "killed", deadly_replication=1))
    out, asked = tmp_path / "out", list[tuple[str, int]]()
    child = os.fork()
    if child == 0:
        run_story(deadly, out)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL

    def noting(tasks: Sequence[Task]) -> Iterable[bytes]:
        asked.extend((task.policy.name, task.replication) for task in tasks)
        return one_by_one()(tasks)

    run_story(deadly, out, mapping=noting)
    assert asked == [("hourly", 1), ("hourly", 2), ("at once", 0), ("at once", 1), ("at once", 2)]
    assert content(out) == content(tmp_path / "whole")
