"""What is written is sorted, minimally quoted, and reads back, whatever the ids are made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_problems import TinyProblem, tiny_problem

from engine.routing.csv_text import Named, csv_blocks
from engine.routing.folder import read_problem
from engine.routing.folder_writer import ProblemTables, write_problem_folder
from engine.routing.result import prices_csv
from engine.routing.route_folder import Options, route_folder
from engine.routing.settings import ProblemSettings
from engine.verification.verify import verify
from solvers.plan import ROUNDINGS, Costs, Prices, RoutingPlan, RoutingResult
from solvers.problem import RoutingProblem

NewFolder = Callable[[], Path]
STRANGE = ["a,b", 'say "so"', "two\nlines", "c\rd", "c\r\nd", " a ", "é", "日本", "B", "a", "10", "9", "#", "'", "*"]


def test_strange_ids_are_routed_and_the_checker_finds_nothing(folder: NewFolder) -> None:
    """It caught a carriage return that the csv module of Python 3.11 leaves without quotes."""
    for seed in range(60):
        problem, out = folder(), folder()
        write_problem_folder(problem, with_strange_ids(tiny_problem(seed)))
        route_folder(problem, out, Options())
        assert verify(problem, out).agrees, seed


def with_strange_ids(tiny: TinyProblem) -> ProblemTables:
    """Return a problem with every id replaced by one that is hard to write."""
    names: dict[str, str] = {}
    tables = {}
    for name, rows in tiny.tables.items():
        columns = {column: [row[column] for row in rows] for column in tiny.columns[name]}
        for column in {"node_id", "sku", "order_id", "zone", "service"} & set(columns):
            strange = [names.setdefault(text, STRANGE[len(names) % len(STRANGE)] + text) for text in columns[column]]
            columns[column] = strange
        tables[name] = columns
    return ProblemTables(settings=ProblemSettings(**tiny.settings), **tables)


@given(
    names=st.lists(st.text(max_size=4) | st.sampled_from(STRANGE), min_size=1), numbers=st.lists(st.integers(0, 999))
)
def test_rows_read_back_and_only_what_must_be_is_quoted(names: list[str], numbers: list[int]) -> None:
    index = np.array([number % len(names) for number in numbers], np.int64)
    columns = {"name": Named(names=names, index=index), "a,b": np.array(numbers, np.int64)}
    text = b"".join(csv_blocks(columns, len(numbers))).decode()
    expected = [[names[at], str(number)] for at, number in zip(index.tolist(), numbers, strict=True)]
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [["name", "a,b"], *expected]
    assert text.count('"') == 2 + sum(
        2 * any(c in ',"\r\n' for c in name) + 2 * name.count('"') for name, _ in expected
    )


def test_more_rows_than_a_block_are_all_written() -> None:
    rows = 120_001
    text = b"".join(csv_blocks({"row": np.arange(rows)}, rows))
    assert text.split() == [b"row", *(str(row).encode() for row in range(rows))]


@pytest.fixture
def problem(folder: NewFolder) -> RoutingProblem:
    """Return a problem with some stock."""
    problems = (read_problem(tiny_problem(seed).write(folder())).problem for seed in range(50))
    return next(problem for problem in problems if len(problem.stock.node) > 3)


def test_prices_are_sorted_by_node_sku_and_resource_and_zeros_are_left_out(problem: RoutingProblem) -> None:
    nodes, stock = problem.nodes.node_ids, problem.stock
    rng = np.random.default_rng(1)
    prices = Prices(
        stock=rng.integers(0, 3, (len(stock.node), len(ROUNDINGS))),
        units=np.arange(len(nodes)),
        parcels=np.arange(len(nodes))[::-1].copy(),
        line=np.zeros(len(problem.orders.line_sku), np.int64),
    )
    sku = np.repeat(problem.skus, np.diff(stock.start))
    expected = [(nodes[n], "", "units", int(price)) for n, price in enumerate(prices.units)]
    expected += [(nodes[n], "", "parcels", int(price)) for n, price in enumerate(prices.parcels)]
    for entry, by_rounding in enumerate(prices.stock.tolist()):
        for resource, price in zip(("stock", "stock*1/2", "stock*1/3", "stock*2/3"), by_rounding, strict=True):
            expected.append((nodes[stock.node[entry]], str(sku[entry]), resource, price))
    lines = [",".join(map(str, row)) for row in sorted(row for row in expected if row[3])]
    text = b"".join(prices_csv(problem, result(prices))).decode()
    assert text.splitlines() == ["node_id,sku,resource,price_millicents", *lines]


def test_without_prices_there_is_only_a_header(problem: RoutingProblem) -> None:
    assert b"".join(prices_csv(problem, result(None))) == b"node_id,sku,resource,price_millicents\n"


def result(prices: Prices | None) -> RoutingResult:
    none = np.zeros(0, np.int64)
    costs = Costs(shipping=0, handling=0, units=0, split=0, late=0, backorder=0)
    plan = RoutingPlan(
        line=none, node=none, quantity=none, service=none, costs=costs, parcels=0, split_orders=0, backordered_units=0
    )
    return RoutingResult(
        plan=plan,
        lower_bound_cents=0,
        prices=prices,
        method="auto",
        stop_reason="optimal",
        compile_seconds=0.0,
        solve_seconds=0.0,
    )
