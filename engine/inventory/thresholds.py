"""From how many available units down the stock of a position is low: of its product, else the largest rule that fits.

Rules are in the policy of the network document, the products' own numbers and classes in the catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.catalog.model import Catalog
from engine.inventory.of_world import OfWorld
from engine.inventory.rules import UnitRules, compile_rules
from engine.network.model import Network

NEVER = -(2**62)
"""The threshold of what is never low: below anything that is available."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thresholds:
    """Thresholds of the products of a catalog at the nodes of a network."""

    rules: UnitRules
    catalog: Catalog

    def of(self, sku: str, node_id: str) -> int:
        """Return the threshold of a position, NEVER if it has none."""
        if node_id not in self.rules.column_of or sku not in self.catalog.content:
            return NEVER
        own = self.catalog.low_stock_units.get(sku)
        return self.rules.of(sku, node_id) if own is None else own

    def table(self, skus: Sequence[str], node_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the thresholds of SKUs at nodes, of shape (skus, nodes)."""
        place = {node_id: j for j, node_id in enumerate(self.rules.column_of)}
        columns = [place.get(node_id, -1) for node_id in node_ids]
        found = np.full((len(skus), len(node_ids)), NEVER, dtype=np.int64)
        known = np.array(columns) >= 0
        found[:, known] = self.rules.of_skus(skus)[:, [column for column in columns if column >= 0]]
        for row, sku in enumerate(skus):
            if sku not in self.catalog.content:
                found[row] = NEVER
            elif sku in self.catalog.low_stock_units:
                found[row, known] = self.catalog.low_stock_units[sku]
        return found


def thresholds_of(network: Network, catalog: Catalog) -> Thresholds | None:
    """Return the thresholds of a network and a catalog, None if there is none."""
    if not network.policy.low_stock and not catalog.low_stock_units:
        return None
    return _compiled(network, catalog)


@OfWorld
def _compiled(network: Network, catalog: Catalog) -> Thresholds:
    rules = compile_rules(network.policy.low_stock, network, catalog, blank=NEVER)
    return Thresholds(rules=rules, catalog=catalog)
