"""How much of a position is kept back by rule: for every node of a kind, for every product of a class, or for both.

The safety stock that counts is the larger of a position's own and its buffer. Rules are in the policy of the network
document, classes in the catalog. Of a node that is switched off, everything is kept back. Not here: where that safety
stock is taken off (lua/atp.lua, memory_stock.py, engine/availability/stock.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from engine.catalog.model import Catalog
from engine.inventory.model import MAX_UNITS
from engine.inventory.of_world import OfWorld
from engine.inventory.rules import UnitRules, compile_rules
from engine.network.model import Network

Kept = Mapping[tuple[str, str], int]
"""Units by (SKU, node_id), only where there are any."""


def buffers_of(network: Network, catalog: Catalog) -> UnitRules | None:
    """Return the buffers of a network and a catalog, None if there is none; of a node that is off, all is kept back."""
    if not network.closed:
        return rules_of(network, catalog)
    return _with_closed(network, catalog)


def rules_of(network: Network, catalog: Catalog) -> UnitRules | None:
    """Return the buffers by rule alone, whether nodes are on or off."""
    return _compiled(network, catalog) if network.policy.buffers else None


def kept_at(buffers: UnitRules, places: Iterable[tuple[str, str]]) -> Kept:
    """Return the units kept back at (SKU, node_id)s."""
    return {place: units for place in places if (units := buffers.of(*place))}


@OfWorld
def _with_closed(network: Network, catalog: Catalog) -> UnitRules:
    """Return the buffers with one more column, for nodes that are off."""
    rules = rules_of(network, catalog) or compile_rules((), network, catalog, blank=0)
    off, columns = rules.units.shape[1], rules.columns.copy()
    columns[list(network.closed)] = off
    return replace(
        rules,
        units=np.concatenate([rules.units, np.full((len(rules.units), 1), MAX_UNITS, np.int64)], axis=1),
        column_of={**rules.column_of, **{network.node_ids[n]: off for n in network.closed}},
        columns=columns,
    )


@OfWorld
def _compiled(network: Network, catalog: Catalog) -> UnitRules:
    return compile_rules(network.policy.buffers, network, catalog, blank=0)
