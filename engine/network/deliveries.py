"""On which days services deliver in an area whose calendar has days off of its own: the one rule for all who date.

A parcel is under way by the operating days of its service, as everywhere. On the day on which it would be delivered it
is, if the calendar of the area works on it too; else on the next day on which both work. A service that
`delivers_on_days_off` looks at its own days only. Not here: which area a destination is in (delivery_areas.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.network.days import NEVER, Calendars, next_set
from engine.network.delivery_areas import NO_AREA
from engine.network.model import Network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeliveryDays:
    """The operating days of services, as far as an area has them delivered to.

    `calendar` (services,) is the row of each service in `before` (rows, horizon + 1) and `nth` (rows, horizon), which
    are as in `Calendars`, but that `nth` has the day of delivery. `source` (rows,) is the calendar of the network that
    a row comes from; the first rows are the network's calendars as they are.
    """

    calendar: NDArray[np.int64]
    before: NDArray[np.int64]
    nth: NDArray[np.int64]
    source: NDArray[np.int64]


def delivery_days(network: Network, calendars: Calendars, area: int) -> DeliveryDays:
    """Return the days of delivery in an area, by the number of its calendar; with `NO_AREA` those of services alone."""
    first_day, works = calendars.first_day, calendars.works
    known = np.arange(len(works))
    if area == NO_AREA:
        return DeliveryDays(
            calendar=network.calendar_of_service,
            before=calendars.before,
            nth=calendars.nth,
            source=known,
        )
    own = np.unique(network.calendar_of_service[network.keeps_days_off])
    delivered = [_delivered(calendars.nth[c], next_set(works[c] & works[area], first_day), first_day) for c in own]
    row = np.searchsorted(own, network.calendar_of_service)
    return DeliveryDays(
        calendar=np.where(network.keeps_days_off, len(works) + row, network.calendar_of_service),
        before=np.concatenate([calendars.before, calendars.before[own]]),
        nth=np.concatenate([calendars.nth, *(days[None] for days in delivered)]),
        source=np.concatenate([known, own]),
    )


def _delivered(nth: NDArray[np.int64], next_day: NDArray[np.int64], first_day: int) -> NDArray[np.int64]:
    """Return, for each operating day of a service, the day on which what would be delivered on it is."""
    inside = nth < NEVER
    return np.where(inside, next_day[np.where(inside, nth - first_day, 0)], NEVER)
