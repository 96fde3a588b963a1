"""Service against cost: a point a policy with its intervals, and the line of those that no other beats in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

from engine.reporting.charts.svg import Axis, cut, line, path, picture, short, spanning, text

WIDTH, HEIGHT = 640.0, 340.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 130.0, 18.0, 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A policy: its cost and its service, with half the widths of their intervals, and its colour's number."""

    name: str
    colour: int
    cost: float
    cost_reach: float
    service: float
    service_reach: float


def undominated(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats in both, cheapest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, -one.service)):
        if not kept or point.service > kept[-1].service:
            kept.append(point)
    return kept


def frontier(
    points: Sequence[Point],
    cost_label: str,
    service_label: str,
    written_cost: Callable[[float], str],
    written_service: Callable[[float], str],
) -> str:
    """Return the chart; better is up and to the left."""
    x = spanning([v for p in points for v in (p.cost - p.cost_reach, p.cost + p.cost_reach)], LEFT, WIDTH - RIGHT)
    reach = [v for p in points for v in (p.service - p.service_reach, p.service + p.service_reach)]
    y = _up_to_all([min(1.0, max(0.0, value)) for value in reach])
    parts = []
    for tick in x.ticks():
        parts.append(line(x.at(tick), TOP, x.at(tick), HEIGHT - BOTTOM, "grid"))
        parts.append(text(x.at(tick), HEIGHT - BOTTOM + 18, written_cost(tick), kind="soft number", anchor="middle"))
    for tick in y.ticks():
        parts.append(line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), "grid"))
        parts.append(text(LEFT - 8, y.at(tick) + 4, written_service(tick), kind="soft number", anchor="end"))
    best = undominated(points)
    steps: list[tuple[float, float]] = []
    for before, after in zip([None, *best], best, strict=False):
        if before is not None:
            steps.append((x.at(after.cost), y.at(before.service)))
        steps.append((x.at(after.cost), y.at(after.service)))
    if len(best) > 1:
        parts.append(path(steps, "frontier"))
    labels = _places([y.at(point.service) for point in points])
    parts += [_cross(point, x, y) for point in points]
    parts += [_dot(point, x, y) for point in points]
    for point, label_y in zip(points, labels, strict=True):
        parts.append(text(x.at(point.cost) + 11, label_y + 4, cut(point.name, 48), kind="halo"))
    parts.append(text(LEFT, HEIGHT - 8, f"{cost_label} →", kind="soft"))
    parts.append(text(LEFT, 11, f"↑ {service_label}", kind="soft"))
    return picture(WIDTH, HEIGHT, f"{service_label} against {cost_label}", parts)


def _up_to_all(shares: Sequence[float]) -> Axis:
    """Return an axis of shares that does not go beyond all of them, nor below none."""
    low, high = min(shares), max(shares)
    spread = max(high - low, 0.02)
    axis = spanning([max(0.0, low - spread / 4), min(1.0, high + spread / 4)], HEIGHT - BOTTOM, TOP)
    return replace(axis, low=max(axis.low, 0.0), high=min(axis.high, 1.0))


def _cross(point: Point, x: Axis, y: Axis) -> str:
    """Return the intervals of a point."""
    at_x, at_y, kind = x.at(point.cost), y.at(point.service), f"cross s{point.colour}"
    drawn = []
    if point.cost_reach:
        drawn.append(line(x.at(point.cost - point.cost_reach), at_y, x.at(point.cost + point.cost_reach), at_y, kind))
    if point.service_reach:
        low, high = (
            y.at(min(y.high, max(y.low, point.service + reach)))
            for reach in (-point.service_reach, point.service_reach)
        )
        drawn.append(line(at_x, low, at_x, high, kind))
    return "".join(drawn)


def _dot(point: Point, x: Axis, y: Axis) -> str:
    return (
        f'<circle cx="{short(x.at(point.cost))}" cy="{short(y.at(point.service))}" r="5.5" '
        f'class="f{point.colour} ring"><title>{escape(point.name)}</title></circle>'
    )


def _places(heights: Sequence[float], apart: float = 15.0) -> list[float]:
    """Return heights for labels, near those given and not on top of one another."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    placed = list(heights)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + apart)
    return placed
