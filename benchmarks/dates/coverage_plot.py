"""One page that shows calibration: coverage over time, and per lane by size; SVG, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

from benchmarks.dates.generated import DAYS, PEAK_DAY, PEAK_WIDTH_DAYS
from solvers.pooling import Floats, Integers

WIDTH, HEIGHT = 960.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 24.0, 18.0, 38.0
BIN_DAYS = 7
LOWEST = 0.6
STYLE = """
  :root { --ink: #1d2733; --soft: #66707c; --line: #e6eaee; --plan: #0b6e4f; --band: #0b6e4f1c; --peak: #b8404a14;
          --paper: #fbfbf9; --card: #fff; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e8ecef; --soft: #9aa4ae; --line: #2c343c; --plan: #4cc38f; --band: #4cc38f22; --peak: #e5737d1c;
            --paper: #14181c; --card: #1a2026; } }
  body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
  main { max-width: 1000px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
  h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
  p { max-width: 46rem; }
  svg { width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
  svg text { font: 12px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
  .grid { stroke: var(--line); } .asked { stroke: var(--soft); stroke-dasharray: 4 4; }
  .reached { fill: none; stroke: var(--plan); stroke-width: 1.8; stroke-linejoin: round; }
  .band { fill: var(--band); } .peak { fill: var(--peak); } circle { fill: var(--plan); fill-opacity: .55; }
  footer { color: var(--soft); font-size: .9rem; margin-top: 2rem; }
"""


def coverage_page(asked: float, on_time: NDArray[np.bool_], day: Floats, lane: Integers, machine: str) -> str:
    """Return the page for shipments with a promise: on time or not, day since the beginning, and lane."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Promised dates that are kept</title>
<style>{STYLE}</style>
<main>
<h1>Promised dates that are kept</h1>
<p>{asked:.0%} of shipments are to be on time; {on_time.mean():.1%} of {len(on_time):,} were. The shaded days are the
peak, whose days nobody knew before they came.</p>
<h2>Week by week, five points around what was asked</h2>
{_drawing("Share on time by week", _over_time(asked, on_time, day))}
<h2>Lane by lane, and two standard errors of a perfect promise</h2>
{_drawing("Share on time by lane", _by_lane(asked, on_time, lane))}
<footer>{escape(machine)}. Generated history, learned anew every few days from what was known then.</footer>
</main>
</html>
"""


def _drawing(label: str, drawn: Iterator[str]) -> str:
    size = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return f'<svg viewBox="{size}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _y(share: float) -> float:
    return TOP + (1 - max(share, LOWEST)) / (1 - LOWEST) * (HEIGHT - TOP - BOTTOM)


def _grid(asked: float) -> Iterator[str]:
    for share in (0.6, 0.7, 0.8, 0.9, 1.0):
        kind = "asked" if share == asked else "grid"
        y = _y(share)
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'


def _over_time(asked: float, on_time: NDArray[np.bool_], day: Floats) -> Iterator[str]:
    first = float(day.min())

    def x(at: float) -> float:
        return LEFT + (at - first) / (DAYS - first) * (WIDTH - LEFT - RIGHT)

    begin, end = x(max(first, PEAK_DAY - 1.5 * PEAK_WIDTH_DAYS)), x(min(DAYS, PEAK_DAY + 2.5 * PEAK_WIDTH_DAYS))
    yield f'<rect class="peak" x="{begin:.1f}" width="{end - begin:.1f}" y="{TOP}" height="{HEIGHT - TOP - BOTTOM}"/>'
    high, low = _y(min(asked + 0.05, 1)), _y(asked - 0.05)
    yield f'<rect class="band" x="{LEFT}" width="{WIDTH - LEFT - RIGHT}" y="{high:.1f}" height="{low - high:.1f}"/>'
    yield from _grid(asked)
    week = ((day - first) // BIN_DAYS).astype(np.int64)
    count, kept = np.bincount(week), np.bincount(week, on_time)
    points = [
        (x(first + (at + 0.5) * BIN_DAYS), _y(float(kept[at] / count[at]))) for at in range(len(count)) if count[at]
    ]
    yield f'<path class="reached" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}"/>'
    for at in range(0, int(DAYS - first) + 1, 28):
        said = f"day {first + at:.0f}"
        yield f'<text x="{x(first + at):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{said}</text>'


def _by_lane(asked: float, on_time: NDArray[np.bool_], lane: Integers) -> Iterator[str]:
    count, kept = np.bincount(lane), np.bincount(lane, on_time)
    most = float(np.log(max(count.max(), 2) * 1.1))

    def x(size: float) -> float:
        return LEFT + float(np.log(size)) / most * (WIDTH - LEFT - RIGHT)

    sizes = np.geomspace(1, max(count.max(), 2), 60)
    error = 2 * np.sqrt(asked * (1 - asked) / sizes)
    above = [f"{x(s):.1f} {_y(min(asked + e, 1)):.1f}" for s, e in zip(sizes, error, strict=True)]
    below = [f"{x(s):.1f} {_y(asked - e):.1f}" for s, e in zip(sizes, error, strict=True)]
    yield f'<path class="band" d="M{"L".join([*above, *reversed(below)])}Z"/>'
    yield from _grid(asked)
    for at in np.flatnonzero(count):
        share = float(kept[at] / count[at])
        said = f"{share:.0%} of {count[at]} on time"
        yield f'<circle cx="{x(float(count[at])):.1f}" cy="{_y(share):.1f}" r="4"><title>{said}</title></circle>'
    for size in (1, 3, 10, 30, 100, 300, 1000):
        if size <= count.max():
            yield f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size} shipments</text>'
