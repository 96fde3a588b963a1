"""A small network and catalog for tests of demand, and patterns over them."""

from __future__ import annotations

from datetime import date
from typing import Any

from engine.catalog.document import CatalogDocument
from engine.network.document import NetworkDocument
from engine.scenarios.demand import GeneratedDemand, generated_demand
from engine.scenarios.patterns import PatternsDocument

MONDAY = date(2026, 11, 23)
NETWORK = NetworkDocument.model_validate(
    {
        "currency": "USD",
        "nodes": [
            {
                "node_id": "east",
                "kind": "dc",
                "latitude": 40.7,
                "longitude": -74.0,
                "time_zone": "America/New_York",
                "calendar": "week",
            }
        ],
        "calendars": [{"calendar": "week", "working_days": ["mon", "tue", "wed", "thu", "fri"]}],
        "zones": [{"zone": "all", "max_km": None}],
        "services": [],
        "postal_codes": [
            {"country": "US", "postal_code": "100", "latitude": 40.7, "longitude": -74.0},
            {"country": "US", "postal_code": "606", "latitude": 41.9, "longitude": -87.6},
        ],
    }
)
CATALOG = CatalogDocument.model_validate(
    {
        "products": [
            {"sku": "A", "weight_g": 100},
            {"sku": "B", "weight_g": 100},
            {"sku": "C", "weight_g": 100, "min_quantity": 4, "quantity_step": 4},
            {"sku": "D", "weight_g": 100},
        ],
        "kits": [{"sku": "AB", "components": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]}],
    }
)


def drawn_demand(seed: int = 5, **patterns: Any) -> GeneratedDemand:
    """Return demand drawn from patterns over the small network."""
    document = PatternsDocument.model_validate({"orders_per_day": 1000, "counts": "exact"} | patterns)
    return generated_demand(document, seed=seed, starts_on=MONDAY, network=NETWORK, catalog=CATALOG)
