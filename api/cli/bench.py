"""`allot bench`: runs the benchmarks of benchmarks/, which print the tables of benchmarks/RESULTS.md."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from api.cli.terminal import choose

NAMES = ("one_by_one", "promise", "reservations")


def command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=f"One of {', '.join(NAMES)}; or all.")] = None,
) -> None:
    """Measure on this machine: prints one table per benchmark, with the machine stated."""
    for each in NAMES if name is None else (choose("NAME", name, NAMES),):
        sys.argv = [f"benchmarks.{each}"]
        import_module(f"benchmarks.{each}").main()
