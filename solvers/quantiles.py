"""Date distributions from history: for a node, service and zone, the days within which a share of shipments arrives.

`learn` fits (`date_fit.py`) and decides by backtests what cannot be read off one fit: how fast the past is forgotten,
and which level of the fitted distribution is really reached as often as was asked. A backtest learns from what was
known on a day and looks at the shipments ordered after it, so its errors are those of a promise: new lanes, drift and
peaks are in them. Not here: ids, dates, files (`engine/calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.date_fit import GOLDEN, Fit, fit
from solvers.date_model import LEVELS, DateModel, at_level
from solvers.lead_times import History
from solvers.pooling import Floats

BACKTESTS = 6
LEAST_SHIPMENTS = 60
"""With fewer there is no backtest: nothing is forgotten, and levels are taken as they are."""
MOST_TESTED = 40_000
"""Backtests of longer histories look at every second, third … shipment."""
HALF_LIVES_DAYS = (np.inf, 180.0, 60.0, 21.0, 7.0)
JUDGED = (12, 17, 20, 23)
"""Places in `LEVELS` (0.5, 0.75, 0.9, 0.96) whose mean pinball loss chooses."""
MEMORIES = (np.inf, 1 / 2, 1 / 4, 1 / 8)
"""Half-lives of the weight of a shipment that are tried, as shares of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backtest:
    """One choice of memory and half-life: loss, and by how much each level of z was missed."""

    loss: float
    missed: list[Floats]


def learn(history: History, horizon_days: float = 30.0) -> DateModel:
    """Return the distribution of lead times of orders up to `horizon_days` after a history.

    Raises ValueError for a history without shipments that have arrived.
    """
    if not (~history.open).any():
        raise ValueError("a history needs at least one shipment that has arrived")
    history = _in_order(history)
    end_day = np.floor(float(history.ordered.ordered_day[-1])) + 1
    tested = _thinned(history)
    days = _backtest_days(tested, end_day, horizon_days)
    if not days:
        return fit(history, end_day).model(np.inf)
    memory_days, half_life_days, missed = _choose(tested, days, end_day, horizon_days)
    return fit(history, end_day, memory_days).model(half_life_days, _correction(missed))


def pinball_loss(actual_days: Floats, promised_days: Floats, quantile: float) -> float:
    """Return the mean pinball loss: late days count `quantile`, early days 1 − `quantile` (Koenker & Bassett 1978)."""
    late = actual_days - promised_days
    return float(np.mean(np.maximum(quantile * late, (quantile - 1) * late)))


def _in_order(history: History) -> History:
    """Return the history sorted by all it holds, so that the order of its rows does not matter."""
    ordered = history.ordered
    keys = (history.days, ordered.weight_g, ordered.distance_km, ordered.zone, ordered.service, ordered.node)
    return history.take(np.lexsort((*keys, ordered.ordered_day)))


def _thinned(history: History) -> History:
    step = -(-len(history) // MOST_TESTED)
    return history.take(np.arange(0, len(history), step)) if step > 1 else history


def _backtest_days(history: History, end_day: float, horizon_days: float) -> list[int]:
    """Return the days from which backtests look ahead, spaced by the horizon, none in the first third."""
    if len(history) < LEAST_SHIPMENTS:
        return []
    first = float(np.floor(history.ordered.ordered_day[0]))
    span = end_day - first
    step = _look_ahead(span, horizon_days)
    days = [int(end_day - step * (back + 1)) for back in range(BACKTESTS)]
    return [day for day in days if day >= first + span / 3 and (history.ordered.ordered_day < day).sum() >= 20]


def _look_ahead(span: float, horizon_days: float) -> float:
    return max(1.0, min(horizon_days, span / 5))


def _choose(
    history: History, days: list[int], end_day: float, horizon_days: float
) -> tuple[float, float, list[Floats]]:
    span = end_day - float(np.floor(history.ordered.ordered_day[0]))
    ahead = _look_ahead(span, horizon_days)
    half_lives = [half_life for half_life in HALF_LIVES_DAYS if half_life in (np.inf,) or half_life <= span]
    completed = fit(history, end_day, span / 4).days if history.open.any() else history.days
    found: dict[tuple[float, float], _Backtest] = {}
    for memory_days in (share * span for share in MEMORIES):
        fits = [(day, _fit_as_of(history, day, memory_days)) for day in days]
        for half_life_days in half_lives:
            found[memory_days, half_life_days] = _look_back(history, completed, fits, ahead, half_life_days)
    best = min(found, key=lambda choice: found[choice].loss)
    return *best, found[best].missed


def _fit_as_of(history: History, day: int, memory_days: float) -> Fit | None:
    known = history.as_of(day)
    return fit(known, day, memory_days) if (~known.open).any() else None


def _look_back(
    history: History, completed: Floats, fits: list[tuple[int, Fit | None]], ahead: float, half_life_days: float
) -> _Backtest:
    loss, shipments, missed = 0.0, 0, []
    for day, fitted in fits:
        when = history.ordered.ordered_day
        after_rows = np.flatnonzero((when >= day) & (when < day + ahead))
        after = history.ordered.take(after_rows)
        if fitted is None or not len(after):
            continue
        model, days = fitted.model(half_life_days), completed[after_rows]
        spread = model.spread(after)
        for place in JUDGED:
            quantile = at_level(model.shapes.table, LEVELS[place])[spread.row]
            promised = spread.location + spread.scale * quantile
            loss += pinball_loss(days, promised, float(LEVELS[place])) * len(after)
        z = (_late_half(days, spread.scale) - spread.location) / spread.scale
        missed.append(z[:, None] - model.shapes.table[spread.row])
        shipments += len(after)
    if not shipments:
        return _Backtest(loss=np.inf, missed=[])
    return _Backtest(loss=loss / shipments, missed=missed)


def _late_half(days: Floats, scale: Floats) -> Floats:
    """Return the least location that is promised as each shipment's day: half a day less, as days are rounded.

    A lane of less than a day's scale can only be promised its day, and is on time more often than asked; lest others
    pay for that, its shipments are spread evenly over the day as far as the scale falls short of one.
    """
    spread = np.clip(1 - scale, 0, 1) * ((np.arange(1, len(days) + 1) * GOLDEN) % 1)
    return days - 0.5 + spread


def _correction(blocks: list[Floats]) -> Floats:
    """Return what to add to z at each of `LEVELS`, so that as many shipments as asked were on time in backtests.

    `blocks` holds, for each backtest, by how much z was missed, shape (shipments, levels). What was found is drawn to
    nothing as far as the backtests disagree (James & Stein 1961, positive part); the correction itself is that of
    conformal quantile regression (Romano et al. 2019), in units of each shipment's scale.
    """
    if len(blocks) < 2:
        return np.zeros(len(LEVELS))
    missed = np.concatenate(blocks)
    found = np.array([np.quantile(missed[:, i], level) for i, level in enumerate(LEVELS)])
    size = np.array([len(block) for block in blocks], float)
    share = size / size.sum()
    reached = np.array([(block <= 0).mean(axis=0) for block in blocks])
    off = share @ reached - LEVELS
    noise = (share**2) @ (reached - share @ reached) ** 2 * len(blocks) / (len(blocks) - 1)
    return np.maximum(0.0, 1 - noise / np.maximum(off * off, 1e-12)) * found
