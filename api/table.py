"""The table of all endpoints, in the order of the documentation; where two paths match, the first one serves."""

from __future__ import annotations

from api.endpoint import Endpoint
from api.routes import availability, catalog, health, inventory, network, orders, promises, reservations, routing_runs

ENDPOINTS: tuple[Endpoint, ...] = (
    *network.ENDPOINTS,
    *catalog.ENDPOINTS,
    *inventory.ENDPOINTS,
    *availability.ENDPOINTS,
    *promises.ENDPOINTS,
    *reservations.ENDPOINTS,
    *orders.ENDPOINTS,
    *routing_runs.ENDPOINTS,
    *health.ENDPOINTS,
)
