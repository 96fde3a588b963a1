"""Routes a problem folder into a result folder: read, solve, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.options import RayOptions
from engine.errors import Fault, InvalidInput
from engine.routing.folder import read_problem
from engine.routing.method_options import option_faults, with_options
from engine.routing.reasons import count_reasons
from engine.routing.result import Timing, moved_lines, summary, timing_document, write_result
from solvers.params import Method, Params, Progress
from solvers.prices import Map
from solvers.solve import solve
from solvers.stopping import Stopping
from solvers.textbook import ExactSolver, TooLarge


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to route; without a limit the work is counted, and the same problem and seed give the same bytes."""

    method: Method = Method.AUTO
    seed: int = 0
    time_limit_seconds: float | None = None
    target_gap: float | None = None
    workers: int = 1
    deterministic: bool = False
    exact_solver: ExactSolver | None = None
    """Of method `exact`; None: HiGHS."""
    ray: RayOptions | None = None
    """How to use Ray workers, of which there are `workers`; None: threads."""
    method_options: Mapping[str, float] = field(default_factory=dict)
    """Of `cascade` and `weighted`, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What came out: the documents of summary.json and timing.json, why lines are backordered, and what has moved."""

    summary: dict[str, Any]
    timing: dict[str, Any]
    backorder_reasons: dict[str, int]
    """How many lines wait for each reason, wholly or in part."""
    moved_lines: tuple[int, int] | None = None
    """How many lines the current plan has elsewhere, and how many it has at one node; None without such a plan."""


def check(options: Options) -> None:
    """Raise InvalidInput for options that contradict each other or are out of range."""
    faults = []
    if options.deterministic and options.time_limit_seconds is not None:
        message = "cannot go with --deterministic, which stops by counted work; leave one of them out"
        faults.append(Fault(path="--time-limit", message=message))
    if options.time_limit_seconds is not None and not options.time_limit_seconds > 0:
        faults.append(Fault(path="--time-limit", message=f"{options.time_limit_seconds} is not above 0; give seconds"))
    if options.target_gap is not None and not 0 <= options.target_gap < 1:
        message = f"{options.target_gap} is not a gap; give a share from 0 up to 1, such as 0.005 for 0.5 %"
        faults.append(Fault(path="--target-gap", message=message))
    if options.exact_solver is not None and options.method != Method.EXACT:
        message = f"goes with --method exact only, not with {options.method}; leave it out"
        faults.append(Fault(path="--exact-solver", message=message))
    if options.ray is not None and options.method != Method.AUTO:
        message = f"goes with --method auto only, as {options.method} has nothing to spread; leave it out"
        faults.append(Fault(path="--ray", message=message))
    faults += option_faults(options.method, options.method_options, "--method-option")
    if options.workers < 1:
        faults.append(Fault(path="--workers", message=f"{options.workers} is not valid; give 1 or more"))
    if not 0 <= options.seed < 2**32:
        faults.append(Fault(path="--seed", message=f"{options.seed} is not valid; give 0 … 4294967295"))
    if faults:
        raise InvalidInput(faults)


@contextmanager
def spreading(options: Options, orders: int) -> Iterator[Map]:
    """Yield what spreads a solve as the options say; Ray workers, if any, are there by then."""
    dispatcher = Dispatcher(options.workers, options.ray)
    try:
        with dispatcher.spread(orders, lambda: options.time_limit_seconds) as spread:
            yield spread
    finally:
        dispatcher.close()


def route_folder(folder: Path, out: Path, options: Options, progress: Progress | None = None) -> Routed:
    """Route the problem in `folder` and write the result to `out`.

    Raises InvalidInput for a problem that cannot be read, or options that contradict each other; nothing is written
    then.
    """
    check(options)
    began = time.perf_counter()
    read = read_problem(folder)
    params = Params(
        method=options.method,
        seed=options.seed,
        exact_solver=options.exact_solver or ExactSolver.HIGHS,
        exact_threads=options.workers,
    )
    params = with_options(params, options.method_options, read.kinds)
    with spreading(options, read.problem.order_count) as spread:
        ready = time.perf_counter()
        stopping = Stopping(
            stopwatch=lambda: time.perf_counter() - ready,
            time_limit_seconds=options.time_limit_seconds,
            target_gap=options.target_gap,
        )
        try:
            result = solve(read.problem, params, stopping, spread=spread, progress=progress)
        except TooLarge as error:
            raise InvalidInput(Fault(path="--method", message=str(error))) from None
    document = summary(read.problem, result, seed=options.seed, problem_sha256=read.sha256)
    timing = write_result(out, read.problem, result, document, Timing(load=ready - began))
    return Routed(
        summary=document,
        timing=timing_document(result, timing),
        backorder_reasons=count_reasons(read.problem, result.plan),
        moved_lines=moved_lines(read.problem, result.plan),
    )
