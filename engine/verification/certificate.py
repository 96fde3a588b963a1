"""Re-proving a lower bound from prices: the cheapest pattern of every order, less what capacity is worth.

Weak duality makes the result a bound for any prices ≥ 0, so no solver has to be trusted; docs/reference/bounds.md has
the proof. Not here: the cheapest pattern of one order (pattern.py, relaxation.py), reading prices (prices.py).
"""

from __future__ import annotations

from collections.abc import Callable

from engine.verification.menu import Menus
from engine.verification.pattern import cheapest_pattern
from engine.verification.prices import Prices
from engine.verification.problem import Order, Problem
from engine.verification.relaxation import many_lines, split_lines

EXACT_LINES = 10
"""Orders of up to so many lines are priced exactly."""
GROUP_LINES = 8
"""Of larger orders, so many lines are priced together and the others alone."""
_TELL_EVERY = 500


def proven_bound_cents(
    problem: Problem,
    prices: Prices,
    *,
    exact_lines: int = EXACT_LINES,
    group_lines: int = GROUP_LINES,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Return the bound in cents that the prices prove: the ceiling of Σ cheapest patterns − Σ price × capacity.

    At least 0, since no cost is negative. `progress` is told how many orders are done, and of how many.
    """
    menus = Menus(problem, prices)
    total = -prices.given_back(problem)
    for done, order in enumerate(problem.orders.values(), start=1):
        total += _least(menus, order, exact_lines, group_lines)
        if progress is not None and (done % _TELL_EVERY == 0 or done == len(problem.orders)):
            progress(done, len(problem.orders))
    return max(0, -(-total // 1000))


def _least(menus: Menus, order: Order, exact_lines: int, group_lines: int) -> int:
    """Return the least an order can cost at the prices, or a proven bound on it, in millicents."""
    if menus.problem.terms.line_split_allowed:
        return split_lines(menus, order)
    if len(order.lines) > exact_lines:
        return many_lines(menus, order, group_lines)
    return cheapest_pattern(menus.menu(order, order.lines))
