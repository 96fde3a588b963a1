"""How much of a position is kept back by rule: for every node of a kind, for every product of a class, or for both.

The safety stock that counts is the larger of a position's own and its buffer. Rules are in the policy of the network
document, classes in the catalog. Not here: where that safety stock is taken off (lua/atp.lua, memory_stock.py,
engine/availability/stock.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.catalog.model import Catalog
from engine.network.model import Network

Kept = Mapping[tuple[str, str], int]
"""Units by (SKU, node_id), only where there are any."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buffers:
    """The largest rule for each class of products and kind of nodes.

    `units` has a row for each class that a rule names, after one for all other products, and a column for each kind of
    node; `row_of` has only the SKUs of such a class.
    """

    units: NDArray[np.int64]
    row_of: Mapping[str, int]
    column_of: Mapping[str, int]
    columns: NDArray[np.int64]

    def of(self, sku: str, node_id: str) -> int:
        """Return the units kept back of a position; 0 at a node that the network does not have."""
        column = self.column_of.get(node_id)
        return 0 if column is None else int(self.units[self.row_of.get(sku, 0), column])

    def of_places(self, places: Iterable[tuple[str, str]]) -> Kept:
        """Return the units kept back at (SKU, node_id)s."""
        return {place: units for place in places if (units := self.of(*place))}

    def of_skus(self, skus: Sequence[str]) -> NDArray[np.int64]:
        """Return the units kept back of SKUs at every node of the network, of shape (skus, nodes)."""
        rows = np.array([self.row_of.get(sku, 0) for sku in skus], dtype=np.int64)
        return np.asarray(self.units[rows][:, self.columns])


def buffers_of(network: Network, catalog: Catalog) -> Buffers | None:
    """Return the buffers of a network and a catalog, None if there is no rule."""
    return _compiled(network, catalog) if network.policy.buffers else None


@lru_cache(maxsize=4)
def _compiled(network: Network, catalog: Catalog) -> Buffers:
    rules = network.policy.buffers
    classes = list(dict.fromkeys(rule.sku_class for rule in rules if rule.sku_class is not None))
    kinds = list(dict.fromkeys(node.kind for node in network.document.nodes))
    units = np.zeros((1 + len(classes), len(kinds)), dtype=np.int64)
    for rule in rules:
        rows = slice(None) if rule.sku_class is None else 1 + classes.index(rule.sku_class)
        columns = [j for j, kind in enumerate(kinds) if rule.node_kind in {None, kind}]
        units[rows, columns] = np.maximum(units[rows, columns], rule.units)
    row = {name: 1 + i for i, name in enumerate(classes)}
    column_of = {node.node_id: kinds.index(node.kind) for node in network.document.nodes}
    return Buffers(
        units=units,
        row_of={sku: row[name] for sku, name in catalog.classes.items() if name in row},
        column_of=column_of,
        columns=np.array([column_of[node_id] for node_id in network.node_ids], dtype=np.int64),
    )
