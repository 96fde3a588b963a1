"""What one unit costs from every node to a place: the cheapest service that may bring it, as a parcel of its own.

Here: rate cards, zones and handling, as arrays. Not here: days, cartons and surcharges, which a value over weeks does
not turn on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.network.model import Network
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, FloatArray, IntArray
from solvers.promise_freight import BARS, FUEL

NOT_DELIVERED = frozenset({"pickup", "ship_to_store"})
"""Levels of services that bring nothing to customers."""


class ParcelCosts:
    """The costs of single units of some SKUs, by zone once, and by place when asked."""

    def __init__(self, view: View, skus: Sequence[str]) -> None:
        self._network = view.network
        classes = np.array([view.network.freight.bits_of(view.catalog.handling.get(sku, ())) for sku in skus], np.int64)
        weight = np.array([view.catalog.content[sku].weight_g for sku in skus], np.int64)
        self._refused = (classes[:, None] & view.network.freight.node_bars[None]) != 0
        self._by_zone = _by_service_and_zone(view.network, weight, classes)

    def at(self, place: tuple[float, float], skus: IntArray) -> FloatArray:
        """Return cents of one unit of some SKUs from every node, (skus, nodes); infinite where nothing brings it."""
        network = self._network
        km = _km(network, *place)
        zone = np.searchsorted(network.zone_max_km, km - DISTANCE_TOLERANCE_KM)
        inside = (zone < len(network.zones)) & (km <= (network.policy.max_distance_km or np.inf))
        zone = np.minimum(zone, len(network.zones) - 1)
        may = network.serves & inside[None]
        if network.service_max_km is not None:
            may = may & (km[None] <= network.service_max_km[:, None] + DISTANCE_TOLERANCE_KM)
        rates = self._by_zone[:, :, skus]
        cheapest = np.full((len(network.node_ids), len(skus)), np.inf)
        for service in range(len(network.services)):
            nodes = np.flatnonzero(may[service])
            cheapest[nodes] = np.minimum(cheapest[nodes], rates[service, zone[nodes]])
        cheapest += (network.parcel_cost_cents + network.unit_cost_cents)[:, None]
        return np.where(self._refused[skus], np.inf, cheapest.T)


def _by_service_and_zone(network: Network, weight: IntArray, classes: IntArray) -> FloatArray:
    """Return the rate of one unit, (services, zones, skus), fuel included; infinite where there is none."""
    table, zones = network.rates, len(network.zones)
    cents = np.full((len(network.services), zones, len(weight)), np.inf)
    for service, level in enumerate(network.service_levels):
        if level in NOT_DELIVERED:
            continue
        fuel = 1 + int(network.freight.service[service, FUEL]) / 10_000
        barred = (classes & int(network.freight.service[service, BARS])) != 0
        for zone in range(zones):
            begin, end = table.offsets[service * zones + zone], table.offsets[service * zones + zone + 1]
            step = begin + np.searchsorted(table.max_weight_g[begin:end], weight)
            light = step < end
            cents[service, zone, light] = table.cost_cents[step[light]] * fuel
        cents[service, :, barred] = np.inf
    return cents


def _km(network: Network, latitude: float, longitude: float) -> NDArray[np.float64]:
    """Return the great-circle distance of every node."""
    here, there = np.radians(latitude), network.latitude_rad
    square = (
        np.sin((there - here) / 2) ** 2
        + np.cos(here) * np.cos(there) * np.sin((network.longitude_rad - np.radians(longitude)) / 2) ** 2
    )
    found: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.sqrt(square), 1.0))
    return found
