"""A small network and catalog for orders: two nodes, two products and a kit of them."""

from __future__ import annotations

import pytest

from engine.catalog.document import CatalogDocument
from engine.catalog.model import Catalog, compile_catalog
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture(scope="session")
def network_document() -> NetworkDocument:
    place = {"kind": "dc", "time_zone": "America/Chicago", "calendar": "daily"}
    rate = {"zone": "all", "max_weight_g": 10_000, "cost_cents": 500, "transit_days": 2}
    return NetworkDocument.model_validate(
        {
            "nodes": [
                {"node_id": "north", "latitude": 45.0, "longitude": -93.0, **place},
                {"node_id": "south", "latitude": 30.0, "longitude": -95.0, **place},
            ],
            "calendars": [{"calendar": "daily", "working_days": WEEK}],
            "zones": [{"zone": "all", "max_km": None}],
            "services": [
                {"service": "ground", "carrier": "C", "service_level": "standard", "calendar": "daily", "rates": [rate]}
            ],
            "postal_codes": [{"country": "US", "postal_code": "554", "latitude": 44.9, "longitude": -93.2}],
        }
    )


@pytest.fixture(scope="session")
def catalog_document() -> CatalogDocument:
    return CatalogDocument.model_validate(
        {
            "products": [{"sku": "MUG", "weight_g": 300}, {"sku": "TEA", "weight_g": 100}],
            "kits": [
                {"sku": "SET", "components": [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}]},
                {"sku": "PALLET", "components": [{"sku": "SET", "quantity": 1000}]},
            ],
        }
    )


@pytest.fixture(scope="session")
def network(network_document: NetworkDocument) -> Network:
    return compile_network(network_document, 1)


@pytest.fixture(scope="session")
def catalog(catalog_document: CatalogDocument) -> Catalog:
    return compile_catalog(catalog_document, 1)
