"""Recorded orders and returns: in the scenario itself, from CSV and from JSON files."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from demand_world import CATALOG, MONDAY, NETWORK
from order_rows import described
from pydantic import ValidationError

from engine.errors import InvalidInput
from engine.faults import faults_of
from engine.scenarios.demand import RecordedDemand
from engine.scenarios.recorded import recorded_demand
from engine.scenarios.recorded_document import RecordedDocument

CSV = """\
order_id,placed_at,channel,latitude,longitude,country,postal_code,need_by,sku,quantity
o2,2026-11-24T09:30,store,,,US,60601,2026-11-27,B,2
o1,2026-11-23 08:00:05,web,40,-74,,,,A,1
o2,2026-11-24T09:30,store,,,US,60601,2026-11-27,A,3
"""
INLINE: list[dict[str, Any]] = [
    {"order_id": "o1", "placed_at": "2026-11-23T08:00:05", "latitude": 40, "longitude": -74, "lines": {"A": 1}},
    {
        "order_id": "o2",
        "placed_at": "2026-11-24T14:30:00+00:00",
        "channel": "store",
        "destination": {"country": "US", "postal_code": "60601"},
        "need_by": "2026-11-27",
        "lines": [{"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 2}],
        "service_level": "standard",
    },
]
RETURNS = [
    {"returned_at": "2026-11-25T10:00", "sku": "B", "quantity": 2},
    {"returned_at": "2026-11-23T10:00", "sku": "A", "quantity": 1},
]


def test_orders_are_the_same_from_csv_from_json_and_from_the_scenario_itself(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(CSV)
    (tmp_path / "orders.json.gz").write_bytes(gzip.compress(json.dumps({"orders": INLINE}).encode()))
    demands = [recorded(tmp_path, orders=source) for source in (INLINE, "orders.csv", "orders.json.gz")]
    assert described(demands[0].table) == described(demands[1].table) == described(demands[2].table)
    assert demands[1].inputs == {"orders.csv": hashlib.sha256(CSV.encode()).hexdigest()}
    first, second = demands[0].orders(3, 0), demands[0].orders(3, 1)
    assert (first.order_ids, second.order_ids) == (("o1",), ("o2",))
    assert first.placed_s.tolist() == [8 * 3600 + 5]
    assert second.placed_s.tolist() == [86_400 + 9 * 3600 + 1800]  # 14:30 UTC on the clock of New York
    assert second.need_by_days.tolist() == [3]
    assert (second.latitude.tolist(), second.longitude.tolist()) == ([41.9], [-87.6])
    assert second.postal_codes[second.place[0]] == ("US", "60601")
    assert len(demands[0].orders(0, 2)) == 0


def test_an_order_keeps_its_key_when_others_come_or_go() -> None:
    both, one = recorded(orders=INLINE), recorded(orders=INLINE[1:])
    assert one.table.key.tolist() == both.orders(0, 1).key.tolist()


def test_what_was_recorded_before_the_story_is_left_out_and_days_are_those_of_the_wall_clock() -> None:
    assert recorded(starts_on=date(2026, 11, 24), orders=INLINE).table.order_ids == ("o2",)
    # The clocks of New York went back on 2026-11-01: 09:00 is 9 hours into its day all the same.
    late = recorded(starts_on=date(2026, 10, 31), orders=[{**INLINE[0], "placed_at": "2026-11-02T09:00:00-05:00"}])
    assert late.table.placed_s.tolist() == [2 * 86_400 + 9 * 3600]


def test_orders_without_an_instant_are_spread_over_the_first_day() -> None:
    listed = [{"latitude": 40, "longitude": -74, "lines": {"A": 1}}] * 4
    assert recorded(orders=listed).table.placed_s.tolist() == [hour * 3600 for hour in (3, 9, 15, 21)]


def test_recorded_returns_come_by_day(tmp_path: Path) -> None:
    rows = "".join(f"{entry['returned_at']},{entry['sku']},{entry['quantity']}\n" for entry in RETURNS)
    (tmp_path / "returns.csv").write_text("returned_at,sku,quantity\n" + rows)
    for source in (RETURNS, "returns.csv"):
        demand = recorded(tmp_path, orders=INLINE, returns=source)
        by_day = [demand.returns(day) for day in range(3)]
        assert [
            None if found is None else [(found.skus[sku], units) for sku, units in zip(found.sku, found.quantity)]  # noqa: B905
            for found in by_day
        ] == [[("A", 1)], [], [("B", 2)]]
    assert recorded(orders=INLINE).returns(0) is None


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"lines": {"Z": 1}}, "$.orders[0]: SKU 'Z' is not in the catalog; use one of: A, AB, B, C, D"),
        (
            {"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 2}]},
            "$.orders[0]: 'A' stands twice in the order; make one line of it",
        ),
        ({"latitude": None}, "$.orders[0]: has no place; give latitude and longitude, or country and postal_code"),
        ({"need_by": "2026-11-22"}, "$.orders[0]: need_by 2026-11-22 is before the day of the order"),
    ],
)
def test_what_is_wrong_with_a_recorded_order_is_told(entry: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as error:
        recorded(orders=[INLINE[0] | entry])
    assert str(error.value) == told


def test_faults_of_the_shape_name_their_place_in_the_list() -> None:
    wrong = {"orders": [{"placed_at": "2026-11-23", "lines": {"A": 0}, "chanel": "web"}], "returns": [{"sku": "A"}]}
    with pytest.raises(ValidationError) as error:
        RecordedDocument.model_validate(wrong)
    assert {fault.path for fault in faults_of(error.value, RecordedDocument)} == {
        "$.orders[0].placed_at",
        "$.orders[0].lines[0].quantity",
        "$.orders[0].chanel",
        "$.returns[0].returned_at",
        "$.returns[0].quantity",
    }


@pytest.mark.parametrize(
    ("replaced", "by", "told"),
    [
        (
            "o1,2026-11-23 08:00:05",
            "o1,2026-11-23",
            "orders.csv:3:placed_at: '2026-11-23' is not valid; give an instant as",
        ),
        ("2026-11-27,A,3", "2026-11-28,A,3", "orders.csv:4:need_by: differs from line 2 of the same order"),
        ("store,,,US,60601,2026-11-27,A", "web,,,US,60601,2026-11-27,A", "orders.csv:4:channel: differs from line 2"),
        (",B,2", ",B,0", "orders.csv:2:quantity: '0' is not valid; give a whole number from 1"),
        ("A,1", "Z,1", "orders.csv:3: SKU 'Z' is not in the catalog"),
    ],
)
def test_faults_of_a_file_name_line_and_column(tmp_path: Path, replaced: str, by: str, told: str) -> None:
    (tmp_path / "orders.csv").write_text(CSV.replace(replaced, by))
    with pytest.raises(InvalidInput) as error:
        recorded(tmp_path, orders="orders.csv")
    assert str(error.value).startswith(told)


def recorded(folder: Path = Path(), starts_on: date = MONDAY, **document: Any) -> RecordedDemand:
    """Return recorded demand in New York."""
    return recorded_demand(
        RecordedDocument.model_validate(document),
        folder=folder,
        starts_on=starts_on,
        time_zone="America/New_York",
        network=NETWORK,
        catalog=CATALOG,
    )
