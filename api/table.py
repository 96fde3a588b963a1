"""The table of all endpoints, in the order of the documentation; where two paths match, the first one serves."""

from __future__ import annotations

from api.endpoint import Endpoint
from api.routes import (
    availability,
    catalog,
    health,
    inventory,
    inventory_events,
    lead_times,
    low_stock,
    network,
    orders,
    promises,
    quotas,
    reservation_batches,
    reservations,
    routing_runs,
    supplies,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *network.ENDPOINTS,
    *catalog.ENDPOINTS,
    *lead_times.ENDPOINTS,
    *inventory_events.ENDPOINTS,
    *supplies.ENDPOINTS,
    *quotas.ENDPOINTS,
    *inventory.ENDPOINTS,
    *low_stock.ENDPOINTS,
    *availability.ENDPOINTS,
    *promises.ENDPOINTS,
    *reservations.ENDPOINTS,
    *reservation_batches.ENDPOINTS,
    *orders.ENDPOINTS,
    *routing_runs.ENDPOINTS,
    *health.ENDPOINTS,
)
