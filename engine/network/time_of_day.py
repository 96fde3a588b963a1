"""Times of day as the network document writes them, in minutes after midnight."""

from __future__ import annotations


def minutes_of(time_of_day: str) -> int:
    """Return the minutes after midnight of a time such as 15:00."""
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])
