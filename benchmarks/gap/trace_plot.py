"""One page that shows how plan and bound close in on each other: an SVG per size, no script, nothing from outside.

Across: seconds since the process began, logarithmic. Up and down: how far from the final bound, on a scale that
is logarithmic both ways from 0.01 % on, so that the first 10 % and the last 0.05 % are both to be seen.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.gap.recipes import SIZES, Size
from benchmarks.gap.runs import METHODS, Report, Run
from benchmarks.gap.tables import NAMES, by_size

WIDTH, HEIGHT = 960.0, 380.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 208.0, 18.0, 38.0
BETWEEN_WORDS = 16.0
FINEST = 0.0001
TICKS = (0.001, 0.01, 0.1, 1.0)
STYLE = """
  :root { --ink: #1d2733; --soft: #66707c; --line: #e6eaee; --plan: #0b6e4f; --bound: #3b7ea1; --bar: #b8404a;
          --between: #0b6e4f14; --paper: #fbfbf9; --card: #fff; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e8ecef; --soft: #9aa4ae; --line: #2c343c; --plan: #4cc38f; --bound: #7db8d8; --bar: #e5737d;
            --between: #4cc38f1c; --paper: #14181c; --card: #1a2026; } }
  body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
  main { max-width: 1000px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
  h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
  h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
  h2 small { font-weight: 400; color: var(--soft); margin-left: .6rem; }
  p { max-width: 46rem; } .plan-word { color: var(--plan); } .bound-word { color: var(--bound); }
  svg { width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
  svg text { font: 12px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
  svg text.end { font-weight: 600; fill: var(--plan); } svg text.limit { fill: var(--bar); }
  .grid { stroke: var(--line); } .zero { stroke: var(--soft); }
  .limit-line { stroke: var(--bar); stroke-dasharray: 4 4; }
  .plan, .bound { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
  .plan { stroke: var(--plan); } .bound { stroke: var(--bound); } .between { fill: var(--between); }
  circle.method { fill: var(--card); stroke: var(--soft); stroke-width: 1.6; }
  .leader { stroke: var(--soft); stroke-width: .7; stroke-dasharray: 1 3; fill: none; }
  footer { color: var(--soft); font-size: .9rem; margin-top: 2rem; }
"""


def trace_page(reports: Sequence[Report], machine: str) -> str:
    """Return the page; a line per seed, and a ring where each other method ended (medians over seeds)."""
    panels = [_panel(SIZES[name], some) for name, some in by_size(reports).items()]
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How plan and bound close in on each other</title>
<style>{STYLE}</style>
<main>
<h1>How plan and bound close in on each other</h1>
<p>The <b class="plan-word">plan</b> falls as better ones are found; the <b class="bound-word">bound</b>, below which
no plan can cost, rises as it is proven. What is left between them is the certified gap. Rings are the other methods:
where they ended, and after how many seconds.</p>
{"".join(panels)}
<footer>{escape(machine)}. Seconds since the process began; both axes logarithmic, the upright one from
{FINEST:.2%} on, both ways. A line per seed.</footer>
</main>
</html>
"""


class _Scale:
    """Where seconds and shares lie in the drawing."""

    def __init__(self, first: float, last: float, above: float, below: float) -> None:
        self._first, self._span = math.log10(first), math.log10(last / first)
        self.first, self.last, self.above, self.below = first, last, above, below
        self._up, self._down = _bent(above), _bent(below)

    def x(self, seconds: float) -> float:
        share = (math.log10(min(max(seconds, self.first), self.last)) - self._first) / self._span
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, share: float) -> float:
        bent = _bent(min(max(share, -self.below), self.above))
        return TOP + (self._up - bent) / (self._up + self._down) * (HEIGHT - TOP - BOTTOM)


def _bent(share: float) -> float:
    """Return a share on the scale that is logarithmic both ways."""
    return math.copysign(math.log10(1 + abs(share) / FINEST), share)


def _panel(size: Size, reports: Sequence[Report]) -> str:
    """Return the heading and the drawing of one size."""
    runs = [report.runs["auto"] for report in reports if report.runs["auto"].lower_bound_cents]
    if not runs:
        return ""
    rings = list(_rings(reports))
    ends = [run.wall_seconds for run in (*runs, *(run for run, _ in rings))]
    first = 0.9 * min(size.most_seconds / 2, *ends, *(_seconds(run)[0] for run in runs))
    last = 1.15 * max(size.most_seconds, *ends)
    shares = [share for run in runs for _, share in (*_steps(run, 2), *_steps(run, 1))]
    above = 1.3 * max(0.01, *shares, *(share for _, share in rings))
    scale = _Scale(first, last, above, 1.3 * max(0.01, -min(shares)))
    gap = statistics.median(run.gap for run in runs)
    words = [
        _Word("limit", f"at most {size.most_gap:.2%} in {size.most_seconds:g} s", None, scale.y(size.most_gap)),
        _Word("end", f"allot +{gap:.3%}", None, scale.y(gap)),
        *(_word(scale, run, share) for run, share in rings),
    ]
    drawn = [*_grid(scale), *_limits(scale, size), *(_curves(scale, run) for run in runs), *_written(words)]
    label = f"Plan and bound over time, {size.title}"
    return (
        f"<h2>{size.title}<small>orders × nodes × SKUs</small></h2>"
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{label}">{"".join(drawn)}</svg>\n'
    )


def _grid(scale: _Scale) -> Iterator[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    for share in (0.0, *TICKS, *(-tick for tick in TICKS)):
        if -scale.below <= share <= scale.above:
            y = scale.y(share)
            kind = "grid" if share else "zero"
            yield f'<line class="{kind}" x1="{LEFT:.0f}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            said = f"{share:+.1%}" if 0 < abs(share) < 0.01 else f"{share:+.0%}"
            yield f'<text x="{LEFT - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{said if share else "bound"}</text>'
    parts = (1, 2, 5) if scale.last > 10 * scale.first else (1, 2, 3, 4, 5, 7)
    for power in range(math.floor(math.log10(scale.first)), math.floor(math.log10(scale.last)) + 1):
        for part in parts:
            seconds = part * 10.0**power
            if scale.first <= seconds <= scale.last:
                x = scale.x(seconds)
                yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:.0f}" y2="{floor:.0f}"/>'
                yield f'<text x="{x:.1f}" y="{floor + 18:.0f}" text-anchor="middle">{seconds:g} s</text>'


def _limits(scale: _Scale, size: Size) -> Iterator[str]:
    """Draw the time and the gap that the size is held to."""
    x, y = scale.x(size.most_seconds), scale.y(size.most_gap)
    yield f'<line class="limit-line" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:.0f}" y2="{HEIGHT - BOTTOM:.0f}"/>'
    yield f'<line class="limit-line" x1="{LEFT:.0f}" x2="{WIDTH - RIGHT:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _seconds(run: Run) -> list[float]:
    """Return when the points of a trace were reached, in seconds since the process began."""
    before = run.wall_seconds - run.compile_seconds - run.solve_seconds - run.write_seconds
    return [max(1e-3, before + at) for at, _, _ in run.trace]


def _steps(run: Run, column: int) -> list[tuple[float, float]]:
    """Return (seconds, share above the final bound) of the bound (column 1) or the plan (column 2)."""
    final = run.lower_bound_cents or 1
    return [
        (seconds, (value - final) / final)
        for seconds, point in zip(_seconds(run), run.trace, strict=True)
        if (value := point[column]) is not None
    ]


def _curves(scale: _Scale, run: Run) -> str:
    """Draw plan and bound as steps, and what lies between them."""
    bound, plan = (_corners(scale, _steps(run, column)) for column in (1, 2))
    told = escape(f"certified gap {run.gap:.3%} after {run.wall_seconds:.1f} s")
    since = bound[0][0] if bound else WIDTH
    reached = [height for x, height in plan if x <= since][-1:]
    over = [*((since, height) for height in reached), *(corner for corner in plan if corner[0] > since)]
    between = _path([*bound, *reversed(over)]) if bound else ""
    return (
        f'<path class="between" d="{between}"/>'
        f'<path class="bound" d="{_path(bound)}"/><path class="plan" d="{_path(plan)}"><title>{told}</title></path>'
    )


def _corners(scale: _Scale, steps: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a step function as the corners of its line."""
    corners: list[tuple[float, float]] = []
    for seconds, share in steps:
        if corners:
            corners.append((scale.x(seconds), corners[-1][1]))
        corners.append((scale.x(seconds), scale.y(share)))
    return corners


def _path(corners: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(corners))


def _rings(reports: Sequence[Report]) -> Iterator[tuple[Run, float]]:
    """Yield the other methods, each as its run of median time and its median share above the bound."""
    for method in METHODS[1:]:
        found = [report for report in reports if method in report.runs]
        if found:
            runs = sorted((report.runs[method] for report in found), key=lambda run: run.wall_seconds)
            yield runs[len(runs) // 2], statistics.median(report.above_bound(method) or 0.0 for report in found)


@dataclass(frozen=True, slots=True)
class _Word:
    """What is written to the right of the drawing, at which height, and where in the drawing its ring is."""

    kind: str
    said: str
    x: float | None
    y: float


def _word(scale: _Scale, run: Run, share: float) -> _Word:
    name = NAMES.get(run.method, run.method.replace("_", " "))
    said = f"{name} {share:+.3%}" if abs(share) < 0.01 else f"{name} {share:+.1%}"
    return _Word("method", said, scale.x(run.wall_seconds), scale.y(share))


def _written(words: Sequence[_Word]) -> Iterator[str]:
    """Draw rings and words; words that would touch are moved apart."""
    lowest, at = -math.inf, WIDTH - RIGHT + 14
    for word in sorted(words, key=lambda word: word.y):
        lowest = max(word.y, lowest + BETWEEN_WORDS)
        if word.x is not None:
            ends = f"M{word.x + 5:.1f} {word.y:.1f}L{at - 8:.0f} {word.y:.1f}L{at - 2:.0f} {lowest:.1f}"
            yield f'<path class="leader" d="{ends}"/>'
            yield f'<circle class="method" cx="{word.x:.1f}" cy="{word.y:.1f}" r="4.5"/>'
        yield f'<text class="{word.kind}" x="{at:.0f}" y="{lowest + 4:.1f}">{escape(word.said)}</text>'
