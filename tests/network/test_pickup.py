"""When a basket is ready at a store: minutes of opening, over closing time, days off and clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.network.pickup import PickupHours

NEW_YORK = ZoneInfo("America/New_York")
FIRST_DAY = datetime(2026, 3, 1).toordinal()
EVERY_DAY = np.ones(60, dtype=np.bool_)


def shop(*hours: tuple[int, int], minutes: int = 60, sundays: tuple[tuple[int, int], ...] = ()) -> PickupHours:
    """Open at these hours from Monday to Saturday."""
    week = tuple((opens * 60, closes * 60) for opens, closes in hours)
    return PickupHours(by_weekday=(*[week] * 6, sundays), picking_minutes=minutes, receiving_days=1, time_zone=NEW_YORK)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("ordered", "ready"),
    [
        ("2026-03-04 08:00", "2026-03-04 10:00"),  # before it opens
        ("2026-03-04 09:00", "2026-03-04 10:00"),
        ("2026-03-04 12:30:01", "2026-03-04 13:31"),  # a minute that has begun is over
        ("2026-03-04 17:00", "2026-03-04 18:00"),
        ("2026-03-04 17:40", "2026-03-05 09:40"),  # twenty minutes today, forty tomorrow
        ("2026-03-04 18:00", "2026-03-05 10:00"),
        ("2026-03-07 17:59", "2026-03-09 09:59"),  # Saturday: Sunday is closed
    ],
)
def test_picking_takes_minutes_of_opening(ordered: str, ready: str) -> None:
    assert shop((9, 18)).picked(at(ordered), EVERY_DAY, FIRST_DAY) == at(ready)


def test_the_lunch_break_does_not_count() -> None:
    found = shop((9, 12), (14, 18), minutes=90).picked(at("2026-03-04 11:00"), EVERY_DAY, FIRST_DAY)
    assert found == at("2026-03-04 14:30")


def test_days_off_of_the_calendar_are_closed() -> None:
    works = EVERY_DAY.copy()
    works[4] = False  # Thursday 5 March
    assert shop((9, 18)).picked(at("2026-03-04 17:30"), works, FIRST_DAY) == at("2026-03-06 09:30")
    assert shop((9, 18)).picked(at("2026-03-04 17:30"), works[:4], FIRST_DAY) is None


@pytest.mark.parametrize(
    ("first_day", "ordered", "ready"),
    [("2026-03-01", "2026-03-08 01:00", "2026-03-08 04:00"), ("2026-10-20", "2026-11-01 00:30", "2026-11-01 01:30")],
)
def test_an_hour_that_is_left_out_or_comes_twice(first_day: str, ordered: str, ready: str) -> None:
    """Two hours from 1:00 end at 4:00 if 2:00 becomes 3:00, and from 0:30 at the second 1:30 if 2:00 becomes 1:00."""
    hours = shop((9, 18), minutes=120, sundays=((0, 360),))
    found = hours.picked(at(ordered), EVERY_DAY, datetime.fromisoformat(first_day).toordinal())
    assert found is not None
    assert found.replace(fold=0) == at(ready)
    assert found.astimezone(UTC) - at(ordered).astimezone(UTC) == timedelta(hours=2)
