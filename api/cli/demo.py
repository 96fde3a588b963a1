"""`allot demo`: the main job on real data in one command: promise, reserve, route, and compare."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.terminal import console, program

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from engine.bootstrap import Engine
    from engine.integrations.demo_data import DemoDay
    from engine.promising.model import Promise
    from engine.routing.run_model import Run

CARTS = 3
BASELINES = ("nearest", "fewest_splits")
NOTES = (
    "Baskets, rates, postal codes and populations are real; nodes, stock and product weights are ours, as "
    "scenarios/real/us-omnichannel/README.md says."
)


def command(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Keep the store there; else it is thrown away.")
    ] = None,
    report: Annotated[Path, typer.Option("--report", metavar="FILE", help="Where the report goes.")] = Path(
        "out/demo.html"
    ),
) -> None:
    """Load a network of 60 nodes, promise and reserve a few carts, and route a day of real baskets."""
    place = tempfile.TemporaryDirectory(prefix="allot-demo-") if data is None else nullcontext(str(data))
    with place as folder, _progress() as progress:
        asyncio.run(_Demo(Path(folder), report, progress).run())


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=shown, transient=True, disable=not sys.stderr.isatty())


class _Demo:
    """The demo, step by step."""

    def __init__(self, folder: Path, report: Path, progress: Progress) -> None:
        self._folder, self._report, self._progress = folder, report, progress
        self._out: Console = console()

    async def run(self) -> None:
        """Run every step and print what came of it."""
        from engine.bootstrap import allot_engine
        from engine.config import read_settings
        from engine.integrations.demo_data import load_demo_day

        began = time.perf_counter()
        day = load_demo_day()
        async with allot_engine(read_settings(self._folder)) as engine:
            await self._load(engine, day)
            await self._promise_and_reserve(engine, day)
            runs = await self._route(engine)
            self._compare(runs)
            await self._write_report(engine, day, runs)
        self._farewell(time.perf_counter() - began)

    async def _load(self, engine: Engine, day: DemoDay) -> None:
        from dataclasses import replace

        from engine.integrations.load import put_documents

        task = self._progress.add_task("loading stock", total=len(day.positions))
        stock = replace(day, orders=())
        await put_documents(stock, engine, lambda done: self._progress.update(task, completed=done))
        self._progress.remove_task(task)
        kinds = [node.kind for node in day.network.nodes]
        self._say(
            f"[bold]1  Loaded[/]  {kinds.count('dc')} DCs, {kinds.count('store')} stores, "
            f"{len(day.catalog.products):,} products and {len(day.positions):,} stock positions "
            "into a Valkey server of our own."
        )

    async def _promise_and_reserve(self, engine: Engine, day: DemoDay) -> None:
        from engine.integrations.demo_data import carts
        from engine.promising.model import Destination, PromiseRequest, WantedLine

        self._say(f"\n[bold]2  Promised and reserved[/]  {CARTS} carts")
        chosen = carts(day.orders, CARTS)
        held: dict[str, str] = {}
        for order in chosen:
            to = order.destination
            request = PromiseRequest(
                destination=Destination(latitude=to.latitude, longitude=to.longitude),
                lines=tuple(WantedLine(sku=line.sku, quantity=line.quantity) for line in order.lines),
            )
            promise = await engine.promising.promise(request)
            self._show_promise(order.order_id or "", promise)
            chosen_option = await engine.promising.promised_hold(promise.promise_id, promise.options[0].option_id)
            reservation = await engine.inventory.hold(
                chosen_option.lines,
                reference=order.order_id,
                promised_on=chosen_option.promised_on,
                promised=chosen_option.promised,
            )
            await engine.inventory.confirm(reservation.value.reservation_id)
            held[order.order_id or ""] = reservation.value.reservation_id
        await self._capture(engine, day, held)

    async def _capture(self, engine: Engine, day: DemoDay, held: dict[str, str]) -> None:
        from dataclasses import replace

        task = self._progress.add_task("capturing the day's orders", total=None)
        orders = [replace(order, reservation_id=held.get(order.order_id or "")) for order in day.orders]
        await engine.orders.capture_many(orders)
        self._progress.remove_task(task)
        lines = sum(len(order.lines) for order in orders)
        self._say(f"\n[bold]3  Captured[/]  {len(orders):,} orders with {lines:,} lines, real baskets of one web shop.")

    def _show_promise(self, order_id: str, promise: Promise) -> None:
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 4), header_style="dim", show_header=True)
        table.add_column(order_id, min_width=28, no_wrap=True)
        table.add_column("arrives by", min_width=10, justify="right", no_wrap=True)
        table.add_column("cost", min_width=8, justify="right", no_wrap=True)
        table.add_column("from", no_wrap=True, overflow="ellipsis")
        for option in promise.options:
            nodes = " + ".join(parcel.node_id for parcel in option.shipments)
            labels = ", ".join(option.labels).replace("_", " ")
            table.add_row(labels, f"{option.promised_on:%a %d %b}", f"{option.total_cost_cents / 100:,.2f}", nodes)
        self._say(table)

    async def _route(self, engine: Engine) -> list[Run]:
        from engine.errors import AllotError
        from engine.routing.run_model import RunRequest, RunStatus

        runs = []
        for method in (*BASELINES, "auto"):
            task = self._progress.add_task(f"routing: {method.replace('_', ' ')}", total=None)
            run = await engine.routing_runs.execute(RunRequest(method=method, dry_run=method != "auto"))
            self._progress.remove_task(task)
            if run.status == RunStatus.FAILED:
                raise AllotError(run.failure or "the routing run failed")
            runs.append(run)
        return runs

    def _compare(self, runs: list[Run]) -> None:
        from rich.table import Table

        best = runs[-1].summary
        self._say(
            f"\n[bold]4  Routed[/]  {best['orders']:,} orders in {best['solve_seconds']:.1f} s, and committed "
            f"{best['committed_orders']:,} of them as confirmed reservations."
        )
        table = Table(box=None, padding=(0, 2, 0, 4), header_style="dim")
        table.add_column("method")
        for heading in ("cost", "above the bound", "parcels", "orders split", "backordered units"):
            table.add_column(heading, justify="right", no_wrap=True)
        bound = best["lower_bound_cents"]
        for run in runs:
            found = run.summary
            name = "allot" if found["method"] == "auto" else found["method"].replace("_", " ")
            table.add_row(name, *_figures(found, bound), style="bold" if name == "allot" else "")
        table.add_row("proven lower bound", f"{bound / 100:,.2f}", "–", "–", "–", "–", style="dim")
        self._say(table)
        cheapest = min(run.summary["total_cost_cents"] for run in runs[:-1])
        saved = (cheapest - best["total_cost_cents"]) / cheapest
        self._say(
            f"\n    No plan of these orders can cost less than {bound / 100:,.2f}: this one is proven to be at most\n"
            f"    [bold]{best['gap']:.2%}[/] above the best possible, and is {saved:.1%} below the better of the rules."
        )

    async def _write_report(self, engine: Engine, day: DemoDay, runs: list[Run]) -> None:
        from engine.reporting.flow_map import Flow, Place
        from engine.reporting.routing_report import RoutedDay, routing_report

        nodes = day.network.nodes
        orders = await asyncio.gather(*(engine.orders.get(order.order_id or "") for order in day.orders))
        flows = [
            Flow(node_id=node_id, latitude=to.latitude or 0.0, longitude=to.longitude or 0.0)
            for order in orders
            for to in (order.captured.destination,)
            for node_id in sorted({row.node_id for row in order.allocation if row.node_id is not None})
        ]
        page = routing_report(
            RoutedDay(
                title="A day of a US omnichannel shop, routed by allot",
                currency=day.network.currency,
                summaries=[run.summary for run in runs],
                places=[
                    Place(node_id=n.node_id, kind=n.kind, latitude=n.latitude, longitude=n.longitude) for n in nodes
                ],
                flows=flows,
                notes=(NOTES,),
            )
        )
        self._report.parent.mkdir(parents=True, exist_ok=True)
        self._report.write_text(page, encoding="utf-8")

    def _farewell(self, seconds: float) -> None:
        from engine.integrations.demo_data import demo_problem_folder

        folder = demo_problem_folder()
        shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        self._say(
            f"\n    The report with a map is in [bold]{self._report}[/].\n"
            f"\n[dim]Done in {seconds:.0f} s. {NOTES}[/]\n\n"
            "Next:\n"
            f"    {program()} route {shown} --out out\n"
            f"    {program()} verify {shown} out\n"
            f"    {program()} serve --demo            the same network behind an HTTP API, described at /docs"
        )

    def _say(self, what: Any) -> None:
        self._out.print(what)


def _figures(found: Any, bound: int) -> tuple[str, ...]:
    cost = found["total_cost_cents"]
    return (
        f"{cost / 100:,.2f}",
        f"{(cost - bound) / bound:.2%}",
        f"{found['parcels']:,}",
        f"{found['split_orders']:,}",
        f"{found['backordered_units']:,}",
    )
