"""What product pages ask in a query string; bodies and replies are those of engine/promising."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from engine.network.document import NodeKind
from engine.promising.model import MOST_UNITS, Destination, Name
from engine.promising.nearest import MOST_STORES


class PlaceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the shopper is: a postal code and its country, or coordinates."""

    sku: Name
    postal_code: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    channel: Name | None = None
    group: Name | None = None

    @property
    def destination(self) -> Destination:
        """The place as a promise names it."""
        return Destination(
            postal_code=self.postal_code, country=self.country, latitude=self.latitude, longitude=self.longitude
        )


class GetItByQuery(PlaceQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SKU to one place."""


class NearestStoresQuery(PlaceQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SKU near one place."""

    quantity: Annotated[int, Meta(ge=1, le=MOST_UNITS)] = 1
    radius_km: Annotated[float, Meta(gt=0, le=50_000)] = 50.0
    kind: NodeKind = "store"
    limit: Annotated[int, Meta(ge=1, le=MOST_STORES)] = 10
