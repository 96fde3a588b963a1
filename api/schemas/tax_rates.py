"""The wire form of the tax rates: the table with its version."""

from __future__ import annotations

from api.schemas.fields import Reply
from engine.orders.paying.taxes import TaxCountry


class TaxRatesVersion(Reply, frozen=True, kw_only=True):
    """The version that a put has made, counted from 1."""

    version: int


class TaxRatesReply(Reply, frozen=True, kw_only=True):
    """The tax rates in force."""

    version: int
    countries: tuple[TaxCountry, ...]
    default_country: str | None
