"""Numbers by day: lines of several policies, and how full each node was on each day."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.reporting.charts.svg import Axis, cut, line, path, picture, short, spanning, text

WIDTH, HEIGHT = 460.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 12.0, 28.0
LEVELS = (0.25, 0.5, 0.7, 0.85, 0.97)
"""Shares of its limit at which a cell of `fullness` gets darker; beyond the last a node is full."""
_CELL, _NAMES = 15.0, 104.0


def day_lines(
    series: Sequence[tuple[int, Sequence[float | None]]],
    first_day: int,
    told: str,
    written: Callable[[float], str],
    *,
    from_zero: bool = True,
) -> str:
    """Return a line for each (colour, values from `first_day` on); None is a gap."""
    count = max((len(values) for _, values in series), default=0)
    known = [value for _, values in series for value in values if value is not None]
    if not known:
        return ""
    y = spanning(known, HEIGHT - BOTTOM, TOP, from_zero=from_zero)
    x = Axis(low=first_day, high=first_day + max(count - 1, 1), start=LEFT, end=WIDTH - RIGHT)
    parts = []
    for tick in y.ticks(4):
        parts.append(line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), "grid"))
        parts.append(text(LEFT - 7, y.at(tick) + 4, written(tick), kind="soft number", anchor="end"))
    whole = [tick for tick in x.ticks(7) if tick == int(tick) and tick < first_day + count]
    parts += [text(x.at(tick), HEIGHT - 10, f"{tick:.0f}", kind="soft number", anchor="middle") for tick in whole]
    for colour, values in series:
        parts += [path(piece, f"day s{colour}") for piece in _pieces(values, first_day, x, y)]
    return picture(WIDTH, HEIGHT, told, parts)


def _pieces(values: Sequence[float | None], first: int, x: Axis, y: Axis) -> list[list[tuple[float, float]]]:
    """Return the runs of values that are there, a lone one as a short line."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((x.at(first + place), y.at(value)))
    return [piece if len(piece) > 1 else [piece[0], (piece[0][0] + 2, piece[0][1])] for piece in pieces if piece]


def fullness(rows: Sequence[tuple[str, Sequence[float | None]]], labels: Sequence[str], told: str) -> str:
    """Return a grid: a row a node, a column a day or several, darker where more of its limit left; None is blank."""
    columns = max((len(values) for _, values in rows), default=0)
    if not columns:
        return ""
    wide = max(4.0, min(_CELL * 3, (WIDTH - _NAMES) / columns))
    levels: list[list[str]] = [[] for _ in range(len(LEVELS) + 1)]
    parts = []
    for row, (name, values) in enumerate(rows):
        parts.append(f"<g>{text(_NAMES - 8, row * _CELL + 11, cut(name, 16), kind='soft', anchor='end')}</g>")
        for column, value in enumerate(values):
            if value is not None:
                level = sum(value >= least for least in LEVELS)
                at = f"M{short(_NAMES + column * wide)} {short(row * _CELL)}"
                levels[level].append(f"{at}h{short(wide - 1)}v{short(_CELL - 1)}h-{short(wide - 1)}z")
    parts += [f'<path d="{"".join(cells)}" class="h{level}"/>' for level, cells in enumerate(levels) if cells]
    bottom = len(rows) * _CELL
    each = max(1, round(46 / wide))
    parts += [
        text(_NAMES + (column + 0.5) * wide, bottom + 13, labels[column], kind="soft number", anchor="middle")
        for column in range(0, columns, each)
    ]
    return picture(WIDTH + 12, bottom + 20, told, parts)
