"""Re-proving a lower bound: the cheapest pattern of every order at the prices, less what capacity is worth.

Weak duality makes the result a bound for any prices ≥ 0, so no solver has to be trusted; docs/reference/bounds.md has
the proof. Not here: the cheapest pattern of one order (pattern.py, relaxation.py), reading prices (prices.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from engine.verification.menu import Menus
from engine.verification.pattern import cheapest_pattern
from engine.verification.prices import Prices
from engine.verification.problem import Line, Order, Problem
from engine.verification.relaxation import many_lines, split_lines

EXACT_LINES = 10
"""Orders of up to so many lines (where lines may be split: units) are priced exactly."""
_TELL_EVERY = 500

Values = Mapping[str, Mapping[str, int]]
"""Line values in millicents by order and SKU."""


def proven_bound_cents(
    problem: Problem,
    prices: Prices,
    values: Values | None = None,
    *,
    exact_lines: int = EXACT_LINES,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Return the bound in cents that the prices prove: the ceiling of Σ cheapest patterns − Σ price × capacity.

    `values` serve the orders of more than `exact_lines` lines. At least 0, since no cost is negative. `progress` is
    told how many orders are done, and of how many.
    """
    menus = Menus(problem, prices)
    total = -prices.given_back(problem)
    for done, order in enumerate(problem.orders.values(), start=1):
        total += _least(menus, order, (values or {}).get(order.order_id, {}), exact_lines)
        if progress is not None and (done % _TELL_EVERY == 0 or done == len(problem.orders)):
            progress(done, len(problem.orders))
    return max(0, -(-total // 1000))


def _least(menus: Menus, order: Order, values: Mapping[str, int], exact_lines: int) -> int:
    """Return the least an order can cost at the prices, or a proven bound on it, in millicents."""
    if menus.problem.terms.line_split_allowed:
        if order.units > exact_lines:
            return split_lines(menus, order, values)
        return cheapest_pattern(menus.menu(order, _units(order)))
    if len(order.lines) > exact_lines:
        return many_lines(menus, order, values)
    return cheapest_pattern(menus.menu(order, order.lines))


def _units(order: Order) -> list[Line]:
    """Return every unit of an order as a line of its own: where lines may be split, that is what they are."""
    units = [replace(line, quantity=1, move_cost_cents=line.move_cost_cents // line.quantity) for line in order.lines]
    return [unit for line, unit in zip(order.lines, units, strict=True) for _ in range(line.quantity)]
