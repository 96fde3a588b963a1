"""From what people type to what a search takes: days and instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.errors import Fault, InvalidInput

_LETTERS_OF_A_DAY = 10


def moment(text: str | None, path: str, *, is_end: bool = False) -> datetime | None:
    """Return the instant that a day (UTC) begins, or is over with `is_end`, or the instant itself; None for None.

    Raises InvalidInput for anything else.
    """
    if text is None:
        return None
    is_day = len(text) == _LETTERS_OF_A_DAY
    try:
        found = datetime.fromisoformat(text)
        if is_day:
            return found.replace(tzinfo=UTC) + timedelta(days=1 if is_end else 0)
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{text!r} is no day or instant; give 2026-11-23, or 2026-11-23T12:00:00Z with an offset"
        raise InvalidInput(Fault(path=path, message=message)) from None
