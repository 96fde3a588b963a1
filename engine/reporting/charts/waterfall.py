"""Cost from one policy to another: what each component adds or takes away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.reporting.charts.svg import Axis, box, cut, line, picture, short, text

ROW, LEFT, RIGHT, WIDTH = 28.0, 118.0, 66.0, 500.0


def waterfall(
    start: tuple[str, float],
    steps: Sequence[tuple[str, float]],
    end: tuple[str, float],
    written: Callable[[float], str],
) -> str:
    """Return bars from the cost of `start` over steps to that of `end`, one below the other."""
    levels = [start[1]]
    for _, change in steps:
        levels.append(levels[-1] + change)
    low, high = min(levels), max(levels)
    cut = low > 0 and high - low < 0.4 * high
    axis = Axis(low=max(0.0, low - 0.5 * (high - low)) if cut and high > low else 0.0, high=high or 1.0,
                start=LEFT, end=WIDTH - RIGHT)  # fmt: skip
    parts = [_total(0, start, axis, written, "base", is_cut=axis.low > 0)]
    for row, (name, change) in enumerate(steps, start=1):
        before, after = axis.at(levels[row - 1]), axis.at(levels[row])
        top = (row + 0.2) * ROW
        kind = "worse" if change > 0 else "better" if change < 0 else "unsure"
        parts += [
            line(before, top - 0.4 * ROW, before, top + 0.6 * ROW, "thin"),
            text(LEFT - 10, top + 0.42 * ROW, name, kind="soft", anchor="end"),
            box(min(before, after), top, max(abs(after - before), 1.0), 0.6 * ROW, kind),
            text(max(before, after) + 6, top + 0.42 * ROW, _signed(change, written), kind=f"number {kind}-ink"),
        ]
    last = len(steps) + 1
    parts.append(line(axis.at(levels[-1]), (last - 0.2) * ROW, axis.at(levels[-1]), (last + 0.2) * ROW, "thin"))
    parts.append(_total(last, end, axis, written, "other", is_cut=axis.low > 0))
    told = f"From {start[0]} at {written(start[1])} to {end[0]} at {written(end[1])}"
    return picture(WIDTH, (last + 1) * ROW + 4, told, parts)


def _total(
    row: int, said: tuple[str, float], axis: Axis, written: Callable[[float], str], kind: str, *, is_cut: bool
) -> str:
    top = (row + 0.2) * ROW
    end = axis.at(said[1])
    drawn = [
        text(LEFT - 10, top + 0.42 * ROW, cut(said[0], 14), kind="strong", anchor="end"),
        box(LEFT, top, end - LEFT, 0.6 * ROW, f"bar-{kind}"),
        text(end + 6, top + 0.42 * ROW, written(said[1]), kind="number strong"),
    ]
    if is_cut:
        half = short(0.3 * ROW + 2)
        drawn.append(f'<path d="M{short(LEFT + 16)} {short(top - 2)}l-5 {half}l8 0l-5 {half}" class="break"/>')
    return "".join(drawn)


def _signed(change: float, written: Callable[[float], str]) -> str:
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{written(abs(change))}"
