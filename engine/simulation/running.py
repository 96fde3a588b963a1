"""Running a story: each policy and replication a task of its own, results in a folder, what is there is not run again.

Not here: the simulator (simulator.py), where tasks run (`mapping` is handed in), reports (engine/reporting).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.scenarios.story import Story, StoryPolicy
from engine.simulation.expectations import check_names
from engine.simulation.fact_files import TABLES, FactFiles, join_files
from engine.simulation.facts import FactSink, Ledger
from engine.simulation.kpis import kpis_of
from engine.simulation.results import (
    STORY_FILE,
    VERSION,
    ReplicationResult,
    StoryResults,
    decoded,
    encoded,
    read_results,
    replication_path,
    told_of,
)
from engine.simulation.simulator import names_of, simulate
from engine.simulation.tally import Tally

Told = Callable[[int], None]
Simulate = Callable[[Story, StoryPolicy, int, FactSink, Told | None], Ledger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One replication of a story under one policy; its facts go to `folder`, those of `tables`."""

    story: Story
    policy: StoryPolicy
    replication: int
    folder: Path
    tables: tuple[str, ...]


Mapping = Callable[[Sequence[Task]], Iterable[bytes]]
"""Runs tasks anywhere and gives the results of each (`perform`) as they come, in any order."""


def perform(task: Task, told: Told | None = None) -> bytes:
    """Simulate one replication and return its result; a plain function of picklable arguments."""
    tally = Tally.of(task.story, task.replication)
    path = replication_path(task.folder, task.policy.name, task.replication)
    said: dict[str, str | int] = {"policy": task.policy.name, "replication": task.replication}
    names = names_of(task.story)
    with FactFiles(path.parent, path.stem, said=said, names=names, tables=task.tables, then=tally) as sink:
        ledger = simulate(task.story, task.policy, task.replication, sink, told)
    result = ReplicationResult(
        version=VERSION,
        story_sha256=task.story.sha256,
        policy=task.policy.name,
        replication=task.replication,
        kpis=kpis_of(tally, ledger, task.story),
        ledger=ledger,
        tally=tally,
    )
    return encoded(result)


def one_by_one(told: Callable[[Task, int], None] | None = None) -> Mapping:
    """Return a mapping that runs tasks in this process, one after the other; `told` hears of each day that is over."""

    def run(tasks: Sequence[Task]) -> Iterator[bytes]:
        for task in tasks:
            yield perform(task, None if told is None else lambda day, task=task: told(task, day))  # type: ignore[misc]

    return run


def run_story(
    story: Story,
    out: Path,
    *,
    policies: Sequence[str] = (),
    replications: int | None = None,
    facts: bool = False,
    fresh: bool = False,
    mapping: Mapping | None = None,
    done: Callable[[int, int], None] | None = None,
) -> StoryResults:
    """Simulate a story under its policies into a folder, and return the results; `orders.parquet` is written too.

    `policies` names those to run, none is all. Replications of the same story that are in the folder are not simulated
    again unless `fresh`. `facts` writes every table of `TABLES` beside `orders.parquet`. `done` hears how many tasks
    of how many are through. Raises InvalidInput for policies and KPIs that are not known, and for a folder that holds
    something else.
    """
    check_names(story)
    chosen = _chosen(story, policies)
    count = story.replications if replications is None else replications
    tables = TABLES if facts else ("orders",)
    tasks = [
        Task(story=story, policy=policy, replication=number, folder=out, tables=tables)
        for policy in chosen
        for number in range(count)
    ]
    out.mkdir(parents=True, exist_ok=True)
    waiting = [task for task in tasks if fresh or not _is_there(task)]
    if done is not None:
        done(len(tasks) - len(waiting), len(tasks))
    for number, content in enumerate((mapping or one_by_one())(waiting), start=1):
        result = msgspec.json.decode(content, type=ReplicationResult)
        _write(replication_path(out, result.policy, result.replication), content)
        if done is not None:
            done(len(tasks) - len(waiting) + number, len(tasks))
    _write(out / STORY_FILE, encoded(told_of(story, names_of(story), chosen, count)))
    _gather(tasks, out, facts)
    return read_results(out)


def _chosen(story: Story, policies: Sequence[str]) -> list[StoryPolicy]:
    known = {policy.name: policy for policy in story.policies}
    for name in policies:
        if name not in known:
            raise InvalidInput(Fault(path="--policy", message=f"{name!r} is not known; {nearest(name, known)}"))
    return [known[name] for name in (dict.fromkeys(policies) or known)]


def _is_there(task: Task) -> bool:
    """Return whether the folder has the result of the same story, with the tables that are wanted."""
    path = replication_path(task.folder, task.policy.name, task.replication)
    if not path.is_file() or not all(_table_of(path, table).is_file() for table in task.tables):
        return False
    result = decoded(path.read_bytes(), ReplicationResult, str(path))
    return result.story_sha256 == task.story.sha256 and result.version == VERSION


def _gather(tasks: Sequence[Task], out: Path, facts: bool) -> None:
    """Join the tables of all replications: `orders.parquet`, and the others if facts are asked for."""
    for table in TABLES if facts else ("orders",):
        paths = [replication_path(out, task.policy.name, task.replication) for task in tasks]
        join_files([_table_of(path, table) for path in paths], out / f"{table}.parquet")


def _table_of(path: Path, table: str) -> Path:
    return path.with_name(f"{path.stem}.{table}.parquet")


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    part.replace(path)
