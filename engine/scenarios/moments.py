"""Days in a scenario file: 0 is the first day of the story, 1 the next; or a date, such as 2026-11-27."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from engine.scenarios.story import DAY_SECONDS

MOST_DAYS = 3_660
_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": MOST_DAYS},
        {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    ]
}


def _story_day(value: Any) -> int | date:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DAYS:
        return value
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("give the number of a day, 0 is the first, or a date such as 2026-11-27")


StoryDay = Annotated[int | date, PlainValidator(_story_day), WithJsonSchema(_SCHEMA)]


def day_number(value: int | date, first: date) -> int:
    """Return a day as a number from the story's first; negative before it."""
    return (value - first).days if isinstance(value, date) else value


def date_of(day: int, first: date) -> date:
    """Return the date of a day of the story."""
    return first + timedelta(days=day)


def seconds_of(day: int, time_of_day: str) -> int:
    """Return an instant, `HH:MM` of a day, as seconds since the story's start; days have 24 hours."""
    hours, minutes = time_of_day.split(":")
    return day * DAY_SECONDS + int(hours) * 3600 + int(minutes) * 60
