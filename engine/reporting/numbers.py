"""Numbers as people read them: by the unit of their KPI, differences with a sign, intervals behind a ±."""

from __future__ import annotations

from engine.simulation.intervals import Interval
from engine.simulation.kpi import Unit

_SUFFIX = {Unit.SHARE: " %", Unit.DAYS: " d", Unit.HOURS: " h", Unit.KM: " km"}
_SCALE = {Unit.CENTS: 0.01, Unit.SHARE: 100.0}


def written(value: float, unit: Unit) -> str:
    """Return a value with its unit; money without its currency, shares in percent."""
    return f"{_plain(value, unit, value)}{_SUFFIX.get(unit, '')}"


def points(value: float, unit: Unit, like: float | None = None) -> str:
    """Return a difference without its sign, of shares in percentage points; as exact as a mean `like` that."""
    suffix = " pp" if unit is Unit.SHARE else _SUFFIX.get(unit, "")
    return f"{_plain(value, unit, value if like is None else like)}{suffix}"


def told(found: Interval | None, unit: Unit) -> str:
    """Return a mean; a dash for nothing."""
    return "–" if found is None else written(found.mean, unit)


def reach(found: Interval, unit: Unit) -> str:
    """Return how far an interval goes from its mean, such as `± 0.12`; nothing with one replication."""
    if found.half_width is None or found.half_width <= 1e-5 * abs(found.mean):
        return ""
    return f"± {points(found.half_width, unit, found.mean)}"


def change(found: Interval, unit: Unit) -> str:
    """Return a difference with its sign; of shares in percentage points."""
    sign = "+" if found.mean > 0 else "−" if found.mean < 0 else "±"
    return f"{sign}{points(abs(found.mean), unit)}"


def _plain(value: float, unit: Unit, like: float) -> str:
    """Return a number in its unit; one that its decimals would just make 0 with its first figure."""
    scale = _SCALE.get(unit, 1.0)
    decimals = _decimals(like * scale, unit)
    said = f"{value * scale:,.{decimals}f}"
    if not float(said.replace(",", "")) and abs(value * scale) >= 10.0 ** -(decimals + 2):
        said = f"{value * scale:.1g}"
    return said.replace("-", "−")


def _decimals(value: float, unit: Unit) -> int:
    """Return how many decimals a number needs: fewer the larger it is, and none if it counts whole things."""
    if unit is Unit.CENTS:
        return 0 if abs(value) >= 10_000 else 2
    if unit is Unit.SHARE:
        return 0 if value in {0.0, 100.0} else 1
    return 0 if abs(value) >= 1_000 or value == int(value) else 1 if abs(value) >= 10 else 2
