"""One fit of the distribution of lead times to a history.

Location: effects of lane, node, service, zone, weekday, hour, distance and weight, and of the time bin in which a
shipment was ordered, fitted in turn to residuals that are cut off at a few scales (so that no outlier moves a lane).
Scale: the same for the logarithm of absolute residuals (`date_scales.py`). Where groups do not differ in shape,
location is fitted once more, by what each shipment tells in that shape (`date_scores.py`). Then shape
(`date_shapes.py`) and what the last weeks took beyond the effects that stay (`date_level.py`). Shipments still open are
completed from the distribution fitted so far, and count in means by what they tell (`date_open.py`).

Residuals are those of a prediction that did not see the shipment (by leverage), so that thin lanes are not flattered.
Not here: how long to remember, how fast to follow and the correction of levels, which backtests decide
(`quantiles.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.date_groups import LOCATION, PLACES, Column, columns_of, effects, no_effects
from solvers.date_level import IN_TIME, Level, Pace
from solvers.date_model import SCORES, DateModel, Shapes
from solvers.date_open import complete, first_guess, told_by
from solvers.date_scales import CUT, LEAST_SCALE, fit_scales, mean
from solvers.date_scores import LEAST_SHIPMENTS, score_of
from solvers.date_shapes import fit_shapes, one_shape
from solvers.lead_times import Edges, History, groups_of
from solvers.pooling import Floats, Integers, pool, quantiles

LOCATION_ROUNDS = 6
MOST_TIME_BINS = 400
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fit whose level in time is not decided yet: `model(half_life_days)` is what it says of the next orders."""

    edges: Edges
    center: float
    location: list[Column]
    scale: float
    scales: list[Column]
    level_edges: Floats
    spread_ratio: float
    shapes: Shapes
    level: Level
    days: Floats
    """Of each shipment; of an open one, days that it may take."""
    memory_days: float

    def model(self, pace: Pace, scores: Floats = SCORES) -> DateModel:
        """Return the model for orders after the history, its level in time followed at a pace."""
        return DateModel(
            edges=self.edges,
            center=self.center,
            location=(*(one.term() for one in self.location), *self.level.terms(pace)),
            scale=self.scale,
            scales=tuple(one.term() for one in self.scales),
            level_edges=self.level_edges,
            spread_ratio=self.spread_ratio,
            shapes=self.shapes.moved(scores),
            half_life_days=pace.half_life_days,
            ahead_days=pace.ahead_days,
            memory_days=self.memory_days,
        )


def fit(history: History, end_day: float, memory_days: float = np.inf) -> Fit:
    """Fit a history that ends on a day; a shipment `memory_days` older counts half as much."""
    edges = Edges.of(history.ordered)
    codes = edges.codes(history.ordered)
    age = np.maximum(end_day - history.ordered.ordered_day, 0.0)
    weight = 0.5 ** (age / memory_days)
    bins = _time_bins(age)
    location = columns_of(codes, LOCATION)
    columns = location + _time_columns(codes, bins)
    days = history.days.copy()
    luck = np.asarray((np.arange(1, len(days) + 1) * GOLDEN) % 1, np.float64)
    first_guess(history, days, weight, luck)
    center, scale = _start(days, weight)
    predicted = np.full(len(days), center)
    plain, crowds = weight, _crowds(codes, age)
    counted = weight
    for turn in range(LOCATION_ROUNDS):
        told = days
        if turn:
            drift = effects(columns[len(location) :], len(days))
            weight = plain / _crowding(*crowds, days - predicted + drift, scale, plain)
            complete(history, days, predicted, np.full(len(days), scale), weight, luck)
            told, counted = told_by(history, days, predicted, weight)
        predicted, center = _sweep_location(columns, told, predicted, center, scale, counted)
        scale = mean(np.minimum(np.abs(days - predicted), 4 * CUT * scale), weight)
        scale = max(scale, LEAST_SCALE)
    steady = center + effects(location, len(days))
    scales = fit_scales(codes, columns, days - predicted, steady, center, scale, counted, weight)
    if len(days) >= LEAST_SHIPMENTS and one_shape(codes, (scales.residual + luck - 0.5) / scales.width, weight):
        score = score_of(scales.residual / scales.width, weight, LEAST_SCALE / scale)
        heard = predicted + scales.width * score.told((told - predicted) / scales.width)
        predicted, center = _sweep_location(columns, heard, predicted, center, np.inf, counted)
        steady = center + effects(location, len(days))
        scales = fit_scales(codes, columns, days - predicted, steady, center, scale, counted, weight)
    ratio = _ratio(scales.residual, scale, weight)
    left = np.clip(told - predicted, -CUT * scale, CUT * scale)
    left -= scales.width * mean(left / scales.width, counted)
    level = Level.of(codes, age, predicted - steady + left, counted)
    unsure = np.zeros(len(days))
    for column in columns:
        unsure += column.found.variance[column.group]
    widths = np.hypot(scales.width, ratio * np.sqrt(unsure))
    complete(history, days, predicted, widths, weight, luck)
    residual = np.where(history.open, days - predicted, scales.residual)
    return Fit(
        edges=edges,
        center=center,
        location=location,
        scale=scale,
        scales=scales.columns,
        level_edges=scales.level_edges,
        spread_ratio=ratio,
        shapes=fit_shapes(codes, residual / widths, plain, weight),
        level=level,
        days=days,
        memory_days=memory_days,
    )


def _start(days: Floats, weight: Floats) -> tuple[float, float]:
    center = float(quantiles(days, weight, np.array([0.5]))[0])
    scale = float(quantiles(np.abs(days - center), weight, np.array([0.75]))[0])
    return center, max(scale, LEAST_SCALE)


def _time_bins(age: Floats) -> Integers:
    """Return each shipment's time bin, counted back from the end."""
    span = float(age.max()) + 1
    width = max(1.0, span / MOST_TIME_BINS)
    return np.floor(age / (max(7.0, width) if span >= 8 * 7 else width)).astype(np.int64)


def _time_columns(codes: dict[str, Integers], bins: Integers) -> list[Column]:
    columns: list[Column] = []
    for names in IN_TIME:
        keys, group = groups_of({**codes, "time": bins}, (*names, "time"))
        if len(keys) > (len(columns[0].keys) if columns else 1):
            columns.append(Column(names=names, keys=keys, group=group, found=no_effects(len(keys))))
    return columns


def _sweep_location(
    columns: list[Column], days: Floats, predicted: Floats, center: float, scale: float, weight: Floats
) -> tuple[Floats, float]:
    """Fit every set of groups once more to what the others leave; return predictions and center."""
    cut = CUT * scale
    moved = mean(np.clip(days - predicted, -cut, cut), weight)
    center, predicted = center + moved, predicted + moved
    for column in columns:
        without = predicted - column.now()
        column.found = pool(column.group, len(column.keys), np.clip(days - predicted, -cut, cut) + column.now(), weight)
        predicted = without + column.now()
    return predicted, center


def _crowds(codes: dict[str, Integers], age: Floats) -> tuple[Integers, Integers]:
    """Return which shipments are of one lane and fortnight, and how many those of each shipment are."""
    fortnight = np.floor(age / 14).astype(np.int64)
    group = groups_of({**codes, "fortnight": fortnight}, (*PLACES[-1], "fortnight"))[1]
    return group, np.bincount(group)[group]


def _crowding(group: Integers, size: Integers, residual: Floats, scale: float, weight: Floats) -> Floats:
    """Return by how much less a shipment tells than one alone, as those of a lane and fortnight are alike (Kish 1965).

    With k shipments of a lane and fortnight, correlated by r, each counts as 1 / (1 + (k − 1) r).
    """
    cut = np.clip(residual, -CUT * scale, CUT * scale)
    half = pool(group, int(group.max()) + 1, cut - mean(cut, weight), weight).half_weight
    return 1 + (size - 1) / (1 + half)


def _ratio(residual: Floats, scale: float, weight: Floats) -> float:
    cut = np.clip(residual, -CUT * scale, CUT * scale)
    square = mean(cut * cut, weight)
    return mean(np.abs(cut), weight) / np.sqrt(square) if square > 0 else 1.0
