"""Question: how many orders a second does exact one-by-one routing decide, after load and compile.

A synthetic day from `allot generate` (20,000 orders, 60 nodes, 5,000 SKUs, seed 1): every order is priced exactly
against what the orders before it left, in one compiled loop on one core. The ratio that does not depend on the machine
is its time over that of the `nearest` rule on the same tables in the same run.

    python -m benchmarks.one_by_one [--orders N] [--nodes N] [--skus N] [--seed N]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem
from solvers.assignment import Assignment, nothing_assigned, serve_in_sequence
from solvers.baselines import Rule, serve_by_rule
from solvers.offers import choice
from solvers.prices import no_prices
from solvers.tables import Compiled, compile_tables

REPEATS = 7


def timed(work: Callable[[], Assignment]) -> tuple[float, Assignment]:
    """Return the median seconds of several runs after one to warm up, and the last result."""
    plan = work()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        plan = work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), plan


def one_by_one(compiled: Compiled) -> Assignment:
    """Serve all orders in the order of their ids, each exactly."""
    plan, orders = nothing_assigned(compiled), np.arange(compiled.problem.order_count)
    duals = no_prices(compiled).duals()
    serve_in_sequence(compiled.tables, orders, duals, plan, choice())
    return plan


def measure(recipe: Recipe) -> None:
    """Generate, load, compile, and print the table."""
    with tempfile.TemporaryDirectory(prefix="allot-bench-") as folder:
        generate(recipe, Path(folder) / "problem")
        problem = read_problem(Path(folder) / "problem").problem
    compile_tables(problem)
    began = time.perf_counter()
    compiled = compile_tables(problem)
    compile_seconds = time.perf_counter() - began
    exact_seconds, exact = timed(lambda: one_by_one(compiled))
    rule_seconds, rule = timed(lambda: serve_by_rule(compiled, Rule.NEAREST))
    table = Table(
        title=f"One by one: {recipe.orders:,} orders × {recipe.nodes} nodes × {recipe.skus:,} SKUs", caption=machine()
    )
    table.add_column("method")
    for heading in ("median ms", "orders/s", "cost", "time over nearest"):
        table.add_column(heading, justify="right")
    for name, seconds, plan in (("exact one by one", exact_seconds, exact), ("nearest", rule_seconds, rule)):
        speed, cost = recipe.orders / seconds, int(plan.cents.sum()) / 100
        table.add_row(name, f"{seconds * 1000:.1f}", f"{speed:,.0f}", f"{cost:,.2f}", f"{seconds / rule_seconds:.2f}")
    Console().print(table)
    Console().print(f"Compiling the tables took {compile_seconds * 1000:.0f} ms more, once per batch.")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.one_by_one", description=__doc__.splitlines()[0])
    for name, default in (("orders", 20_000), ("nodes", 60), ("skus", 5_000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    measure(Recipe(orders=chosen.orders, nodes=chosen.nodes, skus=chosen.skus, seed=chosen.seed))


if __name__ == "__main__":
    main()
