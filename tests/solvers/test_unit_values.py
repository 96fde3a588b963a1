"""What units are worth to later demand ranks plans as a cost of nodes would, and is told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_problems import long_problem, tiny_problem

from solvers.params import Method


def test_a_value_that_all_skus_share_ranks_plans_as_a_cost_of_each_unit_at_the_node_does(read, route) -> None:
    """Fails if any of the ways to price a parcel leaves values out: whole orders, long ones, divided lines, flows."""
    for seed in [*range(60), *range(2000, 2010)]:
        problem = read(tiny_problem(seed) if seed < 2000 else long_problem(seed))
        draw = np.random.default_rng(seed)
        worth = draw.integers(0, 40, len(problem.nodes.node_ids))
        valued = replace(problem, unit_value_cents=np.tile(worth, (len(problem.skus), 1)))
        dearer = replace(problem, nodes=replace(problem.nodes, unit_cost_cents=problem.nodes.unit_cost_cents + worth))
        for method in Method:
            found, expected = route(valued, method), route(dearer, method)
            assert found.total_cost_cents == expected.total_cost_cents, (seed, method)
            assert found.lower_bound_cents == expected.lower_bound_cents, (seed, method)
            plan = found.plan
            shipped = plan.node >= 0
            assert plan.costs.value == (worth[plan.node] * plan.quantity)[shipped].sum(), (seed, method)
            assert plan.costs.units + plan.costs.value == expected.plan.costs.units, (seed, method)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_with_values_of_their_own_skus_end_up_where_the_textbook_model_puts_them(seed: int, read, route) -> None:
    problem = read(tiny_problem(seed, split=False))
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 60, (len(problem.skus), len(problem.nodes.node_ids)))
    valued = replace(problem, unit_value_cents=values)
    best, exact = route(valued), route(valued, Method.EXACT)
    assert best.lower_bound_cents <= exact.total_cost_cents
    assert exact.lower_bound_cents <= best.total_cost_cents
    plan = best.plan
    shipped = plan.node >= 0
    sku = problem.orders.line_sku[plan.line]
    assert plan.costs.value == (values[sku, plan.node] * plan.quantity)[shipped].sum()
