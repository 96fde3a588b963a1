"""Which node units had best come back to: what the way there costs, less what they are worth in stock there.

The way costs what the network's cheapest service takes for a parcel of that weight in the zone of the distance; a unit
is worth what its bid price says, and what the return policy gives for one of which the node has too few. Pure. Not
here: the policy (policy.py), labels (labelling.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.availability.reference import View
from engine.errors import IllegalState
from engine.inventory.model import StockView
from engine.inventory.thresholds import NEVER, thresholds_of
from engine.network.model import Network
from engine.orders.destination import Destination
from engine.returns.policy import ReturnPolicy
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, FloatArray

NOT_BROUGHT = frozenset({"pickup", "ship_to_store"})
"""Levels of services that fetch nothing from customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChoice:
    """A node that units may come back to, and what that comes to; None: no service goes there.

    `net_cents` is `way_cents` and `handling_cents` less `need_cents`; the least is best, of equals the nearest.
    """

    node_id: str
    distance_km: float
    service: str | None
    carrier: str | None
    way_cents: int | None
    handling_cents: int
    need_cents: int
    weight_g: int = 0

    @property
    def net_cents(self) -> int:
        """What it costs less what it is worth."""
        return (self.way_cents or 0) + self.handling_cents - self.need_cents


def best_nodes(
    view: View,
    stock: StockView,
    policy: ReturnPolicy,
    place: Destination,
    units: Sequence[tuple[str, int]],
    node_id: str | None = None,
) -> list[NodeChoice]:
    """Return the nodes that units (SKU, quantity) may come back to, the best first; those without a service come last.

    Only `node_id`, if it is named, whatever the policy says. Raises IllegalState if there is none.
    """
    network = view.network
    km = _distances(network, place)
    weight_g = sum(view.catalog.content[sku].weight_g * quantity for sku, quantity in units if _is_known(view, sku))
    needs = _needs(view, stock, policy, units)
    nodes = _eligible(network, policy) if node_id is None else [network.index[node_id]]
    count = sum(quantity for _, quantity in units)
    found = [_choice(network, node, float(km[node]), weight_g, count, needs.get(node, 0)) for node in nodes]
    if not found:
        raise IllegalState("No node takes returns now; name some in node_ids of the return policy, or open one.")
    return sorted(found, key=lambda each: (each.way_cents is None, each.net_cents, each.distance_km, each.node_id))


def _eligible(network: Network, policy: ReturnPolicy) -> list[int]:
    named = None if policy.node_ids is None else set(policy.node_ids)
    return [
        place
        for place, node in enumerate(network.document.nodes)
        if place not in network.closed and (node.node_id in named if named is not None else node.kind != "vendor")
    ]


def _choice(network: Network, node: int, km: float, weight_g: int, units: int, need_cents: int) -> NodeChoice:
    service, way_cents = _cheapest(network, node, km, weight_g)
    return NodeChoice(
        node_id=network.node_ids[node],
        distance_km=round(km, 1),
        service=None if service is None else network.services[service],
        carrier=None if service is None else network.carriers[service],
        way_cents=way_cents,
        handling_cents=int(network.unit_cost_cents[node]) * units,
        need_cents=need_cents,
        weight_g=weight_g,
    )


def _cheapest(network: Network, node: int, km: float, weight_g: int) -> tuple[int | None, int | None]:
    """Return the cheapest service that takes such a parcel over a distance, and its price; None if there is none."""
    zone = int(np.searchsorted(network.zone_max_km, km - DISTANCE_TOLERANCE_KM))
    best: tuple[int | None, int | None] = (None, None)
    if zone >= len(network.zones):
        return best
    table = network.rates
    for service, level in enumerate(network.service_levels):
        most = network.service_max_km
        if level in NOT_BROUGHT or not network.serves[service, node] or (most is not None and km > most[service]):
            continue
        cell = service * len(network.zones) + zone
        begin, end = int(table.offsets[cell]), int(table.offsets[cell + 1])
        step = begin + int(np.searchsorted(table.max_weight_g[begin:end], weight_g))
        if step < end and (best[1] is None or int(table.cost_cents[step]) < best[1]):
            best = service, int(table.cost_cents[step])
    return best


def _needs(view: View, stock: StockView, policy: ReturnPolicy, units: Sequence[tuple[str, int]]) -> Mapping[int, int]:
    """Return by node what units are worth in its stock: their bid prices, and those that it is short of."""
    network, needs = view.network, dict[int, int]()
    thresholds = thresholds_of(network, view.catalog)
    rows = {sku: row for row, sku in enumerate(stock.skus)}
    slots = {node_id: slot for slot, node_id in enumerate(stock.node_ids)}
    for sku, quantity in units:
        for node, node_id in enumerate(network.node_ids):
            cents = 0 if view.bid_prices is None else quantity * view.bid_prices.cents(sku, node_id)
            least = NEVER if thresholds is None else thresholds.of(sku, node_id)
            if policy.need_cents_per_unit and least > NEVER:
                available = 0
                if sku in rows and node_id in slots:
                    position = stock.position(rows[sku], slots[node_id])
                    available = position.available
                cents += policy.need_cents_per_unit * min(quantity, max(0, least + 1 - available))
            needs[node] = needs.get(node, 0) + cents
    return needs


def _is_known(view: View, sku: str) -> bool:
    return sku in view.catalog.content


def _distances(network: Network, place: Destination) -> FloatArray:
    """Return the great-circle distance of every node in kilometres; 0 to all from a place that nobody knows."""
    latitude, longitude = place.latitude, place.longitude
    if (latitude is None or longitude is None) and place.country and place.postal_code:
        entry = network.place_of(place.country, place.postal_code)
        latitude, longitude = (None, None) if entry is None else (entry.latitude, entry.longitude)
    if latitude is None or longitude is None:
        return np.zeros(len(network.node_ids))
    here = np.radians(latitude)
    square = (
        np.sin((network.latitude_rad - here) / 2) ** 2
        + np.cos(here) * np.cos(network.latitude_rad) * np.sin((network.longitude_rad - np.radians(longitude)) / 2) ** 2
    )
    found: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.sqrt(square), 1.0))
    return found
