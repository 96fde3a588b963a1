"""The table of all endpoints, in the order of the documentation; where two paths match, the first one serves."""

from __future__ import annotations

from api.endpoint import Endpoint
from api.routes import (
    availability,
    bid_prices,
    catalog,
    demand_forecast,
    get_it_by,
    health,
    inventory,
    inventory_events,
    lead_times,
    low_stock,
    nearest_stores,
    network,
    order_steering,
    orders,
    policies,
    promises,
    quotas,
    reservation_batches,
    reservations,
    routing_runs,
    slots,
    supplies,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *network.ENDPOINTS,
    *catalog.ENDPOINTS,
    *lead_times.ENDPOINTS,
    *demand_forecast.ENDPOINTS,
    *bid_prices.ENDPOINTS,
    *inventory_events.ENDPOINTS,
    *supplies.ENDPOINTS,
    *quotas.ENDPOINTS,
    *inventory.ENDPOINTS,
    *low_stock.ENDPOINTS,
    *availability.ENDPOINTS,
    *get_it_by.ENDPOINTS,
    *nearest_stores.ENDPOINTS,
    *promises.ENDPOINTS,
    *slots.ENDPOINTS,
    *reservations.ENDPOINTS,
    *reservation_batches.ENDPOINTS,
    *order_steering.ENDPOINTS,
    *orders.ENDPOINTS,
    *policies.ENDPOINTS,
    *routing_runs.ENDPOINTS,
    *health.ENDPOINTS,
)
