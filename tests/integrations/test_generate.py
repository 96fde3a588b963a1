"""Synthetic problem folders are valid at any size, odd recipes are refused, and the same seed gives the same bytes.

What makes them hard to route is in test_generated_shares.py.
"""

import csv
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InvalidInput
from engine.integrations.generate import Recipe, build_tables, generate, parse_kinds
from engine.routing.folder import read_problem
from engine.routing.folder_writer import ProblemTables

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
