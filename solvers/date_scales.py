"""How far shipments scatter around their locations: effects of groups on the logarithm of the scale.

Here: residuals of predictions that did not see the shipment, and the scales fitted to them. Not here: locations
(`date_fit.py`), the shape that scales are multiplied by (`date_shapes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.date_groups import LOCATION, Column, columns_of
from solvers.lead_times import equal_bins, in_bins
from solvers.pooling import Floats, Integers, pool

SCALE = (*LOCATION, ("level",))
SCALE_ROUNDS = 3
CUT = 3.0
"""Residuals are cut off at so many mean absolute residuals."""
LEAST_SCALE = 0.02
"""Days; below it a lane is as good as exact."""
LASTING = 4.0
"""How far a group scatters is forgotten so many times more slowly than how long it takes: it takes more to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """What shipments take beyond their locations, without what each did to its own, and the scale of each."""

    residual: Floats
    level_edges: Floats
    """Ends of the bins of steady location that scales may depend on."""
    columns: list[Column]
    width: Floats


def fit_scales(
    codes: dict[str, Integers],
    columns: list[Column],
    beyond: Floats,
    steady: Floats,
    center: float,
    scale: float,
    counted: Floats,
    weight: Floats,
) -> Scales:
    """Fit scales to what shipments took `beyond` their locations, which `columns` were fitted to by `counted` weights.

    `steady` is location without effects of time; its bins, counted from `center`, are set in `codes["level"]`.
    """
    slack = 1 - _leverage(columns, counted)
    residual = np.where(slack < 1, beyond / slack, beyond)
    level_edges = _level_edges(steady, center, scale)
    codes["level"] = in_bins(steady, level_edges)
    found = columns_of(codes, SCALE)
    logarithm = _fit(found, residual, scale, weight ** (1 / LASTING))
    width = np.maximum(scale * np.exp(logarithm), LEAST_SCALE)
    return Scales(residual=residual, level_edges=level_edges, columns=found, width=width)


def mean(value: Floats, weight: Floats) -> float:
    """Return the weighted mean."""
    return float((value * weight).sum() / weight.sum())


def _leverage(columns: list[Column], weight: Floats) -> Floats:
    """Return by how much each shipment has drawn its own prediction, 0 … 0.9."""
    drawn = weight / weight.sum()
    for column in columns:
        if column.found.spread > 0:
            total = np.bincount(column.group, weight, len(column.keys))
            own = 1 - column.found.variance / column.found.spread
            drawn = drawn + weight * (own / np.maximum(total, 1e-300))[column.group]
    return np.minimum(drawn, 0.9)


def _level_edges(location: Floats, center: float, scale: float) -> Floats:
    """Return bins of location that are not narrower than half a scale, so that no noise is sorted into them."""
    step = scale / 2
    return center + (np.unique(np.floor((equal_bins(location) - center) / step)) + 0.5) * step


def _fit(columns: list[Column], residual: Floats, scale: float, weight: Floats) -> Floats:
    """Fit the logarithm of each shipment's scale over the common one, which absolute residuals are divided by."""
    absolute = np.abs(residual) / scale
    logarithm = np.zeros(len(residual))
    for _ in range(SCALE_ROUNDS):
        for column in columns:
            logarithm -= column.now()
            relative = np.minimum(absolute * np.exp(-logarithm), 2 * CUT)
            common = max(mean(relative, weight), 1e-9)
            found = pool(column.group, len(column.keys), relative / common - 1, weight, likeliest=True)
            column.found = replace(found, effect=np.log(np.clip(1 + found.effect, 0.05, 20)))
            logarithm += column.now()
    return np.maximum(logarithm, np.log(LEAST_SCALE / scale))
