"""`allot compare`: two results beside each other, as differences with intervals; the work is in engine/simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.terminal import console
from api.cli.what_if import document, out_folder, refuse_twice, run, show

if TYPE_CHECKING:
    from engine.simulation.results import StoryResults


def command(
    first: Annotated[Path, typer.Argument(metavar="A", help="A result folder, or a scenario file that is run first.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where a report of the comparison goes; none if unsaid.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all KPIs and differences as JSON.")] = False,
) -> None:
    """Compare two simulations: B against A, replication by replication on the same random numbers."""
    from engine.reporting.kpi_files import write_reports
    from engine.simulation.beside import beside

    labels = [_label(first), _label(second)]
    if labels[0] == labels[1]:
        labels = [str(first), str(second)]
    refuse_twice(labels, "result")
    results = beside(
        f"{labels[1]} against {labels[0]}", "", dict(zip(labels, map(_results, (first, second)), strict=True))
    )
    if out is not None:
        write_reports(results, out)
    if as_json:
        typer.echo(json.dumps(document(results), ensure_ascii=False))
        return
    show(results)
    if out is not None:
        console().print(f"\nThe report is {out / 'report.html'}.", style="dim", soft_wrap=True)


def _label(path: Path) -> str:
    return path.stem if path.is_file() else path.name


def _results(path: Path) -> StoryResults:
    """Return the results in a folder; those of a scenario file are simulated if they are not there."""
    from engine.scenarios.reading import read_story
    from engine.simulation.results import read_results

    return run([(read_story(path), out_folder(path, None))])[0] if path.is_file() else read_results(path)
