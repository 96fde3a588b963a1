"""Explains one order of a routed problem folder, from the folder and its result: plan.csv and prices.csv.

Not here: the explanation itself (explaining.py), orders of live runs (explained_runs.py).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import Fault, InvalidInput, NotFound
from engine.faults import nearest
from engine.routing.csv_table import Column, CsvTable, find_table, read_table
from engine.routing.decision import ShadowPrices, decision_of, left_by
from engine.routing.explaining import explain_decision
from engine.routing.explanation import OrderExplanation
from engine.routing.folder import read_problem
from engine.routing.result import stock_row
from solvers.plan import BACKORDER, ROUNDINGS
from solvers.problem import IntArray, RoutingProblem

_PLAN = (
    Column(name="order_id"),
    Column(name="sku"),
    Column(name="quantity", kind=int),
    Column(name="node_id", blank=0),
    Column(name="service", blank=0),
)
_PRICES = (
    Column(name="node_id"),
    Column(name="sku", blank=0),
    Column(name="resource"),
    Column(name="price_millicents", kind=int),
)


def explain_folder(folder: Path, result: Path, order_id: str) -> OrderExplanation:
    """Explain one order of a routed problem folder; raises InvalidInput, or NotFound for an unknown order."""
    problem = read_problem(folder).problem
    if order_id not in problem.orders.order_ids:
        raise NotFound(f"order {order_id!r} is not in {folder}; {nearest(order_id, problem.orders.order_ids)}")
    rows = _rows(problem, result, order_id)
    order = problem.orders.order_ids.index(order_id)
    decision = decision_of(problem, order, rows, left_by(problem, *rows), _prices(problem, result))
    return explain_decision(decision)


def _rows(problem: RoutingProblem, result: Path, order_id: str) -> tuple[IntArray, IntArray, IntArray]:
    """Return line, node and units of every row of the plan, sorted by line."""
    table = read_table(_file(result, "plan"), _PLAN)
    if order_id not in table.text["order_id"]:
        raise InvalidInput(Fault(path=str(result), message=f"its plan.csv has no rows of order {order_id!r}"))
    order = _numbers(table, "order_id", problem.orders.order_ids, result)
    sku = _numbers(table, "sku", problem.skus, result)
    node = _numbers(table, "node_id", problem.nodes.node_ids, result)
    keys = problem.line_order * len(problem.skus) + problem.orders.line_sku
    wanted = order * len(problem.skus) + sku
    line = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    if (keys[line] != wanted).any():
        row = int(np.flatnonzero(keys[line] != wanted)[0])
        raise _another(result, f"order {table.text['order_id'][row]!r} has no line of {table.text['sku'][row]!r}")
    rank = np.argsort(line, kind="stable")
    return line[rank], node[rank], table.number["quantity"][rank]


def _prices(problem: RoutingProblem, result: Path) -> ShadowPrices:
    table = read_table(_file(result, "prices"), _PRICES)
    node = _numbers(table, "node_id", problem.nodes.node_ids, result)
    sku = _numbers(table, "sku", problem.skus, result)
    nodes, stock = problem.nodes.node_ids, problem.stock
    keys = np.repeat(np.arange(len(problem.skus)), np.diff(stock.start)) * len(nodes) + stock.node
    found = ShadowPrices(
        stock=np.zeros((len(keys), len(ROUNDINGS)), np.int64),
        units=np.zeros(len(nodes), np.int64),
        parcels=np.zeros(len(nodes), np.int64),
    )
    rounding = {stock_row(*each): column for column, each in enumerate(ROUNDINGS)}
    prices = table.number["price_millicents"].tolist()
    for row, resource in enumerate(table.text["resource"]):
        if resource in rounding:
            at = int(np.searchsorted(keys, sku[row] * len(nodes) + node[row]))
            if at < len(keys) and keys[at] == sku[row] * len(nodes) + node[row]:
                found.stock[at, rounding[resource]] = prices[row]
        elif resource in ("units", "parcels"):
            (found.units if resource == "units" else found.parcels)[node[row]] = prices[row]
    return found


def _numbers(table: CsvTable, column: str, names: tuple[str, ...], result: Path) -> IntArray:
    """Return which of the problem's names each row has; `BACKORDER` for a blank."""
    numbers = {name: number for number, name in enumerate(names)} | {"": BACKORDER}
    try:
        return np.array([numbers[name] for name in table.text[column]], np.int64)
    except KeyError as error:
        raise _another(result, f"there is no {column} {error.args[0]!r} in the problem") from None


def _another(result: Path, what: str) -> InvalidInput:
    return InvalidInput(Fault(path=str(result), message=f"{what}: the result is of another problem"))


def _file(result: Path, name: str) -> Path:
    path = find_table(result, name) if result.is_dir() else None
    if path is None:
        raise InvalidInput(Fault(path=str(result), message=f"has no {name}.csv; give the --out folder of a routing"))
    return path
