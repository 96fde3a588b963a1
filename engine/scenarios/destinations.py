"""Where postal codes are: coordinates by the longest prefix that the network knows, as its promises find them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Fault
from engine.network.document import NetworkDocument


class Gazetteer:
    """Finds postal codes in a network document."""

    def __init__(self, network: NetworkDocument) -> None:
        self._places = {(entry.country, entry.postal_code): entry for entry in network.postal_codes}

    def find(self, country: str, postal_code: str) -> tuple[float, float] | None:
        """Return latitude and longitude in degrees, or None for a code of which no prefix is known."""
        code = postal_code.strip().upper()
        for length in range(len(code), 0, -1):
            found = self._places.get((country, code[:length]))
            if found is not None:
                return found.latitude, found.longitude
        return None

    def coordinates(
        self,
        latitude: float | None,
        longitude: float | None,
        country: str | None,
        postal_code: str | None,
        path: str,
        faults: list[Fault],
    ) -> tuple[float, float]:
        """Return the coordinates that are given, else those of the postal code; without any, note a fault."""
        if latitude is not None and longitude is not None:
            return latitude, longitude
        if country is None or postal_code is None:
            message = "has no place; give latitude and longitude, or country and postal_code"
            faults.append(Fault(path=path, message=message))
            return 0.0, 0.0
        found = self.find(country, postal_code)
        if found is None:
            message = f"{country} {postal_code!r} is not in the network; give latitude and longitude"
            faults.append(Fault(path=path, message=message))
        return found or (0.0, 0.0)


def code_numbers(
    codes: Sequence[tuple[str | None, str | None]],
) -> tuple[list[int], tuple[tuple[str, str], ...]]:
    """Return the number of each (country, postal code), −1 where there is none, and the codes by number, sorted."""
    names = tuple(sorted({(country, code) for country, code in codes if country is not None and code is not None}))
    numbers = {name: number for number, name in enumerate(names)}
    return [-1 if None in code else numbers[code[0] or "", code[1] or ""] for code in codes], names
