"""What the units of an order are worth to later demand, node by node: bid prices as they rank plans.

A unit that a node only gets later counts as one that it has, so that values choose among nodes and never among days. A
kit counts as its products. What is sent to a hub, or to a store, counts where it leaves. Not here: how prices are made
(engine/forecasting), how plans are ranked (solvers/promise_options.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from engine.bidding.document import BidPrices
from engine.network.model import Network
from solvers.problem import IntArray

NO_VALUES = np.zeros((0, 0), dtype=np.int64)
"""Where no unit is worth anything."""
MOST_CENTS = 10**15
"""No line counts for more; sums over an order stay in 64 bits."""
_MOST_KEPT = 2**22
"""Cells of prices that are kept as arrays."""


class UnitValues:
    """The bid prices of one publication as arrays over the nodes of one network, made as they are asked for."""

    def __init__(self) -> None:
        self._of: tuple[Network, BidPrices] | None = None
        self._rows: dict[str, IntArray] = {}

    def of(self, skus: Iterable[str], rows: Mapping[str, int], network: Network, prices: BidPrices) -> IntArray:
        """Return the cents of a unit by product and node, the products as in `rows`; `NO_VALUES` if none has any."""
        priced = [sku for sku in skus if sku in prices.by_sku]
        if not priced:
            return NO_VALUES
        if self._of is None or self._of[0] is not network or self._of[1] is not prices:
            self._of, self._rows = (network, prices), {}
        found = np.zeros((len(rows), len(network.node_ids)), dtype=np.int64)
        for sku in priced:
            found[rows[sku]] = self._row(sku, network, prices)
        return found if found.any() else NO_VALUES

    def _row(self, sku: str, network: Network, prices: BidPrices) -> IntArray:
        row = self._rows.get(sku)
        if row is None:
            if len(self._rows) * len(network.node_ids) > _MOST_KEPT:
                self._rows = {}
            row = self._rows[sku] = np.zeros(len(network.node_ids), dtype=np.int64)
            for node_id, cents in prices.by_sku[sku].items():
                node = network.index.get(node_id)
                if node is not None:
                    row[node] = cents
        return row


def values_of(demand: IntArray, unit_values: IntArray) -> IntArray:
    """Return what lines are worth at each node, (nodes, lines), of demand (lines, products) in units."""
    if not unit_values.size:
        return NO_VALUES
    if int(demand.max(initial=0)) * int(unit_values.max()) * demand.shape[1] <= MOST_CENTS:
        return np.ascontiguousarray((demand @ unit_values).T)
    found = np.zeros((unit_values.shape[1], demand.shape[0]), dtype=np.int64)
    for line, product in zip(*np.nonzero(demand), strict=True):
        units = int(demand[line, product])
        found[:, line] += np.minimum(unit_values[product], MOST_CENTS // units) * units
    return np.minimum(found, MOST_CENTS)


def value_of(node: int, mask: int, values: IntArray) -> int:
    """Return what the lines of a mask are worth at a node; 0 where nothing is worth anything."""
    if not values.size:
        return 0
    return sum(cents for line, cents in enumerate(values[node].tolist()) if mask >> line & 1)
