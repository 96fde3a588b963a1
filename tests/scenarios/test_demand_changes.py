"""Changes of demand touch what they name, and leave every other order as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from demand_world import CATALOG, MONDAY, NETWORK, drawn_demand
from order_rows import described

from engine.errors import InvalidInput
from engine.scenarios.demand import DemandWithPool
from engine.scenarios.demand_changes import AddOrders, DemandChange, Region, ScaleDemand, changed_demand
from engine.scenarios.recorded import recorded_demand
from engine.scenarios.recorded_document import RecordedDocument

DAY = 86_400
PLACES = [
    {"country": "US", "postal_code": "10001", "share": 1},
    {"country": "US", "postal_code": "60601", "share": 1},
    {"latitude": 34.0, "longitude": -118.2, "share": 2},
]
CHICAGO = Region(country="US", postal_prefixes=("606", "607"))


def test_a_factor_of_one_and_a_half_has_half_of_the_orders_twice_and_the_others_as_they_were() -> None:
    before, after = orders_before_and_after(ScaleDemand(factor=1.5))
    assert {key: after[key] for key in before} == before
    added = [order for key, order in after.items() if key not in before]
    assert len(added) == pytest.approx(500, abs=4 * np.sqrt(250))
    kinds = {order[1:-1] + tuple(order[-1]) for order in before.values()}
    assert all(order[1:-1] + tuple(order[-1]) in kinds for order in added)


def test_a_factor_below_one_leaves_orders_out_and_changes_none() -> None:
    before, after = orders_before_and_after(ScaleDemand(factor=0.3))
    assert len(after) == pytest.approx(300, abs=4 * np.sqrt(210))
    assert after.items() <= before.items() or all(before[key] == order for key, order in after.items())
    assert not orders_before_and_after(ScaleDemand(factor=0))[1]


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.6), (0.6, 1), (1, 1.3), (1.3, 1.8), (1.8, 4.5)])
def test_a_higher_factor_has_all_orders_of_a_lower_one(low: float, high: float) -> None:
    fewer, more = (orders_before_and_after(ScaleDemand(factor=factor))[1] for factor in (low, high))
    assert len(more) > len(fewer)
    assert all(more[key] == order for key, order in fewer.items())


def test_a_region_is_scaled_alone() -> None:
    before, after = orders_before_and_after(ScaleDemand(factor=0, region=CHICAGO))
    assert after == {key: order for key, order in before.items() if order[3] != 1}
    around = Region(latitude=34.05, longitude=-118.25, radius_km=20)
    before, after = orders_before_and_after(ScaleDemand(factor=0, region=around))
    assert after == {key: order for key, order in before.items() if order[3] != -1}
    assert len(after) == pytest.approx(500, abs=70)


def test_days_and_channels_are_scaled_alone() -> None:
    late = ScaleDemand(factor=0, from_s=DAY // 2, to_s=DAY, channels=frozenset({"store"}))
    before, after = orders_before_and_after(late)
    assert after == {key: order for key, order in before.items() if order[0] < DAY // 2 or order[4] == 0}
    assert 0 < len(before) - len(after) < 500
    assert described(changed(late).orders(0, 1)) == described(changed().orders(0, 1))


def test_a_sku_is_scaled_alone_and_other_lines_of_its_orders_stay() -> None:
    before, none = orders_before_and_after(ScaleDemand(factor=0, skus=frozenset({"A"})))
    assert units(none, "A") == 0
    assert all(units(none, sku) == units(before, sku) > 0 for sku in "BCD")
    before, double = orders_before_and_after(ScaleDemand(factor=2, skus=frozenset({"A"})))
    assert units(double, "A") == 2 * units(before, "A")
    assert all(units(double, sku) == units(before, sku) for sku in "BCD")
    assert {key: double[key] for key in before} == before
    assert all([sku for sku, _ in order[-1]] == ["A"] for key, order in double.items() if key not in before)


def test_copies_stay_within_the_time_of_their_change() -> None:
    begin, end = DAY // 2 + 600, DAY // 2 + 900
    before, after = orders_before_and_after(ScaleDemand(factor=40, from_s=begin, to_s=end))
    added = [order[0] for key, order in after.items() if key not in before]
    assert len(added) == 39 * sum(begin <= order[0] < end for order in before.values()) > 0
    assert begin <= min(added) <= max(added) < end


def test_a_spike_adds_so_many_orders_over_its_time_like_those_there_are() -> None:
    spike = AddOrders(orders=300, from_s=DAY // 2, to_s=DAY * 2, skus=frozenset({"A", "D"}), region=CHICAGO)
    demand = changed(spike)
    added = []
    for day in range(3):
        before, after = (described(each.orders(0, day)) for each in (changed(), demand))
        assert {key: after[key] for key in before} == before
        added += [order for key, order in after.items() if key not in before]
    assert len(added) == 300
    assert all(DAY // 2 <= order[0] < 2 * DAY and order[3] == 1 for order in added)
    assert {sku for order in added for sku, _ in order[-1]} == {"A", "D"}
    share_of_first_day = sum(order[0] < DAY for order in added) / 300
    assert share_of_first_day == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 300))


def test_a_larger_spike_has_all_orders_of_a_smaller_one() -> None:
    small, large = (
        described(changed(AddOrders(orders=orders, from_s=0, to_s=DAY)).orders(0, 0)) for orders in (50, 80)
    )
    assert len(large) == len(small) + 30
    assert {key: large[key] for key in small} == small


def test_a_change_that_comes_first_leaves_the_orders_of_another_as_they_were() -> None:
    spike, scale = AddOrders(orders=50, from_s=0, to_s=DAY), ScaleDemand(factor=1.5, region=CHICAGO)
    other = ScaleDemand(factor=1.5, channels=frozenset({"store"}))
    alone, both = (described(changed(*changes).orders(0, 0)) for changes in ((spike, scale), (other, spike, scale)))
    assert {key: both[key] for key in alone} == alone
    assert len(both) > len(alone)


def test_two_changes_of_the_same_are_independent() -> None:
    after = described(changed(ScaleDemand(factor=0.5), ScaleDemand(factor=0.5)).orders(0, 0))
    assert len(after) == pytest.approx(250, abs=4 * np.sqrt(1000 * 0.25 * 0.75))


def test_draws_do_not_depend_on_the_seed_of_hashes() -> None:
    # A set of names has another order in each process; what a change is called must not follow it.
    script = (
        "from engine.scenarios.demand_changes import *\n"
        "from engine.scenarios.demand_changes import _named\n"
        "print(_named([ScaleDemand(factor=2, skus=frozenset(map(str, range(50))))])[0].cause)"
    )
    causes = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(causes) == 1


def test_recorded_orders_are_scaled_and_copies_have_names_of_their_own() -> None:
    listed = [
        {"order_id": f"o{n}", "placed_at": (f"{MONDAY}T10:00"), "latitude": 40, "longitude": -74, "lines": {"A": n}}
        for n in range(1, 6)
    ]
    later = {**listed[0], "order_id": "next", "placed_at": f"{MONDAY + timedelta(days=1)}T10:00", "lines": {"B": 1}}
    recorded = recorded_demand(
        RecordedDocument.model_validate({"orders": [*listed, later]}),
        starts_on=MONDAY,
        time_zone="America/New_York",
        network=NETWORK,
        catalog=CATALOG,
    )
    spike = AddOrders(orders=2, from_s=0, to_s=3600, skus=frozenset({"B"}))
    table = changed_demand(recorded, [ScaleDemand(factor=2), spike], 1).orders(0, 0)
    assert table.order_ids is not None
    assert sorted(table.order_ids) == [
        "+2.0",
        "+2.1",
        *sorted(f"o{n}{end}" for n in range(1, 6) for end in ("", "+1.0")),
    ]
    assert table.quantity[table.sku == 0].sum() == 2 * (1 + 2 + 3 + 4 + 5)
    assert table.quantity[table.sku == 1].sum() == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (ScaleDemand(factor=2, skus=frozenset({"AA"})), "$[0].skus: 'AA' is never ordered; did you mean 'A'?"),
        (
            ScaleDemand(factor=2, channels=frozenset({"shop"})),
            "$[0].channels: 'shop' is never ordered; use one of: store, web",
        ),
        (
            AddOrders(orders=1, from_s=0, to_s=9, region=Region(country="FR")),
            "$[0].orders: no order has such SKUs, channel and region to be added like it; name others",
        ),
    ],
)
def test_what_is_never_ordered_is_told(change: DemandChange, told: str) -> None:
    with pytest.raises(InvalidInput) as error:
        changed(change)
    assert str(error.value) == told


def changed(*changes: DemandChange) -> DemandWithPool:
    """Return a thousand orders a day with changes."""
    return changed_demand(drawn_demand(places=PLACES, channels={"web": 1, "store": 1}), changes, 5)


def orders_before_and_after(change: DemandChange) -> tuple[dict[int, tuple], dict[int, tuple]]:  # type: ignore[type-arg]
    """Return the orders of the first day without and with a change."""
    return described(changed().orders(0, 0)), described(changed(change).orders(0, 0))


def units(orders: dict[int, tuple], sku: str) -> int:  # type: ignore[type-arg]
    """Return how much of a SKU orders have together."""
    return sum(quantity for order in orders.values() for name, quantity in order[-1] if name == sku)
