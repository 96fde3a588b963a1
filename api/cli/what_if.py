"""What `simulate`, `compare` and `sweep` have in common: running with a progress bar, and results on the terminal.

Not here: the verbs themselves, reports (engine/reporting).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from api.cli.terminal import console
from engine.errors import ExpectationMissed, Fault, InvalidInput

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from engine.scenarios.story import Story
    from engine.simulation.expectations import Checked
    from engine.simulation.results import StoryResults
    from engine.simulation.running import Task, Wanted

OUT = Path("out")
SHOWN = {
    "orders_asked": "orders asked",
    "cost_per_order_cents": "cost per order",
    "contribution_per_order_cents": "contribution per order",
    "on_time_promise_share": "on time",
    "promised_days": "promised in",
    "click_to_deliver_p95_hours": "delivered in, P95",
    "fill_rate_units": "units filled",
    "lost_orders_share": "orders lost",
    "split_rate": "orders split",
    "reroute_rate": "orders rerouted",
    "node_utilisation_mean": "node utilisation",
    "bound_gap_share": "gap to the bound",
}
"""The KPIs of the table on the terminal, and what it calls them."""
_MOST_NAME = 24


def out_folder(scenario: Path, out: Path | None) -> Path:
    """Return where the results of a scenario file go: where it is said, else `out/` and its name."""
    return OUT / scenario.stem if out is None else out


def run(
    stories: Sequence[tuple[Story, Path]], wanted: Wanted | None = None, workers: int | None = None
) -> list[StoryResults]:
    """Run stories into folders, with a progress bar if standard error is a terminal; `workers` None: one a core."""
    from engine.config import read_settings
    from engine.simulation.fan_out import cores, fan_out
    from engine.simulation.running import Wanted, run_stories

    with _progress([story.days for story, _ in stories]) as (told, done):
        mapping = fan_out(workers=workers or cores(), address=read_settings().ray_address, told=told)
        return run_stories(stories, wanted or Wanted(), mapping, done)


@contextmanager
def _progress(
    days: Sequence[int],
) -> Iterator[tuple[Callable[[Task, int], None] | None, Callable[[int, int], None] | None]]:
    if not sys.stderr.isatty():
        yield None, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    each = sum(days) / len(days)
    seen: set[tuple[Path, str, int, int]] = set()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("simulating")

        def told(task: Task, day: int) -> None:
            key = (task.folder, task.policy.name, task.replication, day)
            if key not in seen:
                seen.add(key)
                named = f"{task.story.name}: {task.policy.name}, replication {task.replication + 1}"
                bar.update(shown, advance=1, description=named)

        def done(through: int, of: int) -> None:
            bar.update(shown, completed=through * each, total=of * each)

        yield told, done


def show(results: StoryResults) -> None:
    """Print means, and differences from the first policy with their intervals: as many tables as the width asks for."""
    shown = console()
    base = next(iter(results.by_policy))
    columns = {policy: [_cell(results, policy, base, kpi) for kpi in SHOWN] for policy in results.by_policy}
    names = max(map(len, SHOWN.values()))
    for policies in _fitting(columns, shown.width - names - 2):
        shown.print(_table(policies, columns))
        shown.print()
    count = results.story.replications
    said = f"{count} replications, intervals of 95 %" if count > 1 else "1 replication: no intervals"
    shown.print(f"money in {results.story.currency}; {said}", style="dim")


def _fitting(columns: Mapping[str, Sequence[Text]], width: int) -> list[list[str]]:
    """Return the policies in groups that stand beside one another in a width."""
    groups: list[list[str]] = [[]]
    used = 0
    for policy, cells in columns.items():
        lines = [line for cell in cells for line in cell.plain.splitlines()]
        wide = max(min(len(policy), _MOST_NAME), *map(len, lines)) + 2
        if groups[-1] and used + wide > width:
            groups.append([])
            used = 0
        groups[-1].append(policy)
        used += wide
    return groups


def _table(policies: Sequence[str], columns: Mapping[str, Sequence[Text]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True, style="dim")
    for policy in policies:
        table.add_column(Text(policy), justify="right", max_width=_MOST_NAME, overflow="fold")
    for row, name in enumerate(SHOWN.values()):
        cells = [columns[policy][row] for policy in policies]
        if any(cell.plain.strip("–\n ") for cell in cells):
            table.add_row(name, *cells)
    return table


def _cell(results: StoryResults, policy: str, base: str, kpi: str) -> Text:
    from rich.text import Text

    from engine.reporting.simulation_report import cell
    from engine.simulation.kpis import BY_NAME

    found = cell(results, policy, base, BY_NAME[kpi])
    shown = Text(found.mean)
    if found.change and found.change != "=":
        style = {"better": "green", "worse": "red"}.get(found.verdict, "dim")
        shown.append(f"\n{found.change} {found.change_reach}".rstrip(), style=style)
    return shown


def document(results: StoryResults, checked: Sequence[Checked] = ()) -> dict[str, Any]:
    """Return results for machines: every KPI of every policy, and what was expected."""
    from dataclasses import asdict

    from engine.reporting.kpi_files import kpi_rows

    policies: dict[str, dict[str, Any]] = {policy: {} for policy in results.by_policy}
    for row in kpi_rows(results):
        kept = ("unit", "mean", "half_width", "difference", "difference_half_width")
        policies[row.policy][row.kpi] = {name: value for name, value in asdict(row).items() if name in kept}
    expect = [{**asdict(one), "holds": one.holds} for one in checked]
    return {"story": results.story.name, "replications": results.story.replications, "policies": policies} | (
        {"expect": expect} if checked else {}
    )


def raise_missed(checked: Sequence[Checked]) -> None:
    """Raise ExpectationMissed if a bar was missed, naming each one and by how much."""
    missed = [one for one in checked if not one.holds]
    if missed:
        lines = "\n".join(f"  {_missed(one)}" for one in missed)
        raise ExpectationMissed(f"{len(missed)} of {len(checked)} expectations are missed:\n{lines}")


def _missed(one: Checked) -> str:
    from engine.reporting.numbers import points, written
    from engine.simulation.kpis import BY_NAME

    unit = BY_NAME[one.kpi].unit
    place = f"{one.path}: " if one.path else ""
    if one.value is None or one.bar is None:
        return f"{place}{one.kpi} of {one.policy!r} has no value in this story"
    of = f", that of {one.of_policy!r} times what is said" if one.of_policy is not None else ""
    return (
        f"{place}{one.kpi} of {one.policy!r} is {written(one.value, unit)}, expected {one.relation} "
        f"{written(one.bar, unit)}{of}: missed by {points(one.missed_by, unit)}"
    )


def label_folder(folder: Path, label: str) -> Path:
    """Return a folder for what a label names, with a name that every file system takes."""
    return folder / quote(label, safe="=,+ ")


def refuse_twice(labels: Sequence[str], what: str) -> None:
    """Raise InvalidInput if a label stands twice: its results would be the same folder."""
    for label in labels:
        if labels.count(label) > 1:
            message = f"{label!r} stands twice; give each {what} a name of its own"
            raise InvalidInput(Fault(path=label, message=message))
