"""Where a destination is: the checks of its coordinates and postal code that promises and orders share."""

from __future__ import annotations

import math
from collections.abc import Iterator

from engine.errors import Fault
from engine.network.document import PostalCodeDocument
from engine.network.model import Network


def coordinate_faults(latitude: float | None, longitude: float | None) -> Iterator[Fault]:
    """Yield a fault for each coordinate of `$.destination` that is given and is not in degrees."""
    for name, value, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if value is not None and not (math.isfinite(value) and abs(value) <= most):
            message = f"{value} is not a {name}; give degrees from {-most} to {most}"
            yield Fault(path=f"$.destination.{name}", message=message)


def find_place(network: Network, country: str, postal_code: str, faults: list[Fault]) -> PostalCodeDocument | None:
    """Return where a postal code is, or note that the network does not know it."""
    place = network.place_of(country, postal_code)
    if place is None:
        message = f"{country} {postal_code!r} is not in the network; give latitude and longitude"
        faults.append(Fault(path="$.destination.postal_code", message=message))
    return place
