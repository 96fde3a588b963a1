"""Orders of one unit as a flow: the optimum, proven; and beside other orders, the best given what these hold."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from brute_force import optimum_cents
from compiled_problems import NewFolder, assert_sound, both, in_sequence, some_prices
from tiny_problems import Row, TinyProblem, by_hand, rows, tiny_problem

from engine.integrations.brunel import import_brunel
from engine.integrations.generate import Recipe, generate
from engine.routing.folder import read_problem
from engine.routing.route_folder import Options, route_folder
from engine.verification.verify import verify
from solvers import prices
from solvers.assignment import Assignment, nothing_assigned, restore, take_back
from solvers.flow import improve_by_flow, single_units
from solvers.flow_prices import flow_prices
from solvers.plan import BACKORDER
from solvers.prices import certify
from solvers.problem import IntArray
from solvers.tables import NO_STOCK, Compiled, compile_tables

RESULT = ("plan.csv", "prices.csv", "summary.json")


def of_single_units(seed: int, *, others: bool = False) -> TinyProblem:
    """Return up to seven orders of one unit that compete at up to four nodes; with `others`, the first has more."""
    dice = Random(seed)
    nodes, skus, orders = "ABCD"[: dice.randint(1, 4)], "stu"[: dice.randint(1, 3)], range(dice.randint(1, 7))
    most, step = dice.choice([(0, 1), (3, 10), (30, 10), (300, 1)])

    def cents(more: int = 0) -> int:
        return step * dice.randint(0, most) + more

    def maybe(most: int) -> int | None:
        return dice.randint(0, most) if dice.random() < 0.4 else None

    lines: list[Row] = [{"order_id": f"o{at}", "sku": dice.choice(skus), "quantity": 1} for at in orders]
    if others:
        lines[:1] = [{"order_id": "o0", "sku": sku, "quantity": dice.randint(1, 2)} for sku in skus]
    return by_hand(
        {"backorder_cost_cents_per_unit": cents(dice.choice([0, 50, 500]))},
        nodes=[
            {"node_id": n, "unit_cost_cents": cents(), "capacity_units": maybe(4), "capacity_parcels": maybe(3)}
            for n in nodes
        ],
        stock=[{"node_id": n, "sku": sku, "available": dice.randint(0, 2)} for n in nodes for sku in skus],
        orders=[{"order_id": f"o{at}", "max_nodes": dice.choice([None, None, None, 0, 1])} for at in orders],
        order_lines=lines,
        lanes=[
            {"order_id": f"o{at}", "node_id": n, "service": "van", "cost_cents": cents()}
            for at in orders
            for n in nodes
            if dice.random() < 0.8
        ],
    )


def best_beside_others(compiled: Compiled, plan: Assignment, orders: IntArray) -> int:
    """Return the least that the plan could cost if only these orders may move, by trying everything."""
    t, trial = compiled.tables, plan.copy()
    for o in orders:
        take_back(t, o, trial)
    apart = int(plan.cents.sum() - plan.cents[orders].sum())
    least = int(plan.cents.sum())
    for cands in itertools.product(*(_ways(compiled, o) for o in orders)):
        for o, cand in zip(orders, cands, strict=True):
            restore(t, o, np.array([cand], np.int32), trial)
        if all((left >= 0).all() for left in trial.residual):
            least = min(least, apart + int(trial.cents[orders].sum()))
        for o in orders:
            take_back(t, o, trial)
    return least


def _ways(compiled: Compiled, o: int) -> list[int]:
    t = compiled.tables
    cands = range(t.cand_start[o + 1] - t.cand_start[o]) if t.max_parcels[o] else ()
    return [
        BACKORDER,
        *(
            i
            for i in cands
            if t.row[t.row_start[o] + i] != NO_STOCK
            and t.parcel_cents[t.cand_table[t.cand_start[o] + i] + 1] < t.short_cents[t.line_start[o]]
        ),
    ]


def checked(problem: Path, out: Path, **options: Any) -> dict[str, Any]:
    """Route, let the checker confirm every statement, and return the summary."""
    summary = route_folder(problem, out, Options(**options)).summary
    verdict = verify(problem, out)
    assert verdict.agrees, [str(check) for check in verdict.checks if check.state == "failed"]
    return summary


def test_the_flow_is_the_optimum_and_its_prices_prove_it_on_five_hundred_problems(folder: NewFolder) -> None:
    """Seeded bugs this catches: a price on the looser of a node's two limits; a row that forgets its node's price."""
    competed = 0
    for seed in range(500):
        compiled, problem = both(of_single_units(seed), folder)
        orders, plan = single_units(compiled), in_sequence(compiled, some_prices(compiled, seed))
        assert orders.tolist() == np.flatnonzero(compiled.coupled).tolist()
        improve_by_flow(compiled, plan, orders)
        optimum = optimum_cents(problem)
        bound, found = flow_prices(compiled, plan, orders)
        assert plan.cents.sum() == optimum == certify(compiled, found)[0], seed
        assert bound == plan.cents[orders].sum(), seed
        assert_sound(compiled, plan)
        competed += bool(found.row.any() or found.units.any() or found.parcels.any())
    assert competed > 100


def test_a_problem_of_single_units_is_routed_to_a_proven_optimum_that_the_checker_confirms(folder: NewFolder) -> None:
    for seed in range(500, 560):
        path = of_single_units(seed).write(folder())
        summary = checked(path, folder())
        assert summary["status"] == summary["stop_reason"] == "optimal", seed
        assert summary["total_cost_cents"] == summary["lower_bound_cents"], seed


def test_beside_other_orders_the_flow_is_the_best_that_single_units_can_do(folder: NewFolder) -> None:
    """Seeded bug this catches: what the others hold, counted as free."""
    gained = 0
    for seed in range(400):
        compiled, _ = both(of_single_units(seed, others=True), folder)
        orders, plan = single_units(compiled), in_sequence(compiled, some_prices(compiled, seed))
        before, least = int(plan.cents.sum()), best_beside_others(compiled, plan, orders)
        saved = improve_by_flow(compiled, plan, orders)
        assert before - saved == plan.cents.sum() == least, seed
        assert_sound(compiled, plan)
        assert improve_by_flow(compiled, plan, orders) == 0
        gained += saved > 0
    assert gained > 40


HERE = {"latitude": 0, "longitude": 0}


def at_one_place(
    nodes: list[Row], stock: list[Row], orders: int, *, backorder: int = 500, cost_cents: int = 100, skus: int = 1
) -> TinyProblem:
    """Return orders of one unit that differ by nothing but their SKU."""
    return by_hand(
        {"backorder_cost_cents_per_unit": backorder},
        nodes=[{**HERE, **node} for node in nodes],
        products=[{"sku": f"s{at}"} for at in range(skus)],
        stock=stock,
        orders=[{"order_id": f"o{at:03}", **HERE} for at in range(orders)],
        order_lines=[{"order_id": f"o{at:03}", "sku": f"s{at % skus}", "quantity": 1} for at in range(orders)],
        zones=[{"zone": "all"}],
        rates=rows(service=["van"], zone=["all"], max_weight_g=[10], cost_cents=[cost_cents]),
    )


TEN: list[Row] = rows(node_id=["A", "B"], sku=["s0"], available=[10])
PROBLEMS = {
    "no candidate": (at_one_place([{"node_id": "A"}], [], 30), 30 * 500),
    "no capacity": (
        at_one_place(rows(node_id=["A", "B"], capacity_units=[0, None], capacity_parcels=[None, 0]), TEN, 30),
        30 * 500,
    ),
    "all alike": (at_one_place(rows(node_id=["A", "B"]), TEN, 30), 20 * 100 + 10 * 500),
    "costs of zero": (at_one_place(rows(node_id=["A", "B"]), TEN, 30, cost_cents=0), 10 * 500),
    "backorders for nothing": (at_one_place(rows(node_id=["A", "B"]), TEN, 30, backorder=0), 0),
    "units tighter at one node, parcels at the other": (
        at_one_place(
            rows(node_id=["A", "B"], unit_cost_cents=[0, 7], capacity_units=[3, 8], capacity_parcels=[5, 4]), TEN, 30
        ),
        3 * 100 + 4 * 107 + 23 * 500,
    ),
    "costs in the billions": (
        at_one_place(rows(node_id=["A", "B"]), TEN, 30, backorder=2**46),
        20 * 100 + 10 * 2**46,
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_degenerate_flows_end_in_the_optimum(name: str, folder: NewFolder) -> None:
    written, optimum = PROBLEMS[name]
    summary = checked(written.write(folder()), folder())
    assert summary["total_cost_cents"] == summary["lower_bound_cents"] == optimum
    assert summary["status"] == "optimal"


def test_costs_that_cost_scaling_could_not_hold_leave_the_plan_as_it_is(folder: NewFolder) -> None:
    stock = [{"node_id": "A", "sku": f"s{at}", "available": 1} for at in range(1000)]
    written = at_one_place([{"node_id": "A"}], stock, 2000, skus=1000, backorder=2**41)
    compiled = compile_tables(read_problem(written.write(folder())).problem)
    plan = nothing_assigned(compiled)
    assert improve_by_flow(compiled, plan, single_units(compiled)) == 0
    assert (plan.cand == BACKORDER).all()
    bound, _ = flow_prices(compiled, plan, single_units(compiled))
    assert bound <= 1000 * (100 + 2**41)


def test_orders_of_several_units_or_lines_are_no_single_units(folder: NewFolder) -> None:
    for seed in range(60):
        compiled, _ = both(tiny_problem(seed), folder)
        lines = np.diff(compiled.tables.line_start)
        for o in single_units(compiled):
            assert lines[o] == compiled.tables.quantity[compiled.tables.line_start[o]] == 1


@pytest.mark.parametrize("most_units", [1, 9])
def test_one_two_and_four_workers_give_the_same_bytes(
    most_units: int, folder: NewFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With orders of one unit only, which end in the flow, and beside orders of several."""
    monkeypatch.setattr(prices, "SHARD_ORDERS", 10)
    generate(Recipe(orders=150, nodes=8, skus=40, seed=3, max_lines=1), path := folder())
    lines = (path / "order_lines.csv").read_text().splitlines()
    split = [line.rpartition(",") for line in lines[1:]]
    cut = [f"{rest},{min(int(quantity), most_units)}" for rest, _, quantity in split]
    (path / "order_lines.csv").write_text("\n".join([lines[0], *cut]) + "\n")
    results = []
    for workers in (1, 2, 4):
        summary = checked(path, out := folder(), workers=workers, deterministic=True)
        assert most_units > 1 or summary["status"] == "optimal"
        results.append([(out / name).read_bytes() for name in RESULT])
    assert results[0] == results[1] == results[2]


def test_the_day_of_the_microchip_maker_is_optimal(folder: NewFolder) -> None:
    import_brunel(Path(__file__).parents[2] / "scenarios" / "real" / "brunel", path := folder(), days=7)
    summary = checked(path, folder())
    assert summary["total_cost_cents"] == summary["lower_bound_cents"] == 1_552_357_707
