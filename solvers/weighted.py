"""Goals with weights, as optimisers that score each node for an order have them: `weighted`.

For each order, each node that can ship some of its lines is scored by what it would ship; the best gets that, and what
is left is scored again. A score is the mean of these goals by weight, each from 0 (best) to 1 (worst):

    cost      cents a unit, from the least to the most among the nodes
    distance  kilometres, likewise
    split     share of the open units that it leaves to others
    stock     1 less the mean over the lines of its stock as a share of the fullest node's, as the batch began
    load      share of its capacity, in units or parcels, that this batch has used
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.assignment import Assignment
from solvers.problem import UNLIMITED, FloatArray
from solvers.rival_options import Weights
from solvers.rule_steps import Offer, Steps, candidate_km, candidate_order
from solvers.tables import Compiled

_EQUAL = 1e-9
"""Scores are rounded to this, so that of equal ones the closer node's counts."""


def serve_by_weights(compiled: Compiled, weights: Weights) -> Assignment:
    """Return the plan of the rule, orders in the order of their ids; of equal scores the closer node's counts."""
    t, steps = compiled.tables, Steps(compiled)
    km, order = candidate_km(compiled), candidate_order(compiled)
    by_distance = (np.lexsort((t.cand_node, km, order)) - t.cand_start[order]).tolist()
    scores = _Scores(compiled, steps, weights, km)
    for o in range(compiled.problem.order_count):
        waiting = list(range(steps.line_start[o + 1] - steps.line_start[o]))
        ranked = by_distance[steps.cand_start[o] : steps.cand_start[o + 1]]
        chosen = list[Offer]()
        while waiting:
            taken = {offer.candidate for offer in chosen}
            offers = [
                offer
                for candidate in ranked
                if candidate not in taken and (offer := steps.offer(o, candidate, waiting, len(chosen))) is not None
            ]
            if not offers:
                break
            best = offers[scores.best(o, offers, waiting)]
            chosen.append(best)
            waiting = [line for line in waiting if line not in best.lines]
        steps.take(o, chosen)
    return steps.plan()


class _Scores:
    """Scores offers to an order against each other."""

    def __init__(self, compiled: Compiled, steps: Steps, weights: Weights, km: FloatArray) -> None:
        nodes = compiled.problem.nodes
        self._steps, self._km, self._weights = steps, km.tolist(), weights
        self._total = weights.cost + weights.distance + weights.split + weights.stock + weights.load
        self._level, self._row_start = _stock_levels(compiled).tolist(), compiled.tables.row_start.tolist()
        self._capacity = (nodes.capacity_units.tolist(), nodes.capacity_parcels.tolist())
        self._began = (compiled.node_units.tolist(), compiled.node_parcels.tolist())

    def best(self, o: int, offers: Sequence[Offer], waiting: Sequence[int]) -> int:
        """Return the place of the offer with the least score, the first of several."""
        steps, first, weights = self._steps, self._steps.line_start[o], self._weights
        count = steps.line_start[o + 1] - first
        open_units = sum(steps.quantity[first + line] for line in waiting)
        costs = _spread([offer.cents / offer.units for offer in offers])
        distances = _spread([self._km[steps.cand_start[o] + offer.candidate] for offer in offers])
        scores = []
        for offer, cost, distance in zip(offers, costs, distances, strict=True):
            row = self._row_start[o] + offer.candidate * count
            level = sum(self._level[row + line] for line in offer.lines) / len(offer.lines)
            score = (
                weights.cost * cost
                + weights.distance * distance
                + weights.split * (1 - offer.units / open_units)
                + weights.stock * (1 - level)
                + weights.load * self._load(offer.node)
            )
            scores.append(round(score / self._total / _EQUAL))
        return scores.index(min(scores))

    def _load(self, node: int) -> float:
        """Return the share of a node's capacity that is used; 0 where it has no limit."""
        left = (self._steps.units_left, self._steps.parcels_left)
        return max(
            (began[node] - now[node]) / most[node] if 0 < most[node] < UNLIMITED else 0.0
            for began, now, most in zip(self._began, left, self._capacity, strict=True)
        )


def _spread(values: Sequence[float]) -> list[float]:
    """Return values from 0 for the least to 1 for the most; 0 for all if they are equal."""
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def _stock_levels(compiled: Compiled) -> FloatArray:
    """Return, along `Tables.row`, what each candidate has of each line as a share of the fullest node of its SKU.

    What an order holds itself somewhere is in no stock, and counts as the fullest.
    """
    t, stock, orders = compiled.tables, compiled.problem.stock, compiled.problem.orders
    nodes = len(compiled.problem.nodes.node_ids)
    sku = np.repeat(np.arange(len(stock.start) - 1), np.diff(stock.start))
    fullest = np.ones(len(stock.start) - 1)
    np.maximum.at(fullest, sku, stock.available)
    order = candidate_order(compiled)
    lines = np.diff(t.line_start)[order]
    candidate = np.repeat(np.arange(len(order)), lines)
    within = np.arange(len(candidate)) - np.repeat(np.cumsum(lines) - lines, lines)
    line_sku = orders.line_sku[t.line[t.line_start[order[candidate]] + within]]
    if not len(sku):
        return np.ones(len(line_sku))
    held, wanted = sku * nodes + stock.node, line_sku * nodes + t.cand_node[candidate]
    at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    level: FloatArray = np.where(held[at] == wanted, stock.available[at] / fullest[line_sku], 1.0)
    return level
