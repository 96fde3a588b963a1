"""A map of parcels as SVG: nodes as discs by parcels shipped, parcels as thin lines; no tiles, no script.

Coordinates are degrees; the projection is equirectangular at the map's middle latitude.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 960.0
MARGIN = 24.0
MOST_RADIUS = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node on the map."""

    node_id: str
    kind: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One parcel: from a node to a destination."""

    node_id: str
    latitude: float
    longitude: float


def flow_map(places: Sequence[Place], flows: Sequence[Flow]) -> str:
    """Return the map as an SVG element; nodes that ship nothing are small rings."""
    if not places:
        return ""
    latitudes = [place.latitude for place in places] + [flow.latitude for flow in flows]
    longitudes = [place.longitude for place in places] + [flow.longitude for flow in flows]
    north, west = max(latitudes), min(longitudes)
    squeeze = math.cos(math.radians((north + min(latitudes)) / 2))
    scale = (WIDTH - 2 * MARGIN) / max((max(longitudes) - west) * squeeze, 1e-6)

    def at(latitude: float, longitude: float) -> tuple[float, float]:
        return MARGIN + (longitude - west) * squeeze * scale, MARGIN + (north - latitude) * scale

    height = MARGIN * 2 + (north - min(latitudes)) * scale
    where = {place.node_id: at(place.latitude, place.longitude) for place in places}
    shipped = Counter(flow.node_id for flow in flows)
    most = max(shipped.values(), default=1)
    lines = []
    for flow in flows:
        (x1, y1), (x2, y2) = where[flow.node_id], at(flow.latitude, flow.longitude)
        lines.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')
    discs = []
    for place in sorted(places, key=lambda place: -shipped[place.node_id]):
        x, y = where[place.node_id]
        radius = 2.5 + MOST_RADIUS * math.sqrt(shipped[place.node_id] / most)
        told = f"{place.node_id}: {shipped[place.node_id]} parcels"
        discs.append(
            f'<circle class="{escape(place.kind)}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{escape(told)}</title></circle>"
        )
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="Parcels from nodes to destinations">'
        f'<g class="flows">{"".join(lines)}</g><g class="nodes">{"".join(discs)}</g></svg>'
    )
