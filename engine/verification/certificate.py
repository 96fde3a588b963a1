"""Re-proving a lower bound from prices: the cheapest pattern of every order, less what capacity is worth.

Weak duality makes the result a bound for any prices ≥ 0, so no solver has to be trusted; docs/reference/bounds.md has
the proof. Not here: the cheapest pattern of one order (pattern.py, relaxation.py), reading prices (prices.py).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence

from engine.verification.menu import Menus
from engine.verification.pattern import cheapest_pattern
from engine.verification.prices import Prices
from engine.verification.problem import Order, Problem
from engine.verification.relaxation import many_lines, split_lines

EXACT_LINES = 10
"""Orders of up to so many lines are priced exactly."""
GROUP_LINES = 8
"""Of larger orders, so many lines are priced together and the others alone."""
_CHUNK = 500
_PARALLEL_FROM = 4_000


def proven_bound_cents(
    problem: Problem,
    prices: Prices,
    *,
    exact_lines: int = EXACT_LINES,
    group_lines: int = GROUP_LINES,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Return the bound in cents that the prices prove: the ceiling of Σ cheapest patterns − Σ price × capacity.

    At least 0, since no cost is negative. Several processes share the work of large batches: `workers` of them, by
    default as many as there are processors.
    """
    orders = list(problem.orders.values())
    price = _Pricing(Menus(problem, prices), exact_lines=exact_lines, group_lines=group_lines)
    chunks = [orders[start : start + _CHUNK] for start in range(0, len(orders), _CHUNK)]
    total, done = -prices.given_back(problem), 0
    for chunk, value in zip(chunks, _each(price, chunks, _workers(workers, len(orders))), strict=True):
        total += value
        done += len(chunk)
        if progress is not None:
            progress(done, len(orders))
    return max(0, -(-total // 1000))


class _Pricing:
    """Prices orders at fixed prices."""

    def __init__(self, menus: Menus, *, exact_lines: int, group_lines: int) -> None:
        self._menus = menus
        self._exact_lines = exact_lines
        self._group_lines = group_lines

    def chunk(self, orders: Sequence[Order]) -> int:
        """Return the sum of the values of some orders in millicents."""
        return sum(map(self.order, orders))

    def order(self, order: Order) -> int:
        """Return the least an order can cost at the prices, or a proven bound on it, in millicents."""
        if self._menus.problem.terms.line_split_allowed:
            return split_lines(self._menus, order)
        if len(order.lines) > self._exact_lines:
            return many_lines(self._menus, order, self._group_lines)
        return cheapest_pattern(self._menus.menu(order, order.lines))


_inherited: list[tuple[_Pricing, Sequence[Sequence[Order]]]] = []
"""What forked workers find in their memory, so that nothing large travels between processes."""


def _each(price: _Pricing, chunks: Sequence[Sequence[Order]], workers: int) -> Iterator[int]:
    if workers == 1:
        yield from map(price.chunk, chunks)
        return
    _inherited.append((price, chunks))
    try:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            yield from pool.imap(_inherited_chunk, range(len(chunks)))
    finally:
        _inherited.pop()


def _inherited_chunk(number: int) -> int:
    price, chunks = _inherited[-1]
    return price.chunk(chunks[number])


def _workers(wanted: int | None, orders: int) -> int:
    if "fork" not in multiprocessing.get_all_start_methods() or (wanted is None and orders < _PARALLEL_FROM):
        return 1
    return wanted or os.cpu_count() or 1
