"""Numbers of units by rule: for nodes of a kind, for products of a class, or for both; the largest that fits counts.

Not here: what the units are for (buffers.py, thresholds.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.catalog.model import Catalog
from engine.network.document import UnitRuleDocument
from engine.network.model import Network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitRules:
    """The largest rule for each class of products and kind of nodes.

    `units` has a row for each class that a rule names, after one for all other products, and a column for each kind of
    node; it holds `blank` where no rule fits. `row_of` has only the SKUs of such a class.
    """

    blank: int
    units: NDArray[np.int64]
    row_of: Mapping[str, int]
    column_of: Mapping[str, int]
    columns: NDArray[np.int64]

    def of(self, sku: str, node_id: str) -> int:
        """Return the units of a position; `blank` at a node that the network does not have."""
        column = self.column_of.get(node_id)
        return self.blank if column is None else int(self.units[self.row_of.get(sku, 0), column])

    def of_skus(self, skus: Sequence[str]) -> NDArray[np.int64]:
        """Return the units of SKUs at every node of the network, of shape (skus, nodes)."""
        rows = np.array([self.row_of.get(sku, 0) for sku in skus], dtype=np.int64)
        return np.asarray(self.units[rows][:, self.columns])


def compile_rules(rules: Sequence[UnitRuleDocument], network: Network, catalog: Catalog, *, blank: int) -> UnitRules:
    """Return the rules by class and kind."""
    classes = list(dict.fromkeys(rule.sku_class for rule in rules if rule.sku_class is not None))
    kinds = list(dict.fromkeys(node.kind for node in network.document.nodes))
    units = np.full((1 + len(classes), len(kinds)), blank, dtype=np.int64)
    for rule in rules:
        rows = range(1 + len(classes)) if rule.sku_class is None else [1 + classes.index(rule.sku_class)]
        columns = [j for j, kind in enumerate(kinds) if rule.node_kind in {None, kind}]
        at = np.ix_(list(rows), columns)
        units[at] = np.maximum(units[at], rule.units)
    row = {name: 1 + i for i, name in enumerate(classes)}
    column_of = {node.node_id: kinds.index(node.kind) for node in network.document.nodes}
    return UnitRules(
        blank=blank,
        units=units,
        row_of={sku: row[name] for sku, name in catalog.classes.items() if name in row},
        column_of=column_of,
        columns=np.array([column_of[node_id] for node_id in network.node_ids], dtype=np.int64),
    )
