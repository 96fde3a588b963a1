"""Patterns fitted to recorded orders: a document that can be written into a scenario file and drawn from.

Here: counting. Not here: what is drawn (generated.py). What is fitted: orders a day by weekday and how much days differ
beyond chance, hours, SKUs, lines, quantities, channels, wanted dates, places. What is not: which SKUs are bought
together, and any trend.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.errors import Fault, InvalidInput
from engine.network.document import Weekday
from engine.scenarios.orders import Floats, Integers, OrderTable
from engine.scenarios.patterns import PatternsDocument, PlaceDocument
from engine.scenarios.story import DAY_SECONDS

_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_HOUR_SECONDS = 3600
_PLACES = 4
"""Decimals of shares and factors."""


def fit_patterns(orders: OrderTable, starts_on: date, days: int | None = None) -> PatternsDocument:
    """Return the patterns of orders recorded on `days` days from `starts_on` on (None: until the last order's).

    Shares are counts. Raises InvalidInput if there are no orders.
    """
    if not len(orders):
        raise InvalidInput(Fault(path="orders", message="has no orders to fit patterns to; give at least one"))
    day = orders.placed_s // DAY_SECONDS
    per_day = np.bincount(day, minlength=days or 0)
    weekday = (starts_on.weekday() + np.arange(len(per_day))) % 7
    mean = float(per_day.mean())
    factors = _by_weekday(per_day, weekday) / mean
    return PatternsDocument(
        orders_per_day=round(mean, _PLACES),
        weekdays={name: round(float(factors[w]), _PLACES) for w, name in enumerate(_WEEKDAYS)},
        hours=tuple(_counted(orders.placed_s % DAY_SECONDS // _HOUR_SECONDS, 24)),
        variation=round(_variation(per_day, factors[weekday] * mean), _PLACES),
        products=_shares(orders.skus, orders.sku),
        lines=_values(np.diff(orders.first_line)),
        quantities=_values(orders.quantity),
        together=0.0,
        channels=_shares(orders.channels, orders.channel),
        need_by_days={
            value: int(count / len(orders) * 10**9) / 10**9
            for value, count in _values(np.minimum(orders.need_by_days[orders.need_by_days >= 0], 365)).items()
        },
        places=tuple(_places(orders)),
    )


def _by_weekday(per_day: Integers, weekday: Integers) -> Floats:
    """Return the mean of each weekday; that of all days for a weekday that there was none of."""
    days = np.bincount(weekday, minlength=7)
    return np.where(days > 0, np.bincount(weekday, per_day, 7) / np.maximum(days, 1), per_day.mean())


def _variation(per_day: Integers, expected: Floats) -> float:
    """Return the standard deviation of the logarithm of days beyond chance, by the method of moments.

    With a mean m and a factor of variance v, counts vary by m + m² v; the factor is log-normal.
    """
    beyond = ((per_day - expected) ** 2 - expected).sum() / max((expected**2).sum(), 1e-12)
    return min(2.0, float(np.sqrt(np.log1p(max(beyond, 0.0)))))


def _counted(values: Integers, length: int) -> list[float]:
    return [float(count) for count in np.bincount(values, minlength=length)]


def _shares(names: Iterable[str], numbers: Integers) -> dict[str, float]:
    """Return counts by name, the most frequent first, those of equal count by name."""
    counts = np.bincount(numbers).tolist()
    found = {name: float(count) for name, count in zip(names, counts, strict=False) if count}
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _values(values: NDArray[np.int64]) -> dict[int, float]:
    found, counts = np.unique(values, return_counts=True)
    return {value: float(count) for value, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _places(orders: OrderTable) -> Iterable[PlaceDocument]:
    """Yield each place that was ordered from, the most frequent first."""
    rows = np.stack([orders.latitude, orders.longitude, orders.place.astype(float)], axis=1)
    found, counts = np.unique(rows, axis=0, return_counts=True)
    for index in np.argsort(-counts, kind="stable").tolist():
        latitude, longitude, place = found[index].tolist()
        country, code = orders.postal_codes[int(place)] if place >= 0 else (None, None)
        yield PlaceDocument(
            latitude=latitude, longitude=longitude, country=country, postal_code=code, share=float(counts[index])
        )
