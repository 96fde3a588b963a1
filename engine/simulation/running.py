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
from engine.simulation.worst import name_orders

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of stories is run: these policies (none: all), so often (None: as the story says).

    `facts` writes every table of `TABLES`, not orders alone; `fresh` simulates again what is there already.
    """

    policies: tuple[str, ...] = ()
    replications: int | None = None
    facts: bool = False
    fresh: bool = False


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
    name_orders([*tally.latest, *tally.dearest], task.story.demand)
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
    """Simulate one story into a folder, as `run_stories` does several."""
    wanted = Wanted(policies=tuple(policies), replications=replications, facts=facts, fresh=fresh)
    return run_stories([(story, out)], wanted, mapping, done)[0]


def run_stories(
    stories: Sequence[tuple[Story, Path]],
    wanted: Wanted,
    mapping: Mapping | None = None,
    done: Callable[[int, int], None] | None = None,
) -> list[StoryResults]:
    """Simulate stories under their policies, each into a folder of its own, and return their results.

    All tasks of all stories are mapped together. `done` hears how many of how many are through, first those that are
    there already. Each folder gets `orders.parquet`, too. Raises InvalidInput for policies and KPIs that are not known,
    and for a folder that holds something else.
    """
    for story, _ in stories:
        check_names(story)
    planned = [(story, out, _tasks(story, out, wanted)) for story, out in stories]
    tasks = [task for _, _, of_story in planned for task in of_story]
    waiting = [task for task in tasks if wanted.fresh or not _is_there(task)]
    folders: dict[tuple[str, str, int], list[Path]] = {}
    for task in waiting:
        folders.setdefault((task.story.sha256, task.policy.name, task.replication), []).append(task.folder)
    through = len(tasks) - len(waiting)
    if done is not None:
        done(through, len(tasks))
    for number, content in enumerate((mapping or one_by_one())(waiting), start=1):
        result = msgspec.json.decode(content, type=ReplicationResult)
        for folder in folders[result.story_sha256, result.policy, result.replication]:
            _write(replication_path(folder, result.policy, result.replication), content)
        if done is not None:
            done(through + number, len(tasks))
    return [_finish(story, out, of_story, wanted) for story, out, of_story in planned]


def _tasks(story: Story, out: Path, wanted: Wanted) -> list[Task]:
    count = story.replications if wanted.replications is None else wanted.replications
    tables = TABLES if wanted.facts else ("orders",)
    return [
        Task(story=story, policy=policy, replication=number, folder=out, tables=tables)
        for policy in _chosen(story, wanted.policies)
        for number in range(count)
    ]


def _finish(story: Story, out: Path, tasks: Sequence[Task], wanted: Wanted) -> StoryResults:
    """Write what a folder says of its story, and join the tables of all replications."""
    count = story.replications if wanted.replications is None else wanted.replications
    _write(out / STORY_FILE, encoded(told_of(story, names_of(story), _chosen(story, wanted.policies), count)))
    for table in TABLES if wanted.facts else ("orders",):
        paths = [replication_path(out, task.policy.name, task.replication) for task in tasks]
        join_files([_table_of(path, table) for path in paths], out / f"{table}.parquet")
    return read_results(out)


def _chosen(story: Story, policies: Sequence[str]) -> list[StoryPolicy]:
    known = {policy.name: policy for policy in story.policies}
    for name in policies:
        if name not in known:
            raise InvalidInput(Fault(path="--policy", message=f"{name!r} is not known; {nearest(name, known)}"))
    return [known[name] for name in (dict.fromkeys(policies) or known)]


def _is_there(task: Task) -> bool:
    """Return whether the folder has the result of the same story, by this allot, with the tables that are wanted."""
    path = replication_path(task.folder, task.policy.name, task.replication)
    if not path.is_file() or not all(_table_of(path, table).is_file() for table in task.tables):
        return False
    try:
        result = decoded(path.read_bytes(), ReplicationResult, str(path))
    except InvalidInput:  # of an allot that kept something else
        return False
    return result.story_sha256 == task.story.sha256 and result.version == VERSION


def _table_of(path: Path, table: str) -> Path:
    return path.with_name(f"{path.stem}.{table}.parquet")


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    part.replace(path)
