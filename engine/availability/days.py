"""ATP of many SKUs at many nodes, day by day: which cells there are, their levels, and the sums of lines over nodes.

Most cells do not change within the days asked for. So cells are one level each, in arrays, and only those that have a
step within the days are looked at one by one. Not here: the formula (atp.py), the form of an answer (answer.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.availability.atp import Step, kit_steps
from engine.availability.stock import AtpTable
from engine.catalog.model import Content

Cell = int
"""A node and ATP today in one number, which is quicker to make and to look up than a pair; see `cell_parts`."""

_NEVER = np.iinfo(np.int64).max
_LEVELS = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDays:
    """ATP of some lines, by line: summed over its nodes, of each day from `first_day` on; and its cells.

    The cells of line i are `cells[starts[i]:starts[i + 1]]`. `levels` has the ATP of each day, from today at the node
    on, of the cells that change within the days, by their place in `cells`.
    """

    available_now: Sequence[int]
    first_day: Sequence[int]
    summed: Sequence[Sequence[int]]
    cells: Sequence[Cell]
    starts: Sequence[int]
    levels: Mapping[int, Sequence[int]]


def line_days(contents: Sequence[Content], nodes: Sequence[int], table: AtpTable, horizon_days: int) -> LineDays:
    """Return the days of each line, its cells at the nodes that ever held a part of it, in the order of `nodes`."""
    columns, count = np.array(nodes, dtype=np.int64), len(contents)
    level, known = _levels(contents, columns, table)
    line, column = np.nonzero(known)
    day, level_of_cell = table.local_day[columns], level[line, column]
    first_day = np.where(known, day, _NEVER).min(axis=1, initial=_NEVER)
    first_day[first_day == _NEVER] = table.local_day.min()
    counted = np.maximum(level_of_cell, 0)
    offset = day[column] - first_day[line]
    within = offset < horizon_days
    gained = np.bincount(
        line[within] * horizon_days + offset[within], weights=counted[within], minlength=count * horizon_days
    ).astype(np.int64)
    starts = np.searchsorted(line, np.arange(count + 1))
    changing = _changing(contents, columns, table, horizon_days)
    levels: dict[int, Sequence[int]] = {}
    if changing:
        at = np.array([(i, place) for i, place, _ in changing], dtype=np.int64)
        places = (starts[at[:, 0]] + known.cumsum(axis=1)[at[:, 0], at[:, 1]] - 1).tolist()
        begun = first_day[at[:, 0]].tolist()
        for (i, _, steps), place, begins in zip(changing, places, begun, strict=True):
            levels[place] = _by_day(steps, horizon_days)
            before = max(0, steps[0][1])
            for then, units in steps[1:]:
                if then - begins < horizon_days:
                    gained[i * horizon_days + then - begins] += max(0, units) - before
                before = max(0, units)
    return LineDays(
        available_now=np.bincount(line, weights=counted, minlength=count).astype(np.int64).tolist(),
        first_day=first_day.tolist(),
        summed=gained.reshape(count, horizon_days).cumsum(axis=1).tolist(),
        cells=(columns[column] * _LEVELS + level_of_cell + _LEVELS // 2).tolist(),
        starts=starts.tolist(),
        levels=levels,
    )


def cell_parts(cell: Cell) -> tuple[int, int]:
    """Return the node of a cell and its ATP today."""
    node, level = divmod(cell, _LEVELS)
    return node, level - _LEVELS // 2


def _levels(
    contents: Sequence[Content], columns: NDArray[np.int64], table: AtpTable
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return ATP today of each line at each node, and whether anything of it was ever there."""
    rows = np.array([table.rows[content.components[0][0]] for content in contents], dtype=np.int64)
    today, known_at = table.today[:, columns], table.known[:, columns]
    level, known = today[rows], known_at[rows]
    for i, content in enumerate(contents):
        if _is_kit(content):
            parts = [table.rows[product] for product, _ in content.components]
            units = np.array([each for _, each in content.components], dtype=np.int64)
            level[i] = (today[parts] // units[:, None]).min(axis=0)
            known[i] = known_at[parts].any(axis=0)
    return level, known


def _changing(
    contents: Sequence[Content], columns: NDArray[np.int64], table: AtpTable, horizon_days: int
) -> list[tuple[int, int, Sequence[Step]]]:
    """Return (line, column, steps) of the cells that change within the days asked for."""
    column_of = {node: column for column, node in enumerate(columns.tolist())}
    by_row: dict[int, list[int]] = {}
    for (row, node), steps in table.later.items():
        if len(steps) > 1 and steps[1][0] < steps[0][0] + horizon_days and node in column_of:
            by_row.setdefault(row, []).append(node)
    found: list[tuple[int, int, Sequence[Step]]] = []
    for i, content in enumerate(contents) if by_row else ():
        rows = [table.rows[product] for product, _ in content.components]
        if not _is_kit(content):
            found += [(i, column_of[node], table.later[rows[0], node]) for node in by_row.get(rows[0], ())]
            continue
        for node in dict.fromkeys(node for row in rows for node in by_row.get(row, ())):
            steps = kit_steps([(table.steps(product, node), units) for product, units in content.components])
            found.append((i, column_of[node], steps))
    return found


def _is_kit(content: Content) -> bool:
    return len(content.components) > 1 or content.components[0][1] > 1


def _by_day(steps: Sequence[Step], horizon_days: int) -> list[int]:
    """Return the level of each day from the first step on."""
    first, level = steps[0]
    levels = [level] * horizon_days
    for day, then in steps[1:]:
        at = day - first
        if at >= horizon_days:
            break
        levels[at:] = [then] * (horizon_days - at)
    return levels
