"""`allot verify`: check a result folder independently of the solvers; the work is in engine/verification."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import ExpectationMissed

if TYPE_CHECKING:
    from rich.text import Text

    from engine.verification.verdict import Check, Progress, Verdict

_QUIET_SECONDS = 2.0
_WIDTH_IN_A_FILE = 400
_STYLES = {"ok": "green", "failed": "bold red", "not re-proved": "yellow"}


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The problem folder that was routed.")],
    result: Annotated[Path, typer.Argument(metavar="DIR", help="The result folder: plan, prices and summary.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every check as JSON.")] = False,
) -> None:
    """Check a result folder independently of the solvers: feasibility, every cost, the gap and the proven bound."""
    from engine.verification.verify import verify

    with _progress() as progress:
        verdict = verify(folder, result, progress)
    if as_json:
        typer.echo(json.dumps(_as_json(verdict), ensure_ascii=False))
    else:
        _print(verdict)
    failed = [check.name for check in verdict.checks if check.state == "failed"]
    if failed:
        raise ExpectationMissed(f"{result} does not agree with {folder}: {', '.join(failed)}")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show how far the work is on standard error, from two seconds on, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    began, started = time.monotonic(), False
    bar = Bar(console=Console(stderr=True), transient=True, auto_refresh=False)
    task = bar.add_task("")

    def show(step: str, done: int, of: int) -> None:
        nonlocal started
        if not started and time.monotonic() - began < _QUIET_SECONDS:
            return
        if not started:
            bar.start()
            started = True
        bar.update(task, description=step, completed=done, total=of)
        bar.refresh()

    try:
        yield show
    finally:
        bar.stop()


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "agrees": verdict.agrees,
        "proven_bound_cents": verdict.proven_bound_cents,
        "checks": [
            {
                "name": check.name,
                "title": check.title,
                "state": check.state,
                "remark": check.remark,
                "found": check.found,
                "disagreements": [{"place": one.place, "message": one.message} for one in check.disagreements],
            }
            for check in verdict.checks
        ],
    }


def _print(verdict: Verdict) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in verdict.checks:
        table.add_row(Text(check.state, style=_STYLES[check.state]), _told(check))
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_IN_A_FILE)
    console.print(table)
    counts = {state: sum(check.state == state for check in verdict.checks) for state in _STYLES}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    word = "The result agrees with its problem" if verdict.agrees else "The result does NOT agree with its problem"
    console.print(Text(f"\n{word}: {said}.", style="bold"), soft_wrap=True)


def _told(check: Check) -> Text:
    from rich.text import Text

    told = Text(check.title)
    if check.remark:
        told.append(f" ({check.remark})", style="dim")
    for one in check.disagreements:
        told.append(f"\n  {one}", style="red")
    if check.found > len(check.disagreements):
        told.append(f"\n  … and {check.found - len(check.disagreements)} more", style="red")
    return told
