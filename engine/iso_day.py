"""A day in a document: 'YYYY-MM-DD' and nothing else, where pydantic alone would take times and numbers too."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator


def _iso_day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{error}; give a day of the calendar as 'YYYY-MM-DD'") from None
    raise ValueError("give a day as 'YYYY-MM-DD'")


Day = Annotated[date, BeforeValidator(_iso_day)]
