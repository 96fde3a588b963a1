"""Shipments that are still open: what they may take, and what they tell of a mean.

Here: a first guess, days that they may become, and the score and information of what is only known to take longer. Not
here: the distribution that they are completed from, which the fit goes on improving (`date_fit.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from solvers.date_model import LEVELS
from solvers.lead_times import History
from solvers.pooling import Floats, quantiles

MOST_LEVELS = 200
LEAST_INFORMATION = 0.01
LEAST_DAYS = 0.02


def first_guess(history: History, days: Floats, weight: Floats, luck: Floats) -> None:
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


def complete(history: History, days: Floats, predicted: Floats, widths: Floats, weight: Floats, luck: Floats) -> None:
    """Set the days of open shipments to what they may become, spread evenly over what is left of the distribution."""
    still = history.open
    if not still.any() or still.all():
        return
    z = (days - predicted) / widths
    grid = np.concatenate([LEVELS, [0.9995]])
    curve = quantiles(z, weight, grid)
    least = (history.days[still] + 0.5 - predicted[still]) / widths[still]
    passed = np.interp(least, curve, grid, left=0.0, right=grid[-1])
    level = passed + (1 - passed) * luck[still]
    days[still] = np.maximum(predicted[still] + widths[still] * np.interp(level, grid, curve), history.days[still] + 1)


def told_by(history: History, days: Floats, predicted: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return days and weights by which a mean is drawn where all shipments draw it, open ones as far as they tell.

    Completed days alone draw a mean that is behind only a little further each time (Dempster, Laird & Rubin 1977: by
    the share that has arrived). So an open shipment stands at its mean residual over its information, and weighs by
    that: the derivative of the mean of what is beyond, here that of a normal distribution.
    """
    still = history.open
    if not still.any() or still.all():
        return days, weight
    curve = quantiles(days - predicted, weight, (np.arange(MOST_LEVELS) + 0.5) / MOST_LEVELS)
    beyond = np.cumsum(curve[::-1])[::-1] / np.arange(MOST_LEVELS, 0, -1)
    least = history.days[still] + 0.5 - predicted[still]
    mean = np.maximum(np.interp(least, curve, beyond), least) - curve.mean()
    z = np.clip((least - curve.mean()) / max(curve.std(), LEAST_DAYS), -4.0, 6.0)
    hazard = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / ndtr(-z)
    information = np.clip(hazard * (hazard - z), LEAST_INFORMATION, 1.0)
    told, counted = days.copy(), weight.copy()
    told[still] = predicted[still] + mean / information
    counted[still] *= information
    return told, counted
