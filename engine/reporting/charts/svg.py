"""What all charts are drawn with: elements, axes with round steps, and numbers that are short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


def short(number: float) -> str:
    """Return a coordinate with at most one decimal, and none if that is 0."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


def cut(name: str, most: int) -> str:
    """Return a name of so many letters at most; of a longer one what it begins and what it ends with."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"


def text(x: float, y: float, said: str, *, kind: str = "", anchor: str = "start") -> str:
    """Return a text at a point; `anchor` is start, middle or end."""
    classes = f' class="{kind}"' if kind else ""
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{short(x)}" y="{short(y)}"{classes}{anchored}>{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line x1="{short(x1)}" y1="{short(y1)}" x2="{short(x2)}" y2="{short(y2)}" class="{kind}"/>'


def box(x: float, y: float, width: float, height: float, kind: str, told: str = "") -> str:
    """Return a rectangle; what is told is shown to who points at it."""
    title = f"<title>{escape(told)}</title>" if told else ""
    size = f'x="{short(x)}" y="{short(y)}" width="{short(max(width, 0.0))}" height="{short(max(height, 0.0))}"'
    return f'<rect {size} class="{kind}">{title}</rect>' if title else f'<rect {size} class="{kind}"/>'


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Return a line through points."""
    return f'<path d="M{"L".join(f"{short(x)} {short(y)}" for x, y in points)}" class="{kind}"/>' if points else ""


def picture(width: float, height: float, told: str, parts: Sequence[str]) -> str:
    """Return a whole drawing; `told` says what it shows to those who do not see it."""
    return (
        f'<svg viewBox="0 0 {short(width)} {short(height)}" role="img" aria-label="{escape(told)}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values from `low` to `high` at coordinates from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the coordinate of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values on the axis."""
        step = round_step((self.high - self.low) / max(most, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))


def spanning(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Axis:
    """Return an axis on which all values are, with some room, that ends at round values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high <= low:
        low, high = low - 0.05 * (abs(low) or 1.0), high + 0.05 * (abs(high) or 1.0)
    step = round_step((high - low) / 5)
    return Axis(
        low=math.floor(low / step + 1e-9) * step, high=math.ceil(high / step - 1e-9) * step, start=start, end=end
    )
