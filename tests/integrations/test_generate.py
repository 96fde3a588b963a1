"""Synthetic problem folders have the shares that make routing hard, and the same seed gives the same bytes."""

import csv
import hashlib
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InvalidInput
from engine.integrations.generate import Recipe, build_tables, generate, parse_kinds
from engine.integrations.synthetic_demand import draw_assortment, draw_demand
from engine.routing.folder import read_problem
from engine.routing.folder_writer import ProblemTables
from solvers.solve import Method, Params, solve
from solvers.stopping import Stopping

RECIPE = Recipe(orders=2000, nodes=40, skus=800, seed=7)


@pytest.fixture(scope="module")
def tables() -> ProblemTables:
    return build_tables(RECIPE)


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    small = {"orders": 200, "nodes": 12, "skus": 60}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(Recipe(seed=seed, **small), tmp_path / name)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    same = {name for name, value in digest(tmp_path / "c").items() if digest(tmp_path / "a")[name] == value}
    assert same == {"zones.csv", "rates.csv"}


def test_a_generated_folder_reads_back_and_holds_only_the_files_of_the_contract(
    tables: ProblemTables, tmp_path: Path
) -> None:
    generate(RECIPE, tmp_path / "problem")
    names = {"nodes", "products", "stock", "orders", "order_lines", "zones", "rates"}
    assert {path.name for path in (tmp_path / "problem").iterdir()} == {"problem.json", *(f"{n}.csv" for n in names)}
    problem = read_problem(tmp_path / "problem").problem
    assert len(problem.orders.order_ids) == 2000
    assert int(problem.stock.available.sum()) == int(np.sum(tables.stock["available"]))
    assert int(problem.orders.line_quantity.sum()) == int(np.sum(tables.order_lines["quantity"]))
    with (tmp_path / "problem" / "stock.csv").open(newline="") as file:
        cells = [(row["node_id"], row["sku"]) for row in csv.DictReader(file)]
    assert cells == sorted(cells)


def test_at_least_two_fifths_of_the_orders_have_several_lines(tables: ProblemTables) -> None:
    lines = Counter(tables.order_lines["order_id"])
    assert len(lines) == 2000
    assert sum(count > 1 for count in lines.values()) >= 0.4 * 2000
    assert max(lines.values()) <= RECIPE.max_lines


def test_at_least_three_tenths_of_the_stocked_cells_hold_one_or_two_units(tables: ProblemTables) -> None:
    available = np.array(tables.stock["available"])
    assert available.min() >= 1
    assert np.mean(available <= 2) >= 0.3
    assert 5.5 <= len(available) / RECIPE.skus <= 7.5


def test_half_of_the_orders_have_a_due_date(tables: ProblemTables) -> None:
    assert sum(due is not None for due in tables.orders["due_days"]) == 1000


def test_the_tariff_has_several_services_and_weight_steps(tables: ProblemTables) -> None:
    assert tables.rates is not None
    steps = Counter(zip(tables.rates["service"], tables.rates["zone"], strict=True))
    assert len(set(tables.rates["service"])) >= 2
    assert min(steps.values()) >= 5


def test_demand_is_skewed_and_themes_are_bought_together() -> None:
    rng = np.random.default_rng(3)
    assortment = draw_assortment(rng, 1000)
    demand = draw_demand(rng, assortment, 5000, 6)
    sold = np.sort(np.bincount(demand.sku, minlength=1000))[::-1]
    assert sold[:100].sum() > 0.3 * sold.sum()
    baskets: dict[int, list[int]] = {}
    for order, sku in zip(demand.order.tolist(), demand.sku.tolist(), strict=True):
        baskets.setdefault(order, []).append(int(assortment.theme[sku]))
    pairs = [pair for themes in baskets.values() for pair in combinations(themes, 2)]
    by_chance = float(np.sum((np.bincount(assortment.theme[demand.sku]) / len(demand.sku)) ** 2))
    assert np.mean([one == other for one, other in pairs]) > 5 * by_chance


@pytest.mark.parametrize("seed", [1, 2])
def test_routing_is_contested_and_capacities_bind_at_a_fifth_of_the_nodes(tmp_path: Path, seed: int) -> None:
    """One-by-one routing ends 5 % or more above a plan that looks ahead, which serves nearly everything.

    A capacity binds where its shadow price is above zero.
    """
    generate(Recipe(orders=600, nodes=30, skus=300, seed=seed), tmp_path / "problem")
    problem = read_problem(tmp_path / "problem").problem
    stopping = Stopping(stopwatch=lambda: 0.0)
    greedy = solve(problem, Params(method=Method.ONE_BY_ONE), stopping)
    best = solve(problem, Params(dual_steps=150, rounds_per_order=10), stopping)
    assert greedy.total_cost_cents >= 1.05 * best.total_cost_cents
    assert best.plan.backordered_units <= 0.02 * problem.orders.line_quantity.sum()
    assert best.prices is not None
    assert np.sum((best.prices.units > 0) | (best.prices.parcels > 0)) >= 0.2 * 30


@pytest.mark.parametrize(
    ("orders", "nodes", "skus", "max_lines"), [(1, 1, 1, 1), (5, 1, 3, 6), (3, 2, 1, 6), (2, 9, 70, 40), (40, 3, 4, 8)]
)
def test_degenerate_sizes_still_give_a_valid_folder(
    tmp_path: Path, orders: int, nodes: int, skus: int, max_lines: int
) -> None:
    generate(Recipe(orders=orders, nodes=nodes, skus=skus, seed=0, max_lines=max_lines), tmp_path / "problem")
    assert len(read_problem(tmp_path / "problem").problem.orders.order_ids) == orders


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"orders": 0}, "--orders: 0 is not in 1 …"),
        ({"nodes": -3}, "--nodes: -3"),
        ({"skus": 10**9}, "--skus: 1000000000"),
        ({"seed": -1}, "--seed: -1"),
        ({"supply": float("nan")}, "--supply: nan"),
        ({"kinds": {"shop": 1.0}}, "--kinds: unknown kind 'shop'; known are dc,"),
        ({"kinds": {"dc": 0.0}}, "--kinds: [0.0] are no proportions"),
    ],
)
def test_a_recipe_out_of_range_is_refused_by_option_and_value(change: dict[str, object], says: str) -> None:
    recipe: dict[str, object] = {"orders": 10, "nodes": 3, "skus": 5, "seed": 1}
    with pytest.raises(InvalidInput) as refusal:
        Recipe(**(recipe | change))  # type: ignore[arg-type]
    assert says in str(refusal.value)


def test_every_odd_value_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Recipe(orders=0, nodes=0, skus=5, seed=1)
    assert len(refusal.value.faults) == 2


def test_kinds_are_read_as_proportions() -> None:
    assert parse_kinds("dc=1, store=4") == {"dc": 1.0, "store": 4.0}
    with pytest.raises(InvalidInput, match="'store' is not KIND=SHARE"):
        parse_kinds("dc=1,store")
    kinds = Counter(build_tables(Recipe(orders=5, nodes=10, skus=5, seed=1, kinds={"dc": 1, "store": 4})).nodes["kind"])
    assert kinds == {"dc": 2, "store": 8}


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="is not empty; name a new folder"):
        generate(Recipe(orders=5, nodes=2, skus=3, seed=1), tmp_path)
    with pytest.raises(InvalidInput, match="is a file"):
        generate(Recipe(orders=5, nodes=2, skus=3, seed=1), tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
