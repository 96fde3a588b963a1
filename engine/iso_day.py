"""A day in a document: 'YYYY-MM-DD' and nothing else, where pydantic alone would take times and numbers too."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator


def _iso_day(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return value
    raise ValueError("give a day as 'YYYY-MM-DD'")


Day = Annotated[date, BeforeValidator(_iso_day)]
