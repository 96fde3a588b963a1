"""How much of a position is kept back by rule: for every node of a kind, for every product of a class, or for both.

The safety stock that counts is the larger of a position's own and its buffer. Rules are in the policy of the network
document, classes in the catalog. Not here: where that safety stock is taken off (lua/atp.lua, memory_stock.py,
engine/availability/stock.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from engine.catalog.model import Catalog
from engine.inventory.rules import UnitRules, compile_rules
from engine.network.model import Network

Kept = Mapping[tuple[str, str], int]
"""Units by (SKU, node_id), only where there are any."""


def buffers_of(network: Network, catalog: Catalog) -> UnitRules | None:
    """Return the buffers of a network and a catalog, None if there is no rule."""
    return _compiled(network, catalog) if network.policy.buffers else None


def kept_at(buffers: UnitRules, places: Iterable[tuple[str, str]]) -> Kept:
    """Return the units kept back at (SKU, node_id)s."""
    return {place: units for place in places if (units := buffers.of(*place))}


@lru_cache(maxsize=4)
def _compiled(network: Network, catalog: Catalog) -> UnitRules:
    return compile_rules(network.policy.buffers, network, catalog, blank=0)
