"""The forecast that a policy with bid prices goes by: the demand of the story on average, for some days to come.

It is drawn from the same demand in replications that no policy is simulated in; of recorded orders it is what is going
to be ordered, as far as the horizon: then bid prices know the days to come. Not here: how bid prices follow from a
forecast (engine/forecasting).
"""

from __future__ import annotations

from collections import deque
from datetime import date

import numpy as np

from engine.forecasting.document import ForecastDocument, ForecastRow
from engine.scenarios.orders import OrderTable
from engine.scenarios.story import Story
from engine.simulation.times import StoryTime

HORIZON_DAYS = 14
DRAWS = 3
_FIRST_DRAW = 1_000_000
"""Replications from here on are nobody's."""
_CELL_DEGREES = 4.0
_Demand = dict[tuple[int, int, str], tuple[float, float, float]]
"""By cell of the map and SKU: units, and units times latitude and longitude."""


class Foresight:
    """Makes the forecast of each day; keeps the days of one horizon."""

    def __init__(self, story: Story, times: StoryTime) -> None:
        self._story, self._times = story, times
        self._ahead: deque[_Demand] = deque()
        self._next_day = 0

    def of(self, day: int) -> ForecastDocument | None:
        """Return the forecast from a day on, None if nothing is expected; days are asked for in their order."""
        last = min(day + HORIZON_DAYS, self._story.days)
        while self._next_day < last:
            self._ahead.append(self._drawn(self._next_day))
            self._next_day += 1
        while len(self._ahead) > last - day:
            self._ahead.popleft()
        total: _Demand = {}
        for of_day in self._ahead:
            for key, found in of_day.items():
                units, latitude, longitude = total.get(key, (0.0, 0.0, 0.0))
                total[key] = units + found[0], latitude + found[1], longitude + found[2]
        first_on = date.fromordinal(self._times.first_ordinal + day)
        last_on = date.fromordinal(self._times.first_ordinal + last - 1)
        rows = [
            ForecastRow(
                sku=sku,
                quantity=round(units / DRAWS, 6),
                first_on=first_on,
                last_on=last_on,
                latitude=round(latitude / units, 3),
                longitude=round(longitude / units, 3),
            )
            for (_, _, sku), (units, latitude, longitude) in sorted(total.items())
        ]
        return ForecastDocument(rows=tuple(rows)) if rows else None

    def _drawn(self, day: int) -> _Demand:
        found: _Demand = {}
        for draw in range(DRAWS):
            for key, units, latitude, longitude in _by_cell(self._story.demand.orders(_FIRST_DRAW + draw, day)):
                before = found.get(key, (0.0, 0.0, 0.0))
                found[key] = before[0] + units, before[1] + latitude, before[2] + longitude
        return found


def _by_cell(table: OrderTable) -> list[tuple[tuple[int, int, str], float, float, float]]:
    """Return units of SKUs by cell of the map."""
    order = np.repeat(np.arange(len(table)), np.diff(table.first_line))
    latitude, longitude = table.latitude[order], table.longitude[order]
    cells = np.stack([np.floor(latitude / _CELL_DEGREES), np.floor(longitude / _CELL_DEGREES), table.sku]).astype(int)
    keys, place = np.unique(cells, axis=1, return_inverse=True)
    units, by_latitude, by_longitude = (
        np.bincount(place, table.quantity * weight, minlength=keys.shape[1])
        for weight in (np.ones(len(order)), latitude, longitude)
    )
    return [
        ((row, column, table.skus[sku]), *sums)
        for (row, column, sku), *sums in zip(
            keys.T.tolist(), units.tolist(), by_latitude.tolist(), by_longitude.tolist(), strict=True
        )
    ]
