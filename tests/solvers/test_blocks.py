"""Integer programmes over patterns: all near patterns are there, nothing is overdrawn, and bounds are bounds."""

from __future__ import annotations

import brute_force
import numpy as np
import pytest
from compiled_problems import NewFolder, assert_sound, both, in_sequence, some_prices, without_capacities
from tiny_problems import tiny_problem

from engine.dispatch.local import threads
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem
from engine.verification.problem import Order, Problem
from solvers.blocks import BlockTerms, improve_blocks
from solvers.master import Master, column_generation
from solvers.near_patterns import near_patterns, walk
from solvers.offers import choice
from solvers.parts import linked_blocks, rivals, shares
from solvers.plan import BACKORDER
from solvers.prices import counted, dual_steps, no_prices, nothing_left
from solvers.problem import IntArray
from solvers.prove import Effort, search_bound
from solvers.tables import compile_tables


def possible(problem: Problem, order: Order, slack: float) -> set[tuple[str, ...]]:
    """Return the node of each line ("" if backordered) in all patterns within `slack` of the least, by trying them."""
    found = {
        tuple(next(iter(units)) for units in pattern): cost for cost, pattern, _ in brute_force.patterns(problem, order)
    }
    least = min(found.values())
    return {nodes for nodes, cost in found.items() if cost <= least + slack}


@pytest.mark.parametrize("slack", [0, 35, 10_000])
def test_every_pattern_within_the_slack_is_found_and_none_beyond_it(slack: int, folder: NewFolder) -> None:
    """Seeded bugs this catches: the first parcel charged a split, a node used twice, a limit on parcels ignored."""
    for seed in range(150):
        compiled, problem = both(tiny_problem(seed, split=False), folder)
        t, ids = compiled.tables, ("", *compiled.problem.nodes.node_ids)
        free, everyone = no_prices(compiled).duals(), np.arange(len(compiled.coupled))
        out, w, nothing = choice(), walk(4096), nothing_left(compiled)
        found, complete = near_patterns(t, everyone, free, nothing, slack, 10**6, out, w)
        assert complete
        fewer, still_complete = near_patterns(t, everyone, free, nothing, slack, 2, out, w)
        counts = np.bincount(found.order, minlength=len(everyone))
        assert still_complete == (counts <= 2).all()
        assert (np.bincount(fewer.order, minlength=len(everyone)) <= 2).all()
        for o, order in enumerate(problem.orders.values()):
            mine = np.flatnonzero(found.order == o)
            nodes = {
                tuple(
                    ids[BACKORDER + 1 if i == BACKORDER else int(t.cand_node[t.cand_start[o] + i]) + 1]
                    for i in found.cand[found.start[k] : found.start[k + 1]]
                )
                for k in mine
            }
            assert len(nodes) == len(mine), seed
            assert nodes == possible(without_capacities(problem), order, slack), seed


def test_blocks_never_make_a_plan_dearer_and_take_nothing_twice(folder: NewFolder) -> None:
    """Seeded bug this catches: every block given all that is left."""
    generate(Recipe(orders=400, nodes=20, skus=60, seed=2), path := folder())
    compiled = compile_tables(read_problem(path).problem)
    prices = [step.prices for step in dual_steps(compiled, no_prices(compiled), counted(60))][-1]
    orders, plan = np.flatnonzero(compiled.coupled), in_sequence(compiled, prices)
    terms = BlockTerms(slack_cents=400, columns_per_order=4.0, nodes=5, seconds=lambda: None)
    with threads(2) as spread:
        for seed in range(3):
            before, twin = int(plan.cents.sum()), plan.copy()
            blocks = linked_blocks(compiled, orders, rivals(compiled), 90, seed)
            saved = improve_blocks(compiled, plan, prices, blocks, terms, spread)
            assert improve_blocks(compiled, twin, prices, blocks, terms, map) == saved > 0
            assert twin.cand.tolist() == plan.cand.tolist()
            assert before - int(plan.cents.sum()) == saved
            assert_sound(compiled, plan)


def test_blocks_hold_every_order_once_and_share_all_that_is_left(folder: NewFolder) -> None:
    generate(Recipe(orders=300, nodes=20, skus=60, seed=1), path := folder())
    compiled = compile_tables(read_problem(path).problem)
    orders, plan = np.flatnonzero(compiled.coupled), in_sequence(compiled, no_prices(compiled))
    blocks: list[IntArray] = linked_blocks(compiled, orders, rivals(compiled), 70, 5)
    assert np.sort(np.concatenate(blocks)).tolist() == orders.tolist()
    assert max(map(len, blocks)) <= 70
    parts = shares(compiled, plan.residual, blocks)
    for k, left in enumerate(plan.residual):
        together = sum(part[k] for part in parts)
        assert (together <= left).all()
        assert (together == left)[left >= len(blocks)].mean() > 0.95  # but for stock that no block could use


def test_a_searched_bound_is_never_above_the_optimum_and_reaches_it_with_columns_enough(folder: NewFolder) -> None:
    """Seeded bug this catches: patterns beyond the slack forgotten, so that a search over few states its optimum."""
    reached = 0
    for seed in range(250):
        compiled, problem = both(tiny_problem(seed, split=False), folder)
        orders = np.flatnonzero(compiled.coupled)
        if not len(orders):
            continue
        steps = list(dual_steps(compiled, no_prices(compiled), counted(40)))
        best = max(steps, key=lambda step: step.bound)
        optimum = brute_force.optimum_cents(problem)
        for share in (0.1, 0.5, 1.0):
            plan = in_sequence(compiled, best.prices)
            effort = Effort(share=share, columns=10_000, nodes=100, seconds=None)
            bound = search_bound(compiled, orders, best.prices, best.bound, plan, effort)
            assert bound is not None
            assert int(np.ceil(bound)) <= optimum <= plan.cents.sum(), seed
            assert_sound(compiled, plan)
        assert int(np.ceil(bound)) == optimum == plan.cents.sum(), seed
        reached += optimum > np.ceil(best.bound)
    assert reached >= 3  # where prices alone do not prove it


def test_column_generation_ends_in_prices_as_good_as_any(folder: NewFolder) -> None:
    better = 0
    for seed in range(60):
        compiled, problem = both(tiny_problem(seed, split=False), folder)
        orders = np.flatnonzero(compiled.coupled)
        if not len(orders):
            continue
        swept = max(step.bound for step in dual_steps(compiled, no_prices(compiled), counted(8)))
        alone = float(in_sequence(compiled, no_prices(compiled)).cents[~compiled.coupled].sum())
        master = Master(compiled, orders, in_sequence(compiled, some_prices(compiled, seed)))
        bound, _ = column_generation(master, no_prices(compiled), rounds=30, enough=lambda: False)
        assert swept - 1e-6 <= bound + alone <= brute_force.optimum_cents(problem) + 1e-6, seed
        better += bound + alone > swept + 0.5
    assert better >= 3
