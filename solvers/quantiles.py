"""Date distributions from history: for a node, service and zone, the days within which a share of shipments arrives.

`learn` fits (`date_fit.py`) and decides by backtests what cannot be read off one fit: how fast the past is forgotten,
and which level of the fitted distribution is really reached as often as was asked. A backtest learns from what was
known on a day and looks at the shipments ordered after it, so its errors are those of a promise: new lanes, drift and
peaks are in them. Not here: ids, dates, files (`engine/calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from solvers.date_fit import GOLDEN, Fit, fit
from solvers.date_level import Pace
from solvers.date_model import LEVELS, SCORES, DateModel, Shapes, Spread
from solvers.lead_times import History
from solvers.pooling import Floats

BACKTESTS = 6
LEAST_SHIPMENTS = 250
"""With fewer there is no backtest, whose choices would be luck: nothing is forgotten, levels are taken as they are."""
LEAST_COMPARED = 4
"""From fewer days looked back from, no error of a loss is taken."""
LEAST_LEVEL = 1e-9
"""No level is taken to be nearer to nothing or to all."""
MOST_TESTED = 40_000
"""Backtests of longer histories look at every second, third … shipment."""
HALF_LIVES_DAYS = (np.inf, 180.0, 60.0, 21.0, 7.0)
TREND_HALF_LIVES_DAYS = (21.0, 10.0, 5.0)
JUDGED = (12, 17, 20, 23)
"""Places in `LEVELS` (0.5, 0.75, 0.9, 0.96) whose mean pinball loss chooses."""
MEMORIES = (np.inf, 1 / 2, 1 / 4, 1 / 8)
"""Half-lives of the weight of a shipment that are tried, as shares of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Backtest:
    """One choice of memory and half-life: loss, and by how much each level of z was missed."""

    losses: Floats
    """Mean pinball loss of each day looked back from."""
    sizes: Floats
    """How many shipments each is of."""
    reached: list[Floats]
    """Of each day, the normal score of the level from which on each shipment would have been on time."""

    @property
    def loss(self) -> float:
        """Return the mean over shipments, infinite without any."""
        return float(self.losses @ self.sizes / self.sizes.sum()) if len(self.sizes) else np.inf


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
        return fit(history, end_day).model(Pace(half_life_days=np.inf))
    memory_days, pace, reached = _choose(tested, days, end_day, horizon_days)
    return fit(history, end_day, memory_days).model(pace, _correction(reached))


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


def _choose(history: History, days: list[int], end_day: float, horizon_days: float) -> tuple[float, Pace, list[Floats]]:
    span = end_day - float(np.floor(history.ordered.ordered_day[0]))
    ahead = _look_ahead(span, horizon_days)
    paces = _paces(span, ahead)
    completed = fit(history, end_day, span / 4).days if history.open.any() else history.days
    found: dict[tuple[float, Pace], _Backtest] = {}
    for memory_days in (share * span for share in MEMORIES):
        fits = [(day, _fit_as_of(history, day, memory_days)) for day in days]
        for pace in paces:
            found[memory_days, pace] = _look_back(history, completed, fits, ahead, pace)
    best = min(found, key=lambda choice: found[choice].loss)
    good = [choice for choice in found if not _clearly_worse(found[choice], found[best])]
    quick = min(good, key=lambda choice: (choice[1].lag_days, found[choice].loss))
    return *quick, found[quick].reached


def _clearly_worse(one: _Backtest, best: _Backtest) -> bool:
    """Say whether a choice loses more than the best by over a standard error; of few days each loss counts."""
    apart = one.losses - best.losses
    days = len(apart)
    if days < LEAST_COMPARED:
        return one.loss > best.loss
    share = best.sizes / best.sizes.sum()
    error = np.sqrt(share**2 @ (apart - share @ apart) ** 2 * days / (days - 1))
    return bool(share @ apart > error)


def _paces(span: float, ahead: float) -> list[Pace]:
    """Return the ways to follow the level that are tried; a trend goes on for half of what is looked ahead."""
    level = [Pace(half_life_days=days) for days in HALF_LIVES_DAYS if days == np.inf or days <= span]
    trend = [days for days in TREND_HALF_LIVES_DAYS if ahead <= days <= span / 4]
    return level + [Pace(half_life_days=days, ahead_days=ahead / 2) for days in trend]


def _fit_as_of(history: History, day: int, memory_days: float) -> Fit | None:
    known = history.as_of(day)
    return fit(known, day, memory_days) if (~known.open).any() else None


def _look_back(
    history: History, completed: Floats, fits: list[tuple[int, Fit | None]], ahead: float, pace: Pace
) -> _Backtest:
    losses, sizes, reached = [], [], []
    for day, fitted in fits:
        when = history.ordered.ordered_day
        after_rows = np.flatnonzero((when >= day) & (when < day + ahead))
        after = history.ordered.take(after_rows)
        if fitted is None or not len(after):
            continue
        model, days = fitted.model(pace), completed[after_rows]
        spread = model.spread(after)
        loss = 0.0
        for place in JUDGED:
            promised = spread.location + spread.scale * model.shapes.table[spread.row, place]
            loss += pinball_loss(days, promised, float(LEVELS[place]))
        losses.append(loss)
        sizes.append(len(after))
        reached.append(_needed(model.shapes, spread, days))
    return _Backtest(losses=np.array(losses), sizes=np.array(sizes, float), reached=reached)


def _needed(shapes: Shapes, spread: Spread, days: Floats) -> Floats:
    """Return the normal score from which on each shipment is promised its day: that of half a day before, by rounding.

    A lane of less than a day's scale can only be promised its day, and is on time more often than asked; lest others
    pay for that, its shipments are spread evenly over the level of the day as far as the scale falls short of one.
    """
    first, last = (
        ndtr(shapes.scores((days + half - spread.location) / spread.scale, spread.row)) for half in (-0.5, 0.5)
    )
    spread_by = np.clip(1 - spread.scale, 0, 1) * ((np.arange(1, len(days) + 1) * GOLDEN) % 1)
    return np.asarray(ndtri(np.clip(first + spread_by * (last - first), LEAST_LEVEL, 1 - LEAST_LEVEL)))


def _correction(blocks: list[Floats]) -> Floats:
    """Return the normal score to take for each of `LEVELS`, so that as many as asked were on time in backtests.

    `blocks` holds, for each backtest, the scores that its shipments needed. What was found is drawn to the level itself
    as far as the backtests disagree (James & Stein 1961, positive part); the correction is that of conformal prediction
    (Vovk et al. 2020) with the level as the score, so that each lane moves along its own distribution.
    """
    if len(blocks) < 2:
        return SCORES
    needed = np.concatenate(blocks)
    found = np.quantile(needed, LEVELS)
    size = np.array([len(block) for block in blocks], float)
    share = size / size.sum()
    reached = np.array([(block[:, None] <= SCORES).mean(axis=0) for block in blocks])
    off = share @ reached - LEVELS
    noise = (share**2) @ (reached - share @ reached) ** 2 * len(blocks) / (len(blocks) - 1)
    return SCORES + np.maximum(0.0, 1 - noise / np.maximum(off * off, 1e-12)) * (found - SCORES)
