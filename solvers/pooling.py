"""Effects of groups, each drawn to nothing as far as its data are thin; how far is estimated from all groups together.

Here: the shrunken means of groups (random effects, empirical Bayes) and quantiles of weighted groups. Not here: what
the groups are (`lead_times.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEPS = 60
PRIOR_FREEDOM = 30.0
"""What scatters within groups is estimated as if so many more observations had scattered as all of them do: a history
of few shipments, divided among almost as many groups, would not tell otherwise what is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Effects of groups: `effect[g]`, how unsure each is (`variance[g]`), and the `spread` of a group never seen.

    `half_weight` is the number of observations at which a group's own mean counts one half; infinite when the groups
    do not differ by more than chance.
    """

    effect: Floats
    variance: Floats
    spread: float
    half_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What groups of observations add up to: weights, their squares, weighted residuals, weighted squared residuals."""

    weight: Floats
    squared_weight: Floats
    first: Floats
    second: Floats

    @staticmethod
    def of(group: Integers, groups: int, residual: Floats, weight: Floats) -> Moments:
        """Return the moments of each group (0 … groups − 1); all arrays have the shape of `group`."""
        return Moments(
            weight=_sums(group, groups, weight),
            squared_weight=_sums(group, groups, weight * weight),
            first=_sums(group, groups, weight * residual),
            second=_sums(group, groups, weight * residual * residual),
        )

    def less(self, days: Floats) -> Moments:
        """Return the moments after taking some days from every residual of each group."""
        second = self.second - days * (2 * self.first - days * self.weight)
        return replace(self, first=self.first - days * self.weight, second=second)

    def gathered(self, group: Integers, groups: int, share: Floats) -> Moments:
        """Return the moments of larger groups, into which those of each counts by a share."""
        return Moments(
            weight=_sums(group, groups, share * self.weight),
            squared_weight=_sums(group, groups, share * share * self.squared_weight),
            first=_sums(group, groups, share * self.first),
            second=_sums(group, groups, share * self.second),
        )


def _sums(group: Integers, groups: int, value: Floats) -> Floats:
    return np.bincount(group, value, groups).astype(np.float64)


def pool(group: Integers, groups: int, residual: Floats, weight: Floats, *, likeliest: bool = False) -> Pooled:
    """Return the effects of groups on a residual of mean 0; see `pool_moments`.

    `group` holds each observation's group (0 … groups − 1), `residual` and `weight` (≥ 0) have its shape.
    """
    return pool_moments(Moments.of(group, groups, residual, weight), likeliest=likeliest)


def pool_moments(found: Moments, *, likeliest: bool = False) -> Pooled:
    """Return the effects of groups on a residual of mean 0, by one-way random effects.

    The variance within groups is the weighted mean square, drawn to that of all (`PRIOR_FREEDOM`); that between them
    solves Σ mean² / (between + within / n) = groups (Paule & Mandel 1982), or is the `likeliest` of normal ones; n is
    each group's effective number of observations (Kish 1965).
    """
    total, squares, groups = found.weight, found.squared_weight, len(found.weight)
    seen = total > 0
    mean = np.divide(found.first, total, out=np.zeros(groups), where=seen)
    size = np.divide(total * total, squares, out=np.zeros(groups), where=seen)
    freedom = total.sum() - np.divide(squares, total, out=np.zeros(groups), where=seen).sum()
    if freedom <= 1e-9 * max(total.sum(), 1e-300):
        return Pooled(effect=np.zeros(groups), variance=np.zeros(groups), spread=0.0, half_weight=np.inf)
    prior = PRIOR_FREEDOM * float(squares.sum() / total.sum())
    within = max(float((found.second - mean * found.first).sum()), 0.0)
    within = (within + prior * float(found.second.sum() / total.sum())) / (freedom + prior)
    between = (_likeliest if likeliest else _between)(mean[seen], size[seen], within)
    if between <= 0:
        return Pooled(effect=np.zeros(groups), variance=np.zeros(groups), spread=0.0, half_weight=np.inf)
    own = np.zeros(groups)
    own[seen] = between / (between + within / size[seen])
    return Pooled(effect=own * mean, variance=between * (1 - own), spread=between, half_weight=within / between)


def _between(mean: Floats, size: Floats, within: float) -> float:
    """Return the variance between groups, 0 if they differ by no more than chance: Newton's method from 0 upwards."""
    if within <= 0:
        return float(np.mean(mean * mean))

    squares, error, found = mean * mean, within / size, 0.0
    for _ in range(_STEPS):
        total = found + error
        excess = float((squares / total).sum()) - len(mean)
        if excess <= 1e-9 * len(mean):
            break
        found += excess / float((squares / (total * total)).sum())
    return found


def _likeliest(mean: Floats, size: Floats, within: float) -> float:
    """Return the likeliest variance between groups under normal effects, by scoring; 0 if chance explains more."""
    if within <= 0:
        return float(np.mean(mean * mean))
    squares, error = mean * mean, within / size
    found = _between(mean, size, within)
    for _ in range(_STEPS):
        weight = 1 / (found + error) ** 2
        before, found = found, max(float((weight * (squares - error)).sum() / weight.sum()), 0.0)
        if abs(found - before) <= 1e-6 * before:
            break
    return found


def quantiles(value: Floats, weight: Floats, levels: Floats) -> Floats:
    """Return weighted quantiles of all observations, as `group_quantiles` does of each group."""
    order = np.argsort(value, kind="stable")
    weight = weight[order]
    passed = np.cumsum(weight)
    return np.interp(levels * passed[-1], passed - weight / 2, value[order])


def group_quantiles(group: Integers, groups: int, value: Floats, weight: Floats, levels: Floats) -> Floats:
    """Return weighted quantiles, shape (groups, levels); each observation stands at the middle of its own weight.

    Between observations they are linear, beyond the first and last constant (Hyndman & Fan 1996, definition 5). The
    row of a group without weight is NaN.
    """
    order = np.lexsort((value, group))
    group, value, weight = group[order], value[order], weight[order]
    total = np.bincount(group, weight, groups)
    before = np.concatenate([[0.0], np.cumsum(total)])
    middle = np.cumsum(weight) - weight / 2
    count = np.bincount(group, minlength=groups)
    first = np.concatenate([[0], np.cumsum(count)])
    result = np.full((groups, len(levels)), np.nan)
    there = np.flatnonzero(total > 0)
    for column, level in enumerate(levels):
        wanted = before[there] + level * total[there]
        right = np.searchsorted(middle, wanted)
        low = np.clip(right - 1, first[there], first[there + 1] - 1)
        high = np.clip(right, first[there], first[there + 1] - 1)
        width = middle[high] - middle[low]
        share = np.divide(wanted - middle[low], width, out=np.zeros(len(there)), where=width > 0)
        result[there, column] = value[low] + np.clip(share, 0, 1) * (value[high] - value[low])
    return result
