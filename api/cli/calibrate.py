"""`allot calibrate`: date distributions from recorded shipments; reading and learning are in engine/calibration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.calibration.learning import Calibration

MOST_HORIZON_DAYS = 730


def command(
    shipments: Annotated[Path, typer.Argument(metavar="SHIPMENTS.csv", help="Recorded shipments to learn from.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where the learned distributions go, as JSON.")] = None,
    score: Annotated[Path | None, typer.Option("--score", help="Shipments to predict and be judged by.")] = None,
    quantile: Annotated[float, typer.Option("--quantile", help="The share that is to be on time.")] = 0.9,
    predictions: Annotated[Path | None, typer.Option("--predictions", help="Where predicted dates go, CSV.")] = None,
    horizon: Annotated[
        float | None,
        typer.Option("--horizon", metavar="DAYS", help="How many days of orders what is learned is for; 30 if unsaid."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was learned as JSON; a score always is.")] = False,
) -> None:
    """Learn date distributions from recorded shipments, and score them on others."""
    _check(quantile, score, predictions, horizon)
    from engine.calibration.document import summary, write
    from engine.calibration.learning import HORIZON_DAYS, calibrate, promised_days
    from engine.calibration.predictions import write_predictions
    from engine.calibration.scoring import score as scored
    from engine.calibration.shipments import read_history, read_tests

    history = read_history(shipments)
    tests = read_tests(score) if score is not None else None
    if tests is not None:
        promised = promised_days(history, tests, quantile, horizon)
    if out is not None or tests is None:
        learned = calibrate(history, HORIZON_DAYS if horizon is None else horizon)
        if out is not None:
            write(learned, out)
    for note in (*history.notes, *(tests.notes if tests else ())):
        typer.echo(f"note: {note}", err=True)
    if tests is not None:
        if predictions is not None:
            write_predictions(predictions, tests, promised)
        typer.echo(json.dumps(scored(tests, promised, quantile), indent=2))
    elif as_json:
        typer.echo(json.dumps(summary(learned), indent=2))
    else:
        _show(learned)


def _check(quantile: float, score: Path | None, predictions: Path | None, horizon: float | None) -> None:
    from engine.errors import Fault, InvalidInput

    if not 0 < quantile < 1:
        raise InvalidInput(
            Fault(path="--quantile", message=f"{quantile:g} is not between 0 and 1; use one such as 0.9")
        )
    if horizon is not None and not 1 <= horizon <= MOST_HORIZON_DAYS:
        message = f"{horizon:g} days are not between 1 and {MOST_HORIZON_DAYS}; say until when you will learn anew"
        raise InvalidInput(Fault(path="--horizon", message=message))
    if predictions is not None and score is None:
        raise InvalidInput(Fault(path="--predictions", message="there is nothing to predict; name a file with --score"))


def _show(learned: Calibration) -> None:
    """Print the nodes, services and zones with the most to tell."""
    from rich.table import Table

    from api.cli.terminal import console
    from engine.calibration.document import summary

    said = summary(learned)
    table = Table(title=f"Lead times of {said['shipments']:,} shipments, {said['lanes']:,} lanes")
    for heading in ("service", "days: half arrive", "nine of ten", "49 of 50"):
        table.add_column(heading, justify="left" if heading == "service" else "right")
    for row in said["services"]:
        table.add_row(row["service"] or "–", str(row["p50"]), str(row["p90"]), str(row["p98"]))
    console().print(table)
