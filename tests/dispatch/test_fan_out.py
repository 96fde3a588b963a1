"""Simulations by Ray workers: the bytes of one process, whatever happens to the workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dispatch.ray import Fleet
from engine.errors import Unavailable
from engine.simulation.fan_out import by, fan_out, orders_of
from engine.simulation.running import Task, run_story
from tests.dispatch.stories import DAYS, PLACED, DeadlyOrders, SlowOrders, content, of
from tests.simulation.small_world import Orders


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process makes of the story."""
    out = tmp_path_factory.mktemp("alone")
    run_story(of(Orders(placed=PLACED)), out)
    return content(out)


def test_two_workers_write_the_bytes_of_one_process_and_tell_how_far_they_are(
    fleet: Fleet, alone: dict[str, bytes], tmp_path: Path
) -> None:
    """The first task is the last to be done.

    Seeded bugs this catches: tables of facts left at the worker; days told of another task.
    """
    heard: list[tuple[str, int, int]] = []

    def told(task: Task, day: int) -> None:
        heard.append((task.policy.name, task.replication, day))

    through: list[int] = []
    slow = of(SlowOrders(placed=PLACED, slow_replication=0, seconds=1.5))
    run_story(slow, tmp_path, mapping=by(fleet, told), done=lambda number, of: through.append(number))
    assert content(tmp_path) == alone
    assert through == list(range(7))
    days = [day for policy, replication, day in heard if (policy, replication) == ("hourly", 0)]
    assert days == sorted(set(days))
    assert days


def test_a_task_whose_worker_is_killed_is_done_again_by_another(
    fleet: Fleet, alone: dict[str, bytes], tmp_path: Path
) -> None:
    """Seeded bug this catches: a task of a dead worker left out."""
    mark = tmp_path / "killed"
    run_story(of(DeadlyOrders(placed=PLACED, mark=mark, deadly_replication=1)), tmp_path / "out", mapping=by(fleet))
    assert mark.exists()
    assert content(tmp_path / "out") == alone


def test_little_work_never_touches_ray(
    alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("Ray is started")

    monkeypatch.setattr("engine.dispatch.ray.Fleet", never)
    days: list[int] = []
    run_story(of(Orders(placed=PLACED)), tmp_path, mapping=fan_out(workers=4, told=lambda _, day: days.append(day)))
    assert content(tmp_path) == alone
    assert days == [*range(DAYS)] * 6


def test_without_ray_everything_is_done_here(
    alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def cannot(*_: object) -> None:
        asked.append(1)
        raise Unavailable("no worker came")

    monkeypatch.setattr("engine.dispatch.ray.Fleet", cannot)
    run_story(of(Orders(placed=PLACED)), tmp_path, mapping=fan_out(workers=2, from_orders=0))
    assert asked == [1]
    assert content(tmp_path) == alone


def test_work_is_counted_in_orders_of_all_tasks(tmp_path: Path) -> None:
    story = of(Orders(placed=PLACED))
    tasks = [
        Task(story=story, policy=policy, replication=number, folder=tmp_path, tables=())
        for policy in story.policies
        for number in range(3)
    ]
    assert orders_of(tasks) == 1 * DAYS * 6
