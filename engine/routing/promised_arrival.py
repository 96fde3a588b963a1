"""How a parcel that was promised would arrive by the arrays of now.

Not here: by which day an order is due for it (demand.py, hub_offers.py).
"""

from __future__ import annotations

import numpy as np

from engine.availability.reference import View
from engine.delivery.promised import PromisedParcel
from engine.routing.arrivals import Arrivals
from engine.routing.rate_cards import Bands, Cards
from engine.routing.ways import Ways
from solvers.problem import ANY_LEVEL, DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM, UNREACHABLE

NOBODY = -1


class WayOf:
    """Finds the way of a service for orders of a level."""

    def __init__(self, view: View, ways: Ways) -> None:
        names, levels = ways.names(view.network), ways.level.tolist()
        self._of = {
            (level, name): way for way, (level, name) in reversed([*enumerate(zip(levels, names, strict=True))])
        }
        self._any = {name: way for way, name in reversed([*enumerate(names)])}

    def __call__(self, level: int, service: str) -> int:
        """Return the way, `NOBODY` if the order may not go by it."""
        return self._any.get(service, NOBODY) if level == ANY_LEVEL else self._of.get((level, service), NOBODY)


def band_of(view: View, bands: Bands, node: int, latitude: float, longitude: float) -> int:
    """Return the band of distance in which a node has a place."""
    network = view.network
    to_latitude, to_longitude = np.radians(latitude), np.radians(longitude)
    across = np.sin((network.longitude_rad[node] - to_longitude) / 2) ** 2
    along = np.sin((network.latitude_rad[node] - to_latitude) / 2) ** 2
    chord = along + np.cos(network.latitude_rad[node]) * np.cos(to_latitude) * across
    distance_km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(min(chord, 1.0)))
    return int(np.searchsorted(bands.max_km, distance_km - DISTANCE_TOLERANCE_KM))


def as_promised(
    parcel: PromisedParcel, node: int, way: int, band: int, cards: Cards, arrivals: Arrivals, bands: int
) -> int:
    """Return on which day a promised parcel would arrive by the arrays of now, `UNREACHABLE` if it cannot go."""
    if band >= bands:
        return UNREACHABLE
    first, last = int(cards.start[way * bands + band]), int(cards.start[way * bands + band + 1])
    step = first + int(np.searchsorted(cards.max_weight_g[first:last], parcel.weight_g))
    return UNREACHABLE if step >= last else int(arrivals.days[node, way, cards.days[step]])
