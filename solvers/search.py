"""The steps of method `auto`, one after the other on the best plan and the best prices so far.

Here: which step comes when, how much work it gets, and when to stop. Not here: the steps themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from solvers.assignment import Assignment, nothing_assigned, serve_in_sequence
from solvers.blocks import BlockTerms, improve_blocks
from solvers.conclude import conclude
from solvers.divide import divide_lines
from solvers.explorers import improve_together
from solvers.flow import improve_by_flow, single_units
from solvers.flow_prices import flow_prices
from solvers.improve import ruin_and_recreate
from solvers.master import Master, column_generation
from solvers.offers import choice
from solvers.params import Params, Progress
from solvers.parts import Rivals, linked_blocks, rivals
from solvers.plan import BoundMethod, RoutingResult, TracePoint
from solvers.prices import Map, Multipliers, certify, counted, dual_steps, long_orders, no_prices
from solvers.problem import IntArray
from solvers.prove import Effort, search_bound
from solvers.stopping import Overdue, Stopping
from solvers.tables import Compiled
from solvers.textbook import ExactEffort, check_size

if TYPE_CHECKING:
    from solvers.textbook_solve import Verdict


ROUNDS_AT_ONCE = 4_000
"""Changes between two looks at the best plan; counted, so that runs without a time limit repeat."""
FIRST_ROUNDS_AT_ONCE, TOGETHER_ROUNDS = 5, 1_000
"""With a time limit, the first time; and at least so many for which explorers are set up."""
SECONDS_AT_ONCE, SECONDS_PER_ORDER = 0.1, 2e-6
"""With a time limit: changes before the first look at the clock, and how long those between two looks should take."""

FLOW_SHARE, FLOW_SECONDS = 0.5, 1e-5
"""The share of single units among the orders that compete from which a flow pays, and what it takes per candidate."""
PRICED_AT = (1.0, 0.7, 0.4)
"""Shares of the shadow prices at which whole plans are made."""
EARLY, EARLY_SHARE = (0.03, 0.1, 0.3), 0.7
"""How far the search for prices is when first plans are made at the prices so far, and the share of them it takes."""
PRICES_BY, POLISH_BY = 0.4, 0.6
"""Shares of the time limit after which the prices must do: of what is left when sweeps begin, and of all."""
PROVEN_SHARES = (0.55, 0.8, 1.0)
"""How much of the gap is closed by one exact search after the other."""
SLACK_SHARE, COLUMNS_PER_ORDER = 0.15, 4.0
"""Patterns that a block takes: of reduced costs up to this share of a typical order's cost, and so many an order."""
WIDER, WIDEST = 1.4, 8.0
"""How both grow when a pass over the blocks has found nothing, and how far."""
PATIENCE = 10
"""How long, in turns of its own, what gains less waits until it is tried again."""
LONGEST_BLOCK_SECONDS, MIP_SHARE, PROOF_SHARE = 15.0, 0.8, 0.92
"""A block may take so long, and a block or a proof so much of the time that is left: solvers overrun their limits."""


class Search:
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
        t = compiled.tables
        whole = np.diff(t.line_start) == np.diff(compiled.problem.orders.line_start)
        self.exact = np.flatnonzero(compiled.coupled & (t.grouped == np.diff(t.line_start)) & whole)
        self.relaxed = len(long_orders(compiled)) > 0
        self.single = bool((np.diff(t.line_start)[self.coupled] <= 1).all())
        self.out = choice()
        self.best: Assignment = nothing_assigned(compiled)
        self.best_cents = int(self.best.cents.sum())
        self.prices = no_prices(compiled)
        self.bound, self.searched = 0.0, 0.0
        self.reason = "work_done"
        self.verdict: Verdict | None = None
        self.trace: list[TracePoint] = []
        self._draws, self._began = 0, 0.0
        self._together = len(self.coupled) >= params.together_orders
        self._at_once = max(ROUNDS_AT_ONCE, len(self.coupled) // 2 if self._together else 0)
        if stopping.time_limit_seconds is not None:
            self._at_once = FIRST_ROUNDS_AT_ONCE

    def run(self) -> None:
        """Do the work of method `auto`, step by step, until something says stop."""
        self.offer(self.in_sequence(no_prices(self.compiled), 1.0))
        if not len(self.coupled):
            return
        self._began = self.stopping.stopwatch()  # what came before is in part the loading of kernels
        try:
            for step in self._steps():
                step()
                if self.done():
                    return
        except Overdue:
            self._go_alone()

    def _go_alone(self) -> None:
        """End here: what was handed out did not come back in time, and what is left to do is done without help."""
        self.spread, self.reason = map, "time_limit"

    def _steps(self) -> list[Callable[[], object]]:
        """Return what to do, in order; with many blocks and a time limit, ruin and recreate and blocks race for it."""
        begin = [self._prove_by_flow, self._find_prices, self._serve_at_prices, self._route_units, self._polish_prices]
        if len(self.coupled) <= self.params.few_orders:  # the programme is solved sooner than prices are searched for
            begin[1:1] = [self._polish_prices, self._serve_at_prices]
        if self.stopping.time_limit_seconds is not None and len(self.exact) > self._most_at_once():
            return [*begin, self._race]
        return [*begin, self._ruin_and_recreate, self._route_units, self._solve_blocks, self._prove, self._go_on]

    @cached_property
    def rival(self) -> Rivals:
        """Which orders compete for each contested cell."""
        return rivals(self.compiled)

    @cached_property
    def units(self) -> IntArray:
        """The orders of one line and one unit."""
        return single_units(self.compiled)

    def referee(self) -> None:
        """Do the work of method `exact`: the textbook model, from the one-by-one plan on."""
        from solvers.textbook_solve import solve_textbook  # loads OR-Tools' MathOpt, which nothing else needs

        check_size(self.compiled)
        self.offer(self.in_sequence(no_prices(self.compiled), 1.0))
        self._find_prices()
        effort = ExactEffort(
            seconds=self.stopping.seconds_left(),
            nodes=self.params.exact_nodes,
            work_seconds=self.params.exact_work_seconds,
            threads=self.params.exact_threads,
            target_gap=self.stopping.target_gap or 0.0,
            seed=self.params.seed,
        )
        divided = divide_lines(self.compiled, self.best.copy())
        self.verdict = solve_textbook(self.compiled, self.best.cand, divided, self.params.exact_solver, effort)
        self.searched = self.verdict.bound_cents or 0
        if self.stopping.close_enough(max(self.bound, self.searched), self.verdict.cents):
            self.reason = "target_gap"
        elif self.stopping.time_limit_seconds is not None:
            self.reason = "time_limit"

    def done(self) -> bool:
        """Return whether to stop, and note why."""
        if self.best_cents <= np.ceil(max(self.bound, self.searched) - 1e-6):
            self.reason = "optimal"
        elif self.stopping.late():
            self.reason = "time_limit"
        elif self.stopping.close_enough(max(self.bound, self.searched), self.best_cents):
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
        bound = int(np.floor(max(self.bound, self.searched))) if self.bound > 0 else None
        point = TracePoint(seconds=self.stopping.stopwatch(), bound_cents=bound, best_cents=self.best_cents)
        self.trace.append(point)
        if self._progress is not None:
            self._progress(point)

    def _accept(self, bound: float, prices: Multipliers) -> None:
        if bound > self.bound:
            self.bound, self.prices = bound, prices

    def _prove_by_flow(self) -> None:
        """Where all orders that compete are of one unit, find the optimum, and the prices that prove it."""
        if not self.relaxed and 0 < len(self.units) == len(self.coupled) and self._route_units():
            apart = float(self.best.cents[~self.compiled.coupled].sum())
            bound, prices = flow_prices(self.compiled, self.best, self.units, self.spread)
            self._accept(bound + apart, prices)

    def _route_units(self) -> bool:
        """Decide all orders of one unit at once, against what the others leave; return whether that was worth a try."""
        left, starts = self.stopping.seconds_left(), self.compiled.tables.cand_start
        seconds = FLOW_SECONDS * float((starts[self.units + 1] - starts[self.units]).sum())
        if len(self.units) < FLOW_SHARE * len(self.coupled) or (left is not None and seconds > left):
            return False
        plan = self.best.copy()
        improve_by_flow(self.compiled, plan, self.units)
        self.offer(plan)
        return True

    def _find_prices(self) -> None:
        if not len(self.coupled):
            return
        early = list(EARLY)
        for step, found in enumerate(dual_steps(self.compiled, self.prices, self._pace, self.spread), start=1):
            self._accept(found.bound, found.prices)
            if step % 25 == 0:
                self._note()
            if early and self._pace(step) >= early[0] and not self.stopping.late():
                early.pop(0)
                self.offer(self.in_sequence(found.prices, EARLY_SHARE))

    def _pace(self, step: int) -> float:
        """Return how much of the search for prices is over: by steps, or sooner by its share of the time limit."""
        limit = self.stopping.time_limit_seconds
        began, now = self._began, self.stopping.stopwatch()
        by_time = 0.0 if limit is None else (now - began) / max(PRICES_BY * (limit - began), 1e-9)
        few = min(self.params.dual_steps, self.params.small_dual_steps)
        steps = few if self._is_provable() else self.params.dual_steps
        return max(counted(steps)(step), min(by_time, 1.0))

    def _serve_at_prices(self) -> None:
        for share in PRICED_AT:
            self.offer(self.in_sequence(self.prices, share))
            if self.done():
                return

    def _polish_prices(self) -> None:
        """Bring the prices to the exact optimum of the relaxation, where a linear programme is small enough."""
        most = self.params.single_orders if self.single else self.params.polish_orders
        if self.relaxed or not 0 < len(self.exact) == len(self.coupled) <= most:
            return
        master = Master(self.compiled, self.exact, self.best)
        apart = float(self.best.cents[~self.compiled.coupled].sum())  # of orders that compete for nothing, in any plan
        bound, prices = column_generation(master, self.prices, rounds=20, enough=lambda: self.stopping.late(POLISH_BY))
        self._accept(bound + apart, prices)

    def _ruin_and_recreate(self) -> None:
        whole = len(self.exact) == len(self.coupled) <= self._most_at_once()
        per_order = self.params.whole_rounds_per_order if whole else self.params.rounds_per_order
        self._improve(min(self.params.most_rounds, len(self.coupled) * per_order))

    def _improve(self, rounds: int) -> None:
        """Try so many changes of the best plan, noting the gains; look at the clock often enough to stop in time."""
        plan = self.best.copy()
        while rounds > 0:
            at_once, began = min(rounds, self._at_once), self.stopping.stopwatch()
            self._try_changes(plan, at_once)
            rounds -= at_once
            self.offer(plan)
            if self.done():
                return
            if self.stopping.time_limit_seconds is not None:
                aim = max(SECONDS_AT_ONCE, SECONDS_PER_ORDER * len(self.coupled))
                slow = self.stopping.stopwatch() - began > aim
                self._at_once = max(1, self._at_once // 2) if slow else 2 * self._at_once

    def _try_changes(self, plan: Assignment, rounds: int) -> None:
        """Try so many changes of the plan: by explorers where there are many orders, one after the other else."""
        seed = self._draw()
        if self._together and rounds >= TOGETHER_ROUNDS:
            improve_together(
                self.compiled, plan, self.prices, self.coupled, self.rival, rounds, seed, spread=self.spread
            )
            return
        duals = self.prices.duals()
        ruin_and_recreate(self.compiled.tables, self.coupled, self.rival, duals, plan, self.out, rounds, seed)

    def _draw(self) -> int:
        self._draws += 1
        return (self.params.seed * 1_000_003 + self._draws) % 2**32

    def _solve_blocks(self) -> None:
        for _ in range(1 if len(self.exact) <= self._most_at_once() else self.params.passes):
            if self.done() or not self._pass(1.0):
                return

    def _most_at_once(self) -> int:
        return self.params.single_orders if self.single else self.params.whole_orders

    def _pass(self, width: float) -> bool:
        """Solve every order once in a block; return whether the plan became cheaper."""
        before = self.best_cents
        for _ in self._waves(width):
            if self.done():
                break
        return self.best_cents < before

    def _waves(self, width: float) -> Iterator[None]:
        """Solve every order once in a block, two blocks at a time."""
        most = self._most_at_once()
        size = most if len(self.exact) <= most else self.params.block_orders
        blocks = linked_blocks(self.compiled, self.exact, self.rival, size, self._draw())
        for first in range(0, len(blocks), 2):
            plan = self.best.copy()
            terms = BlockTerms(
                slack_cents=width * SLACK_SHARE * float(plan.cents[self.exact].mean()),
                columns_per_order=width * COLUMNS_PER_ORDER,
                nodes=self.params.nodes,
                seconds=self._block_seconds,
            )
            improve_blocks(self.compiled, plan, self.prices, blocks[first : first + 2], terms, self.spread)
            self.offer(plan)
            yield

    def _block_seconds(self) -> float | None:
        left = self.stopping.seconds_left()
        return None if left is None else min(MIP_SHARE * left, LONGEST_BLOCK_SECONDS)

    def _all_waves(self) -> Iterator[None]:
        """Go on with wave after wave, of wider blocks when a pass has found nothing."""
        width = 1.0
        while True:
            before = self.best_cents
            yield from self._waves(width)
            width = min(WIDER * width, WIDEST) if self.best_cents == before else width

    def _is_provable(self) -> bool:
        return not self.relaxed and 0 < len(self.exact) == len(self.coupled) <= self.params.proof_orders

    def _prove(self) -> None:
        """Raise the bound of a small batch by exact searches, beyond what prices prove."""
        if not self._is_provable():
            return
        for share in PROVEN_SHARES:
            left, plan = self.stopping.seconds_left(), self.best.copy()
            seconds = None if left is None else PROOF_SHARE * left
            effort = Effort(share=share, columns=self.params.proof_columns, nodes=self.params.nodes, seconds=seconds)
            bound = search_bound(self.compiled, self.exact, self.prices, self.bound, plan, effort)
            if bound is None:
                return
            self.searched = max(self.searched, bound)
            self._note()
            self.offer(plan)
            if self.done():
                return

    def _go_on(self) -> None:
        """Use what is left of the time: wider blocks where they find nothing more, and ruin and recreate in between."""
        width = 1.0
        while self.stopping.time_limit_seconds is not None and not self.done():
            self._improve(2 * len(self.coupled))
            self._route_units()
            if not self.done() and not self._pass(width):
                width = min(WIDER * width, WIDEST)

    def _race(self) -> None:
        """Give the time to what has gained more a second of late, ruin and recreate or blocks, and try the other again.

        The other has its turn when it has waited `PATIENCE` times as long as its last turn took.
        """
        waves, rounds = self._all_waves(), max(ROUNDS_AT_ONCE, len(self.coupled) // 10)
        turns: tuple[Callable[[], None], ...] = (lambda: self._improve(rounds), lambda: next(waves))
        rate, took, ended = [np.inf, np.inf], [0.0, 0.0], [0.0, 0.0]
        while not self.done():
            began, before = self.stopping.stopwatch(), self.best_cents
            ahead = int(rate[1] > rate[0])
            if began - ended[1 - ahead] > PATIENCE * took[1 - ahead] > 0:
                ahead = 1 - ahead
            turns[ahead]()
            ended[ahead] = self.stopping.stopwatch()
            took[ahead] = max(ended[ahead] - began, 1e-6)
            gained = (before - self.best_cents) / took[ahead]
            rate[ahead] = gained if np.isinf(rate[ahead]) else (rate[ahead] + gained) / 2

    def result(self) -> RoutingResult:
        """Certify the bound and hand out the best plan."""
        try:
            lower_bound_cents, prices = certify(self.compiled, self.prices, self.spread)
        except Overdue:
            self._go_alone()
            lower_bound_cents, prices = certify(self.compiled, self.prices)
        bound_method, searched = BoundMethod.PRICES, int(np.ceil(self.searched))
        if lower_bound_cents < searched <= (self.best_cents if self.verdict is None else self.verdict.cents):
            lower_bound_cents, bound_method = searched, BoundMethod.SEARCH
        if self.verdict is None:
            plan = conclude(self.compiled, self.best.cand, divide_lines(self.compiled, self.best.copy()))
        else:
            plan = conclude(self.compiled, self.verdict.cand, self.verdict.divided)
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
            bound_method=bound_method,
            method=self.params.method,
            stop_reason=self.reason,
            compile_seconds=self._compile_seconds,
            solve_seconds=seconds - self._compile_seconds,
            trace=tuple(self.trace),
        )
