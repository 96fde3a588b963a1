"""One fit of the distribution of lead times to a history.

Location: effects of lane, node, service, zone, weekday, hour, distance and weight, and of the time bin in which a
shipment was ordered, fitted in turn to residuals that are cut off at a few scales (so that no outlier moves a lane).
Scale: the same for the logarithm of absolute residuals. Shape: quantiles of residual / scale, per lane as far as its
data carry them. Shipments still open are completed from the distribution fitted so far (Buckley & James 1979).

Residuals are those of a prediction that did not see the shipment (by leverage), so that thin lanes are not flattered.
Not here: how long to remember and the correction of levels, which backtests decide (`quantiles.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.date_model import LEVELS, DateModel, Shapes, Term
from solvers.lead_times import Edges, History, equal_bins, in_bins, keys_of
from solvers.pooling import Floats, Integers, Pooled, group_quantiles, pool

PLACES = (
    ("service",),
    ("node",),
    ("zone",),
    ("node", "service"),
    ("service", "zone"),
    ("node", "service", "zone"),
)
LOCATION = (*PLACES[:1], ("weekday",), ("distance",), ("weight",), ("hour",), *PLACES[1:], ("service", "weekday"))
SCALE = (*LOCATION, ("level",))
IN_TIME: tuple[tuple[str, ...], ...] = ((), ("service",), ("node", "service"))
SHAPE = (("service",), ("node", "service"), ("node", "service", "zone"))

LOCATION_ROUNDS, SCALE_ROUNDS = 6, 3
CUT = 3.0
"""Residuals are cut off at so many mean absolute residuals."""
MOST_TIME_BINS = 400
LEAST_SCALE = 0.02
"""Days; below it a lane is as good as exact."""
GOLDEN = 0.6180339887498949


@dataclass(slots=True)
class _Column:
    """One set of groups during a fit: which group each shipment is in, and the effects so far."""

    names: tuple[str, ...]
    keys: Integers
    group: Integers
    found: Pooled
    age_days: Floats | None = None
    """Of each group that is also a time bin: how long before the end of the history."""

    def now(self) -> Floats:
        """Return the effect for each shipment."""
        return self.found.effect[self.group]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fit whose level in time is not decided yet: `model(half_life_days)` is what it says of the next orders."""

    edges: Edges
    center: float
    location: list[_Column]
    scale: float
    scales: list[_Column]
    level_edges: Floats
    spread_ratio: float
    shapes: Shapes
    weight: Floats
    days: Floats
    """Of each shipment; of an open one, days that it may take."""
    memory_days: float

    def model(self, half_life_days: float, correction: Floats | float = 0.0) -> DateModel:
        """Return the model for orders after the history, whose time bins count by a half-life."""
        return DateModel(
            edges=self.edges,
            center=self.center,
            location=tuple(self._term(column, half_life_days) for column in self.location),
            scale=self.scale,
            scales=tuple(self._term(column, half_life_days) for column in self.scales),
            level_edges=self.level_edges,
            spread_ratio=self.spread_ratio,
            shapes=replace(self.shapes, table=np.maximum.accumulate(self.shapes.table + correction, axis=1)),
            half_life_days=half_life_days,
            memory_days=self.memory_days,
        )

    def _term(self, column: _Column, half_life_days: float) -> Term:
        found = column.found
        if column.age_days is None:
            return Term(
                names=column.names, keys=column.keys, effect=found.effect, variance=found.variance, spread=found.spread
            )
        bins = np.bincount(column.group, self.weight, len(column.keys)) * 0.5 ** (column.age_days / half_life_days)
        keys, place = np.unique(column.keys // MANY_BINS, return_inverse=True)
        total = np.maximum(np.bincount(place, bins, len(keys)), 1e-300)
        effect = np.bincount(place, bins * found.effect, len(keys)) / total
        variance = np.bincount(place, bins * (found.effect - effect[place]) ** 2, len(keys)) / total
        return Term(names=column.names, keys=keys, effect=effect, variance=variance, spread=found.spread, drifts=True)


MANY_BINS = 1024


def fit(history: History, end_day: float, memory_days: float = np.inf) -> Fit:
    """Fit a history that ends on a day; a shipment `memory_days` older counts half as much."""
    edges = Edges.of(history.ordered)
    codes = edges.codes(history.ordered)
    age = np.maximum(end_day - history.ordered.ordered_day, 0.0)
    weight = 0.5 ** (age / memory_days)
    bins, width = _time_bins(age)
    location = _columns(codes, LOCATION) + _time_columns(codes, bins, width)
    days = history.days.copy()
    luck = np.asarray((np.arange(1, len(days) + 1) * GOLDEN) % 1, np.float64)
    _first_guess(history, days, weight, luck)
    center, scale = _start(days, weight)
    predicted = np.full(len(days), center)
    plain = weight
    for turn in range(LOCATION_ROUNDS):
        if turn:
            drift = sum((column.now() for column in location if column.age_days is not None), np.zeros(len(days)))
            weight = plain / _crowding(codes, history, days - predicted + drift, scale, plain)
            _complete(history, days, predicted, np.full(len(days), scale), weight, luck)
        predicted, center = _sweep_location(location, days, predicted, center, scale, weight)
        scale = _mean(np.minimum(np.abs(days - predicted), 4 * CUT * scale), weight)
        scale = max(scale, LEAST_SCALE)
    slack = 1 - _leverage(location, weight)
    residual = np.where(slack < 1, (days - predicted) / slack, days - predicted)
    ratio = _ratio(residual, scale, weight)
    steady = center + sum((column.now() for column in location if column.age_days is None), np.zeros(len(days)))
    level_edges = _level_edges(steady, center, scale)
    codes["level"] = in_bins(steady, level_edges)
    scales = _columns(codes, SCALE)
    logarithm = _fit_scale(scales, residual, scale, weight)
    unsure = np.zeros(len(days))
    for column in location:
        unsure += column.found.variance[column.group]
    widths = np.hypot(np.maximum(scale * np.exp(logarithm), LEAST_SCALE), ratio * np.sqrt(unsure))
    _complete(history, days, predicted, widths, weight, luck)
    residual = np.where(history.open, days - predicted, residual)
    return Fit(
        edges=edges,
        center=center,
        location=location,
        scale=scale,
        scales=scales,
        level_edges=level_edges,
        spread_ratio=ratio,
        shapes=_fit_shapes(codes, residual / widths, plain, weight),
        weight=weight,
        days=days,
        memory_days=memory_days,
    )


def _mean(value: Floats, weight: Floats) -> float:
    return float((value * weight).sum() / weight.sum())


def _start(days: Floats, weight: Floats) -> tuple[float, float]:
    one = np.zeros(len(days), np.int64)
    center = float(group_quantiles(one, 1, days, weight, np.array([0.5]))[0, 0])
    apart = np.abs(days - center)
    scale = float(group_quantiles(one, 1, apart, weight, np.array([0.75]))[0, 0])
    return center, max(scale, LEAST_SCALE)


def _time_bins(age: Floats) -> tuple[Integers, float]:
    """Return each shipment's time bin, counted back from the end, and how many days a bin has."""
    span = float(age.max()) + 1
    width = max(1.0, span / MOST_TIME_BINS)
    if span >= 8 * 7:
        width = max(7.0, width)
    return np.floor(age / width).astype(np.int64), width


def _columns(codes: dict[str, Integers], wanted: tuple[tuple[str, ...], ...]) -> list[_Column]:
    """Return the sets of groups that divide the history, each only once."""
    columns: list[_Column] = []
    for names in wanted:
        keys, group = np.unique(keys_of(codes, names), return_inverse=True)
        same = any(set(other.names) <= set(names) and len(other.keys) == len(keys) for other in columns)
        if len(keys) > 1 and not same:
            columns.append(_Column(names=names, keys=keys, group=group, found=_nothing(len(keys))))
    return columns


def _time_columns(codes: dict[str, Integers], bins: Integers, width: float) -> list[_Column]:
    columns: list[_Column] = []
    for names in IN_TIME:
        combined = keys_of(codes, names) * MANY_BINS + bins
        keys, group = np.unique(combined, return_inverse=True)
        if len(keys) > (len(columns[-1].keys) if columns else 1):
            age = (keys % MANY_BINS + 0.5) * width
            columns.append(_Column(names=names, keys=keys, group=group, found=_nothing(len(keys)), age_days=age))
    return columns


def _nothing(groups: int) -> Pooled:
    return Pooled(effect=np.zeros(groups), variance=np.zeros(groups), spread=0.0, half_weight=np.inf)


def _sweep_location(
    columns: list[_Column], days: Floats, predicted: Floats, center: float, scale: float, weight: Floats
) -> tuple[Floats, float]:
    """Fit every set of groups once more to what the others leave; return predictions and center."""
    cut = CUT * scale
    moved = _mean(np.clip(days - predicted, -cut, cut), weight)
    center, predicted = center + moved, predicted + moved
    for column in columns:
        without = predicted - column.now()
        column.found = pool(column.group, len(column.keys), np.clip(days - predicted, -cut, cut) + column.now(), weight)
        predicted = without + column.now()
    return predicted, center


def _leverage(columns: list[_Column], weight: Floats) -> Floats:
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


def _ratio(residual: Floats, scale: float, weight: Floats) -> float:
    cut = np.clip(residual, -CUT * scale, CUT * scale)
    square = _mean(cut * cut, weight)
    return _mean(np.abs(cut), weight) / np.sqrt(square) if square > 0 else 1.0


def _fit_scale(columns: list[_Column], residual: Floats, scale: float, weight: Floats) -> Floats:
    """Fit the logarithm of each shipment's scale over the common one, which absolute residuals are divided by."""
    absolute = np.abs(residual) / scale
    logarithm = np.zeros(len(residual))
    for _ in range(SCALE_ROUNDS):
        for column in columns:
            logarithm -= column.now()
            relative = np.minimum(absolute * np.exp(-logarithm), 2 * CUT)
            common = max(_mean(relative, weight), 1e-9)
            found = pool(column.group, len(column.keys), relative / common - 1, weight)
            column.found = replace(found, effect=np.log(np.clip(1 + found.effect, 0.05, 20)))
            logarithm += column.now()
    return np.maximum(logarithm, np.log(LEAST_SCALE / scale))


def _first_guess(history: History, days: Floats, weight: Floats, luck: Floats) -> None:
    """Set the days of open shipments by the survival curve of all of them (Kaplan & Meier 1958), beyond their age."""
    still = history.open
    if not still.any() or still.all():
        return
    day, place = np.unique(days, return_inverse=True)
    there = np.cumsum(np.bincount(place, weight, len(day))[::-1])[::-1]
    arrived = np.bincount(place, weight * ~still, len(day))
    passed = 1 - np.cumprod(1 - arrived / np.maximum(there, 1e-300))
    so_far = passed[place[still]]
    level = so_far + (1 - so_far) * luck[still]
    later = day[np.minimum(np.searchsorted(passed, level), len(day) - 1)]
    days[still] = np.maximum(later, history.days[still] + 1)


def _complete(history: History, days: Floats, predicted: Floats, widths: Floats, weight: Floats, luck: Floats) -> None:
    """Set the days of open shipments to what they may become, spread evenly over what is left of the distribution."""
    still = history.open
    if not still.any() or still.all():
        return
    z = (days - predicted) / widths
    grid = np.concatenate([LEVELS, [0.9995]])
    curve = group_quantiles(np.zeros(len(z), np.int64), 1, z, weight, grid)[0]
    least = (history.days[still] + 0.5 - predicted[still]) / widths[still]
    passed = np.interp(least, curve, grid, left=0.0, right=grid[-1])
    level = passed + (1 - passed) * luck[still]
    days[still] = np.maximum(predicted[still] + widths[still] * np.interp(level, grid, curve), history.days[still] + 1)


def _crowding(codes: dict[str, Integers], history: History, residual: Floats, scale: float, weight: Floats) -> Floats:
    """Return by how much less a shipment tells than one alone, as those of a lane and a day are alike (Kish 1965).

    With k shipments of a lane on a day, correlated by r, each counts as 1 / (1 + (k − 1) r).
    """
    lane = np.unique(keys_of(codes, PLACES[-1]), return_inverse=True)[1].astype(np.int64)
    day = np.floor(history.ordered.ordered_day).astype(np.int64) // 14
    cluster, group, size = np.unique(lane * 1_000_000 + day % 1_000_000, return_inverse=True, return_counts=True)
    cut = np.clip(residual, -CUT * scale, CUT * scale)
    half = pool(group, len(cluster), cut - _mean(cut, weight), weight).half_weight
    return 1 + (size[group] - 1) / (1 + half)


def _fit_shapes(codes: dict[str, Integers], z: Floats, plain: Floats, weight: Floats) -> Shapes:
    """Fit quantiles of z for all, then services, nodes and lanes, each as far from its parent as its data carry."""
    table = [group_quantiles(np.zeros(len(z), np.int64), 1, z, plain, LEVELS)]
    names, keys, rows = [], [], []
    row, count = np.zeros(len(z), np.int64), 1
    for column in _columns(codes, SHAPE):
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


def _half_weight(column: _Column, z: Floats, parents: Floats, row: Integers, weight: Floats) -> float:
    """Return how many observations a group needs to count one half: the median over a few levels."""
    found = []
    for level in (4, 12, 20):  # 0.1, 0.5, 0.9
        below = (z <= parents[row, level]) - LEVELS[level]
        found.append(pool(column.group, len(column.keys), below, weight).half_weight)
    return float(np.median(found))
