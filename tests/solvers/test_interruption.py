"""A solve that is interrupted, at whatever moment, returns a plan and a bound that hold.

The clock is the one handed in: it stands still and strikes at the k-th look, so that every place that looks is tried.
Real clocks are in test_laws.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brute_force import optimum_cents
from tiny_problems import TinyProblem, long_problem, tiny_problem

from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem as read_for_solvers
from engine.routing.result import Timing, summary, write_result
from engine.verification.reading import read_problem
from engine.verification.verify import verify
from solvers.params import Params
from solvers.plan import RoutingResult
from solvers.solve import solve
from solvers.stopping import Overdue, Stopping

NewFolder = Callable[[], Path]
LOOKS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 20, 30)
LITTLE = Params(dual_steps=4, rounds_per_order=2)
"""Each sweep looks once, so that with few of them the looks above reach every step that follows."""


class Strike:
    """A stopwatch that stands at 0 and jumps past any limit at the k-th look."""

    def __init__(self, at: int) -> None:
        self.at, self.looks = at, 0

    def __call__(self) -> float:
        self.looks += 1
        return 0.0 if self.looks < self.at else 1e9


def solved_until(look: int, problem: Path, out: Path) -> RoutingResult:
    """Solve until the k-th look at the clock, write the result, and let the checker confirm every statement."""
    read = read_for_solvers(problem)
    strike = Strike(look)
    result = solve(read.problem, LITTLE, Stopping(stopwatch=strike, time_limit_seconds=3600.0))
    document = summary(read.problem, result, seed=0, problem_sha256=read.sha256)
    write_result(out, read.problem, result, document, Timing(load=0.0))
    verdict = verify(problem, out)
    assert verdict.agrees, [str(check) for check in verdict.checks if check.state == "failed"]
    return result


@pytest.mark.parametrize("seed", range(7000, 7020))
def test_a_solve_stopped_at_any_look_returns_a_plan_and_a_bound_around_the_optimum(
    seed: int, folder: NewFolder
) -> None:
    problem = tiny_problem(seed).write(folder())
    optimum, reasons = optimum_cents(read_problem(problem)), set()
    for look in LOOKS:
        result = solved_until(look, problem, folder())
        assert result.lower_bound_cents is not None
        assert result.lower_bound_cents <= optimum <= result.total_cost_cents, look
        reasons.add(result.stop_reason)
    assert reasons <= {"time_limit", "optimal"}


@pytest.mark.parametrize("split", [False, True])
def test_a_solve_of_long_orders_stopped_at_any_look_keeps_the_rules(split: bool, folder: NewFolder) -> None:
    for seed in range(8):
        problem: TinyProblem = long_problem(seed, split=split)
        path = problem.write(folder())
        for look in LOOKS[::3]:
            solved_until(look, path, folder())


def test_the_longer_a_solve_may_go_on_the_less_its_plan_costs(folder: NewFolder) -> None:
    """On a batch where all orders compete; at the first look there is a plan already, and the last is better."""
    problem = folder()
    generate(Recipe(orders=150, nodes=8, skus=40, seed=3), problem)
    found = [solved_until(look, problem, folder()) for look in (1, 12, 60)]
    totals = [result.total_cost_cents for result in found]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < totals[0]
    assert max(result.lower_bound_cents or 0 for result in found) <= totals[-1]


@pytest.mark.parametrize("stuck", ["plan.csv", "prices.csv", "timing.json"])
def test_a_result_that_is_cut_off_while_it_is_written_states_nothing(stuck: str, folder: NewFolder) -> None:
    """A folder stands where a file should go, over an earlier result: what was written before it stays, no summary.

    Seeded bug this catches: the earlier summary.json left in place beside a newer plan.
    """
    earlier, later, out = tiny_problem(1).write(folder()), tiny_problem(3).write(folder()), folder()
    solved_until(30, earlier, out)
    (out / stuck).unlink()
    (out / stuck / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=stuck):
        solved_until(30, later, out)
    assert not (out / "summary.json").exists()


@pytest.mark.parametrize("call", [1, 2, 5, 7, 8])
def test_a_solve_whose_spread_is_overdue_at_any_call_ends_with_what_it_has(call: int, folder: NewFolder) -> None:
    """Seeded bug this catches: the certificate asked of those who did not answer."""
    generate(Recipe(orders=60, nodes=8, skus=30, seed=3), problem := folder())
    calls = 0

    def spread(*work: Any) -> Iterator[Any]:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise Overdue
        return map(*work)

    read, params = read_for_solvers(problem), replace(LITTLE, together_orders=10, proof_orders=0)
    stopping = Stopping(stopwatch=lambda: 0.0)
    result = solve(read.problem, params, stopping, spread=spread)
    assert calls == call
    assert result.stop_reason == "time_limit"
    document = summary(read.problem, result, seed=0, problem_sha256=read.sha256)
    write_result(out := folder(), read.problem, result, document, Timing(load=0.0))
    assert verify(problem, out).agrees
