"""Question: is a batch routed sooner by Ray workers than by threads; how much, and from how many orders on.

Synthetic days from `allot generate`, solved by a counted amount of work, so that every row has the same plan (checked).
Workers are warm: what starting them takes is a column of its own. The second table is a model of larger clusters. It
takes from a solve on one core how long each part took and what is not spread at all, and from a solve on one Ray worker
what sending and receiving costs per call, which it counts as not spread either; and it assumes equal cores, and that
every machine gets what is sent at 10 gigabits a second.

    python -m benchmarks.dispatch [--sizes 2000,5000,20000] [--nodes N] [--skus N] [--steps N] [--out DIR]
"""

from __future__ import annotations

import argparse
import heapq
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.local import threads
from engine.dispatch.options import RayOptions
from engine.dispatch.packing import Sparse, pack
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem
from solvers.params import Params
from solvers.prices import Map
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

WIRE_BYTES_PER_SECOND = 10e9 / 8
CORES_PER_MACHINE = 8
MODELED = (1, 2, 4, 8, 16, 32)
ROUNDS, PASSES = 10, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a spread: what was done, seconds of each part where they were done here, and of all together."""

    kind: str
    parts: tuple[float, ...]
    seconds: float
    sent_bytes: int


@dataclass(slots=True, kw_only=True)
class Solved:
    """One solve of a batch by some workers."""

    orders: int
    by: str
    start_seconds: float
    seconds: float
    plan: tuple[int, int | None, bytes]
    calls: list[Call] = field(default_factory=list)


def timed(function: Callable[..., Any], *part: Any) -> tuple[float, Any]:
    """Return the seconds a part takes, and its result."""
    began = time.perf_counter()
    result = function(*part)
    return time.perf_counter() - began, result


def packed_bytes(value: Any) -> int:
    """Return how many bytes a value takes on its way, but for its pickle."""
    return sum(buffer.nbytes for buffer in pack(value, sparse=False)[1] if not isinstance(buffer, Sparse))


def recorder(spread: Map, calls: list[Call], *, by_part: bool) -> Map:
    """Return the spread, noting its calls; with `by_part` its parts too, and how much would be sent."""

    def recorded(work: partial[Any], *parts: Iterable[Any]) -> Iterator[Any]:
        sent = packed_bytes(work.args) if by_part else 0
        began = time.perf_counter()
        done = list(spread(partial(timed, work) if by_part else work, *parts))
        seconds = time.perf_counter() - began
        took = tuple(each[0] for each in done) if by_part else ()
        calls.append(Call(kind=work.func.__name__.strip("_"), parts=took, seconds=seconds, sent_bytes=sent))
        return iter([each[1] for each in done] if by_part else done)

    return recorded


def solved(problem: RoutingProblem, by: str, steps: int, spread: Map, start: float, *, by_part: bool = False) -> Solved:
    """Solve a batch by counted work."""
    calls = list[Call]()
    params = Params(dual_steps=steps, small_dual_steps=steps, rounds_per_order=ROUNDS, passes=PASSES, proof_orders=0)
    began = time.perf_counter()
    result = solve(
        problem,
        params,
        Stopping(stopwatch=lambda: time.perf_counter() - began),
        spread=recorder(spread, calls, by_part=by_part),
    )
    seconds = time.perf_counter() - began
    plan = (result.plan.costs.total, result.lower_bound_cents, result.plan.node.tobytes())
    return Solved(orders=problem.order_count, by=by, start_seconds=start, seconds=seconds, plan=plan, calls=calls)


@contextmanager
def fleet(workers: int) -> Iterator[tuple[Map, float]]:
    """Yield the spread of so many Ray workers of our own, and the seconds it took to have them."""
    dispatcher, began = Dispatcher(1, RayOptions(workers=workers)), time.perf_counter()
    try:
        with dispatcher.spread(sys.maxsize) as spread:
            if spread is map:
                raise RuntimeError("no Ray workers came")
            yield spread, time.perf_counter() - began
    finally:
        dispatcher.close()


def measure(problems: list[RoutingProblem], steps: int) -> list[Solved]:
    """Solve every batch in every way; each way once before, on the smallest batch, to load kernels."""
    rows = list[Solved]()

    def all_of(by: str, spread: Map, start: float, *, by_part: bool = False) -> None:
        solved(problems[0], by, 2, spread, start)
        rows.extend(solved(problem, by, steps, spread, start, by_part=by_part) for problem in problems)

    all_of("1 core", map, 0.0, by_part=True)
    with threads(2) as spread:
        all_of("2 threads", spread, 0.0)
    for workers in (1, 2):
        with fleet(workers) as (spread, start):
            all_of(f"{workers} Ray worker{'s' if workers > 1 else ''}", spread, start)
    for row in rows:
        alone = next(other for other in rows if other.orders == row.orders)
        if row.plan != alone.plan:
            raise RuntimeError(f"{row.by} gave another plan of {row.orders} orders than {alone.by}")
    return rows


def makespan(parts: Iterable[float], workers: int) -> float:
    """Return when the last of the parts is done, each given to the first worker that is free."""
    free = [0.0] * workers
    for part in parts:
        heapq.heappush(free, heapq.heappop(free) + part)
    return max(free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a solve would take on more workers: see the top of the file."""

    alone: Solved
    overhead_seconds: float
    """Of each call, beside its parts."""

    @property
    def serial_seconds(self) -> float:
        """Return what is not spread."""
        return self.alone.seconds - sum(sum(call.parts) for call in self.alone.calls)

    def seconds(self, workers: int) -> float:
        """Return the modeled seconds of the solve."""
        machines = -(-workers // CORES_PER_MACHINE) - 1
        spread = sum(
            makespan(call.parts, workers) + self.overhead_seconds + machines * call.sent_bytes / WIRE_BYTES_PER_SECOND
            for call in self.alone.calls
        )
        return self.serial_seconds + spread


def models(rows: list[Solved]) -> list[Model]:
    """Return the model of each batch, from its solves on one core and by one Ray worker."""
    made = []
    for alone in (row for row in rows if row.by == "1 core"):
        other = next(row for row in rows if row.by == "1 Ray worker" and row.orders == alone.orders)
        parts = sum(sum(call.parts) for call in alone.calls)
        more = sum(call.seconds for call in other.calls) - parts
        made.append(Model(alone=alone, overhead_seconds=max(0.0, more / len(alone.calls))))
    return made


def show(rows: list[Solved]) -> None:
    """Print what was measured, what a part takes, and what is modeled."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    measured = Table(title="Measured: the same counted work, the same plan", caption=machine())
    for heading in ("orders", "by", "start s", "solve s", "of one core"):
        measured.add_column(heading, justify="left" if heading == "by" else "right")
    for row in rows:
        alone = next(other for other in rows if other.orders == row.orders)
        start = f"{row.start_seconds:.1f}" if row.start_seconds else "–"
        measured.add_row(f"{row.orders:,}", row.by, start, f"{row.seconds:.2f}", f"{row.seconds / alone.seconds:.2f}")
    console.print(measured)
    sizes = Table(title="What is spread, on one core")
    for heading in ("orders", "what", "calls", "parts a call", "ms a part", "kB sent a call", "share of the solve"):
        sizes.add_column(heading, justify="left" if heading == "what" else "right")
    modeled = Table(title="Modeled, not measured: speed-up over one core on a cluster")
    modeled.add_column("orders", justify="right")
    for workers in MODELED:
        modeled.add_column(f"{workers} workers" if workers > 1 else "1 worker", justify="right")
    modeled.add_column("not spread", justify="right")
    modeled.add_column("ms a call", justify="right")
    for model in models(rows):
        alone = model.alone
        for kind in dict.fromkeys(call.kind for call in alone.calls):
            calls = [call for call in alone.calls if call.kind == kind]
            parts = [part for call in calls for part in call.parts]
            sizes.add_row(
                f"{alone.orders:,}",
                kind,
                f"{len(calls):,}",
                f"{len(parts) / len(calls):.1f}",
                f"{1000 * sum(parts) / max(len(parts), 1):.1f}",
                f"{sum(call.sent_bytes for call in calls) / len(calls) / 1000:,.0f}",
                f"{sum(parts) / alone.seconds:.1%}",
            )
        speeds = [f"{alone.seconds / model.seconds(workers):.2f}" for workers in MODELED]
        share = f"{model.serial_seconds / alone.seconds:.1%}"
        modeled.add_row(f"{alone.orders:,}", *speeds, share, f"{1000 * model.overhead_seconds:.1f}")
    console.print(sizes)
    console.print(modeled)


def main() -> None:
    """Read the options, measure, show, and write what was measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.dispatch", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="2000,5000,20000", help="orders of the batches, ascending")
    for name, default in (("nodes", 60), ("skus", 5_000), ("seed", 1), ("steps", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, default=Path("out"))
    chosen = parser.parse_args()
    problems = []
    with tempfile.TemporaryDirectory(prefix="allot-bench-") as folder:
        for orders in map(int, chosen.sizes.split(",")):
            path = Path(folder) / str(orders)
            generate(Recipe(orders=orders, nodes=chosen.nodes, skus=chosen.skus, seed=chosen.seed), path)
            problems.append(read_problem(path).problem)
    rows = measure(problems, chosen.steps)
    show(rows)
    chosen.out.mkdir(parents=True, exist_ok=True)
    kept = [{**asdict(row), "plan": row.plan[:2]} for row in rows]
    (chosen.out / "dispatch.json").write_text(json.dumps({"machine": machine(), "rows": kept}), encoding="utf-8")


if __name__ == "__main__":
    main()
