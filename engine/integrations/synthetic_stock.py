"""What synthetic nodes hold and can do: scarce stock, and capacities that bind where orders would like to go.

Here: stocked cells, units per cell, capacities. Not here: demand and geography, which come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.integrations.geography import Floats, great_circle_km
from engine.integrations.synthetic_demand import Assortment, Demand, Integers, sorted_unique
from engine.integrations.synthetic_geography import PROFILES, Places

THIN_CELL_SHARE = 0.42
TIGHT_NODE_SHARE = 0.4
TIGHTNESS = (0.8, 1.0)
SMALL_NETWORK_NODES = 30  # below, the few busy nodes may all stay short of their limit
QUIET_NODE_SHARE = 0.2
CENTS_PER_KM = 0.2  # about what a kilometre adds to the price of a one-kilogram parcel
SKUS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Stocked cells sorted by (sku, node), by index, each with at least one unit."""

    sku: Integers
    node: Integers
    available: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacities:
    """Capacities by node index for the whole batch; −1 is unlimited."""

    units: Integers
    parcels: Integers


def draw_stock(
    rng: np.random.Generator,
    places: Places,
    assortment: Assortment,
    demand: Demand,
    *,
    nodes_per_sku: float,
    supply: float,
) -> Stock:
    """Draw where each SKU lies and how much of it.

    A SKU lies at `nodes_per_sku` nodes on average (popular ones at more), and its units are about `supply` times
    what the batch demands, unevenly so: some SKUs run short, some do not. At least THIN_CELL_SHARE of the cells hold
    one or two units; of the rest, distribution centres hold most, and one cell could ship the SKU's largest line.
    """
    profiles = [PROFILES[kind] for kind in places.kinds]
    sku, node = _draw_cells(
        rng, assortment, np.array([profile.assortment_weight for profile in profiles]), nodes_per_sku
    )
    skus = len(assortment.popularity)
    available = 1 + (rng.random(len(sku)) < 0.4).astype(np.int64)
    is_thin = rng.random(len(sku)) < THIN_CELL_SHARE
    demanded = np.bincount(demand.sku, weights=demand.quantity, minlength=skus)
    target = demanded * supply * np.exp(0.25 * rng.standard_normal(skus))
    lacking = np.maximum(target - np.bincount(sku, weights=available, minlength=skus), 0.0)
    weight = np.array([profile.stock_weight for profile in profiles])[node] * rng.uniform(0.5, 1.5, len(sku))
    heaviest = np.lexsort((-weight, sku))[np.searchsorted(sku, np.arange(skus))]
    is_thin[heaviest] = False  # every SKU lies deep somewhere, so that large quantities can be shipped
    weight[is_thin] = 0.0
    of_sku = np.bincount(sku, weights=weight, minlength=skus)
    share = np.divide(weight, of_sku[sku], out=np.zeros_like(weight), where=of_sku[sku] > 0)
    available += np.rint(share * lacking[sku]).astype(np.int64)
    largest = np.zeros(skus, np.int64)
    np.maximum.at(largest, demand.sku, demand.quantity)
    available[heaviest] = np.maximum(available[heaviest], largest)
    return Stock(sku=sku, node=node, available=available)


def _draw_cells(
    rng: np.random.Generator, assortment: Assortment, node_weight: Floats, nodes_per_sku: float
) -> tuple[Integers, Integers]:
    """Draw the stocked (sku, node) pairs: weighted sampling of nodes without replacement (Gumbel top-k)."""
    skus, nodes = len(assortment.popularity), len(node_weight)
    by_popularity = np.empty(skus)
    by_popularity[np.argsort(assortment.popularity, kind="stable")] = (np.arange(skus) + 0.5) / skus
    wish = nodes_per_sku * (0.5 + by_popularity)  # mean nodes_per_sku, from half of it to one and a half
    count = np.clip(np.floor(wish + rng.random(skus)), 1, nodes).astype(np.int64)
    block = max(1, SKUS_AT_ONCE // nodes)
    sku_parts, node_parts = [], []
    for start in range(0, skus, block):
        here = count[start : start + block]
        keys = np.log(node_weight) + rng.gumbel(size=(len(here), nodes))
        ranked = np.argsort(-keys, axis=1, kind="stable")
        row, place = np.nonzero(np.arange(nodes) < here[:, None])
        sku_parts.append(start + row)
        node_parts.append(ranked[row, place])
    sku, node = np.concatenate(sku_parts), np.concatenate(node_parts)
    order = np.argsort(sku * nodes + node)
    return sku[order], node[order]


def draw_capacities(
    rng: np.random.Generator,
    places: Places,
    stock: Stock,
    demand: Demand,
    latitude: Floats,
    longitude: Floats,
) -> Capacities:
    """Draw capacities against the load nodes would get if every line took the cheapest node with stock left.

    TIGHT_NODE_SHARE of the loaded nodes, the busier the likelier, get 80–100 % of that load (in parcels or in
    units); of the others half are unlimited and half roomy. Routing that puts orders together sends busy nodes fewer
    parcels than this load, and quiet ones more: in small networks QUIET_NODE_SHARE of the nodes, the quietest, are
    held to their load too, so that capacities bind at a fifth of the nodes whatever the seed.
    """
    nodes = len(places.kinds)
    line_node = cheapest_with_stock(places, stock, demand, latitude, longitude)
    served = line_node >= 0
    units = np.bincount(line_node[served], weights=demand.quantity[served], minlength=nodes)
    parcels = np.bincount(sorted_unique(demand.order[served] * nodes + line_node[served]) % nodes, minlength=nodes)
    key = rng.random(nodes) ** (1.0 / np.maximum(parcels, 1e-9))
    is_tight = np.zeros(nodes, bool)
    is_tight[np.argsort(-key, kind="stable")[: int(np.ceil(TIGHT_NODE_SHARE * nodes))]] = True
    if nodes < SMALL_NETWORK_NODES:
        quiet = np.argsort(np.where(is_tight | (parcels == 0), np.inf, parcels), kind="stable")
        is_tight[quiet[: int(np.ceil(QUIET_NODE_SHARE * nodes))]] = True
    is_tight &= parcels > 0
    factor = np.where(is_tight, rng.uniform(*TIGHTNESS, nodes), rng.uniform(1.6, 2.6, nodes))
    in_units = rng.random(nodes) < 0.4
    both = rng.random(nodes) < 0.25
    limited = is_tight | (rng.random(nodes) < 0.5)
    unit_limit = np.maximum(np.rint(units * factor), 2).astype(np.int64)
    parcel_limit = np.maximum(np.rint(parcels * factor), 1).astype(np.int64)
    return Capacities(
        units=np.where(limited & (in_units | both), unit_limit, -1),
        parcels=np.where(limited & (~in_units | both), parcel_limit, -1),
    )


def cheapest_with_stock(places: Places, stock: Stock, demand: Demand, latitude: Floats, longitude: Floats) -> Integers:
    """Return for each line the cheapest node that still holds its quantity, first come first served, or −1.

    `latitude` and `longitude` are the orders'. Lines try their cheapest cell, then the second …; within a
    round the units of a cell go to lines in order. It estimates load; it is no router.
    """
    skus = int(max(stock.sku.max(), demand.sku.max())) + 1
    first = np.searchsorted(stock.sku, np.arange(skus + 1))
    degree = (first[1:] - first[:-1])[demand.sku]
    line = np.repeat(np.arange(len(demand.sku)), degree)
    start = np.repeat(np.cumsum(degree) - degree, degree)
    cell = first[demand.sku][line] + np.arange(len(line)) - start
    node, order = stock.node[cell], demand.order[line]
    distance = great_circle_km(latitude[order], longitude[order], places.latitude[node], places.longitude[node])
    cost = CENTS_PER_KM * distance + (places.parcel_cost_cents + places.unit_cost_cents)[node]
    # Sorting one packed number (line, thousandths of a cent, place) is several times faster than a lexsort.
    place = np.arange(len(line)) - start
    packed = np.sort((line << 35) | (np.rint(cost * 1000).astype(np.int64) << 14) | place)
    ranked = cell[start + (packed & (2**14 - 1))]
    offset = np.cumsum(degree) - degree
    left = stock.available.copy()
    chosen = np.full(len(demand.sku), -1, np.int64)
    for rank in range(int(degree.max(initial=0))):
        trying = np.flatnonzero((chosen < 0) & (degree > rank))
        wish = ranked[offset[trying] + rank]
        by_cell = np.argsort(wish, kind="stable")
        trying, wish = trying[by_cell], wish[by_cell]
        taken = np.cumsum(demand.quantity[trying])
        is_first = np.concatenate([[True], wish[1:] != wish[:-1]])[: len(wish)]
        before = np.maximum.accumulate(np.where(is_first, taken - demand.quantity[trying], 0))
        fits = taken - before <= left[wish]
        chosen[trying[fits]] = stock.node[wish[fits]]
        np.subtract.at(left, wish[fits], demand.quantity[trying[fits]])
    return chosen
