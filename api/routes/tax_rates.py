"""The tax rates over HTTP: one document, put as a whole."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import tax_rates as wire
from engine.errors import NotFound
from engine.orders.paying.taxes import TaxTable

EXAMPLE = {
    "default_country": "DE",
    "countries": [
        {
            "country": "DE",
            "is_tax_included": True,
            "rates": [{"tax_code": "standard", "rate_ppm": 190000}, {"tax_code": "reduced", "rate_ppm": 70000}],
        },
        {
            "country": "US",
            "rates": [{"tax_code": "standard", "rate_ppm": 0}],
            "regions": [
                {
                    "region": "NY",
                    "postal_code_prefixes": ["100", "112"],
                    "rates": [{"tax_code": "standard", "rate_ppm": 88750}],
                }
            ],
        },
    ],
}


async def put_tax_rates(call: Call[TaxTable, NoQuery]) -> Answer:
    """Replaces the tax rates, for orders captured from now on; orders keep the tax that they were captured with.

    Of the regions of a country the one whose postal codes begin like the destination's counts, the longest first. A
    country that is not named is not taxed.
    """
    return Answer(value=wire.TaxRatesVersion(version=await call.engine.tax_rates.put(call.body)))


async def get_tax_rates(call: Call[None, NoQuery]) -> Answer:
    """The tax rates in force, and their version."""
    version, table = await call.engine.tax_rates.get()
    shown = wire.TaxRatesReply(
        version=version, countries=table.countries, default_country=table.default_country or None
    )
    return Answer(value=shown)


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/tax-rates",
        summary="Put the tax rates",
        handler=put_tax_rates,
        body=TaxTable,
        reply=wire.TaxRatesVersion,
        scope="tax-rates:write",
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/tax-rates",
        summary="Get the tax rates",
        handler=get_tax_rates,
        reply=wire.TaxRatesReply,
        scope="tax-rates:read",
        refusals=(NotFound,),
    ),
)
