"""Soft limits: every order keeps to them as long as it can be served so; who would wait breaks them at their price."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_problems import tiny_problem

from engine.network.document import NetworkDocument
from engine.network.node_rules import NodeRule
from engine.network.run_terms import RunTerms, Softened
from engine.orders.explanations import ExplanationService
from engine.routing.again import part_of
from engine.routing.batch import Batch
from engine.routing.completing import keep_to_limits
from engine.routing.explained_blobs import MemoryBlobs
from engine.routing.explained_runs import ExplainedRuns
from engine.routing.explanation import BrokenLimit
from engine.routing.folder import read_problem
from engine.routing.model import OpenOrder
from engine.routing.node_terms import Fitting, with_closed_nodes
from engine.routing.plan_costs import plan_of
from engine.routing.relaxing import with_relaxed_rules
from engine.routing.second_pass import second_pass
from solvers.cost import INFEASIBLE, best_service, freight
from solvers.params import Params
from solvers.plan import BACKORDER, RoutingPlan
from solvers.problem import ANY_LEVEL, NO_DUE_DATE, UNLIMITED, RoutingProblem, Stock
from solvers.solve import solve
from solvers.stopping import Stopping

if TYPE_CHECKING:
    from conftest import World

NO_EAST = {"rule": "not from the east", "forbidden_node_ids": ["east"]}


def stopping() -> Stopping:
    return Stopping(stopwatch=time.perf_counter)


async def test_a_soft_rule_holds_for_orders_that_can_be_served_with_it(world: World) -> None:
    """Two mugs in the east, one in the west, and the east is closed: who finds none in the west goes there after all.

    Catches a rule that is soft from the first, by which all would go to the cheaper east.
    """
    await world.count(east={"MUG": 2}, west={"MUG": 1})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    run = await world.route_under(rules=[{**NO_EAST, "relaxed_cost_cents_per_unit": 700}])
    assert sorted([*await world.sources("o1"), *await world.sources("o2")]) == ["east", "west"]
    summary: dict[str, Any] = run.summary
    (broken,) = summary["relaxed"]
    assert (await world.sources(broken["order_id"])) == ["east"]
    told = {key: value for key, value in broken.items() if key != "order_id"}
    assert told == {
        "line_id": "1",
        "sku": "MUG",
        "quantity": 1,
        "node_id": "east",
        "constraint": "not from the east",
        "cost_cents": 700,
    }
    assert summary["relaxed_cost_cents"] == 700
    assert (summary["total_cost_cents"], sum(summary["costs"].values())) == (1400, 1400)
    assert (summary["lower_bound_cents"], summary["solve_status"]) == (1400, "feasible")


@pytest.mark.parametrize(("cents", "node"), [(4499, "east"), (4501, None)])
async def test_a_rule_is_broken_only_if_that_is_better_than_waiting(cents: int, node: str | None, world: World) -> None:
    """A parcel costs 500, waiting 5,000."""
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    run = await world.route_under(kept, rules=[{**NO_EAST, "relaxed_cost_cents_per_unit": cents}])
    assert await world.sources("o1") == [node]
    assert ("relaxed" in run.summary) == (node is not None)
    assert [entry.reason for entry in run.unrouted] == ([] if node else ["barred_node"])
    (line,) = (await ExplanationService(world.book, kept, 7).explain("o1")).explanation.lines
    assert [choice.standing for choice in line.nodes] == ["chosen" if node else "policy"]


async def test_a_distance_may_be_exceeded_at_a_price(world: World) -> None:
    await world.count(west={"MUG": 1})
    await world.order("o1", {"MUG": 1})
    kept = ExplainedRuns(MemoryBlobs(world.clock, 7))
    rules = [{"max_distance_km": 1000.0, "relaxed_cost_cents_per_unit": 100}]
    run = await world.route_under(kept, rules=rules)
    assert await world.sources("o1") == ["west"]
    assert [(each["constraint"], each["cost_cents"]) for each in run.summary["relaxed"]] == [("rules[0]", 100)]
    explained = (await ExplanationService(world.book, kept, 7).explain("o1")).explanation
    assert explained.relaxed == (BrokenLimit(constraint="rules[0]", cost_cents=100, line_id="1", node_id="west"),)
    (line,) = explained.lines
    assert [(choice.node_id, choice.standing) for choice in line.nodes] == [("west", "chosen")]


@pytest.mark.parametrize(("cents", "expected"), [(1000, ["east", "west"]), (4000, ["east", None])])
async def test_more_nodes_than_allowed_ship_at_a_price(cents: int, expected: list[str | None], world: World) -> None:
    """The second parcel saves 5,000, and costs 900 and 100 for the split."""
    await world.count(east={"MUG": 1}, west={"TEA": 1})
    await world.order("o1", {"MUG": 1, "TEA": 1})
    run = await world.route_under(max_nodes_per_order=1, softened={"extra_node_cost_cents": cents})
    assert await world.sources("o1") == expected
    relaxed = run.summary.get("relaxed", [])
    assert [each["constraint"] for each in relaxed] == ["max_nodes_per_order"] * expected.count("west")


@pytest.mark.parametrize(("cents", "node"), [(1000, "west"), (3000, None)])
async def test_parcels_are_late_at_a_price_for_orders_that_would_wait(
    cents: int, node: str | None, world: World, network_document: dict[str, Any]
) -> None:
    """By ground it takes three days from the west, two working days beyond the Monday by which it is needed."""
    network_document["services"] = network_document["services"][:1]
    await world.networks.put(NetworkDocument.model_validate(network_document))
    await world.count(west={"MUG": 1})
    await world.order("o1", {"MUG": 1}, need_by=date(2026, 11, 23))
    run = await world.route_under(softened={"late_day_cost_cents": cents})
    assert await world.sources("o1") == [node]
    relaxed = run.summary.get("relaxed", [])
    assert [(e["constraint"], e["node_id"], e["cost_cents"]) for e in relaxed] == (
        [] if node is None else [("need_by", "west", 2000)]
    )
    assert run.summary["costs"]["late"] == 0


@pytest.mark.parametrize(("cents", "expected"), [(1000, ["east", None]), (4600, [None, None])])
async def test_an_order_ships_in_part_at_a_price(cents: int, expected: list[str | None], world: World) -> None:
    await world.count(east={"MUG": 1})
    await world.order("o1", {"MUG": 1, "TEA": 1})
    run = await world.route_under(ship_complete=True, softened={"incomplete_order_cost_cents": cents})
    assert await world.sources("o1") == expected
    relaxed = run.summary.get("relaxed", [])
    assert [(each["constraint"], each["cost_cents"]) for each in relaxed] == (
        [("ship_complete", 1000)] if expected[0] else []
    )


def batch_of(problem: RoutingProblem, terms: RunTerms, fitting: list[Fitting]) -> Batch:
    """Return a problem as a batch under rules, of orders without kits."""
    lines, nodes = len(problem.orders.line_sku), len(problem.nodes.node_ids)
    return Batch(
        problem=with_closed_nodes(problem, fitting, terms.rules, np.arange(nodes)).freeze(),
        paid=problem,
        relaxed=with_relaxed_rules(problem, fitting, terms.rules, np.arange(nodes)).freeze(),
        fitting=fitting,
        orders=tuple(OpenOrder(order_id=order_id, lines=()) for order_id in problem.orders.order_ids),
        line_ids=tuple(map(str, range(lines))),
        later=np.zeros(lines, np.bool_),
        node=np.arange(nodes),
        hand_over=np.zeros((nodes, len(problem.services)), np.int64),
        refused=frozenset(),
    )


def scattered(problem: RoutingProblem, draw: np.random.Generator) -> RoutingProblem:
    """Return the problem with a few units of each SKU at one node or two, and little patience."""
    nodes = len(problem.nodes.node_ids)
    at = [np.sort(draw.permutation(nodes)[: draw.integers(1, 3)]) for _ in problem.skus]
    start = np.concatenate([[0], np.cumsum([len(each) for each in at])]).astype(np.int64)
    node = np.concatenate(at).astype(np.int64)
    stock = Stock(start=start, node=node, available=draw.integers(1, 12, len(node)))
    orders = replace(problem.orders, due_days=np.full(problem.order_count, NO_DUE_DATE))
    terms = replace(problem.terms, backorder_cost_cents_per_unit=300)
    room = np.where(draw.random(nodes) < 0.6, UNLIMITED, problem.nodes.capacity_units)
    limits = replace(problem.nodes, capacity_units=room, capacity_parcels=np.maximum(room, 2))
    return replace(problem, stock=stock, orders=orders, terms=terms, nodes=limits)


def everything(problem: RoutingProblem) -> Iterator[RoutingPlan]:
    """Yield every plan of whole lines that stock, capacity, parcels, services and closed nodes allow."""
    orders, nodes, owner = problem.orders, problem.nodes, problem.line_order
    count, terms = len(nodes.node_ids), freight(problem)
    sku = np.repeat(np.arange(len(problem.skus)), np.diff(problem.stock.start))
    stock = np.zeros((len(problem.skus), count), np.int64)
    stock[sku, problem.stock.node] = problem.stock.available
    rows = orders.line_sku if orders.line_closed_row is None else orders.line_closed_row
    quantity, line = orders.line_quantity, np.arange(len(orders.line_sku))
    able = [
        [BACKORDER]
        + [
            n
            for n in range(count)
            if stock[orders.line_sku[at], n] >= quantity[at]
            and (problem.closed is None or not problem.closed[rows[at], n])
        ]
        for at in line.tolist()
    ]
    for nodes_of in itertools.product(*able):
        node = np.array(nodes_of, np.int64)
        shipped = node != BACKORDER
        left = stock.copy()
        np.subtract.at(left, (orders.line_sku[shipped], node[shipped]), quantity[shipped])
        pairs = np.unique(np.stack([owner[shipped], node[shipped]]), axis=1).astype(np.int64)
        if (
            (left < 0).any()
            or (np.bincount(node[shipped], quantity[shipped], count) > nodes.capacity_units).any()
            or (np.bincount(pairs[1], minlength=count) > nodes.capacity_parcels).any()
            or (np.bincount(pairs[0], minlength=problem.order_count) > orders.max_parcels).any()
        ):
            continue
        service = np.full(len(line), BACKORDER)
        for o, n in pairs.T.tolist():
            mine = (owner == o) & (node == n)
            grams = int((problem.weight_g[orders.line_sku] * quantity)[mine].sum())
            km = _km(problem, o, n)
            zone = int(np.searchsorted(problem.rates.zone_max_km + 1e-6, km))
            if zone >= len(problem.rates.zones):
                break
            wanted = (int(orders.due_days[o]), ANY_LEVEL)
            cents, _, best = best_service(terms, n, zone, zone, grams, wanted, False)
            if cents >= INFEASIBLE:
                break
            service[mine] = best
        else:
            yield plan_of(problem, line, node, quantity, service)


def _km(problem: RoutingProblem, o: int, n: int) -> float:
    a = np.radians([problem.orders.latitude[o], problem.orders.longitude[o]])
    b = np.radians([problem.nodes.latitude[n], problem.nodes.longitude[n]])
    half = np.sin((b[0] - a[0]) / 2) ** 2 + np.cos(a[0]) * np.cos(b[0]) * np.sin((b[1] - a[1]) / 2) ** 2
    return float(2 * 6371.0088 * np.arcsin(np.sqrt(min(1.0, half))))


def test_both_passes_are_the_best_there_is(folder: Callable[[], Path]) -> None:
    """By enumeration: the first among plans that break nothing, the second among all for those that wait in the first.

    And both together are never worse than the first alone, the same again each time, and no better than their bound.
    """
    improved, together = 0, 0
    for seed in range(100):
        problem = read_problem(tiny_problem(seed, split=False, most_orders=3, most_lines=2).write(folder())).problem
        nodes, lines = len(problem.nodes.node_ids), len(problem.orders.line_sku)
        if problem.lanes is not None or problem.terms.max_distance_km < np.inf:
            continue
        draw = np.random.default_rng(seed)
        problem = scattered(problem, draw)
        rules = tuple(
            NodeRule(
                name=f"rule {r}",
                barred=draw.random(nodes) < 0.5,
                max_km=float(draw.choice([np.inf, np.inf, 150.0])),
                relaxed_cents=None if r == 0 and draw.random() < 0.5 else int(draw.integers(1, 200)),
            )
            for r in range(2)
        )
        terms = RunTerms(rules=rules)
        fitting: list[Fitting] = [tuple(r for r in range(2) if draw.random() < 0.7) for _ in range(lines)]
        batch = batch_of(problem, terms, fitting)
        result = solve(batch.problem, Params(), stopping())
        first = keep_to_limits(batch, result, terms)
        assert first.result.total_cost_cents == min(plan.costs.total for plan in everything(batch.problem)), seed
        both = second_pass(batch, first, terms, Params(), stopping())
        plan, before = both.kept.result.plan, first.result.plan
        assert plan.costs.total <= before.costs.total, seed
        assert (both.kept.result.lower_bound_cents or 0) <= plan.costs.total, seed
        again = second_pass(batch, first, terms, Params(), stopping())
        assert (again.kept.result.plan.node == plan.node).all(), seed
        assert again.relaxed == both.relaxed, seed
        owner = problem.line_order
        waiting = before.line[before.node == BACKORDER].tolist()
        short = sorted({int(owner[at]) for at in waiting if any(_soft(rules, fitting[at]))})
        if short:
            assert batch.relaxed is not None
            part = part_of(batch.relaxed, before, short)
            best = min(found.costs.total for found in everything(part.problem))
            served = ~np.isin(before.line, part.line)
            rest = before.line[served], before.node[served], before.quantity[served], before.service[served]
            kept_part = plan_of(batch.relaxed, *rest).costs.total
            assert plan.costs.total == kept_part + best, seed
            together += 1
        charged = plan.costs.value
        assert charged == sum(each.cost_cents for each in both.relaxed), seed
        improved += plan.costs.total < before.costs.total
        assert (plan.costs.total < before.costs.total) == bool(both.relaxed), seed
    assert improved >= 5, (improved, together)


def _soft(rules: tuple[NodeRule, ...], fitting: Fitting) -> list[bool]:
    return [rules[r].relaxed_cents is not None and rules[r].closes for r in fitting]


def test_what_is_soft_in_parcels_never_makes_a_plan_worse(folder: Callable[[], Path]) -> None:
    """With all that it breaks counted; and orders have more parcels than they may only if it is told."""
    seen = 0
    for seed in range(120):
        problem = read_problem(tiny_problem(seed).write(folder())).problem
        if problem.lanes is not None:
            continue
        most = np.where(np.arange(problem.order_count) % 2, 2, 1)
        problem = scattered(problem, np.random.default_rng(seed))
        problem = replace(problem, orders=replace(problem.orders, max_parcels=most))
        terms = RunTerms(softened=Softened(extra_node_cents=30))
        batch = batch_of(problem, terms, [()] * len(problem.orders.line_sku))
        first = keep_to_limits(batch, solve(problem, Params(), stopping()), terms)
        both = second_pass(batch, first, terms, Params(), stopping())
        plan = both.kept.result.plan
        counted = plan.costs.total + sum(each.cost_cents for each in both.relaxed)
        assert counted <= first.result.total_cost_cents, seed
        pairs = np.unique(np.stack([problem.line_order[plan.line], plan.node])[:, plan.node >= 0], axis=1)
        over = np.maximum(np.bincount(pairs[0], minlength=problem.order_count) - most, 0)
        assert 30 * over.sum() == sum(each.cost_cents for each in both.relaxed), seed
        seen += len(both.relaxed)
    assert seen
