"""The one entry to order routing: a problem in; a plan, a proven bound and the reason for stopping out.

auto           one by one → prices by dual steps → one by one at those prices → master → ruin and recreate
one_by_one     each order exactly, against what the orders before it left
nearest, ranked, fewest_splits   the baselines of `baselines.py`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from solvers.assignment import Assignment, nothing_assigned, serve_in_sequence
from solvers.baselines import Rule, serve_by_rule
from solvers.conclude import conclude
from solvers.divide import divide_lines
from solvers.improve import rivals, ruin_and_recreate
from solvers.master import Master, column_generation
from solvers.offers import choice
from solvers.plan import RoutingResult, TracePoint
from solvers.prices import Map, Multipliers, certify, dual_steps, longest, no_prices
from solvers.problem import RoutingProblem
from solvers.stopping import Stopping
from solvers.tables import Compiled, compile_tables


class Method(StrEnum):
    """How a problem is routed."""

    AUTO = "auto"
    ONE_BY_ONE = "one_by_one"
    NEAREST = "nearest"
    RANKED = "ranked"
    FEWEST_SPLITS = "fewest_splits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """How much work a solve may do; counted, so that the same problem and seed give the same plan."""

    method: Method = Method.AUTO
    seed: int = 0
    dual_steps: int = 350
    """Sweeps over all orders in search of prices."""
    rounds_per_order: int = 60
    """Changes that ruin and recreate tries, per order that competes for something."""
    most_rounds: int = 400_000
    """Changes it tries at most, without a time limit."""
    master_orders: int = 1500
    """Up to so many competing orders the restricted master finishes the plan; any number of single-line orders."""
    master_columns: int = 15_000
    master_nodes: int = 200
    """Branch-and-bound nodes of the master."""


Progress = Callable[[TracePoint], None]

ROUNDS_AT_ONCE = 4_000
"""Changes between two looks at the best plan; counted, so that runs without a time limit repeat."""
FIRST_ROUNDS_AT_ONCE, SECONDS_AT_ONCE = 50, 0.1
"""With a time limit: changes before the first look at the clock, and how long those between two looks should take."""
PRICED_AT = (1.0, 0.7, 0.4)
"""Shares of the shadow prices at which whole plans are made."""


def solve(
    problem: RoutingProblem,
    params: Params,
    stopping: Stopping,
    *,
    spread: Map = map,
    progress: Progress | None = None,
) -> RoutingResult:
    """Route a problem.

    `spread` is like `map` and may run its calls in parallel; results do not depend on it. Always returns a plan: a
    time limit or an empty problem ends in the best that is known, with a bound that is valid for the problem as given.
    """
    compiled = compile_tables(problem)
    search = _Search(compiled, params, stopping, spread, progress, compile_seconds=stopping.stopwatch())
    if params.method == Method.AUTO:
        search.run()
    elif params.method == Method.ONE_BY_ONE:
        search.offer(search.in_sequence(no_prices(compiled), 1.0))
    else:
        search.offer(serve_by_rule(compiled, Rule(params.method)))
    return search.result()


class _Search:
    """The best plan and the best prices so far, and the steps that improve them."""

    def __init__(
        self,
        compiled: Compiled,
        params: Params,
        stopping: Stopping,
        spread: Map,
        progress: Progress | None,
        *,
        compile_seconds: float,
    ) -> None:
        self.compiled, self.params, self.stopping, self.spread = compiled, params, stopping, spread
        self._progress, self._compile_seconds = progress, compile_seconds
        self.coupled = np.flatnonzero(compiled.coupled)
        self.out = choice(longest(compiled))
        self.best: Assignment = nothing_assigned(compiled)
        self.best_cents = int(self.best.cents.sum())
        self.prices = no_prices(compiled)
        self.bound = 0.0
        self.reason = "work_done"
        self.trace: list[TracePoint] = []
        self._draws = 0
        self._at_once = ROUNDS_AT_ONCE if stopping.time_limit_seconds is None else FIRST_ROUNDS_AT_ONCE

    def run(self) -> None:
        """Do the work of method `auto`, step by step, until something says stop."""
        self.offer(self.in_sequence(no_prices(self.compiled), 1.0))
        for step in (self._find_prices, self._serve_at_prices, self._use_master, self._ruin_and_recreate):
            step()
            if self.done():
                return

    def done(self) -> bool:
        """Return whether to stop, and note why."""
        if self.best_cents <= np.ceil(self.bound - 1e-6):
            self.reason = "optimal"
        elif self.stopping.late():
            self.reason = "time_limit"
        elif self.stopping.close_enough(self.bound, self.best_cents):
            self.reason = "target_gap"
        else:
            return False
        return True

    def in_sequence(self, prices: Multipliers, share: float) -> Assignment:
        """Serve all orders one after another at a share of the prices."""
        plan = nothing_assigned(self.compiled)
        everyone = np.arange(len(self.compiled.coupled))
        serve_in_sequence(self.compiled.tables, everyone, prices.duals(share), plan, self.out)
        return plan

    def offer(self, plan: Assignment) -> None:
        """Keep a plan if it is the best."""
        cents = int(plan.cents.sum())
        if cents < self.best_cents:
            self.best, self.best_cents = plan.copy(), cents
            self._note()

    def _note(self) -> None:
        bound = int(np.floor(self.bound)) if self.bound > 0 else None
        point = TracePoint(seconds=self.stopping.stopwatch(), bound_cents=bound, best_cents=self.best_cents)
        self.trace.append(point)
        if self._progress is not None:
            self._progress(point)

    def _accept(self, bound: float, prices: Multipliers) -> None:
        if bound > self.bound:
            self.bound, self.prices = bound, prices

    def _find_prices(self) -> None:
        for step, found in enumerate(
            dual_steps(self.compiled, self.prices, self.params.dual_steps, self.spread), start=1
        ):
            self._accept(found.bound, found.prices)
            if step % 25 == 0:
                self._note()
            if self.stopping.late(0.5) or not len(self.coupled):
                break

    def _serve_at_prices(self) -> None:
        for share in PRICED_AT:
            self.offer(self.in_sequence(self.prices, share))
            if self.done():
                return

    def _use_master(self) -> None:
        """Finish with the restricted master, where it is small enough or integral by nature."""
        if not len(self.coupled):
            return
        t = self.compiled.tables
        lengths = np.diff(t.line_start)[self.coupled]
        single = bool((lengths <= 1).all())
        if bool((t.grouped[self.coupled] < lengths).any()) or not (
            single or len(self.coupled) <= self.params.master_orders
        ):
            return
        self._improve(len(self.coupled) * self.params.rounds_per_order // 2)
        master = Master(self.compiled)
        master.add(self.best.cand)
        apart = self._apart()
        bound, prices = column_generation(master, self.prices, rounds=20, enough=lambda: self.stopping.late(0.8))
        self._accept(bound + apart, prices)
        self.offer(
            master.finish(
                self.best,
                prices,
                columns=self.params.master_columns if not single else master.size,
                nodes=self.params.master_nodes,
                seconds=self.stopping.seconds_left(),
            )
        )

    def _apart(self) -> float:
        """Return the cost of the orders that compete for nothing; it is the same in every plan."""
        return float(self.best.cents[~self.compiled.coupled].sum())

    def _ruin_and_recreate(self) -> None:
        self._improve(min(self.params.most_rounds, len(self.coupled) * self.params.rounds_per_order))
        while self.stopping.time_limit_seconds is not None and len(self.coupled) and not self.done():
            self._improve(ROUNDS_AT_ONCE)

    def _improve(self, rounds: int) -> None:
        """Try so many changes of the best plan, noting the gains; look at the clock often enough to stop in time."""
        rival, plan = rivals(self.compiled), self.best.copy()
        while rounds > 0:
            at_once, began = min(rounds, self._at_once), self.stopping.stopwatch()
            self._draws += 1
            ruin_and_recreate(
                self.compiled.tables,
                self.coupled,
                rival,
                self.prices.duals(),
                plan,
                self.out,
                at_once,
                (self.params.seed * 1_000_003 + self._draws) % 2**32,
            )
            rounds -= at_once
            self.offer(plan)
            if self.done():
                return
            if self.stopping.time_limit_seconds is not None:
                slow = self.stopping.stopwatch() - began > SECONDS_AT_ONCE
                self._at_once = max(1, self._at_once // 2) if slow else min(ROUNDS_AT_ONCE, 2 * self._at_once)

    def result(self) -> RoutingResult:
        """Certify the bound and hand out the best plan."""
        lower_bound_cents, prices = certify(self.compiled, self.prices, self.spread)
        plan = conclude(self.compiled, self.best.cand, divide_lines(self.compiled, self.best.copy()))
        seconds = self.stopping.stopwatch()
        if lower_bound_cents == plan.costs.total:
            self.reason = "optimal"
        elif self.reason == "optimal":  # by a float bound; the certificate, in rounded prices, falls short of it
            self.reason = "work_done"
        self.trace.append(TracePoint(seconds=seconds, bound_cents=lower_bound_cents, best_cents=plan.costs.total))
        return RoutingResult(
            plan=plan,
            lower_bound_cents=lower_bound_cents,
            prices=prices,
            method=self.params.method,
            stop_reason=self.reason,
            compile_seconds=self._compile_seconds,
            solve_seconds=seconds - self._compile_seconds,
            trace=tuple(self.trace),
        )
