"""Cut-offs, time zones, calendars and transit, each by a case that can be checked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.network.days import NEVER, NetworkDays, build_calendars
from engine.network.document import NetworkDocument
from engine.network.model import compile_network
from solvers.promise_dates import transit

NEW_YORK = ZoneInfo("America/New_York")


def days_of(document: dict[str, Any]) -> NetworkDays:
    return NetworkDays(compile_network(NetworkDocument.model_validate(document), 1))


def ready(document: dict[str, Any], now: datetime, node: int = 0, service: int = 0) -> date:
    return date.fromordinal(int(days_of(document).at(now).ready[service, node]))


def at(text: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def test_an_order_before_the_cut_off_is_ready_the_same_day(document: dict[str, Any]) -> None:
    assert ready(document, at("2026-03-04T14:59:59")) == date(2026, 3, 4)


def test_an_order_at_the_cut_off_is_the_next_days(document: dict[str, Any]) -> None:
    assert ready(document, at("2026-03-04T15:00:00")) == date(2026, 3, 5)


def test_after_fridays_cut_off_comes_monday(document: dict[str, Any]) -> None:
    assert ready(document, at("2026-03-06T15:00:00")) == date(2026, 3, 9)


def test_a_day_off_has_no_cut_off(document: dict[str, Any]) -> None:
    assert ready(document, at("2026-03-07T16:00:00")) == date(2026, 3, 9)
    assert ready(document, at("2026-03-08T23:00:00")) == date(2026, 3, 9)


def test_public_holidays_of_the_country_are_days_off(document: dict[str, Any]) -> None:
    assert ready(document, at("2026-12-25T09:00:00")) == date(2026, 12, 28)


def test_named_holidays_and_closures_are_days_off(document: dict[str, Any]) -> None:
    document["calendars"][0] |= {
        "holidays": ["2026-03-04"],
        "closures": [{"from": "2026-03-05", "to": "2026-03-10"}],
    }
    assert ready(document, at("2026-03-04T09:00:00")) == date(2026, 3, 11)


def test_regional_holidays_count_only_in_their_region(document: dict[str, Any]) -> None:
    epiphany = at("2026-01-06T09:00:00", ZoneInfo("Europe/Berlin"))
    document["nodes"][0]["time_zone"] = "Europe/Berlin"
    document["calendars"][0] |= {"country": "DE", "region": "BY"}
    assert ready(document, epiphany) == date(2026, 1, 7)
    document["calendars"][0]["region"] = "HH"
    assert ready(document, epiphany) == date(2026, 1, 6)


def test_processing_takes_whole_working_days(document: dict[str, Any]) -> None:
    document["nodes"][0]["processing_days"] = 2
    assert ready(document, at("2026-03-05T09:00:00")) == date(2026, 3, 9)


def test_the_node_lives_in_its_own_time_zone(document: dict[str, Any]) -> None:
    document["nodes"][0]["time_zone"] = "Asia/Tokyo"
    late_tuesday_utc = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    assert ready(document, late_tuesday_utc) == date(2026, 3, 4)
    assert days_of(document).at(late_tuesday_utc).by_node["dc-east"] == date(2026, 3, 4).toordinal()


def test_the_cut_off_follows_daylight_saving(document: dict[str, Any]) -> None:
    document["nodes"][0]["calendar"] = "daily"
    winter, summer = datetime(2026, 3, 7, 19, 30, tzinfo=UTC), datetime(2026, 3, 8, 19, 30, tzinfo=UTC)
    assert ready(document, winter) == date(2026, 3, 7)  # 14:30 in New York
    assert ready(document, summer) == date(2026, 3, 9)  # 15:30: the clocks went forward at night


def test_a_cut_off_the_clocks_jump_over_passes_with_the_jump(document: dict[str, Any]) -> None:
    document["nodes"][0] |= {"calendar": "daily", "cut_off": "02:30"}
    assert ready(document, datetime(2026, 3, 8, 6, 59, tzinfo=UTC)) == date(2026, 3, 8)  # 01:59
    assert ready(document, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)) == date(2026, 3, 9)  # 03:00


def test_a_cut_off_that_comes_twice_passes_the_first_time(document: dict[str, Any]) -> None:
    document["nodes"][0] |= {"calendar": "daily", "cut_off": "01:30"}
    assert ready(document, at("2026-11-01T01:29:00")) == date(2026, 11, 1)
    assert ready(document, at("2026-11-01T01:30:00")) == date(2026, 11, 2)
    assert ready(document, at("2026-11-01T01:10:00", fold=1)) == date(2026, 11, 2)


def test_a_services_earlier_pick_up_delays_only_its_own_parcels(document: dict[str, Any]) -> None:
    air = {
        **document["services"][0],
        "service": "air",
        "service_level": "next_day",
        "cut_off": "11:00",
        "calendar": "daily",
    }
    document["services"].append(air)
    assert ready(document, at("2026-03-04T12:00:00"), service=0) == date(2026, 3, 4)
    assert ready(document, at("2026-03-04T12:00:00"), service=1) == date(2026, 3, 5)
    document["nodes"][0]["processing_days"] = 1
    assert ready(document, at("2026-03-04T12:00:00"), service=1) == date(2026, 3, 5)


def test_the_hand_over_waits_for_a_day_both_work(document: dict[str, Any]) -> None:
    document["nodes"][0]["calendar"] = "daily"
    today = days_of(document).at(at("2026-03-07T09:00:00"))
    tables = today.calendars
    common = tables.common[tables.pair[0, 0], today.ready[0, 0] - tables.first_day]
    assert date.fromordinal(int(common)) == date(2026, 3, 9)


def test_closures_of_a_node_are_its_own(document: dict[str, Any]) -> None:
    document["nodes"][1] |= {"calendar": "weekdays", "time_zone": "America/New_York", "processing_days": 0}
    document["nodes"][0]["closures"] = [{"from": "2026-03-04", "to": "2026-03-05"}]
    morning = at("2026-03-04T09:00:00")
    assert ready(document, morning, node=0) == date(2026, 3, 6)
    assert ready(document, morning, node=1) == date(2026, 3, 4)


def test_nodes_with_the_same_closures_share_a_calendar(document: dict[str, Any]) -> None:
    for node in document["nodes"]:
        node |= {"calendar": "daily", "closures": [{"from": "2026-03-04", "to": "2026-03-05"}]}
    network = days_of(document).network
    assert len(network.calendars) == len(document["calendars"]) + 1
    assert network.calendar_of_node.tolist() == [2, 2]


def hand_over(document: dict[str, Any], now: datetime, node: int = 0, service: int = 0) -> date:
    today = days_of(document).at(now)
    return date.fromordinal(int(today.calendars.hand_over(today.ready)[service, node]))


def test_a_service_that_comes_on_some_days_is_waited_for(document: dict[str, Any]) -> None:
    """Wednesday 4 March: it comes on Mondays and Fridays, and the Friday after is closed."""
    document["nodes"][0]["pick_ups"] = [{"service": "ground", "days": ["mon", "fri"]}]
    assert hand_over(document, at("2026-03-04T09:00:00")) == date(2026, 3, 6)
    document["nodes"][0]["closures"] = [{"from": "2026-03-06", "to": "2026-03-06"}]
    assert hand_over(document, at("2026-03-04T09:00:00")) == date(2026, 3, 9)


def test_a_pick_up_time_at_a_node_stands_for_that_of_the_service(document: dict[str, Any]) -> None:
    document["nodes"][1] |= {"calendar": "weekdays", "time_zone": "America/New_York", "processing_days": 0}
    document["services"][0]["cut_off"] = "10:00"
    document["nodes"][0]["pick_ups"] = [{"service": "ground", "cut_off": "13:00"}]
    noon = at("2026-03-04T12:00:00")
    assert ready(document, noon, node=0) == date(2026, 3, 4)
    assert ready(document, noon, node=1) == date(2026, 3, 5)
    assert ready(document, at("2026-03-04T13:00:00"), node=0) == date(2026, 3, 5)


def test_ordinary_days_know_weekdays_only(document: dict[str, Any]) -> None:
    """Christmas 2026 is a Friday: without it the order would leave at once."""
    today = days_of(document).at(at("2026-12-25T09:00:00"))
    assert date.fromordinal(int(today.calendars.hand_over(today.ready)[0, 0])) == date(2026, 12, 28)
    assert date.fromordinal(int(today.ordinary[0, 0])) == date(2026, 12, 25)


@pytest.mark.parametrize(
    ("handed_over", "transit_days", "expected"),
    [
        ("2026-03-04", 0, "2026-03-04"),
        ("2026-03-04", 2, "2026-03-06"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-06", 6, "2026-03-16"),
        ("2026-03-07", 0, "2026-03-09"),  # the destination is a day ahead: Saturday there
        ("2026-03-07", 1, "2026-03-09"),
    ],
)
def test_transit_counts_the_carriers_operating_days(
    document: dict[str, Any], handed_over: str, transit_days: int, expected: str
) -> None:
    today = days_of(document).at(at("2026-03-02T09:00:00"))
    tables, day = today.calendars, date.fromisoformat(handed_over).toordinal()
    day = transit(tables.first_day, tables.before, tables.nth, 0, day, transit_days)
    assert date.fromordinal(int(day)) == date.fromisoformat(expected)


def test_what_lies_beyond_the_horizon_is_never(document: dict[str, Any]) -> None:
    document["calendars"][1]["closures"] = [{"from": "2026-01-01", "to": "2030-01-01"}]
    today = days_of(document).at(at("2026-03-04T09:00:00"))
    assert today.ready[0, 1] == NEVER


def test_a_minute_is_computed_once_and_calendars_outlive_it(document: dict[str, Any]) -> None:
    days = days_of(document)
    first = days.at(at("2026-03-04T09:00:00"))
    assert days.at(at("2026-03-04T09:00:59")) is first
    later = days.at(at("2026-03-04T09:01:00"))
    assert later is not first
    assert later.calendars is first.calendars
    assert days.at(at("2026-06-01T09:00:00")).calendars is not first.calendars


def test_a_minute_to_come_with_newer_calendars_leaves_the_older_ones_to_those_before(document: dict[str, Any]) -> None:
    """Seeded bug: calendars of the last minute made only, so that each of the next is given calendars of its own."""
    days = days_of(document)
    midnight = datetime(2026, 3, 18, tzinfo=UTC)
    days.at(midnight - timedelta(days=14))
    before = days.at(midnight - timedelta(minutes=2)).calendars
    after = days.at(midnight + timedelta(minutes=13)).calendars
    assert after.first_day > before.first_day
    assert days.at(midnight - timedelta(minutes=1)).calendars is before
    assert days.at(midnight + timedelta(minutes=14)).calendars is after


def test_days_do_not_depend_on_where_the_tables_start(document: dict[str, Any]) -> None:
    days = days_of(document)
    days.at(at("2026-03-04T09:00:00"))
    rolled = days.at(at("2026-03-16T16:00:00"))
    fresh = days_of(document).at(at("2026-03-16T16:00:00"))
    assert rolled.ready.tolist() == fresh.ready.tolist()
    assert rolled.calendars.first_day != fresh.calendars.first_day


def test_weekdays_fall_on_the_right_dates(document: dict[str, Any]) -> None:
    network = compile_network(NetworkDocument.model_validate(document), 1)
    monday = date(2026, 3, 2).toordinal()
    assert build_calendars(network, monday).works[0, :8].tolist() == [True] * 5 + [False] * 2 + [True]


def test_a_destination_across_the_date_line_shifts_the_day(document: dict[str, Any]) -> None:
    document["nodes"][0]["time_zone"] = "Asia/Tokyo"
    days = days_of(document)
    now = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
    assert days.shift_to(None, now).tolist() == [0, 0]
    assert days.shift_to(ZoneInfo("America/Los_Angeles"), now).tolist() == [-1, 0]
    assert days.shift_to(ZoneInfo("Asia/Tokyo"), now).tolist() == [0, 1]


def test_what_is_computed_while_the_minute_changes_stays_with_its_own_minute(document: dict[str, Any]) -> None:
    """Catches shifts kept beside the minute: a thread that is still at the last one puts its own into the next."""
    document["nodes"][0].update(time_zone="Asia/Tokyo", cut_off="16:30")
    days = days_of(document)
    early, late = datetime(2026, 3, 8, 14, 59, tzinfo=UTC), datetime(2026, 3, 8, 15, 0, tzinfo=UTC)

    class AskedMeanwhile(ZoneInfo):
        def fromutc(self, when: datetime) -> datetime:
            days.at(late)
            return super().fromutc(when)

    assert days.shift_to(AskedMeanwhile("America/Los_Angeles"), early)[0] == -1
    assert days.shift_to(ZoneInfo("America/Los_Angeles"), late)[0] == 0  # clocks have gone forward there
