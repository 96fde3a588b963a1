"""Filters and a sort, one rule after another, as order management systems are set up: `cascade`.

For each order, rules are tried until one takes all that is left of it; each sorts by rank of node, then distance.

    1  one node for everything, near, below its daily orders
    2  one node for everything, anywhere, below its daily orders
    3  the node below its daily orders that can ship most lines, again and again
    4  the same whatever the daily orders of nodes

Here: the rule. Not here: stock, capacities and services, which every step keeps to (rule_steps.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.assignment import Assignment
from solvers.problem import DISTANCE_TOLERANCE_KM, UNLIMITED
from solvers.rival_options import Cascade
from solvers.rule_steps import Offer, Steps, candidate_km, candidate_order
from solvers.tables import Compiled


def serve_by_cascade(compiled: Compiled, options: Cascade) -> Assignment:
    """Return the plan of the rule, orders in the order of their ids."""
    t, steps = compiled.tables, Steps(compiled)
    nodes = len(compiled.problem.nodes.node_ids)
    km, order = candidate_km(compiled), candidate_order(compiled)
    rank = np.zeros(nodes, np.int64) if options.rank is None else options.rank
    near = km <= options.near_km + DISTANCE_TOLERANCE_KM
    by_rule = np.lexsort((t.cand_node, km, rank[t.cand_node], ~near, order)) - t.cand_start[order]
    by_rank = np.lexsort((t.cand_node, km, rank[t.cand_node], order)) - t.cand_start[order]
    left = np.full(nodes, UNLIMITED if options.daily_orders is None else options.daily_orders, np.int64)
    if options.orders_before is not None:
        left -= options.orders_before
    rules = _Rules(steps, left.tolist())
    one_first, most_first = by_rule.tolist(), by_rank.tolist()
    for o in range(compiled.problem.order_count):
        of_order = slice(steps.cand_start[o], steps.cand_start[o + 1])
        steps.take(o, rules.parcels(o, one_first[of_order], most_first[of_order]))
    return steps.plan()


class _Rules:
    """The rules of one batch, with how many orders each node may still get."""

    def __init__(self, steps: Steps, left: list[int]) -> None:
        self._steps, self._left = steps, left

    def parcels(self, o: int, one_first: Sequence[int], most_first: Sequence[int]) -> list[Offer]:
        """Return the parcels of an order; candidates as rules 1 and 2 sort them, and as 3 and 4 do."""
        chosen = self._one_node(o, one_first) or self._most_lines(o, most_first)
        for offer in chosen:
            self._left[offer.node] -= 1
        return chosen

    def _one_node(self, o: int, ranked: Sequence[int]) -> list[Offer]:
        steps = self._steps
        everything = range(steps.line_start[o + 1] - steps.line_start[o])
        for candidate in ranked:
            if self._left[steps.cand_node[steps.cand_start[o] + candidate]] > 0:
                offer = steps.offer(o, candidate, everything, 0)
                if offer is not None and len(offer.lines) == len(everything):
                    return [offer]
        return []

    def _most_lines(self, o: int, ranked: Sequence[int]) -> list[Offer]:
        steps, chosen = self._steps, list[Offer]()
        waiting = list(range(steps.line_start[o + 1] - steps.line_start[o]))
        for is_limited in (True, False):
            while waiting:
                taken = {offer.candidate for offer in chosen}
                offers = [
                    offer
                    for candidate in ranked
                    if candidate not in taken
                    and not (is_limited and self._left[steps.cand_node[steps.cand_start[o] + candidate]] < 1)
                    and (offer := steps.offer(o, candidate, waiting, len(chosen))) is not None
                ]
                if not offers:
                    break
                most = max(offers, key=lambda offer: len(offer.lines))  # the first of several
                chosen.append(most)
                waiting = [line for line in waiting if line not in most.lines]
        return chosen
