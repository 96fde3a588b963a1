"""Nodes that are closed to some lines ship nothing of them but what their orders hold there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tiny_problems import long_problem, tiny_problem

from solvers.params import Method
from solvers.problem import RoutingProblem, Stock


def without_stock(problem: RoutingProblem, closed: np.ndarray) -> RoutingProblem:
    """Return the problem without the stock of SKUs at nodes that are closed to them; shape (SKUs, nodes)."""
    stock = problem.stock
    sku = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start))
    keeps = ~closed[sku, stock.node]
    counts = np.bincount(sku[keeps], minlength=len(problem.skus))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    left = Stock(start=start, node=stock.node[keeps], available=stock.available[keeps])
    return replace(problem, stock=left)


def test_closing_a_node_to_a_sku_is_as_if_it_had_none(read, route) -> None:
    """Fails if any way to plan (whole orders, long ones, divided lines, flows, baselines) forgets that it is closed."""
    for seed in [*range(60), *range(2000, 2008)]:
        problem = read(tiny_problem(seed) if seed < 2000 else long_problem(seed))
        closed = np.random.default_rng(seed).random((len(problem.skus), len(problem.nodes.node_ids))) < 0.3
        for method in Method:
            found = route(replace(problem, closed=closed), method)
            expected = route(without_stock(problem, closed), method)
            assert found.total_cost_cents == expected.total_cost_cents, (seed, method)
            assert found.lower_bound_cents == expected.lower_bound_cents, (seed, method)


def test_each_line_has_the_nodes_that_are_closed_to_its_own_row(read, route) -> None:
    """Every line has a row of its own. Fails if rows are taken for SKUs, or a line that is held is not shipped."""
    for seed in range(40):
        problem = read(tiny_problem(seed, split=False))
        draw, orders = np.random.default_rng(seed), problem.orders
        lines, nodes = len(orders.line_sku), len(problem.nodes.node_ids)
        closed = draw.random((lines, nodes)) < 0.5
        own = np.where(draw.random(lines) < 0.3, draw.integers(0, nodes, lines), -1)
        demand = replace(orders, line_closed_row=np.arange(lines), line_own_node=own)
        plan = route(replace(problem, closed=closed, orders=demand)).plan
        shipped = plan.node >= 0
        line, node = plan.line[shipped], plan.node[shipped]
        assert (~closed[line, node] | (own[line] == node)).all(), seed
