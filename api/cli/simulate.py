"""`allot simulate`: scenario files in, results and a report out; the work is in engine/simulation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from api.cli.terminal import console
from api.cli.what_if import OUT, document, label_folder, out_folder, raise_missed, refuse_twice, run, show


def command(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO.yaml...", help="Scenario files.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where results go; out/ and the file's name if unsaid.")
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
    facts: Annotated[bool, typer.Option("--facts", help="Write every table of facts, not orders alone.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Simulate again what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print KPIs and expectations as JSON.")] = False,
) -> None:
    """Run what-if scenarios on the real engine, compare their policies, and write a report.

    Several files are also put beside one another. Exit code 3 if something that a file expects does not hold.
    """
    from engine.reporting.kpi_files import write_reports
    from engine.scenarios.reading import read_story
    from engine.simulation.beside import beside
    from engine.simulation.expectations import check
    from engine.simulation.running import Wanted

    refuse_twice([scenario.stem for scenario in scenarios], "file")
    stories = [read_story(scenario) for scenario in scenarios]
    whole = out_folder(scenarios[0], out) if len(scenarios) == 1 else out or OUT
    folders = [whole if len(scenarios) == 1 else label_folder(whole, scenario.stem) for scenario in scenarios]
    wanted = Wanted(policies=tuple(policy or ()), replications=replications, facts=facts, fresh=fresh)
    found = run(list(zip(stories, folders, strict=True)), wanted, workers)
    checked = []
    for scenario, story, folder, results in zip(scenarios, stories, folders, found, strict=True):
        prefix = "" if len(scenarios) == 1 else f"{scenario.stem}: "
        of_story = check(story, results)
        write_reports(results, folder, of_story)
        checked += [replace(one, policy=f"{prefix}{one.policy}") for one in of_story]
    results = found[0]
    if len(scenarios) > 1:
        labelled = dict(zip((scenario.stem for scenario in scenarios), found, strict=True))
        results = beside("Scenarios beside one another", ", ".join(labelled), labelled)
        write_reports(results, whole, checked)
    if as_json:
        typer.echo(json.dumps(document(results, checked), ensure_ascii=False))
    else:
        show(results)
        console().print(f"\nThe report is {whole / 'report.html'}.", style="dim", soft_wrap=True)
    raise_missed(checked)
