"""Documents take the kinds of value that their schemas name and no others: `false` is no number, and 0 is no day."""

from __future__ import annotations

import pytest

from api.routes.bid_prices import EXAMPLE as PRICES
from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.lead_times import EXAMPLE as LEARNED
from api.routes.network import EXAMPLE as NETWORK
from api.routes.policies import EXAMPLE as POLICY

PRODUCT = CATALOG["products"][0]


@pytest.mark.parametrize(
    ("path", "document", "place"),
    [
        ("/v1/network", {**NETWORK, "policy": {**NETWORK["policy"], "min_acceptance": False}}, "policy.min_acceptance"),
        ("/v1/catalog", {**CATALOG, "products": [{**PRODUCT, "ship_alone": 0}]}, "products[0].ship_alone"),
        ("/v1/catalog", {**CATALOG, "products": [{**PRODUCT, "launch_on": "2026-02-30"}]}, "products[0].launch_on"),
        ("/v1/lead-times", {**LEARNED, "center_days": True}, "center_days"),
        ("/v1/lead-times", {**LEARNED, "half_life_days": "30"}, "half_life_days"),
        ("/v1/bid-prices", {**PRICES, "forecast_version": False}, "forecast_version"),
        ("/v1/bid-prices", {**PRICES, "made_at": 0}, "made_at"),
        ("/v1/policies/peak", {**POLICY, "handling_weight": False}, "handling_weight"),
    ],
)
async def test_a_value_of_another_kind_is_refused_and_named(http, path, document, place):
    answer = await http.put(path, json=document)
    assert answer.status_code == 400, answer.text
    assert [error["path"] for error in answer.json()["errors"]] == [f"$.{place}"]
