"""`allot bench`: runs the benchmarks of benchmarks/, which print the tables of benchmarks/RESULTS.md."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from api.cli.terminal import choose

NAMES = (
    "dispatch",
    "http",
    "inventory",
    "one_by_one",
    "orders",
    "peak",
    "promise",
    "promise_dates",
    "published",
    "routing_gap",
    "simulation",
    "watch",
)


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME [OPTION]...]", help=f"One of {', '.join(NAMES)}, and its options; or all."),
    ] = None,
) -> None:
    """Measure on this machine: prints one table per benchmark, with the machine stated."""
    named, options = (words or [])[:1], (words or [])[1:]
    for name in [choose("NAME", name, NAMES) for name in named] or NAMES:
        sys.argv = [f"benchmarks.{name}", *options]
        import_module(f"benchmarks.{name}").main()
