"""What ranks plans and nobody pays: what units count more at one node than at another, and weights of costs.

Such prices choose among nodes, and let nobody wait: not to ship a unit costs as much more as the dearest node would.
They are of the moment at which the run begins: positions and loads as they are then. Not here: how they are taken off
what a run tells (run_summary.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.bidding.document import BidPrices
from engine.network.model import Network
from engine.network.run_terms import USUAL, PositionPrice, RunTerms
from engine.routing.model import NodeCapacity
from engine.routing.node_terms import Fitting, rows_of
from solvers.problem import IntArray, RoutingProblem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Positions:
    """What a run begins with, by SKU and node of its problem: `available` (SKUs, nodes), and each node's `load` 0 to 1.

    `node` is the network's number of each node.
    """

    node: IntArray
    available: IntArray
    load: NDArray[np.float64]


def positions_of(
    skus: Sequence[str], node: IntArray, atp: AtpTable, network: Network, left: Mapping[str, NodeCapacity]
) -> Positions:
    """Return the positions of some SKUs, and how full the day of each node is."""
    available = np.zeros((len(skus), len(node)), np.int64)
    if skus:
        available = np.maximum(atp.today[[atp.rows[sku] for sku in skus]][:, node], 0)
    load = np.zeros(len(node))
    for at, n in enumerate(node.tolist()):
        free = left.get(network.node_ids[n], NodeCapacity())
        days = ((free.units, int(network.capacity_units[n])), (free.parcels, int(network.capacity_parcels[n])))
        load[at] = max(_load(unused, of_day) for unused, of_day in days)
    return Positions(node=node, available=available, load=load)


def _load(unused: int | None, of_day: int) -> float:
    """Return how full a day is, of which some capacity is unused (None: it has no limit)."""
    if unused is None:
        return 0.0
    return 1 - unused / of_day if of_day else 1.0


def ranked(
    problem: RoutingProblem, fitting: Sequence[Fitting], view: View, look: Callable[[], Positions]
) -> RoutingProblem:
    """Return the problem as its plans are ranked; `fitting` are the rules of each line."""
    rules, terms = view.terms.rules, view.terms
    if terms is USUAL and view.bid_prices is None:
        return problem
    problem, positions = _weighted(problem, terms), look()
    node = positions.node
    pricing = {r for r, rule in enumerate(rules) if rule.price_cents is not None}
    by_sku = _by_sku(problem, view, positions)
    if not pricing and by_sku is None and not terms.stock_outs:
        return problem
    classes = [view.catalog.classes.get(sku) for sku in problem.skus]
    orders, sku = problem.orders, problem.orders.line_sku.tolist()
    quantity = orders.line_quantity.tolist()

    def row_of(line: int) -> IntArray:
        cents = np.zeros(len(node), np.int64) if by_sku is None else by_sku[sku[line]].copy()
        for r in fitting[line]:
            price = rules[r].price_cents
            if price is not None:
                cents += price[node]
        for each in _of_class(terms.stock_outs, classes[sku[line]]):
            cents += _stock_out(each, positions.available[sku[line]], quantity[line], node)
        return cents - min(int(cents.min()), 0)

    is_by_sku, is_by_units = by_sku is not None or bool(terms.stock_outs), bool(terms.stock_outs)
    keys = [
        (tuple(r for r in each if r in pricing), k if is_by_sku else -1, units if is_by_units else -1)
        for each, k, units in zip(fitting, sku, quantity, strict=True)
    ]
    row, cents = rows_of(keys, row_of, len(node))
    if not cents.any():
        return problem
    usual = problem.terms.backorder_cost_cents_per_unit
    backorder = usual if orders.line_backorder_cents is None else orders.line_backorder_cents
    demand = replace(orders, line_backorder_cents=backorder + cents.max(axis=1)[row], line_value_row=row)
    return replace(problem, orders=demand, unit_value_cents=cents)


def _weighted(problem: RoutingProblem, terms: RunTerms) -> RoutingProblem:
    """Return the problem with freight and handling as they rank, in whole cents."""
    if not terms.weighs:
        return problem
    nodes, rates = problem.nodes, problem.rates
    return replace(
        problem,
        rates=replace(rates, cost_cents=_times(rates.cost_cents, terms.shipping_weight)),
        nodes=replace(
            nodes,
            parcel_cost_cents=_times(nodes.parcel_cost_cents, terms.handling_weight),
            unit_cost_cents=_times(nodes.unit_cost_cents, terms.handling_weight),
        ),
    )


def at_most(cents: IntArray, terms: RunTerms) -> IntArray:
    """Return what freight and handling of so many cents rank at most, with all other costs."""
    return np.asarray(np.ceil(cents * max(1.0, terms.shipping_weight, terms.handling_weight)), np.int64)


def _times(cents: IntArray, weight: float) -> IntArray:
    return np.asarray(np.floor(cents * weight + 0.5), np.int64)


def _by_sku(problem: RoutingProblem, view: View, positions: Positions) -> IntArray | None:
    """Return what every unit of a SKU counts more at each node, less where it is marked down; None if nothing does."""
    found = _worth(problem, view.bid_prices)
    balance = np.zeros(len(positions.node), np.int64)
    for share, cents in view.terms.balance:
        balance = np.where(positions.load >= share, cents, balance)
    found += balance
    if view.terms.markdowns:
        for k, sku in enumerate(problem.skus):
            credit = np.zeros(len(positions.node), np.int64)
            for each in _of_class(view.terms.markdowns, view.catalog.classes.get(sku)):
                over = each.nodes[positions.node] & (positions.available[k] > each.units)
                credit = np.where(over, np.maximum(credit, each.cents), credit)
            found[k] -= credit
    return found if found.any() else None


def _of_class(prices: Sequence[PositionPrice], sku_class: str | None) -> list[PositionPrice]:
    return [each for each in prices if each.sku_class in {None, sku_class}]


def _stock_out(each: PositionPrice, available: IntArray, quantity: int, node: IntArray) -> IntArray:
    """Return what a unit of a line counts more at each node, of whose last units the line takes some; rounded up."""
    last = np.clip(each.units - (available - quantity), 0, quantity)
    return np.asarray(np.where(each.nodes[node], -(-each.cents * last // quantity), 0))


def _worth(problem: RoutingProblem, prices: BidPrices | None) -> IntArray:
    """Return what a unit is worth to later demand, shape (SKUs, nodes)."""
    index = {node_id: n for n, node_id in enumerate(problem.nodes.node_ids)}
    value = np.zeros((len(problem.skus), len(index)), np.int64)
    for k, sku in enumerate(problem.skus if prices is not None else ()):
        assert prices is not None
        for node_id, cents in prices.by_sku.get(sku, {}).items():
            if node_id in index:
                value[k, index[node_id]] = cents
    return value
