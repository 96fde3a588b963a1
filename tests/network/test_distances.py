"""Distance and zone: the haversine of contracts.md with its tolerance, in numpy and in the kernel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from solvers.promise_parcels import within_reach

DEGREE_KM = 6371.0088 * math.pi / 180


def test_a_degree_of_latitude_has_its_length(document: dict[str, Any]) -> None:
    network = compile_network(NetworkDocument.model_validate(document), 1)
    assert network.distances_km(41.0, -75.0)[0] == pytest.approx(DEGREE_KM, abs=1e-9)
    assert network.distances_km(40.0, -75.0)[0] == 0.0
    assert network.distances_km(-40.0, 105.0)[0] == pytest.approx(180 * DEGREE_KM)


def test_a_place_on_the_limit_lies_in_the_zone(document: dict[str, Any]) -> None:
    document["zones"] = [{"zone": "near", "max_km": DEGREE_KM}, {"zone": "far", "max_km": 5000}]
    network = compile_network(NetworkDocument.model_validate(document), 1)
    km = np.array([DEGREE_KM, DEGREE_KM + 0.9e-6, DEGREE_KM + 2e-6, 5000.0, 5000.1])
    assert network.zones_at(km).tolist() == [0, 0, 1, 1, 2]


def test_the_kernel_agrees_and_leaves_out_what_is_beyond_the_last_zone(document: dict[str, Any]) -> None:
    document["zones"] = [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": 3000}]
    network = compile_network(NetworkDocument.model_validate(document), 1)
    rng = np.random.default_rng(5)
    both = np.arange(2)
    for _ in range(200):
        latitude, longitude = float(rng.uniform(-90, 90)), float(rng.uniform(-180, 180))
        kept, zone = within_reach(
            both,
            network.latitude_rad,
            network.longitude_rad,
            math.radians(latitude),
            math.radians(longitude),
            network.zone_max_km,
            np.inf,
        )
        expected = network.zones_at(network.distances_km(latitude, longitude))
        assert zone.tolist() == expected.tolist()
        assert kept.tolist() == [node for node in both if expected[node] < 2]


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
