"""What several verbs show on the terminal: progress on standard error, and choices that are refused in plain words."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from rich.console import Console

    from solvers.plan import TracePoint


def choose(option: str, value: str, choices: Sequence[str]) -> str:
    """Return the value of an option if it is one of its choices; raise InvalidInput naming the nearest otherwise."""
    if value in choices:
        return value
    from engine.faults import nearest

    raise InvalidInput(Fault(path=option, message=f"{value!r} is not known; {nearest(value, choices)}"))


def console() -> Console:
    """Return a console for results on standard output; wide enough for tables when it is not a terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def program() -> str:
    """Return what to type for this program: `allot` if that is found, else where it was started from."""
    return "allot" if shutil.which("allot") else os.path.relpath(sys.argv[0])


@contextmanager
def solve_progress(what: str) -> Iterator[Callable[[TracePoint], None] | None]:
    """Show bound, best plan and gap of a running solve on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{what}: reading and compiling")

        def show(point: TracePoint) -> None:
            best = "–" if point.best_cents is None else f"{point.best_cents / 100:,.2f}"
            gap = ""
            if point.bound_cents and point.best_cents is not None:
                gap = f", gap {(point.best_cents - point.bound_cents) / point.bound_cents:.2%}"
            bar.update(task, description=f"{what}: best {best}{gap}")

        yield show
