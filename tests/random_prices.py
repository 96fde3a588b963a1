"""Prices drawn at random, in the words of the solvers and in those of the checker."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from engine.verification.prices import Prices, StockPrice
from solvers.offers import Duals
from solvers.plan import ROUNDINGS
from solvers.problem import IntArray, RoutingProblem
from solvers.tables import Compiled


def cell(problem: RoutingProblem, entry: int) -> tuple[str, str]:
    """Return node and SKU of a stock entry."""
    sku = int(np.searchsorted(problem.stock.start, entry, side="right")) - 1
    return problem.nodes.node_ids[problem.stock.node[entry]], problem.skus[sku]


def as_told(prices: list[int]) -> tuple[StockPrice, ...]:
    """Return the prices of a stock row and its roundings as the checker reads them."""
    return tuple(StockPrice(p=p, q=q, price_millicents=price) for (p, q), price in zip(ROUNDINGS, prices, strict=True))


def random_prices(compiled: Compiled, dice: Generator) -> tuple[Duals, Prices]:
    """Return whole millicents for every contested cell and every node, as the kernels and as the checker take them."""
    nodes = compiled.problem.nodes.node_ids

    def some(*shape: int) -> IntArray:
        return dice.integers(0, 200_000, shape) * dice.integers(0, 2, shape)

    row, units, parcels = some(len(compiled.entry), len(ROUNDINGS)), some(len(nodes)), some(len(nodes))
    if compiled.problem.terms.line_split:
        row[:, 1:] = 0
    stock: dict[str, dict[str, tuple[StockPrice, ...]]] = {}
    for entry, prices in zip(compiled.entry.tolist(), row.tolist(), strict=True):
        node_id, sku = cell(compiled.problem, entry)
        stock.setdefault(sku, {})[node_id] = as_told(prices)
    return (
        Duals(1000.0, *(values.astype(np.float64) for values in (row, units, parcels))),
        Prices(
            stock=stock,
            units=dict(zip(nodes, units.tolist(), strict=True)),
            parcels=dict(zip(nodes, parcels.tolist(), strict=True)),
        ),
    )
