"""The limit on money: what a batch could cost at worst stays below 2^53 cents, so that every sum is exact."""

from __future__ import annotations

import numpy as np

from engine.errors import Fault, InvalidInput
from solvers.problem import NO_DUE_DATE, UNREACHABLE, RoutingProblem

MOST_WORST_CENTS = 2**53
"""The sum of worst costs stays below this: whole numbers up to it are exact in floating point too."""


def check_worst_cost(problem: RoutingProblem, path: str) -> None:
    """Raise InvalidInput, at `path`, for a problem whose costs could add up to 2^53 cents."""
    worst = worst_cost_cents(problem)
    if worst >= MOST_WORST_CENTS:
        message = f"costs could add up to {worst} cents; keep the worst case below {MOST_WORST_CENTS}"
        raise InvalidInput(Fault(path=path, message=message))


def worst_cost_cents(problem: RoutingProblem) -> int:
    """Return what the problem costs at most: every order in as many parcels as may be, all at the dearest and slowest.

    Units cost the dearest node or a backorder.
    """
    orders, terms, nodes = problem.orders, problem.terms, problem.nodes
    lines = np.diff(orders.line_start)
    units = np.diff(np.concatenate([np.zeros(1, np.int64), np.cumsum(orders.line_quantity)])[orders.line_start])
    parts = units if terms.line_split else lines
    parcels = np.minimum(np.minimum(parts, len(nodes.node_ids)), orders.max_parcels)
    rates = problem.lanes or problem.rates
    days_late = np.maximum(_slowest(problem) - orders.due_days, 0) * (orders.due_days != NO_DUE_DATE)
    parcel = int(nodes.parcel_cost_cents.max(initial=0)) + int(rates.cost_cents.max(initial=0))
    kept = 0 if orders.line_backorder_cents is None else int(orders.line_backorder_cents.max(initial=0))
    unit = max(int(nodes.unit_cost_cents.max(initial=0)), terms.backorder_cost_cents_per_unit, kept)
    unit += 0 if problem.unit_value_cents is None else int(problem.unit_value_cents.max(initial=0))
    return (
        parcel * int(parcels.sum())
        + (terms.late_day_cost_cents or 0) * int((parcels * days_late).sum())
        + terms.split_cost_cents * int(np.maximum(parcels - 1, 0).sum())
        + unit * int(units.sum())
        + _moves(problem)
    )


def _moves(problem: RoutingProblem) -> int:
    """Return what it costs to move every line that has a current node."""
    current, terms = problem.orders.line_current_node, problem.terms
    if current is None or not terms.move_cost_cents:
        return 0
    placed = current >= 0
    rounded_up = int(problem.orders.line_quantity[placed].sum()) if terms.line_split else 0
    return terms.move_cost_cents * int(placed.sum()) + rounded_up


def _slowest(problem: RoutingProblem) -> int:
    """Return the most days until a delivery."""
    rates = problem.lanes or problem.rates
    delivery = problem.rates.delivery_days
    if delivery is not None:
        return int(np.where(delivery < UNREACHABLE, delivery, 0).max(initial=0))
    return int(rates.transit_days.max(initial=0))
