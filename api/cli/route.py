"""`allot route`: a problem folder in, a result folder with a proven gap out; the work is in engine/routing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.terminal import choose, console, program, solve_progress
from engine.errors import ExpectationMissed

if TYPE_CHECKING:
    from rich.table import Table

    from engine.routing.route_folder import Routed

METHODS = ("auto", "exact", "one_by_one", "nearest", "ranked", "fewest_splits", "cascade", "weighted")
EXACT_SOLVERS = ("highs", "scip", "cp_sat")


def command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A problem folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the result goes.")],
    method: Annotated[str, typer.Option("--method", help=f"One of {', '.join(METHODS)}.")] = "auto",
    method_options: Annotated[
        list[str] | None,
        typer.Option(
            "--method-option",
            metavar="NAME=VALUE",
            help="Of cascade and weighted; may come again.",
            show_default=False,
        ),
    ] = None,
    exact_solver: Annotated[
        str | None,
        typer.Option(
            "--exact-solver", help=f"Of --method exact: one of {', '.join(EXACT_SOLVERS)}.", show_default=False
        ),
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", metavar="SECONDS", help="Go on improving until then.")
    ] = None,
    target_gap: Annotated[
        float | None, typer.Option("--target-gap", metavar="SHARE", help="Stop at this gap; exit 3 if it is missed.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the random changes tried.")] = 0,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Threads, or Ray workers; no effect on the result.")
    ] = 1,
    ray: Annotated[bool, typer.Option("--ray", help="Solve on Ray workers, of ALLOT_RAY_ADDRESS if set.")] = False,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Stop by counted work only: the same bytes every time.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json and the reasons of backorders instead.")
    ] = False,
) -> None:
    """Route a problem folder: which node ships which line, at what cost, and how far from the best possible."""
    from engine.dispatch.options import RayOptions
    from engine.routing.route_folder import Options, check, route_folder
    from solvers.params import Method
    from solvers.textbook import ExactSolver

    options = Options(
        method=Method(choose("--method", method, METHODS)),
        seed=seed,
        time_limit_seconds=time_limit,
        target_gap=target_gap,
        workers=workers,
        deterministic=deterministic,
        exact_solver=None
        if exact_solver is None
        else ExactSolver(choose("--exact-solver", exact_solver, EXACT_SOLVERS)),
        method_options=_method_options(method_options or []),
        ray=RayOptions(workers=max(workers, 1), address=_ray_address()) if ray else None,
    )
    check(options)
    with solve_progress("routing") as progress:
        routed = route_folder(folder, out, options, progress)
    if as_json:
        document = {**routed.summary, "backorder_reasons": routed.backorder_reasons}
        if routed.moved_lines is not None:
            document |= dict(zip(("moved_lines", "current_lines"), routed.moved_lines, strict=True))
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print(routed, folder, out)
    gap = routed.summary["gap"]
    if target_gap is not None and (gap is None or gap > target_gap):
        raise ExpectationMissed(f"--target-gap {target_gap}: the proven gap is {_percent(gap)}")


def _method_options(given: list[str]) -> dict[str, float]:
    """Return options by name; raises InvalidInput for what is no NAME=VALUE."""
    from engine.errors import Fault, InvalidInput

    options: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            options[name.strip()] = float(value)
        except ValueError:
            message = f"{text!r} is not NAME=NUMBER; give e.g. daily_orders=200"
            raise InvalidInput(Fault(path="--method-option", message=message)) from None
    return options


def _ray_address() -> str | None:
    from engine.config import read_settings

    return read_settings().ray_address


def _percent(gap: float | None) -> str:
    return "unknown" if gap is None else f"{gap:.3%}"


def _reasons(counted: dict[str, int]) -> Table:
    """Return the table of why lines are backordered."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("backordered because")
    table.add_column("lines", justify="right", no_wrap=True)
    for reason, lines in counted.items():
        table.add_row(reason.replace("_", " "), f"{lines:,}")
    return table


def _print(routed: Routed, folder: Path, out: Path) -> None:
    from rich.table import Table

    summary, seconds = routed.summary, routed.timing["wall_seconds"]
    bound = summary["lower_bound_cents"]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_row("total cost", f"{summary['total_cost_cents'] / 100:,.2f}", "")
    searched = "by the solver's search" if summary["bound_method"] == "search" else ""
    table.add_row("proven lower bound", "none" if bound is None else f"{bound / 100:,.2f}", searched)
    table.add_row("gap", _percent(summary["gap"]), summary["status"])
    table.add_row("orders", f"{summary['orders']:,}", "")
    table.add_row("parcels", f"{summary['parcels']:,}", f"{summary['split_orders']:,} orders split")
    table.add_row("backordered units", f"{summary['backordered_units']:,}", "")
    if routed.moved_lines is not None:
        moved, placed = routed.moved_lines
        table.add_row("lines moved", f"{moved:,}", f"of {placed:,} that the current plan has at one node")
    for part, cents in summary["costs"].items():
        table.add_row(f"  {part}", f"{cents / 100:,.2f}", "")
    times = ", ".join(f"{part} {took:.2f}" for part, took in seconds.items())
    table.add_row("seconds", f"{sum(seconds.values()):.2f}", times)
    table.add_row("stopped by", summary["stop_reason"].replace("_", " "), f"method {summary['method']}")
    out_to = console()
    out_to.print(table)
    if routed.backorder_reasons:
        out_to.print(_reasons(routed.backorder_reasons))
    out_to.print(
        f"\nWritten to {out}. Check it independently: {program()} verify {folder} {out}", style="dim", soft_wrap=True
    )
