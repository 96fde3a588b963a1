"""Distance and zone: the haversine of contracts.md with its tolerance, and postal codes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.integrations.geography import great_circle_km
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network
from solvers.promise_parcels import within_reach

DEGREE_KM = 6371.0088 * math.pi / 180


def zones_of(network: Network, latitude: float, longitude: float) -> tuple[list[int], list[int]]:
    """The nodes within reach, and the zone from every node."""
    kept, zone, _ = within_reach(
        np.arange(2),
        network.latitude_rad,
        network.longitude_rad,
        math.radians(latitude),
        math.radians(longitude),
        network.zone_max_km,
        np.inf,
    )
    return kept.tolist(), zone.tolist()


def test_a_degree_of_latitude_has_its_length() -> None:
    there = np.array([41.0, 40.0, -40.0]), np.array([-75.0, -75.0, 105.0])
    km = great_circle_km(np.array(40.0), np.array(-75.0), *there)
    assert km.tolist() == pytest.approx([DEGREE_KM, 0.0, 180 * DEGREE_KM])


@pytest.mark.parametrize(("limit_km", "zone"), [(DEGREE_KM, 0), (DEGREE_KM - 0.9e-6, 0), (DEGREE_KM - 2e-6, 1)])
def test_a_place_on_the_limit_lies_in_the_zone(document: dict[str, Any], limit_km: float, zone: int) -> None:
    """The first node stands at 40° N 75° W."""
    document["zones"] = [{"zone": "near", "max_km": limit_km}, {"zone": "far", "max_km": 5000}]
    network = compile_network(NetworkDocument.model_validate(document), 1)
    assert zones_of(network, 41.0, -75.0)[1][0] == zone


def test_zones_follow_the_distance_and_what_is_beyond_the_last_is_left_out(document: dict[str, Any]) -> None:
    document["zones"] = [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": 3000}]
    network = compile_network(NetworkDocument.model_validate(document), 1)
    nodes = np.degrees(network.latitude_rad), np.degrees(network.longitude_rad)
    rng = np.random.default_rng(5)
    for _ in range(200):
        latitude, longitude = float(rng.uniform(-90, 90)), float(rng.uniform(-180, 180))
        km = great_circle_km(np.array(latitude), np.array(longitude), *nodes)
        expected = [0 if distance <= 500 else 1 if distance <= 3000 else 2 for distance in km.tolist()]
        assert zones_of(network, latitude, longitude) == ([n for n in range(2) if expected[n] < 2], expected)


def test_the_longest_postal_prefix_wins(document: dict[str, Any]) -> None:
    document["postal_codes"] = [
        {"country": "US", "postal_code": "9", "latitude": 1, "longitude": 1},
        {"country": "US", "postal_code": "902", "latitude": 34, "longitude": -118},
        {"country": "GB", "postal_code": "SW1", "latitude": 51, "longitude": 0},
    ]
    network = compile_network(NetworkDocument.model_validate(document), 1)
    found = network.place_of("US", "90210")
    assert found is not None
    assert found.latitude == 34
    assert network.place_of("GB", "sw1a 1aa") is not None
    assert network.place_of("US", "10001") is None
