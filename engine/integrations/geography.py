"""Distances on the globe for many pairs at once; nothing about orders or nodes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from solvers.problem import EARTH_RADIUS_KM

Floats: TypeAlias = NDArray[np.float64]


def great_circle_km(latitude_a: Floats, longitude_a: Floats, latitude_b: Floats, longitude_b: Floats) -> Floats:
    """Return the haversine distance in kilometres of points given in degrees; shapes broadcast."""
    phi_a, phi_b = np.radians(latitude_a), np.radians(latitude_b)
    half_phi = np.sin((phi_b - phi_a) / 2)
    half_lambda = np.sin(np.radians(longitude_b - longitude_a) / 2)
    chord = half_phi**2 + np.cos(phi_a) * np.cos(phi_b) * half_lambda**2
    distance: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distance
