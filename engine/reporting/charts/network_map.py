"""A network on a map without tiles: nodes as discs by parcels, customers as squares, flows as arcs between them.

The projection is equirectangular at the middle latitude, as in flow_map.py, which draws one parcel a line; here flows
are between nodes and cells of a grid, so that the size of a page does not grow with the parcels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from engine.reporting.charts.svg import line, picture, round_step, short, text

WIDTH, MARGIN, TALLEST = 560.0, 22.0, 480.0
MOST_FLOWS, MOST_NAMES, MOST_RADIUS = 260, 14, 13.0
_LEVELS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A node on the map."""

    node_id: str
    kind: str
    latitude: float
    longitude: float
    parcels: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """Parcels from a node to the cell around a point."""

    node_id: str
    latitude: float
    longitude: float
    parcels: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Which part of the world is shown, and how large a degree of latitude is."""

    north: float
    south: float
    west: float
    east: float
    squeeze: float
    scale: float
    left: float

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        x = self.left + (longitude - self.west) * self.squeeze * self.scale
        return x, MARGIN + (self.north - latitude) * self.scale


def network_map(
    discs: Sequence[Disc],
    arcs: Sequence[Arc],
    everywhere: Sequence[Arc],
    cell_degrees: float,
    most_parcels: float,
    told: str,
) -> str:
    """Return the map; of many flows the largest are drawn, of all the squares.

    Maps with the same `everywhere` and `most_parcels` of a node show the same part of the world on the same scales.
    """
    if not discs:
        return ""
    window = _window(discs, everywhere, cell_degrees)
    height = 2 * MARGIN + (window.north - window.south) * window.scale
    parts = [*_graticule(window, height), *_squares(arcs, window, cell_degrees)]
    where = {disc.node_id: window.at(disc.latitude, disc.longitude) for disc in discs}
    largest = sorted(arcs, key=lambda arc: (-arc.parcels, arc.node_id, arc.latitude, arc.longitude))[:MOST_FLOWS]
    most = max((arc.parcels for arc in everywhere), default=1.0)
    parts += [
        _arc(where[arc.node_id], window.at(arc.latitude, arc.longitude), arc.parcels / most)
        for arc in reversed(largest)
    ]
    parts += _discs(discs, where, most_parcels or 1.0)
    return picture(WIDTH, height, told, parts)


def _window(discs: Sequence[Disc], arcs: Sequence[Arc], cell: float) -> _Window:
    shown = [arc for arc in arcs if arc.parcels > 0]
    latitudes = [disc.latitude for disc in discs] + [arc.latitude for arc in shown]
    longitudes = [disc.longitude for disc in discs] + [arc.longitude for arc in shown]
    north, south = max(latitudes) + cell / 2, min(latitudes) - cell / 2
    west, east = min(longitudes) - cell / 2, max(longitudes) + cell / 2
    squeeze = math.cos(math.radians((north + south) / 2))
    flat = 0.45 * (east - west) * squeeze - (north - south)
    if flat > 0:
        north, south = north + flat / 2, south - flat / 2
    scale = min((WIDTH - 2 * MARGIN) / ((east - west) * squeeze), (TALLEST - 2 * MARGIN) / (north - south))
    left = (WIDTH - (east - west) * squeeze * scale) / 2
    return _Window(north=north, south=south, west=west, east=east, squeeze=squeeze, scale=scale, left=left)


def _graticule(window: _Window, height: float) -> list[str]:
    parts = []
    step = max(round_step((window.east - window.west) / 6), 0.5)
    for number in range(math.ceil(window.west / step), math.floor(window.east / step) + 1):
        x, _ = window.at(0, number * step)
        parts.append(line(x, MARGIN / 2, x, height - MARGIN / 2, "grid"))
        parts.append(text(x, height - 2, _degrees(number * step, "EW"), kind="soft tiny", anchor="middle"))
    for number in range(math.ceil(window.south / step), math.floor(window.north / step) + 1):
        _, y = window.at(number * step, 0)
        parts.append(line(MARGIN / 2, y, WIDTH - MARGIN / 2, y, "grid"))
        parts.append(text(2, y - 3, _degrees(number * step, "NS"), kind="soft tiny"))
    return parts


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):g}°{'' if value == 0 else letters[value < 0]}"


def _squares(arcs: Sequence[Arc], window: _Window, cell: float) -> list[str]:
    """Return where customers are: a square a cell, in a few shades."""
    parcels: dict[tuple[float, float], float] = {}
    for arc in arcs:
        place = (arc.latitude, arc.longitude)
        parcels[place] = parcels.get(place, 0.0) + arc.parcels
    most = max(parcels.values(), default=1.0)
    wide, tall = cell * window.squeeze * window.scale, cell * window.scale
    shades: list[list[str]] = [[] for _ in range(_LEVELS)]
    for (latitude, longitude), amount in sorted(parcels.items()):
        x, y = window.at(latitude + cell / 2, longitude - cell / 2)
        shade = min(_LEVELS - 1, int(math.sqrt(amount / most) * _LEVELS))
        shades[shade].append(f"M{short(x)} {short(y)}h{short(wide)}v{short(tall)}h-{short(wide)}z")
    return [f'<path d="{"".join(cells)}" class="d{shade}"/>' for shade, cells in enumerate(shades) if cells]


def _arc(start: tuple[float, float], end: tuple[float, float], share: float) -> str:
    """Return a bent line; the bend tells from which side it comes."""
    (x1, y1), (x2, y2) = start, end
    bend = 0.14
    middle = ((x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend)
    width = 0.5 + 3.5 * math.sqrt(share)
    curve = f"M{short(x1)} {short(y1)}Q{short(middle[0])} {short(middle[1])} {short(x2)} {short(y2)}"
    return f'<path d="{curve}" class="arc" stroke-width="{short(width)}"/>'


def _discs(discs: Sequence[Disc], where: Mapping[str, tuple[float, float]], most: float) -> list[str]:
    order = sorted(discs, key=lambda disc: (-disc.parcels, disc.node_id))
    parts = []
    for disc in order:
        x, y = where[disc.node_id]
        told = f"{disc.node_id}: {disc.parcels:,.0f} parcels"
        parts.append(
            f'<circle cx="{short(x)}" cy="{short(y)}" r="{short(_radius(disc, most))}" '
            f'class="node {escape(disc.kind)}">'
            f"<title>{escape(told)}</title></circle>"
        )
    return parts + _names(order, where, most)


def _radius(disc: Disc, most: float) -> float:
    return 2.5 + MOST_RADIUS * math.sqrt(max(disc.parcels, 0.0) / most)


def _names(order: Sequence[Disc], where: Mapping[str, tuple[float, float]], most: float) -> list[str]:
    """Return the names of the busiest nodes, each beside its disc where nothing else is, or not at all."""
    taken = [_around(*where[disc.node_id], _radius(disc, most) - 1) for disc in order]
    parts = []
    for disc in order[:MOST_NAMES]:
        (x, y), radius, wide = where[disc.node_id], _radius(disc, most), 6.4 * len(disc.node_id)
        places = (
            (x + radius + 3, y + 4, "start", x + radius + 3),
            (x - radius - 3, y + 4, "end", x - radius - 3 - wide),
            (x, y - radius - 4, "middle", x - wide / 2),
            (x, y + radius + 12, "middle", x - wide / 2),
        )
        for at, base, anchor, left in places:
            room = (left, base - 10, left + wide, base + 2)
            if room[0] > 0 and room[2] < WIDTH and not any(_overlap(room, other) for other in taken):
                taken.append(room)
                parts.append(text(at, base, disc.node_id, kind="name", anchor=anchor))
                break
    return parts


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
