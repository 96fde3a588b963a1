"""`allot sweep`: a scenario over a grid of values of its fields; the work is in engine/simulation."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from api.cli.terminal import console
from api.cli.what_if import OUT, document, label_folder, refuse_twice, run, show
from engine.errors import Fault, InvalidInput


def command(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.yaml", help="A scenario file.")],
    vary: Annotated[
        list[str],
        typer.Option("--vary", metavar="PATH=A,B,C", help="A field and its values; repeat it for a grid."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where results go; out/NAME-sweep if unsaid.")
    ] = None,
    replications: Annotated[
        int | None, typer.Option("--replications", metavar="N", min=1, help="In place of what the file says.")
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option("--policy", metavar="NAME", help="Only this policy; repeat it for more.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Ray workers, one a core if unsaid; no effect on results."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Simulate again what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all KPIs and differences as JSON.")] = False,
) -> None:
    """Simulate a scenario with each combination of values, and put the results beside one another.

    Stopped on the way, it goes on where it was: what is in the folder already is not simulated again.
    """
    from engine.reporting.kpi_files import write_reports
    from engine.scenarios.reading import read_story
    from engine.simulation.beside import beside
    from engine.simulation.running import Wanted

    grid = [read_values(text) for text in vary]
    points = [tuple(zip((path for path, _ in grid), values, strict=True)) for values in product(*(v for _, v in grid))]
    labels = [label(point, [path for path, _ in grid]) for point in points]
    refuse_twice(labels, "value")
    stories = [read_story(scenario, overrides=point) for point in points]
    whole = out or OUT / f"{scenario.stem}-sweep"
    folders = [label_folder(whole, name) for name in labels]
    wanted = Wanted(policies=tuple(policy or ()), replications=replications, fresh=fresh)
    found = run(list(zip(stories, folders, strict=True)), wanted, workers)
    for results, folder in zip(found, folders, strict=True):
        write_reports(results, folder)
    results = beside(f"{stories[0].name}, varied", "; ".join(vary), dict(zip(labels, found, strict=True)))
    write_reports(results, whole)
    if as_json:
        typer.echo(json.dumps(document(results), ensure_ascii=False))
        return
    show(results)
    console().print(f"\nThe report is {whole / 'report.html'}.", style="dim", soft_wrap=True)


def read_values(text: str) -> tuple[str, list[object]]:
    """Return path and values of a `PATH=A,B,C`; values are as in YAML: `true`, `0.5`, `"a,b"`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path, equals, listed = text.partition("=")
    try:
        values = YAML(typ="safe", pure=True).load(io.StringIO(f"[{listed}]")) if equals and path else []
    except YAMLError as error:
        message = f"the values {listed!r} cannot be read: {getattr(error, 'problem', error)}"
        raise InvalidInput(Fault(path="--vary", message=message)) from None
    if not values:
        message = f"{text!r} has no values; write such as policies[0].window_minutes=0,5,60"
        raise InvalidInput(Fault(path="--vary", message=message))
    return path.strip(), values


def label(point: Sequence[tuple[str, object]], paths: Sequence[str]) -> str:
    """Return what to call a combination: the last part of each path with its value, the whole path where two end so."""
    ends = [path.rpartition(".")[2] for path in paths]
    named = [end if ends.count(end) == 1 else path for path, end in zip(paths, ends, strict=True)]
    return ", ".join(f"{name}={_value(value)}" for name, (_, value) in zip(named, point, strict=True))


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
