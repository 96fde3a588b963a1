"""Bid prices of a forecast: worked by hand on two nodes a continent apart, and their document's round trip.

From east, a unit to New York costs 500 cents, from west 900; to Los Angeles the other way round. Not to ship a unit
costs 5000.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from engine.availability.reference import Reference
from engine.bidding.document import BidPricesDocument
from engine.bidding.service import BidPriceService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.errors import InvalidInput, NotFound
from engine.forecasting.document import ForecastDocument, read_forecast_csv
from engine.forecasting.service import ForecastService
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import PositionCount, Supply
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.documents import MemoryDocumentStore
from engine.storage.leases import MemoryLeases

FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = dict.fromkeys(("east", "west"), FRIDAY.toordinal())
NEW_YORK, LOS_ANGELES = (40.7, -74.0), (34.0, -118.2)


def network() -> NetworkDocument:
    place = {"kind": "dc", "calendar": "daily", "time_zone": "America/New_York"}
    rates = [
        {"zone": "near", "max_weight_g": 50_000, "cost_cents": 500, "transit_days": 1},
        {"zone": "far", "max_weight_g": 50_000, "cost_cents": 900, "transit_days": 3},
    ]
    return NetworkDocument.model_validate(
        {
            "nodes": [
                {"node_id": "west", "latitude": 34.0, "longitude": -118.2, **place},
                {"node_id": "east", "latitude": 40.7, "longitude": -74.0, **place},
            ],
            "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
            "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
            "services": [
                {"service": "ground", "service_level": "standard", "rates": rates, "carrier": "a", "calendar": "daily"},
            ],
            "policy": {"backorder_cost_cents_per_unit": 5000},
        }
    )


class Shop:
    def __init__(self) -> None:
        self.clock = SettableClock(FRIDAY)
        self.documents = documents = MemoryDocumentStore()
        self.stock = MemoryInventoryStore(self.clock)
        self.networks, self.catalogs = NetworkService(documents), CatalogService(documents)
        self.prices = BidPriceService(documents)
        reference = Reference(documents, self.networks, self.catalogs)
        self.forecast = ForecastService(
            documents,
            reference,
            self.stock,
            self.prices,
            self.clock,
            timedelta(minutes=15),
            MemoryLeases(lambda: self.clock.now().timestamp()),
        )

    async def count(self, **units: int) -> None:
        await self.stock.put_positions(
            [PositionCount(node_id=node, sku="mug", on_hand=on_hand) for node, on_hand in units.items()]
        )

    async def expect(
        self, *rows: tuple[tuple[float, float], float], sku: str = "mug", first: int = 0, days: int = 7
    ) -> None:
        await self.forecast.put(forecast(*rows, sku=sku, first=first, days=days))

    async def made(self) -> dict[str, int]:
        document = (await self.forecast.make()).document
        return {f"{entry.node_id} {entry.sku}": entry.price_cents for entry in document.prices}


def forecast(*rows: tuple[tuple[float, float], float], sku: str, first: int, days: int) -> ForecastDocument:
    begin = FRIDAY.date() + timedelta(days=first)
    return ForecastDocument.model_validate(
        {
            "rows": [
                {
                    "sku": sku,
                    "quantity": quantity,
                    "first_on": begin,
                    "last_on": begin + timedelta(days=days - 1),
                    "latitude": place[0],
                    "longitude": place[1],
                }
                for place, quantity in rows
            ]
        }
    )


@pytest.fixture
async def shop() -> Shop:
    made = Shop()
    await made.networks.put(network())
    products = [{"sku": "mug", "weight_g": 400}, {"sku": "lid", "weight_g": 50}]
    kits = [{"sku": "set", "components": [{"sku": "mug", "quantity": 1}, {"sku": "lid", "quantity": 2}]}]
    await made.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": kits}))
    return made


async def test_with_enough_where_it_is_asked_for_nothing_has_a_price(shop: Shop) -> None:
    await shop.count(east=10, west=10)
    await shop.expect((NEW_YORK, 10), (LOS_ANGELES, 9.5))
    assert await shop.made() == {}


async def test_a_unit_where_it_is_needed_is_worth_what_bringing_it_from_afar_costs_more(shop: Shop) -> None:
    await shop.count(east=5, west=50)
    await shop.expect((NEW_YORK, 8))
    assert await shop.made() == {"east mug": 400}


async def test_where_all_runs_out_a_unit_is_worth_what_not_shipping_one_costs_more(shop: Shop) -> None:
    await shop.count(east=2, west=1)
    await shop.expect((NEW_YORK, 8))
    assert await shop.made() == {"east mug": 4500, "west mug": 4100}


async def test_units_that_come_before_the_demand_take_the_price_away(shop: Shop) -> None:
    await shop.count(east=2, west=0)
    await shop.expect((NEW_YORK, 8), first=21)
    assert await shop.made() == {"east mug": 4500, "west mug": 4100}
    soon = Supply(supply_id="po", node_id="east", sku="mug", quantity=10, expected_on=date(2026, 12, 1))
    await shop.stock.put_supplies([soon], today=TODAY)
    assert await shop.made() == {}


async def test_units_that_come_after_the_demand_change_nothing(shop: Shop) -> None:
    await shop.count(east=2, west=0)
    await shop.forecast.put(
        ForecastDocument(
            rows=(
                *forecast((NEW_YORK, 8), sku="mug", first=0, days=7).rows,
                *forecast((NEW_YORK, 1), sku="mug", first=28, days=7).rows,
            )
        )
    )
    late = Supply(supply_id="po", node_id="east", sku="mug", quantity=50, expected_on=date(2026, 12, 18))
    await shop.stock.put_supplies([late], today=TODAY)
    assert await shop.made() == {"east mug": 4500, "west mug": 4100}


async def test_only_what_is_still_to_come_counts(shop: Shop) -> None:
    await shop.count(east=5, west=50)
    await shop.expect((NEW_YORK, 10), days=10)
    assert await shop.made() == {"east mug": 400}
    shop.clock.advance(timedelta(days=5))
    assert await shop.made() == {}
    shop.clock.advance(timedelta(days=30))
    assert await shop.made() == {}


async def test_a_kit_is_expected_as_its_products(shop: Shop) -> None:
    await shop.count(east=5, west=50)
    await shop.expect((NEW_YORK, 8), sku="set")
    made = await shop.made()
    assert made["east mug"] == 400
    assert made["east lid"] == 4500


async def test_prices_are_published_with_a_version_and_come_back_as_they_were(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await shop.prices.current()
    await shop.count(east=5, west=50)
    await shop.expect((NEW_YORK, 8))
    made = await shop.forecast.make()
    found = await shop.prices.current()
    assert (made.version, found.version) == (1, 1)
    assert BidPricesDocument.model_validate_json(found.body) == made.document
    assert (found.cents("mug", "east"), found.cents("mug", "west"), found.cents("lid", "east")) == (400, 0, 0)
    assert found.forecast_version == 1
    assert found.made_at == FRIDAY
    again = await shop.forecast.make(publish=False)
    assert again.version is None
    assert (await shop.prices.current()).version == 1


async def test_prices_are_made_when_the_forecast_is_new_or_they_are_old_and_else_left(shop: Shop) -> None:
    assert not await shop.forecast.make_if_due()
    await shop.expect((NEW_YORK, 8))
    assert await shop.forecast.make_if_due()
    assert not await shop.forecast.make_if_due()
    shop.clock.advance(timedelta(minutes=15))
    assert await shop.forecast.make_if_due()
    await shop.expect((NEW_YORK, 9))
    assert await shop.forecast.make_if_due()
    assert (await shop.prices.current()).forecast_version == 2


async def test_a_forecast_of_what_nobody_knows_is_refused_with_every_fault(shop: Shop) -> None:
    document = ForecastDocument.model_validate(
        {
            "rows": [
                {"sku": "mgu", "quantity": 1, "first_on": "2026-11-20", "last_on": "2026-11-19", "country": "US"},
                {"sku": "mug", "quantity": 1, "first_on": "2026-11-20", "last_on": "2027-11-20",
                 "country": "US", "postal_code": "1"},
            ]
        }
    )  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        await shop.forecast.put(document)
    assert [fault.path for fault in refused.value.faults] == ["$.rows[0].last_on", "$.rows[0]", "$.rows[1].last_on"]
    with pytest.raises(InvalidInput) as refused:
        await shop.expect((NEW_YORK, 1), sku="mgu")
    assert [fault.path for fault in refused.value.faults] == ["$.rows[0].sku"]


def test_a_position_that_stands_twice_is_refused() -> None:
    from engine.bidding.document import check_bid_prices

    entry = {"node_id": "east", "sku": "mug", "price_cents": 3}
    document = BidPricesDocument.model_validate({"prices": [entry, {**entry, "sku": "lid"}, entry]})
    assert [fault.path for fault in check_bid_prices(document)] == ["$.prices[2]"]


def test_a_forecast_file_is_read_and_its_faults_have_file_line_and_column() -> None:
    head = "sku,quantity,first_on,last_on,latitude,longitude,country,postal_code\n"
    document = read_forecast_csv(
        head + "mug,1.5,2026-11-20,2026-11-27,40.7,-74,,\nmug,2,2026-11-20,2026-11-20,,,US,100\n", "f.csv"
    )
    assert [row.quantity for row in document.rows] == [1.5, 2]
    assert document.rows[1].postal_code == "100"
    with pytest.raises(InvalidInput) as refused:
        read_forecast_csv(
            head + "mug,-1,2026-11-20,2026-11-27,40.7,-74,,\nmug,1,20.11.,2026-11-27,40.7,-74,,\n", "f.csv"
        )
    assert [fault.path for fault in refused.value.faults] == ["f.csv:2:quantity", "f.csv:3:first_on"]
    with pytest.raises(InvalidInput, match="units"):
        read_forecast_csv("sku,units\nmug,1\n", "f.csv")


async def test_prices_of_many_skus_do_not_depend_on_how_they_are_divided(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = [{"sku": f"p{i:02}", "weight_g": 100} for i in range(30)]
    await shop.catalogs.put(CatalogDocument.model_validate({"products": products}))
    draw = np.random.default_rng(1)
    await shop.stock.put_positions(
        [
            PositionCount(node_id=node, sku=f"p{i:02}", on_hand=int(draw.integers(0, 6)))
            for i in range(30)
            for node in ("east", "west")
        ]
    )
    rows = [
        row
        for i in range(30)
        for place in (NEW_YORK, LOS_ANGELES)
        for row in forecast((place, float(draw.integers(1, 9))), sku=f"p{i:02}", first=0, days=3).rows
    ]
    await shop.forecast.put(ForecastDocument(rows=tuple(rows)))
    once = await shop.made()
    monkeypatch.setattr("engine.forecasting.expected.LINES_AT_ONCE", 5)
    assert await shop.made() == once
    assert len(once) > 20


async def turns_during(work: Awaitable[object]) -> int:
    """Return how many turns others had while something was done."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    other = asyncio.create_task(count())
    await asyncio.sleep(0)
    await work
    other.cancel()
    with suppress(asyncio.CancelledError):
        await other
    return turns


async def test_others_have_their_turns_while_many_prices_are_read() -> None:
    """Seeded bug: a document is checked, or read, where all requests are answered."""
    shop = Shop()
    entries = [{"node_id": "east", "sku": f"mug-{number}", "price_cents": 5} for number in range(50_000)]
    document = BidPricesDocument.model_validate({"prices": entries})
    assert await turns_during(shop.prices.put(document)) > 2
    others = BidPriceService(shop.documents)
    assert await turns_during(asyncio.gather(*(others.find() for _ in range(5)))) > 2
    assert (await shop.prices.current()).cents("mug-49999", "east") == 5


async def test_a_long_forecast_is_stored_and_read_as_it_was_put(shop: Shop) -> None:
    """It is written and read in pieces; names have quotes, brackets and commas where one ends."""
    names = [f'a"}},{{"b]{number}\\' for number in range(3_000)]
    products = [{"sku": name, "weight_g": 400} for name in names]
    await shop.catalogs.put(CatalogDocument.model_validate({"products": products}))
    row = {"first_on": date(2026, 12, 1), "last_on": date(2026, 12, 7), "latitude": 40.7, "longitude": -74.0}
    rows = [{**row, "sku": name, "quantity": 1 + number / 8} for number, name in enumerate(names)]
    document = ForecastDocument.model_validate({"rows": rows})
    await shop.forecast.put(document)
    found = await shop.forecast.current()
    assert ForecastDocument.model_validate_json(found.body) == document
    assert [(read.sku, read.quantity, read.last_on, read.country) for read in found.rows] == [
        (row.sku, row.quantity, row.last_on, None) for row in document.rows
    ]
    assert len(found.body) > 2**18
