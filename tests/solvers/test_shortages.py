"""The reason of every backordered line, against the same facts told by the contract's records."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from brute_force import service_cost
from tiny_problems import tiny_problem

from engine.routing.folder import read_problem as read_for_solvers
from engine.routing.reasons import plan_shortages
from engine.verification.problem import Line, Order, Problem
from engine.verification.reading import read_problem
from solvers.params import Method, Params
from solvers.plan import BACKORDER
from solvers.shortages import Shortage
from solvers.solve import solve
from solvers.stopping import Stopping


def carried(problem: Problem, order: Order, line: Line, node_id: str) -> bool:
    """Say whether a service may carry the line from a node, alone or (if it can be) with others."""
    split = problem.terms.line_split_allowed
    weight_g = problem.weight_g.get(line.sku, 0) * (1 if split else line.quantity)
    heavier = range(weight_g, weight_g + 60) if split or len(order.lines) > 1 else (weight_g,)
    return any(service_cost(problem, order, problem.nodes[node_id], grams) is not None for grams in heavier)


def true_reason(
    problem: Problem, order: Order, line: Line, pin: str | None, shut: set[str], shipping: set[str]
) -> Shortage:
    """Return the first reason that is true, by sets of nodes."""
    least = 1 if problem.terms.line_split_allowed else line.quantity
    stock = problem.available.get(line.sku, {})
    if not any(stock.values()):
        return Shortage.NO_STOCK
    enough = {node_id for node_id, units in stock.items() if units >= least and pin in (None, node_id)}
    if enough and enough <= shut:
        return Shortage.CLOSED_NODE
    enough -= shut
    able = {node_id for node_id in enough if carried(problem, order, line, node_id)}
    if not able:
        if pin:
            return Shortage.PINNED_NODE
        return Shortage.NO_ELIGIBLE_NODE if enough else Shortage.INSUFFICIENT_STOCK
    nodes = {node_id: problem.nodes[node_id] for node_id in able}
    roomy = {
        node_id
        for node_id, node in nodes.items()
        if (node.capacity_units is None or node.capacity_units >= least) and node.capacity_parcels != 0
    }
    if not roomy:
        return Shortage.NO_CAPACITY
    full = order.max_nodes is not None and len(shipping) >= order.max_nodes
    return Shortage.MAX_NODES if full and not roomy & shipping else Shortage.OUTBID


def test_every_backordered_line_has_the_first_reason_that_is_true(folder: Callable[[], Path]) -> None:
    seen: Counter[Shortage] = Counter()
    for seed in range(500):
        path, dice = tiny_problem(seed).write(folder()), Random(seed)
        problem, told = read_for_solvers(path).problem, read_problem(path)
        node_ids = problem.nodes.node_ids
        pinned = [dice.randrange(len(node_ids)) if dice.random() < 0.15 else -1 for _ in problem.orders.line_sku]
        closed = np.array([[dice.random() < 0.1 for _ in node_ids] for _ in problem.skus]).reshape(-1, len(node_ids))
        orders = replace(problem.orders, line_pinned_node=np.array(pinned, np.int64))
        problem = replace(problem, orders=orders, closed=closed)
        params = Params(method=Method.ONE_BY_ONE)
        plan = solve(problem, params, Stopping(stopwatch=time.perf_counter)).plan
        owner = problem.line_order
        rows, reasons = plan_shortages(problem, plan)
        assert rows.tolist() == np.flatnonzero(plan.node == BACKORDER).tolist()
        for at, reason in zip(plan.line[rows].tolist(), reasons, strict=True):
            o = int(owner[at])
            order = told.orders[problem.orders.order_ids[o]]
            line = next(line for line in order.lines if line.sku == problem.skus[problem.orders.line_sku[at]])
            shipped = plan.node[(owner[plan.line] == o) & (plan.node != BACKORDER)]
            pin = node_ids[pinned[at]] if pinned[at] >= 0 else None
            shut = {node_ids[n] for n in np.flatnonzero(closed[problem.orders.line_sku[at]])}
            true = true_reason(told, order, line, pin, shut, {node_ids[n] for n in shipped})
            assert reason == true, (seed, order, line)
            seen[reason] += 1
    assert set(seen) == set(Shortage), seen
