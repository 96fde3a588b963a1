"""The prices of prices.csv, checked against the problem: which are meaningful, and what they charge and give back.

Here: prices as multipliers of stock, units, parcels and rounded stock rows. Not here: pricing an order (pattern.py),
or reading the file (result.py). Why any such prices prove a bound: docs/reference/bounds.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from engine.verification.problem import Problem
from engine.verification.result import PriceRow
from engine.verification.verdict import Disagreement

_ROUNDED = re.compile(r"stock\*([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")
"""A rounded stock row; p and q are whole numbers from 1 to 999999 without leading zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPrice:
    """A price on ⌊p·quantity/q⌋ of every line served, against ⌊p·stock/q⌋; plain stock has p = q = 1."""

    p: int
    q: int
    price_millicents: int

    def charge(self, units: int) -> int:
        """Return what so many units are charged (as one line), or how much so much stock gives back."""
        return self.p * units // self.q * self.price_millicents


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in millicents: `stock[sku][node_id]`, and per unit and per parcel of a node."""

    stock: dict[str, dict[str, tuple[StockPrice, ...]]]
    units: dict[str, int]
    parcels: dict[str, int]

    def given_back(self, problem: Problem) -> int:
        """Return Σ price × capacity in millicents: what all stock and capacity is worth at these prices."""
        total = 0
        for sku, by_node in self.stock.items():
            for node_id, prices in by_node.items():
                units = problem.available.get(sku, {}).get(node_id, 0)
                total += sum(price.charge(units) for price in prices)
        total += sum(price * (problem.nodes[node_id].capacity_units or 0) for node_id, price in self.units.items())
        total += sum(price * (problem.nodes[node_id].capacity_parcels or 0) for node_id, price in self.parcels.items())
        return total


def understand(problem: Problem, rows: Sequence[PriceRow]) -> tuple[Prices, list[Disagreement]]:
    """Return the prices that make sense for the problem, and a disagreement for each row that does not."""
    skus = {line.sku for order in problem.orders.values() for line in order.lines}
    skus.update(problem.available, problem.weight_g)
    stock: dict[str, dict[str, tuple[StockPrice, ...]]] = defaultdict(dict)
    capacity: dict[str, dict[str, int]] = {"units": {}, "parcels": {}}
    faults: list[Disagreement] = []
    for row in rows:
        rounded = _ROUNDED.fullmatch(row.resource)
        wrong = _wrong(problem, skus, row, rounded=rounded is not None)
        if wrong:
            faults.append(Disagreement(place=row.place, message=wrong))
        elif row.resource in capacity:
            capacity[row.resource][row.node_id] = row.price_millicents
        else:
            p, q = (int(rounded[1]), int(rounded[2])) if rounded else (1, 1)
            price = StockPrice(p=p, q=q, price_millicents=row.price_millicents)
            stock[row.sku][row.node_id] = (*stock[row.sku].get(row.node_id, ()), price)
    return Prices(stock=dict(stock), units=capacity["units"], parcels=capacity["parcels"]), faults


def _wrong(problem: Problem, skus: set[str], row: PriceRow, *, rounded: bool) -> str:
    """Say why a row is no multiplier of a constraint of the problem, or nothing if it is one."""
    node = problem.nodes.get(row.node_id)
    if node is None:
        return f"node {row.node_id!r} is not in nodes.csv"
    if row.resource in {"units", "parcels"}:
        if row.sku:
            return f"a price of {row.resource} is for a node as a whole, but SKU {row.sku!r} is named"
        capacity = node.capacity_units if row.resource == "units" else node.capacity_parcels
        return f"capacity_{row.resource} of {row.node_id} is unlimited, so it has no price" if capacity is None else ""
    if row.resource != "stock" and not rounded:
        return f"resource {row.resource!r} is not stock, units, parcels or stock*p/q"
    if rounded and problem.terms.line_split_allowed:
        return f"{row.resource} holds only where lines are never split, and this problem allows it"
    return "" if row.sku in skus else f"SKU {row.sku!r} is nowhere in the problem"
