"""The shop of a life over HTTP: two nodes that each have one of the two products, both of which are ordered."""

from __future__ import annotations

from typing import Any

_NODE = {"kind": "dc", "time_zone": "UTC", "calendar": "always", "cut_off": "23:59"}
_RATE = {"zone": "all", "max_weight_g": 30000, "cost_cents": 700, "transit_days": 2}
NETWORK: dict[str, Any] = {
    "currency": "USD",
    "calendars": [{"calendar": "always", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "nodes": [
        {"node_id": "east", "latitude": 40.7, "longitude": -74.0, **_NODE},
        {"node_id": "west", "latitude": 34.0, "longitude": -118.2, **_NODE},
    ],
    "zones": [{"zone": "all", "max_km": None}],
    "services": [
        {"service": "ground", "carrier": "acme", "service_level": "standard", "calendar": "always", "rates": [_RATE]}
    ],
    "policy": {"line_split": "allowed"},
}
CATALOG: dict[str, Any] = {"products": [{"sku": sku, "weight_g": 500} for sku in ("mug", "tea")]}
STOCK = {
    "positions": [
        {"node_id": "east", "sku": "mug", "on_hand": 10},
        {"node_id": "west", "sku": "tea", "on_hand": 10},
    ]
}
LINES = [{"sku": "mug", "quantity": 2, "node_id": "east"}, {"sku": "tea", "quantity": 1, "node_id": "west"}]
ORDER: dict[str, Any] = {
    "order_id": "o-1",
    "channel": "web",
    "destination": {"latitude": 40.73, "longitude": -73.99},
    "customer_id": "ada",
    "lines": [
        {"sku": "mug", "quantity": 2, "unit_price_cents": 1000},
        {"sku": "tea", "quantity": 1, "unit_price_cents": 700},
    ],
    "shipping_cents": 400,
    "currency": "USD",
    "tenders": [{"kind": "card", "token": "tok_visa"}],
}
CUSTOMER = {
    "name": "Ada Byron",
    "email": "ada@example.com",
    "channels": ["webhook"],
    "addresses": [],
}
