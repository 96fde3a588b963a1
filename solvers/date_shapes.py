"""The shape of lead times: quantiles of residual / scale for all, then services, nodes and lanes as far as data carry.

Not here: residuals and scales (`date_scales.py`), the correction of levels by backtests (`quantiles.py`).
"""

from __future__ import annotations

import numpy as np

from solvers.date_groups import Column, columns_of
from solvers.date_model import LEVELS, Shapes
from solvers.pooling import Floats, Integers, group_quantiles, pool, quantiles

SHAPE = (("service",), ("node", "service"), ("node", "service", "zone"))
JUDGED = (4, 12, 20)
"""Places in `LEVELS` (0.1, 0.5, 0.9) at which it is judged whether groups differ in shape."""
MOST_APART = 0.05
"""Groups whose coverage under one shape would scatter by no more than this are taken to be of one."""


def fit_shapes(codes: dict[str, Integers], z: Floats, plain: Floats, weight: Floats) -> Shapes:
    """Fit quantiles of z for all, then services, nodes and lanes, each as far from its parent as its data carry."""
    table = [quantiles(z, plain, LEVELS)[None]]
    names, keys, rows = [], [], []
    row, count = np.zeros(len(z), np.int64), 1
    for column in columns_of(codes, SHAPE):
        parents = np.concatenate(table)
        groups = len(column.keys)
        total = np.bincount(column.group, weight, groups)
        size = total**2 / np.maximum(np.bincount(column.group, weight**2, groups), 1e-300)
        half = _half_weight(column, z, parents, row, weight)
        if not np.isfinite(half):
            continue
        information = size[:, None] * 4 * LEVELS * (1 - LEVELS)
        own = information / (information + half)
        parent = np.zeros(groups, np.int64)
        parent[column.group] = row
        found = group_quantiles(column.group, groups, z, plain, LEVELS)
        enough = np.flatnonzero(size > half / 10)
        blended = np.sort(own[enough] * found[enough] + (1 - own[enough]) * parents[parent[enough]], axis=1)
        at = np.full(groups, -1, np.int64)
        at[enough] = count + np.arange(len(enough))
        row = np.where(at[column.group] >= 0, at[column.group], row)
        table.append(blended)
        names.append(column.names)
        keys.append(column.keys[enough])
        rows.append(at[enough])
        count += len(enough)
    return Shapes(names=tuple(names), keys=tuple(keys), rows=tuple(rows), table=np.concatenate(table))


def one_shape(codes: dict[str, Integers], z: Floats, weight: Floats) -> bool:
    """Say whether groups differ in shape by so little that, were all of one, each would be covered about as asked.

    Whole days are to be spread over the day, or else where a lane stands between them would look like its shape.
    """
    common = quantiles(z, weight, LEVELS)
    columns = columns_of(codes, SHAPE)
    for level in JUDGED:
        below = (z <= common[level]) - LEVELS[level]
        if sum(pool(c.group, len(c.keys), below, weight).spread for c in columns) > MOST_APART**2:
            return False
    return True


def _half_weight(column: Column, z: Floats, parents: Floats, row: Integers, weight: Floats) -> float:
    """Return how many observations a group needs to count one half: the median over a few levels."""
    found = []
    for level in JUDGED:
        below = (z <= parents[row, level]) - LEVELS[level]
        found.append(pool(column.group, len(column.keys), below, weight).half_weight)
    return float(np.median(found))
