"""The tax table: which share of a price is tax, by country, region and tax code.

A document of the store (`PUT /v1/tax-rates`). A region is named by the postal codes that begin as it says; of several
the longest beginning counts. Where a country is not named, nothing is taxed. Not here: prices (pricing.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.errors import Fault
from engine.faults import nearest
from engine.orders.destination import Destination

STANDARD = "standard"
"""The tax code of a line that names none."""
PPM = 10**6
_Code = Annotated[str, Meta(min_length=1, max_length=64)]
_Country = Annotated[str, Meta(pattern="^[A-Z]{2}(?![\\s\\S])", description="two capital letters of ISO 3166: US")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of the table; a key that is not known is an error."""


class TaxRate(_Part, frozen=True, kw_only=True):
    """The tax on what has a tax code, in millionths of the price: 190000 is 19 %, 88750 is 8.875 %."""

    tax_code: _Code
    rate_ppm: Annotated[int, Meta(ge=0, le=PPM, description="millionths of the price: 190000 is 19 %")]


class TaxRegion(_Part, frozen=True, kw_only=True):
    """A part of a country with rates of its own, in place of the country's for the same codes."""

    region: _Code
    postal_code_prefixes: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=16)], ...], Meta(min_length=1, max_length=1000)
    ]
    rates: Annotated[tuple[TaxRate, ...], Meta(min_length=1, max_length=100)]


class TaxCountry(_Part, frozen=True, kw_only=True):
    """The rates of a country; where tax is included, prices already hold it."""

    country: _Country
    rates: Annotated[tuple[TaxRate, ...], Meta(min_length=1, max_length=100)]
    is_tax_included: bool = False
    shipping_tax_code: _Code = STANDARD
    regions: Annotated[tuple[TaxRegion, ...], Meta(max_length=1000)] = ()


class TaxTable(_Part, frozen=True, kw_only=True):
    """The whole table; an order whose destination names no country is taxed as of the `default_country`."""

    countries: Annotated[tuple[TaxCountry, ...], Meta(max_length=250)]
    default_country: Annotated[str, Meta(max_length=2)] = ""


class LocalTaxes:
    """The rates that hold at one destination; `rates` are millionths by tax code."""

    def __init__(self, country: TaxCountry, region: TaxRegion | None) -> None:
        self.is_included, self.shipping_code = country.is_tax_included, country.shipping_tax_code
        self.place = country.country if region is None else f"{country.country}, region {region.region}"
        self.rates = {rate.tax_code: rate.rate_ppm for rate in country.rates}
        if region is not None:
            self.rates.update({rate.tax_code: rate.rate_ppm for rate in region.rates})

    def tax_cents(self, amount_cents: int, tax_code: str) -> int:
        """Return the tax on an amount, half a cent rounded up: a part of it if it is included, else what is added.

        Raises KeyError for a code without a rate.
        """
        rate = self.rates[tax_code]
        return rounded(amount_cents * rate, PPM + rate if self.is_included else PPM)


class Taxes:
    """A table made ready to look things up in."""

    def __init__(self, table: TaxTable) -> None:
        self._default = table.default_country
        self._countries = {
            each.country: (each, {prefix: region for region in each.regions for prefix in region.postal_code_prefixes})
            for each in table.countries
        }

    def at(self, destination: Destination) -> LocalTaxes | None:
        """Return the rates at a destination, None where nothing is taxed."""
        found = self._countries.get(destination.country or self._default)
        if found is None:
            return None
        country, regions = found
        code = destination.postal_code or ""
        region = next((regions[code[:end]] for end in range(len(code), 0, -1) if code[:end] in regions), None)
        return LocalTaxes(country, region)


def rounded(numerator: int, denominator: int) -> int:
    """Return a quotient of whole numbers ≥ 0 as a whole number, a half rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def tax_faults(table: TaxTable) -> list[Fault]:
    """Return everything in a table that contradicts itself."""
    faults = [*_repeated("$.countries", "country", [each.country for each in table.countries])]
    for index, country in enumerate(table.countries):
        faults += _country_faults(f"$.countries[{index}]", country)
    known = {each.country for each in table.countries}
    if table.default_country and table.default_country not in known:
        message = f"{table.default_country!r} is no country of the table; {nearest(table.default_country, known)}"
        faults.append(Fault(path="$.default_country", message=message))
    return faults


def _country_faults(path: str, country: TaxCountry) -> Iterator[Fault]:
    codes = [rate.tax_code for rate in country.rates]
    yield from _repeated(f"{path}.rates", "tax_code", codes)
    if country.shipping_tax_code not in codes:
        message = f"{country.shipping_tax_code!r} has no rate here; {nearest(country.shipping_tax_code, codes)}"
        yield Fault(path=f"{path}.shipping_tax_code", message=message)
    yield from _repeated(f"{path}.regions", "region", [each.region for each in country.regions])
    first_with: dict[str, str] = {}
    for index, region in enumerate(country.regions):
        place = f"{path}.regions[{index}]"
        yield from _repeated(f"{place}.rates", "tax_code", [rate.tax_code for rate in region.rates])
        for number, prefix in enumerate(region.postal_code_prefixes):
            at = f"{place}.postal_code_prefixes[{number}]"
            if (first := first_with.setdefault(prefix, at)) != at:
                yield Fault(path=at, message=f"{prefix!r} repeats {first}; give each beginning to one region")


def _repeated(path: str, name: str, values: Sequence[str]) -> Iterator[Fault]:
    first_with: dict[str, int] = {}
    for index, value in enumerate(values):
        if (first := first_with.setdefault(value, index)) != index:
            message = f"{value!r} repeats {path}[{first}].{name}; give each once"
            yield Fault(path=f"{path}[{index}].{name}", message=message)
