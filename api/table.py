"""The table of all endpoints, in the order of the documentation; where two paths match, the first one serves."""

from __future__ import annotations

from api.endpoint import Endpoint
from api.routes import catalog, health, network

ENDPOINTS: tuple[Endpoint, ...] = (
    *network.ENDPOINTS,
    *catalog.ENDPOINTS,
    *health.ENDPOINTS,
)
