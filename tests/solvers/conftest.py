"""From a problem written down to what the solvers make of it, always through real files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_problems import TinyProblem

from engine.routing.folder import read_problem
from solvers.params import Method, Params
from solvers.plan import RoutingResult
from solvers.problem import RoutingProblem
from solvers.solve import solve
from solvers.stopping import Stopping

Read = Callable[[TinyProblem], RoutingProblem]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """Return the paths of new folders."""
    numbers = itertools.count()
    return lambda: tmp_path / str(next(numbers))


@pytest.fixture
def read(folder: Callable[[], Path]) -> Read:
    """Read a problem as the router does."""
    return lambda problem: read_problem(problem.write(folder())).problem


@pytest.fixture
def route() -> Callable[..., RoutingResult]:
    """Solve a problem by a method, without limits."""

    def solved(problem: RoutingProblem, method: Method = Method.AUTO) -> RoutingResult:
        return solve(problem, Params(method=method), Stopping(stopwatch=time.perf_counter))

    return solved
