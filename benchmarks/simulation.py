"""Question: how long a simulated day takes, whether memory grows with the days, and what a second worker is worth.

A drawn world (`generate:` of a scenario): every order asks for a promise, reserves, pays and is routed in windows of
five minutes on the production services, picked, carried and delivered. Each figure is of a process of its own that
has one thread and has simulated a few orders before, so that loading compiled code counts apart. The day: wall
seconds of one replication. Memory: the most that was resident, for a steady story of one, two and four weeks and a day
(in a shorter one, what is under way still grows: orders arrive some five days later). Workers: four replications of a
smaller day, by one Ray worker and by two that are there already, in turn; the median of the quotients.

Exit code 3, and which, if the day takes longer than 60 s, the longest story needs a tenth more memory than the
shortest, or two workers are less than 1.5 times as fast as one.

    allot bench simulation [--orders N] [--nodes N] [--skus N] [--window MINUTES] [--days 8,15,29]
                           [--orders-of-days N] [--orders-of-pairs N] [--pairs N] [--seed N] [--profile FILE]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.simulation_world import drawn_story, scarce_story, steady_story
from engine.scenarios.story import Story
from engine.simulation.fan_out import by
from engine.simulation.results import encoded
from engine.simulation.running import Task
from engine.simulation.simulator import simulate
from engine.simulation.tally import Tally

DAY_BAR_SECONDS, MEMORY_BAR, WORKERS_BAR = 60.0, 1.1, 1.5
REPLICATIONS = 4
"""What workers do in one go."""
WARM_UP_ORDERS = 200
ONE_THREAD = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One replication to simulate: the size of its world, whether it is steady, and where its profile goes, if any."""

    orders: int
    nodes: int
    skus: int
    window_minutes: int
    days: int
    seed: int
    is_steady: bool = False
    profile: str = ""

    def story(self) -> Story:
        """Return the story of it."""
        drawn = steady_story if self.is_steady else drawn_story
        return drawn(
            orders=self.orders,
            nodes=self.nodes,
            skus=self.skus,
            window_minutes=self.window_minutes,
            days=self.days,
            seed=self.seed,
        )


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one replication took; `day_mb` is the most memory after each day."""

    ready_seconds: float
    seconds: float
    cpu_seconds: float
    day_seconds: list[float]
    day_mb: list[float]
    orders: int
    shipped_units: int
    result_bytes: int


def most_mb() -> float:
    """Return the most memory that this process had resident, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def measure_here(wanted: Wanted) -> Measured:
    """Simulate in this process, after a few orders that load what is compiled."""
    began = time.perf_counter()
    few = msgspec.structs.replace(wanted, orders=min(WARM_UP_ORDERS, wanted.orders), days=1).story()
    for each in (few, scarce_story(window_minutes=wanted.window_minutes, seed=wanted.seed)):
        simulate(each, each.policies[0], 0, Tally.of(each, 0))
    story = wanted.story()
    tally = Tally.of(story, 0)
    ready, cpu = time.perf_counter(), time.process_time()
    ended, mb = [ready], list[float]()

    def told(_day: int) -> None:
        ended.append(time.perf_counter())
        mb.append(most_mb())

    if wanted.profile:
        profiler = cProfile.Profile()
        ledger = profiler.runcall(simulate, story, story.policies[0], 0, tally, told)
        profiler.dump_stats(wanted.profile)
    else:
        ledger = simulate(story, story.policies[0], 0, tally, told)
    return Measured(
        ready_seconds=ready - began,
        seconds=time.perf_counter() - ready,
        cpu_seconds=time.process_time() - cpu,
        day_seconds=[later - earlier for earlier, later in pairwise(ended)],
        day_mb=mb,
        orders=ledger.orders,
        shipped_units=ledger.shipped_units,
        result_bytes=len(encoded(tally)),
    )


def measure(wanted: Wanted) -> Measured:
    """Simulate in a fresh process with one thread."""
    command = [sys.executable, "-m", "benchmarks.simulation", "--of", msgspec.json.encode(wanted).decode()]
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD}, check=True)
    return msgspec.json.decode(done.stdout, type=Measured)


def day_table(wanted: Wanted, measured: Measured) -> Table:
    """Return the table of the day."""
    title = f"A simulated day: {wanted.orders:,} orders, {wanted.nodes} nodes, windows of {wanted.window_minutes} min"
    table = Table(title=title, caption=machine())
    for heading in ("ready s", "wall s", "CPU s", "orders ended", "units shipped", "most MB", "result kB"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{measured.ready_seconds:.1f}",
        f"{measured.seconds:.1f}",
        f"{measured.cpu_seconds:.1f}",
        f"{measured.orders:,}",
        f"{measured.shipped_units:,}",
        f"{measured.day_mb[-1]:.0f}",
        f"{measured.result_bytes / 1000:.0f}",
    )
    return table


def memory_table(orders: int, rows: Sequence[Measured]) -> Table:
    """Return the table of memory by days."""
    table = Table(title=f"Memory by days, of {orders:,} orders each", caption=machine())
    for heading in ("days", "wall s", "s a day", "most MB", "of the shortest"):
        table.add_column(heading, justify="right")
    for row in rows:
        days = len(row.day_mb)
        share = row.day_mb[-1] / rows[0].day_mb[-1]
        table.add_row(
            str(days), f"{row.seconds:.1f}", f"{row.seconds / days:.1f}", f"{row.day_mb[-1]:.0f}", f"{share:.2f}"
        )
    return table


def measure_workers(wanted: Wanted, pairs: int) -> list[tuple[float, float]]:
    """Return the seconds that one worker and two take for the same replications, in turn; both are warm."""
    from engine.dispatch.options import RayOptions
    from engine.dispatch.ray import Fleet

    story = wanted.story()
    found, folder = list[tuple[float, float]](), Path()
    tasks = [
        Task(story=story, policy=story.policies[0], replication=number, folder=folder, tables=())
        for number in range(REPLICATIONS)
    ]
    fleets = [Fleet(RayOptions(workers=count)) for count in (1, 2)]
    try:
        results = [sorted(by(fleet)(tasks)) for fleet in fleets]  # loads what is compiled
        assert results[0] == results[1]
        for _ in range(pairs):
            seconds = []
            for fleet in fleets:
                began = time.perf_counter()
                list(by(fleet)(tasks))
                seconds.append(time.perf_counter() - began)
            found.append((seconds[0], seconds[1]))
    finally:
        for fleet in fleets:
            fleet.close()
    return found


def workers_table(orders: int, pairs: Sequence[tuple[float, float]]) -> Table:
    """Return the table of workers."""
    table = Table(title=f"{REPLICATIONS} replications of a day of {orders:,} orders, the same bytes", caption=machine())
    for heading in ("one worker s", "two workers s", "times as fast"):
        table.add_column(heading, justify="right")
    for one, two in pairs:
        table.add_row(f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}")
    table.add_row("", "median", f"{median(one / two for one, two in pairs):.2f}")
    return table


def failures(day: Measured, rows: Sequence[Measured], pairs: Sequence[tuple[float, float]] = ()) -> list[str]:
    """Return the bars that are missed, in words."""
    missed = []
    if day.seconds > DAY_BAR_SECONDS:
        missed.append(f"the day took {day.seconds:.1f} s, and {DAY_BAR_SECONDS:g} are asked")
    if rows and (share := rows[-1].day_mb[-1] / rows[0].day_mb[-1]) > MEMORY_BAR:
        missed.append(f"the longest story needs {share:.2f} of the memory of the shortest, and {MEMORY_BAR:g} is asked")
    if pairs and (times := median(one / two for one, two in pairs)) < WORKERS_BAR:
        missed.append(f"two workers are {times:.2f} times as fast as one, and {WORKERS_BAR:g} is asked")
    return missed


def parser() -> argparse.ArgumentParser:
    """Return what understands the options."""
    options = argparse.ArgumentParser(prog="benchmarks.simulation", description=__doc__.splitlines()[0])
    for name, default, told_of in (
        ("orders", 20_000, "orders of the day"),
        ("nodes", 60, "nodes of the network"),
        ("skus", 5_000, "products"),
        ("window", 5, "minutes of a window"),
        ("orders-of-days", 1_000, "orders a day of the longer stories"),
        ("orders-of-pairs", 2_000, "orders of the day of workers"),
        ("pairs", 5, "times that one worker and two are measured, in turn; 0: not"),
        ("seed", 1, "of what is drawn"),
    ):
        options.add_argument(f"--{name}", type=int, default=default, help=told_of)
    options.add_argument("--days", default="8,15,29", help="lengths of the stories whose memory is measured; 0: none")
    options.add_argument("--profile", type=Path, help="a file for the profile of the day (pstats)")
    options.add_argument("--of", help=argparse.SUPPRESS)
    return options


def main() -> None:
    """Read the options, measure, print the tables; exit code 3 if a bar is missed."""
    given = parser().parse_args()
    if given.of:
        sys.stdout.buffer.write(msgspec.json.encode(measure_here(msgspec.json.decode(given.of, type=Wanted))))
        return
    console = Console(width=120)
    wanted = Wanted(
        orders=given.orders,
        nodes=given.nodes,
        skus=given.skus,
        window_minutes=given.window,
        days=1,
        seed=given.seed,
        profile="" if given.profile is None else str(given.profile.resolve()),
    )
    day = measure(wanted)
    console.print(day_table(wanted, day))
    steady = msgspec.structs.replace(wanted, orders=given.orders_of_days, is_steady=True, profile="")
    lengths = [int(days) for days in given.days.split(",") if int(days)]
    rows = [measure(msgspec.structs.replace(steady, days=days)) for days in lengths]
    if rows:
        console.print(memory_table(given.orders_of_days, rows))
    fewer = msgspec.structs.replace(wanted, orders=given.orders_of_pairs, profile="")
    pairs = measure_workers(fewer, given.pairs) if given.pairs else []
    if pairs:
        console.print(workers_table(given.orders_of_pairs, pairs))
    if missed := failures(day, rows, pairs):
        for bar in missed:
            print(f"missed: {bar}", file=sys.stderr)
        raise SystemExit(3)


if __name__ == "__main__":
    main()
