"""Areas in which nothing is delivered on some days, such as the public holidays of a region, by country and prefix.

Here: the compiled form, and which calendar a destination has. Not here: the document (document.py), what that does to
the days of arrival (deliveries.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.network.document import DeliveryAreaDocument, NetworkDocument

NO_AREA = -1
_WHOLE_COUNTRY = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeliveryAreas:
    """The calendar, by its number in the network, of each country and postal prefix that has one."""

    calendars: Mapping[str, Mapping[str, int]]

    def calendar_at(self, country: str | None, postal_code: str | None) -> int:
        """Return the calendar of the longest prefix of a postal code that is named, `NO_AREA` if none is.

        Without a postal code, only what holds for the whole country is known; without a country, nothing.
        """
        prefixes = None if country is None else self.calendars.get(country)
        if prefixes is None:
            return NO_AREA
        code = "" if postal_code is None else postal_code.strip().upper()
        for length in range(len(code), -1, -1):
            found = prefixes.get(code[:length])
            if found is not None:
                return found
        return NO_AREA


def compile_delivery_areas(document: NetworkDocument, calendars: Mapping[str, int]) -> DeliveryAreas | None:
    """Turn the delivery areas of a checked document into a table; None if it names none."""
    if not document.delivery_areas:
        return None
    found: dict[str, dict[str, int]] = {}
    for entry in document.delivery_areas:
        for prefix in prefixes_of(entry):
            found.setdefault(entry.country, {})[prefix] = calendars[entry.calendar]
    frozen = {country: MappingProxyType(prefixes) for country, prefixes in found.items()}
    return DeliveryAreas(calendars=MappingProxyType(frozen))


def prefixes_of(entry: DeliveryAreaDocument) -> Iterator[str]:
    """Yield the prefixes of an area, "" for the whole country."""
    yield from (_WHOLE_COUNTRY,) if entry.postal_prefixes is None else entry.postal_prefixes
