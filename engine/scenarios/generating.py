"""Worlds that are drawn: a United States of nodes with calendars, cut-offs and time zones, a tariff, products, stock.

Places, tariff and stock are those of `allot generate`; demand follows in the same clusters. Not here: drawing orders
(generated.py), the parts themselves (engine/integrations/synthetic_*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalog.document import CatalogDocument, ProductDocument
from engine.integrations.synthetic_demand import Assortment, Demand, draw_assortment, draw_demand, sorted_unique
from engine.integrations.synthetic_geography import (
    LATITUDES,
    LONGITUDES,
    RURAL_SHARE,
    Clusters,
    Places,
    draw_clusters,
    draw_places,
    draw_positions,
)
from engine.integrations.synthetic_rates import SERVICES, ZONE_KM, rate_columns
from engine.integrations.synthetic_stock import Stock, cheapest_with_stock, draw_stock
from engine.inventory.model import PositionCount
from engine.network.document import (
    CalendarDocument,
    NetworkDocument,
    NodeDocument,
    PolicyDocument,
    RateDocument,
    ServiceDocument,
    ServiceLevel,
    Weekday,
    ZoneDocument,
)
from engine.scenarios.generate_document import GenerateDocument
from engine.scenarios.patterns import PatternsDocument, PlaceDocument

KM_PER_DEGREE = 111.2
MOST_LINES = 6
LEAST_PARCELS = 4
"""A node can do so many a day at least."""
HOURS = (2, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 10, 9, 9, 9, 9, 9, 10, 12, 13, 12, 8, 4)
"""A web shop's day: a plateau from ten on, and a peak after supper; in the story's time zone."""

_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CALENDARS = {
    "dc-weekdays": _WEEK[:5],
    "dc-six-days": _WEEK[:6],
    "store": _WEEK,
    "vendor": _WEEK[:5],
    "parcel": _WEEK[:6],
    "air": _WEEK[:5],
}
_LEVELS: dict[str, ServiceLevel] = {"ground": "standard", "priority": "expedited", "express": "next_day"}
_TIME_ZONES = ((-85.5, "America/New_York"), (-101.5, "America/Chicago"), (-114.0, "America/Denver"))
_CUT_OFFS = {"dc": (15, 19), "third_party": (14, 17), "store": (12, 16), "vendor": (11, 14)}
_PREFIXES = {"dc": "dc", "third_party": "3pl", "store": "store", "vendor": "vendor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnWorld:
    """A world that was drawn, and the patterns of its demand."""

    network: NetworkDocument
    catalog: CatalogDocument
    positions: tuple[PositionCount, ...]
    patterns: PatternsDocument


def draw_world(document: GenerateDocument, days: int, currency: str, policy: PolicyDocument) -> DrawnWorld:
    """Draw the world of a document that has `nodes` and `skus`, with stock for so many days and two more."""
    assert document.nodes is not None
    assert document.skus is not None
    seeds = np.random.SeedSequence(document.world_seed).spawn(4)
    geography, baskets, supplies, products = (np.random.default_rng(child) for child in seeds)
    clusters = draw_clusters(geography, document.nodes)
    places = draw_places(geography, clusters, document.nodes, {str(kind): n for kind, n in document.kinds.items()})
    assortment = draw_assortment(baskets, document.skus)
    orders = max(1, round(document.orders_per_day))
    usual = draw_demand(baskets, assortment, orders, MOST_LINES)
    cover_days = document.cover_days or days + 2
    more = _units_an_order(document) * orders / max(1, int(usual.quantity.sum()))
    stock = draw_stock(
        supplies, places, assortment, usual, nodes_per_sku=document.nodes_per_sku, supply=cover_days * more
    )
    latitude, longitude = draw_positions(geography, clusters, orders, RURAL_SHARE)
    capacity = _capacities(document, places, stock, usual, (latitude, longitude))
    skus = [f"S{number:0{len(str(document.skus))}d}" for number in range(1, document.skus + 1)]
    node_ids = _node_ids(places.kinds)
    return DrawnWorld(
        network=NetworkDocument(
            name=f"drawn, {document.nodes} nodes",
            currency=currency,
            nodes=tuple(_node(geography, places, at, node_ids[at], capacity[at]) for at in range(document.nodes)),
            calendars=tuple(
                CalendarDocument(calendar=name, working_days=week, country=None if name == "store" else "US")
                for name, week in _CALENDARS.items()
            ),
            zones=tuple(ZoneDocument(zone=str(at + 1), max_km=limit) for at, limit in enumerate(ZONE_KM)),
            services=_services(),
            policy=policy,
        ),
        catalog=CatalogDocument(products=_products(products, assortment, skus)),
        positions=tuple(
            PositionCount(node_id=node_ids[node], sku=skus[sku], on_hand=units)
            for sku, node, units in zip(stock.sku.tolist(), stock.node.tolist(), stock.available.tolist(), strict=True)
        ),
        patterns=_patterns(document, clusters, assortment, skus),
    )


def _units_an_order(document: GenerateDocument) -> float:
    """Return how many units an order has on average."""
    return _mean(dict(document.lines)) * _mean(dict(document.quantities))


def _mean(shares: dict[int, float]) -> float:
    return sum(value * share for value, share in shares.items()) / sum(shares.values())


def _capacities(
    document: GenerateDocument,
    places: Places,
    stock: Stock,
    usual: Demand,
    destinations: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> list[int | None]:
    """Return parcels a day by node: the share over what it would get if every line took its cheapest node."""
    if document.capacity_share is None:
        return [None] * len(places.kinds)
    node = cheapest_with_stock(places, stock, usual, *destinations)
    served = node >= 0
    pairs = sorted_unique(usual.order[served] * len(places.kinds) + node[served])
    parcels = np.bincount(pairs % len(places.kinds), minlength=len(places.kinds))
    least = max(LEAST_PARCELS, int(parcels.mean() * document.capacity_share / 4))
    return [max(least, int(load * document.capacity_share)) for load in parcels.tolist()]


def _node_ids(kinds: list[str]) -> list[str]:
    width, seen, found = len(str(len(kinds))), dict[str, int](), []
    for kind in kinds:
        seen[kind] = seen.get(kind, 0) + 1
        found.append(f"{_PREFIXES[kind]}-{seen[kind]:0{width}d}")
    return found


def _node(rng: np.random.Generator, places: Places, at: int, node_id: str, capacity: int | None) -> NodeDocument:
    kind, longitude = places.kinds[at], float(places.longitude[at])
    calendar = ("dc-six-days" if rng.random() < 0.5 else "dc-weekdays") if kind in {"dc", "third_party"} else kind
    first, last = _CUT_OFFS[kind]
    return NodeDocument.model_validate(
        {
            "node_id": node_id,
            "kind": kind,
            "latitude": float(places.latitude[at]),
            "longitude": longitude,
            "time_zone": next((zone for west, zone in _TIME_ZONES if longitude > west), "America/Los_Angeles"),
            "calendar": calendar,
            "cut_off": f"{int(rng.integers(first, last, endpoint=True)):02d}:00",
            "processing_days": 1 if kind == "vendor" else 0,
            "parcel_cost_cents": int(places.parcel_cost_cents[at]),
            "unit_cost_cents": int(places.unit_cost_cents[at]),
            "capacity_parcels": capacity,
            "priority": {"dc": 1, "third_party": 2, "store": 3}.get(kind),
        }
    )


def _services() -> tuple[ServiceDocument, ...]:
    rates = rate_columns()
    columns = ("service", "zone", "max_weight_g", "cost_cents", "transit_days")
    rows = list(zip(*(rates[name] for name in columns), strict=True))
    return tuple(
        ServiceDocument(
            service=service,
            carrier="parcel",
            service_level=_LEVELS[service],
            calendar="air" if service == "express" else "parcel",
            rates=tuple(
                RateDocument(zone=zone, max_weight_g=step, cost_cents=cents, transit_days=days)
                for name, zone, step, cents, days in rows
                if name == service
            ),
        )
        for service in SERVICES
    )


def _products(rng: np.random.Generator, assortment: Assortment, skus: list[str]) -> tuple[ProductDocument, ...]:
    prices = np.round(np.exp(np.log(2_900) + 0.7 * rng.standard_normal(len(skus))) / 100) * 100 - 1
    costs = np.round(prices * rng.uniform(0.45, 0.65, len(skus)))
    return tuple(
        ProductDocument(sku=sku, weight_g=weight, price_cents=max(int(price), 99), cost_cents=max(int(cost), 0))
        for sku, weight, price, cost in zip(skus, assortment.weight_g.tolist(), prices, costs, strict=True)
    )


def _patterns(
    document: GenerateDocument, clusters: Clusters, assortment: Assortment, skus: list[str]
) -> PatternsDocument:
    """Return the patterns of a document with what they leave out taken from the world."""
    patterns = document.patterns()
    own: dict[str, Any] = {}
    if patterns.products is None:
        own["products"] = dict(zip(skus, assortment.popularity.tolist(), strict=True))
    if patterns.hours is None:
        own["hours"] = tuple(float(share) for share in HOURS)
    if patterns.places is None and patterns.places_file is None:
        own["places"] = (*_towns(clusters), *_country())
    return patterns.model_copy(update=own)


def _towns(clusters: Clusters) -> list[PlaceDocument]:
    share = (1 - RURAL_SHARE) * clusters.weight
    rows = zip(clusters.latitude, clusters.longitude, share, clusters.spread, strict=True)
    return [
        PlaceDocument(
            latitude=round(float(latitude), 4),
            longitude=round(float(longitude), 4),
            share=float(weight),
            spread_km=round(float(spread) * KM_PER_DEGREE, 1),
        )
        for latitude, longitude, weight, spread in rows
    ]


def _country() -> list[PlaceDocument]:
    """Return the places of those who live in no town: a grid over the country, each wide."""
    latitudes, longitudes = np.linspace(*LATITUDES, 4)[1:3], np.linspace(*LONGITUDES, 8)[1:7]
    return [
        PlaceDocument(
            latitude=round(float(latitude), 4),
            longitude=round(float(longitude), 4),
            share=RURAL_SHARE / 12,
            spread_km=250.0,
        )
        for latitude in latitudes
        for longitude in longitudes
    ]
