"""The smallest network and catalog: one node, one product, and nothing to ship with."""

from __future__ import annotations

NODE, SKU = "berlin", "mug"

NETWORK = {
    "currency": "EUR",
    "calendars": [{"calendar": "always", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "nodes": [
        {
            "node_id": NODE,
            "kind": "dc",
            "latitude": 52.5,
            "longitude": 13.4,
            "time_zone": "UTC",
            "calendar": "always",
        }
    ],
}
CATALOG = {"products": [{"sku": SKU, "weight_g": 500}]}
