"""The time of a story: seconds since its start, days of the calendar, hours of nodes.

Not here: which days are working days (engine/network/days.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.scenarios.story import DAY_SECONDS, Story


class StoryTime:
    """Turns instants of a story into dates and back; midnights are looked up once for each time zone and day."""

    def __init__(self, story: Story) -> None:
        self._start = story.start.astimezone(UTC)
        self._zone = ZoneInfo(story.time_zone)
        self.first_ordinal = story.start.astimezone(self._zone).date().toordinal()
        """The first day of the story, as an ordinal: day 0 of facts."""
        self.end_s = (story.days + story.drain_days) * DAY_SECONDS
        """After which nothing happens."""
        self._midnights: dict[tuple[str, int], int] = {}

    def at(self, seconds: int) -> datetime:
        """Return the instant so many seconds after the story's start."""
        return self._start + timedelta(seconds=seconds)

    def midnight_s(self, zone: ZoneInfo | None, ordinal: int) -> int:
        """Return the second at which a day begins in a time zone, by default the story's."""
        where = self._zone if zone is None else zone
        key = (where.key, ordinal)
        found = self._midnights.get(key)
        if found is None:
            midnight = datetime.combine(date.fromordinal(ordinal), time(), tzinfo=where)
            found = self._midnights[key] = round((midnight.astimezone(UTC) - self._start).total_seconds())
        return found

    def ordinal_of(self, seconds: int, zone: ZoneInfo | None = None) -> int:
        """Return the day that it is in a time zone at an instant, by default the story's."""
        return self.at(seconds).astimezone(self._zone if zone is None else zone).toordinal()

    def day(self, ordinal: int) -> int:
        """Return a day as facts count it: 0 is the first of the story."""
        return ordinal - self.first_ordinal
