"""`allot scenario`: reads scenario files without running them; says what each holds, or the patterns of its orders."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from engine.scenarios.story import Story


class Act(StrEnum):
    """What can be done with scenario files."""

    check = "check"
    fit = "fit"


def command(
    act: Annotated[Act, typer.Argument(metavar="ACT", help="check, or fit patterns to recorded orders.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenario files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what they hold as JSON.")] = False,
) -> None:
    """Check scenario files, with all that they extend and name, and say what they hold; all faults are told at once.

    `fit` prints what may stand under `generate` to draw orders like the recorded ones of a file.
    """
    from engine.scenarios.reading import read_story

    if act is Act.fit:
        _fit(files)
        return
    told: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for file in files:
        try:
            told.append({"file": str(file), **_holds(read_story(file))})
        except InvalidInput as error:
            faults += error.faults
    if faults:
        raise InvalidInput(faults)
    if as_json:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _show(told)


def _fit(files: list[Path]) -> None:
    from zoneinfo import ZoneInfo

    from engine.scenarios.fitting import fit_patterns
    from engine.scenarios.order_tables import together
    from engine.scenarios.reading import read_story

    if len(files) != 1:
        raise InvalidInput(Fault(path="FILE", message=f"{len(files)} files are named; give one"))
    story = read_story(files[0])
    days = [story.demand.orders(0, day) for day in range(story.days)]
    starts_on = story.start.astimezone(ZoneInfo(story.time_zone)).date()
    patterns = fit_patterns(together(days), starts_on, story.days)
    document = {"generate": patterns.model_dump(mode="json", exclude_defaults=True)}
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def _holds(story: Story) -> dict[str, Any]:
    first = story.demand.orders(0, 0)
    return {
        "name": story.name,
        "start": story.start.isoformat(),
        "days": story.days,
        "nodes": len(story.world.network.nodes),
        "services": len(story.world.network.services),
        "products": len(story.world.catalog.products),
        "units": sum(position.units for position in story.world.positions if not position.unlimited),
        "orders_on_the_first_day": len(first),
        "changes": len(story.changes),
        "policies": [policy.name for policy in story.policies],
        "replications": story.replications,
        "expectations": len(story.expect),
        "sha256": story.sha256,
    }


def _show(told: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from api.cli.terminal import console

    table = Table(title="Scenarios")
    for heading in ("file", "days", "nodes", "SKUs", "units", "orders, day 0", "changes", "policies", "expects"):
        table.add_column(heading, justify="left" if heading in {"file", "policies"} else "right")
    for row in told:
        table.add_row(
            Path(row["file"]).name,
            *(f"{row[key]:,}" for key in ("days", "nodes", "products", "units", "orders_on_the_first_day", "changes")),
            ", ".join(row["policies"]),
            f"{row['expectations']:,}",
        )
    console().print(table)
