"""The bound of a problem with hubs, from that of the problem without.

At prices of stock and capacity, a plan costs at least the sum over orders of the cheapest way to serve each, less what
all there is comes to at these prices (docs/reference/routing.md). With hubs an order's cheapest way may be cheaper: by
as much its part of the sum is lowered. Not here: by how much (consolidating.py).
"""

from __future__ import annotations

from solvers.plan import BoundMethod, RoutingResult
from solvers.prices import MILLICENTS, Multipliers, certify
from solvers.problem import RoutingProblem
from solvers.tables import compile_tables


def price_bound(problem: RoutingProblem, result: RoutingResult) -> int | None:
    """Return what the prices of a result prove without hubs, in cents; what a search proves says nothing of hubs."""
    prices = result.prices
    if result.bound_method == BoundMethod.PRICES or prices is None:
        return result.lower_bound_cents
    compiled = compile_tables(problem)
    again = Multipliers(
        row=prices.stock[compiled.entry] / MILLICENTS,
        units=prices.units / MILLICENTS,
        parcels=prices.parcels / MILLICENTS,
        line=prices.line[compiled.tables.line] / MILLICENTS,
    )
    return certify(compiled, again)[0]


def bound_with_hubs(proven_cents: int | None, lowered_millicents: int) -> int | None:
    """Return the bound in whole cents, if what was proven is lowered so.

    What was proven is a sum rounded up to a whole cent: it is at least a thousandth above the cent below.
    """
    if proven_cents is None or not lowered_millicents:
        return proven_cents
    least = (proven_cents - 1) * MILLICENTS + 1 - lowered_millicents
    return max(0, -(-least // MILLICENTS))
