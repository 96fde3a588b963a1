"""The bound of a problem with hubs, from that of the problem without.

At prices of stock and capacity, a plan costs at least the sum over orders of the cheapest way to serve each, less what
all there is comes to at these prices (docs/reference/routing.md). With hubs an order's cheapest way may be cheaper: by
as much its part of the sum is lowered. Prices that were found without hubs may be too high for it; so the same is done
at shares of them, and the best bound counts. Not here: which orders change over (consolidating.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.routing.decision import ShadowPrices, prices_of
from engine.routing.hub_offers import HubOffers
from engine.routing.hub_programme import Direct, Prices, direct_parcels, least, rest_of
from engine.routing.hub_tables import NEVER_CENTS, Parcels, bits_of
from solvers.plan import ROUNDINGS, BoundMethod, RoutingResult
from solvers.plan import Prices as Certificate
from solvers.prices import MILLICENTS, Multipliers, certify
from solvers.problem import IntArray, RoutingProblem
from solvers.tables import compile_tables

SHARES = (1.0, 0.7, 0.4, 0.0)
"""Shares of the prices without hubs at which bounds are proven."""


class HubBound:
    """Adds up, order by order, by how much hubs lower the sum of the cheapest ways."""

    def __init__(self, problem: RoutingProblem, offers: HubOffers, result: RoutingResult) -> None:
        self._problem, self._offers, self._result = problem, offers, result
        self._prices = [_share_of(prices_of(problem, result.prices), share) for share in SHARES]
        self._lowered = [0] * len(SHARES)

    def add(
        self,
        parcels: Parcels,
        whole: Prices,
        by_hub: int,
        direct: tuple[Direct, ...] | None,
        late: Callable[[ShadowPrices], int],
    ) -> None:
        """Count an order whose cheapest way over a hub costs `by_hub` cents, of all stock there is.

        `direct` are its parcels in the plan; None if these come after a promised day, at what `late` says they cost.
        """
        if by_hub >= NEVER_CENTS:
            return
        alike: int | None = None
        for place, prices in enumerate(self._prices):
            charges = _charges(parcels, prices)
            if alike is None or any(each.any() for each in charges):
                found = self._lower(parcels, whole, by_hub, charges, direct, late, prices)
                alike = found if not any(each.any() for each in charges) else None
                self._lowered[place] += found
            else:
                self._lowered[place] += alike

    def _lower(
        self,
        parcels: Parcels,
        whole: Prices,
        by_hub: int,
        charges: tuple[IntArray, IntArray],
        direct: tuple[Direct, ...] | None,
        late: Callable[[ShadowPrices], int],
        prices: ShadowPrices,
    ) -> int:
        """Return by how many thousandths of a cent a hub is cheaper than all else at some prices."""
        priced = Prices(
            in_millicents(whole.direct) + charges[0],
            in_millicents(whole.onward),
            in_millicents(whole.part) + charges[1],
            in_millicents(whole.short),
            whole.split * MILLICENTS,
        )
        usual = _least_direct(parcels, priced._replace(short=in_millicents(parcels.short)), direct)
        usual = min(usual, late(prices) if direct is None else usual)
        if usual <= by_hub * MILLICENTS:  # prices make hubs no cheaper
            return 0
        is_free = not any(each.any() for each in charges)
        return max(0, usual - (by_hub * MILLICENTS if is_free else least(parcels, self._offers, priced)))

    def cents(self) -> int | None:
        """Return the best bound in whole cents; None if nothing was proven without hubs."""
        if self._result.lower_bound_cents is None:
            return None
        if not any(self._lowered) and self._result.bound_method == BoundMethod.PRICES:
            return self._result.lower_bound_cents
        compiled, prices = compile_tables(self._problem), self._result.prices
        none = np.zeros(len(self._problem.nodes.node_ids), np.int64)
        if prices is None:
            stock = np.zeros((len(self._problem.stock.available), len(ROUNDINGS)), np.int64)
            line = np.zeros(len(self._problem.orders.line_sku), np.int64)
            prices = Certificate(stock=stock, units=none, parcels=none, line=line)
        found = []
        for share, lowered in zip(SHARES, self._lowered, strict=True):
            at = _share_of(ShadowPrices(stock=prices.stock, units=prices.units, parcels=prices.parcels), share)
            again = Multipliers(
                row=at.stock[compiled.entry] / MILLICENTS,
                units=at.units / MILLICENTS,
                parcels=at.parcels / MILLICENTS,
                line=prices.line[compiled.tables.line] / MILLICENTS,
            )
            found.append(lowered_cents(certify(compiled, again)[0], lowered))
        return max(found)


def lowered_cents(proven_cents: int, lowered_millicents: int) -> int:
    """Return a bound in whole cents, if what was proven is lowered so.

    What was proven is a sum rounded up to a whole cent: it is at least a thousandth above the cent below.
    """
    if not lowered_millicents:
        return proven_cents
    least_millicents = (proven_cents - 1) * MILLICENTS + 1 - lowered_millicents
    return max(0, -(-least_millicents // MILLICENTS))


def worth(prices: ShadowPrices, entry: IntArray, quantity: IntArray) -> IntArray:
    """Return what so many units of stock entries are worth, in thousandths of a cent; 0 for the entry -1."""
    found = np.zeros(entry.shape, np.int64)
    if len(prices.stock):
        for k, (p, q) in enumerate(ROUNDINGS):
            found += prices.stock[np.maximum(entry, 0), k] * (p * quantity // q)
    return np.where(entry >= 0, found, 0)


def in_millicents(cents: IntArray) -> IntArray:
    """Return costs in thousandths of a cent; `NEVER_CENTS` stays."""
    return np.where(cents < NEVER_CENTS, cents * MILLICENTS, NEVER_CENTS)


def _share_of(prices: ShadowPrices, share: float) -> ShadowPrices:
    """Return whole prices, lowered to a share."""
    if share == 1.0:
        return prices
    stock, units, parcels = ((share * each).astype(np.int64) for each in (prices.stock, prices.units, prices.parcels))
    return replace(prices, stock=stock, units=units, parcels=parcels)


def _charges(parcels: Parcels, prices: ShadowPrices) -> tuple[IntArray, IntArray]:
    """Return what the units of parcels and parts are worth to others, and of parcels their capacity."""
    bits = bits_of(len(parcels.lines))
    direct = worth(prices, parcels.has, parcels.quantity) @ bits
    direct += prices.units[parcels.node][:, None] * parcels.units + prices.parcels[parcels.node][:, None]
    direct[:, 0] = 0
    return direct, worth(prices, parcels.part_has, parcels.quantity) @ bits


def _least_direct(parcels: Parcels, priced: Prices, now: tuple[Direct, ...] | None) -> int:
    """Return what some way without hubs costs, the cheapest as far as is known; at least what the cheapest does."""
    masks = len(priced.short)
    rest = rest_of(priced, np.ones(len(parcels.node), np.bool_), parcels.most)
    ways = [direct_parcels(rest, priced, masks - 1), *([] if now is None else [now])]
    found = int(priced.short[-1])
    for way in ways:
        served = sum(each.mask for each in way)
        cost = sum(int(priced.direct[each.row, each.mask]) for each in way)
        found = min(found, cost + priced.split * max(0, len(way) - 1) + int(priced.short[masks - 1 ^ served]))
    return found
