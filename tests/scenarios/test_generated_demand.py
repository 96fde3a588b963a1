"""Orders drawn from patterns: by key, in the shares that the patterns say."""

from __future__ import annotations

import numpy as np
import pytest
from demand_world import CATALOG, MONDAY, NETWORK, drawn_demand
from order_rows import described

from engine.errors import InvalidInput
from engine.scenarios.demand import generated_demand
from engine.scenarios.order_tables import order_of_line
from engine.scenarios.patterns import PatternsDocument

RICH = {
    "products": {"A": 5, "B": 3, "C": 2, "D": 1, "AB": 0},
    "lines": {1: 0.5, 2: 0.3, 4: 0.2},
    "quantities": {1: 0.8, 3: 0.2},
    "channels": {"web": 3, "store": 1},
    "need_by_days": {2: 0.25},
    "places": [
        {"country": "US", "postal_code": "10001", "share": 2},
        {"latitude": 34.0, "longitude": -118.2, "share": 1, "spread_km": 50},
    ],
    "hours": [0] * 8 + [1, 3] + [0] * 14,
}


def test_with_more_orders_a_day_those_there_were_stay_as_they_are() -> None:
    few = described(drawn_demand(orders_per_day=200, **RICH).orders(0, 3))
    many = described(drawn_demand(orders_per_day=300, **RICH).orders(0, 3))
    assert len(few) == 200
    assert len(many) == 300
    assert few == {key: many[key] for key in few}


def test_days_are_the_same_in_whatever_order_they_are_drawn() -> None:
    demand, again = drawn_demand(**RICH), drawn_demand(**RICH)
    days = [described(demand.orders(1, day)) for day in (0, 1, 2)]
    assert days == [described(again.orders(1, day)) for day in (2, 1, 0)][::-1]
    assert days[0] != described(demand.orders(0, 0))
    assert days[0] != described(drawn_demand(seed=6, **RICH).orders(1, 0))
    assert not days[0].keys() & days[1].keys()


def test_orders_come_in_the_shares_of_the_patterns() -> None:
    table = drawn_demand(orders_per_day=20_000, **RICH).orders(0, 2)
    share_near(table.place == 0, 2 / 3)
    share_near(table.channel == 0, 3 / 4)
    share_near(table.need_by_days == 2, 1 / 4)
    assert set(table.need_by_days.tolist()) == {2, -1}
    share_near(table.placed_s % 86_400 // 3600 == 9, 3 / 4)
    assert set((table.placed_s // 3600).tolist()) == {2 * 24 + 8, 2 * 24 + 9}
    lines = np.diff(table.first_line)
    share_near(lines == 1, 0.5)
    share_near(lines == 2, 0.3)
    single = table.sku[np.flatnonzero(np.repeat(lines, lines) == 1)]
    share_near(single == 0, 5 / 11)
    share_near(single == 2, 2 / 11)
    assert 4 not in table.sku  # a share of 0
    share_near(table.quantity[table.sku == 0] == 3, 0.2)
    assert set(table.quantity[table.sku == 2].tolist()) == {4}  # the product's least quantity


def test_no_order_has_a_sku_twice_and_instants_do_not_fall() -> None:
    table = drawn_demand(**RICH).orders(0, 0)
    pairs = order_of_line(table) * 10 + table.sku
    assert len(np.unique(pairs)) == len(pairs)
    assert (np.diff(table.placed_s) >= 0).all()
    assert table.skus == ("A", "B", "C", "D", "AB")


def test_places_are_where_their_postal_code_is_or_spread_around_their_coordinates() -> None:
    table = drawn_demand(orders_per_day=5000, **RICH).orders(0, 0)
    coded = table.place == 0
    assert table.postal_codes == (("US", "10001"),)
    assert set(zip(table.latitude[coded].tolist(), table.longitude[coded].tolist(), strict=True)) == {(40.7, -74.0)}
    north_km = (table.latitude[~coded] - 34.0) * 111.2
    east_km = (table.longitude[~coded] + 118.2) * 111.2 * np.cos(np.radians(34.0))
    for away_km in (north_km, east_km):
        assert away_km.mean() == pytest.approx(0, abs=4 * 50 / np.sqrt(len(away_km)))
        assert away_km.std() == pytest.approx(50, rel=0.06)


def test_exact_counts_follow_the_weekdays() -> None:
    demand = drawn_demand(orders_per_day=10, weekdays={"tue": 1.5, "sun": 0})
    assert [len(demand.orders(0, day)) for day in range(8)] == [10, 15, 10, 10, 10, 10, 0, 10]


def test_counts_vary_as_poisson_and_more_with_a_variation() -> None:
    plain = drawn_demand(orders_per_day=100, counts="poisson")
    varied = drawn_demand(orders_per_day=100, counts="poisson", variation=0.3)
    for demand, variance in ((plain, 100), (varied, 100 + 100**2 * (np.exp(0.3**2) - 1))):
        counts = np.array([demand.count(0, day) for day in range(2000)])
        assert counts.mean() == pytest.approx(100, abs=4 * np.sqrt(variance / 2000))
        assert counts.var() == pytest.approx(variance, rel=0.2)


def test_a_higher_mean_never_means_fewer_orders() -> None:
    fewer, more = (drawn_demand(orders_per_day=mean, counts="poisson") for mean in (3, 4))
    assert all(fewer.count(0, day) <= more.count(0, day) for day in range(500))
    assert drawn_demand(orders_per_day=0, counts="poisson").count(0, 0) == 0


def test_neighbours_are_bought_together() -> None:
    catalog = CATALOG.model_validate({"products": [{"sku": f"{n:03d}", "weight_g": 1} for n in range(100)]})
    patterns = {"orders_per_day": 4000, "counts": "exact", "popularity": 0, "lines": {2: 1}, "theme_skus": 10}
    for share in (0.0, 0.6):
        document = PatternsDocument.model_validate(patterns | {"together": share})
        demand = generated_demand(document, seed=1, starts_on=MONDAY, network=NETWORK, catalog=catalog)
        theme = demand.orders(0, 0).sku.reshape(-1, 2) // 10
        # A further line is another SKU: 9 of the 99 others are neighbours by chance.
        assert (theme[:, 0] == theme[:, 1]).mean() == pytest.approx(share + (1 - share) * 9 / 99, abs=0.03)


def test_without_a_list_products_have_ranks_that_do_not_depend_on_the_order_of_the_catalog() -> None:
    names = [f"S{n}" for n in range(50)]
    shares = []
    for listed in (names, names[::-1]):
        catalog = CATALOG.model_validate({"products": [{"sku": sku, "weight_g": 1} for sku in listed]})
        document = PatternsDocument(orders_per_day=1)
        demand = generated_demand(document, seed=1, starts_on=MONDAY, network=NETWORK, catalog=catalog)
        shares.append(dict(zip(demand.skus, np.diff(demand.patterns.sku_edges).round(9).tolist(), strict=True)))
    assert shares[0] == shares[1]
    ranked = sorted(shares[0].values(), reverse=True)
    assert ranked[9] / ranked[0] == pytest.approx(10**-0.9, rel=1e-6)


def test_what_is_not_in_the_catalog_or_the_network_is_told() -> None:
    with pytest.raises(InvalidInput) as told:
        drawn_demand(products={"A": 1, "Aa": 1}, places=[{"share": 1}, {"country": "US", "postal_code": "99999"}])
    assert [(fault.path, fault.message) for fault in told.value.faults] == [
        ("$.products.Aa", "'Aa' is not in the catalog; did you mean 'A'?"),
        ("$.places[0]", "has no place; give latitude and longitude, or country and postal_code"),
        ("$.places[1]", "US '99999' is not in the network; give latitude and longitude"),
    ]


def share_near(flags: np.ndarray, share: float) -> None:
    """Assert that a share is within four standard deviations of what it should be."""
    assert flags.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(flags)))
