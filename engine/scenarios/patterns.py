"""Patterns of demand as a document: what stands under `generate:` in a scenario file, and what `fit_patterns` returns.

Here: shape, ranges, defaults. Not here: drawing orders from them (generated.py), fitting them (fitting.py). Shares need
not sum to 1: they are divided by their sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.integrations.synthetic_demand import (
    QUANTITY_SHARES,
    SAME_THEME_SHARE,
    SINGLE_LINE_SHARE,
    SKUS_PER_THEME,
    ZIPF_EXPONENT,
)
from engine.network.document import Identifier, Latitude, Longitude, Weekday
from engine.scenarios.list_or_file import OrFile, files_apart

Share = Annotated[float, Field(ge=0, le=10**12, allow_inf_nan=False)]
HourShares = Annotated[tuple[Share, ...], Field(min_length=24, max_length=24)]
WholeNumber = Annotated[int, Field(ge=1, le=10**6)]

_TAIL = [(1 - 2 / 6) ** further for further in range(5)]
_LINES = {1: SINGLE_LINE_SHARE} | {
    further + 2: round((1 - SINGLE_LINE_SHARE) * share / sum(_TAIL), 4) for further, share in enumerate(_TAIL)
}
"""Those of `allot generate` with six lines at most."""


class PlaceDocument(BaseModel):
    """Where orders go: coordinates, a postal code that the network knows, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    share: Share = Field(default=1.0, description="Of all orders: population, or what was recorded.")
    spread_km: Annotated[float, Field(ge=0, le=5_000)] = Field(
        default=0.0, description="Standard deviation of where they are, to the north and to the east."
    )


class PatternFields(BaseModel):
    """How orders come about, but for where they go: how many on which day at which hour, for what."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    orders_per_day: Annotated[float, Field(ge=0, le=10**6)]
    weekdays: Mapping[Weekday, Share] = Field(
        default_factory=dict, description="Times orders_per_day on these days of the week; 1 on the others."
    )
    hours: HourShares | None = Field(default=None, description="Shares of the hours 0 … 23; null: all day alike.")
    weekday_hours: Mapping[Weekday, HourShares] = Field(
        default_factory=dict, description="Shares of the hours on some days of the week, in place of `hours`."
    )
    counts: Literal["poisson", "exact"] = Field(
        default="poisson", description="exact: the mean, rounded, so that it can be reckoned by hand."
    )
    variation: Annotated[float, Field(ge=0, le=2)] = Field(
        default=0.0, description="Standard deviation of the logarithm by which days differ, beyond chance."
    )
    products: Annotated[Mapping[Identifier, Share], Field(min_length=1)] | None = Field(
        default=None, description="Shares of SKUs in lines; null: all of the catalog's products, by `popularity`."
    )
    popularity: Annotated[float, Field(ge=0, le=5)] = Field(
        default=ZIPF_EXPONENT, description="Without `products`: the share of the n-th is n to the power of minus this."
    )
    lines: Annotated[Mapping[WholeNumber, Share], Field(min_length=1)] = Field(
        default_factory=lambda: dict(_LINES), description="Shares of orders by how many lines they have."
    )
    quantities: Annotated[Mapping[WholeNumber, Share], Field(min_length=1)] = Field(
        default_factory=lambda: dict(enumerate(QUANTITY_SHARES, 1)), description="Shares of lines by quantity."
    )
    together: Annotated[float, Field(ge=0, le=1)] = Field(
        default=SAME_THEME_SHARE, description="Of the further lines of an order: from among the first one's neighbours."
    )
    theme_skus: WholeNumber = Field(
        default=SKUS_PER_THEME, description="Products, as listed, that are neighbours: the first so many, and so on."
    )
    channels: Annotated[Mapping[Identifier, Share], Field(min_length=1)] = Field(default_factory=lambda: {"web": 1.0})
    need_by_days: Mapping[Annotated[int, Field(ge=0, le=365)], Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="Shares of orders wanted by so many days later; the rest has no date."
    )

    @model_validator(mode="after")
    def _shares_sum(self) -> Self:
        for name in ("products", "lines", "quantities", "channels"):
            shares = getattr(self, name)
            if shares is not None and sum(shares.values()) <= 0:
                raise ValueError(f"{name} has no share above 0; give at least one")
        for hours in (self.hours, *self.weekday_hours.values()):
            if hours is not None and sum(hours) <= 0:
                raise ValueError("the hours have no share above 0; give at least one")
        if sum(self.need_by_days.values()) > 1 + 1e-9:
            raise ValueError(f"need_by_days sums to {sum(self.need_by_days.values()):g}; the most is 1")
        return self


class PatternsDocument(PatternFields):
    """How orders come about: how many on which day at which hour, for what, from where."""

    places: Annotated[tuple[PlaceDocument, ...], Field(min_length=1), OrFile()] | None = Field(
        default=None,
        description="A list, or a CSV file of such columns; null: the postal codes of the network, all alike.",
    )
    places_file: str | None = Field(default=None, description="The same as its name at places.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return files_apart(value, "places")
