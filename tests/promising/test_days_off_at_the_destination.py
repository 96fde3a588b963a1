"""Nothing is promised for a day on which nobody delivers there: golden cases, each worked by hand.

The world is that of conftest.py, with destinations in Germany: Corpus Christi, Thursday 4 June 2026, is a public
holiday in Bavaria (postal codes 80 to 87 and others) and not in Berlin. `ground` takes two days, `air` one, on all
seven days of the week, unless the case says otherwise. It is noon of Tuesday 2 June at the nodes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from engine.network.document import NetworkDocument
from engine.promising.model import Destination

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
GROUND = {"service_levels": ("standard",)}
MUNICH = Destination(latitude=40.0, longitude=-75.0, country="DE", postal_code="80331")
BERLIN = Destination(latitude=40.0, longitude=-75.0, country="DE", postal_code="10115")
SOMEWHERE = Destination(latitude=40.0, longitude=-75.0)
JUNE = [date(2026, 6, day) for day in range(1, 31)]


def june(day: int) -> date:
    return JUNE[day - 1]


@pytest_asyncio.fixture
async def germany(world: Any, network: Any) -> Any:
    network["calendars"] += [
        {"calendar": "de-by", "working_days": EVERY_DAY, "country": "DE", "region": "BY"},
        {"calendar": "de-be", "working_days": EVERY_DAY, "country": "DE", "region": "BE"},
    ]
    network["delivery_areas"] = [
        {"country": "DE", "postal_prefixes": ["80", "81"], "calendar": "de-by"},
        {"country": "DE", "postal_prefixes": ["10"], "calendar": "de-be"},
    ]
    await world.put_network(network)
    await world.stock(("a", "cup", 9))
    world.clock.advance(datetime(2026, 6, 2, 16, tzinfo=UTC) - world.clock.now())
    return world


async def promised(world: Any, to: Destination, **more: Any) -> date:
    (option,) = (await world.promise(("cup", 1), to=to, **(GROUND | more))).options
    return option.promised_on


async def test_a_holiday_of_a_region_moves_the_date_there(germany: Any) -> None:
    """Tuesday and two days are Thursday the 4th; in Munich that is Corpus Christi."""
    assert await promised(germany, BERLIN) == june(4)
    assert await promised(germany, MUNICH) == june(5)
    assert await promised(germany, SOMEWHERE) == june(4)


async def test_a_holiday_on_the_way_costs_no_day(germany: Any) -> None:
    """Far away it takes four days, to Saturday the 6th: past the holiday, on which the lorries drive."""
    far = Destination(latitude=40.0, longitude=-85.0, country="DE", postal_code="80331")
    assert await promised(germany, far) == june(6)


async def test_the_country_counts_where_no_prefix_does(germany: Any, network: Any) -> None:
    """Whit Monday, 25 May 2026, is a holiday in all of Germany; so is German Unity Day, Saturday 3 October."""
    network["calendars"].append({"calendar": "de", "working_days": EVERY_DAY, "country": "DE"})
    network["delivery_areas"].append({"country": "DE", "calendar": "de"})
    await germany.put_network(network)
    germany.clock.advance(datetime(2026, 10, 1, 16, tzinfo=UTC) - germany.clock.now())
    hamburg = Destination(latitude=40.0, longitude=-75.0, country="DE", postal_code="20095")
    nowhere = Destination(latitude=40.0, longitude=-75.0, country="DE")
    assert await promised(germany, hamburg) == date(2026, 10, 4)
    assert await promised(germany, nowhere) == date(2026, 10, 4)


async def test_a_weekend_service_delivers_on_saturday_where_the_other_waits_for_monday(
    germany: Any, network: Any
) -> None:
    """Corpus Christi and the Friday after it are days off in Munich: it comes on Saturday the 6th or Monday the 8th.

    Ground operates on weekdays, the weekend service on Saturdays too. In Berlin both come on the 4th.
    """
    network["calendars"].append({"calendar": "weekdays", "working_days": EVERY_DAY[:5]})
    network["calendars"].append({"calendar": "saturdays", "working_days": EVERY_DAY[:6]})
    network["calendars"][1]["holidays"] = ["2026-06-05"]
    weekend = network["services"][0] | {"service": "weekend", "service_level": "expedited", "calendar": "saturdays"}
    network["services"][0]["calendar"] = "weekdays"
    network["services"].append(weekend)
    await germany.put_network(network)
    assert await promised(germany, MUNICH) == june(8)
    assert await promised(germany, MUNICH, service_levels=("expedited",)) == june(6)
    assert await promised(germany, BERLIN) == await promised(germany, BERLIN, service_levels=("expedited",)) == june(4)


async def test_a_courier_may_deliver_on_the_holiday(germany: Any, network: Any) -> None:
    network["services"][0]["delivers_on_days_off"] = True
    await germany.put_network(network)
    assert await promised(germany, MUNICH) == june(4)


async def test_a_deadline_on_the_holiday_cannot_be_kept_there(germany: Any) -> None:
    promise = await germany.promise(("cup", 1), to=MUNICH, need_by=june(4), **GROUND)
    assert [(line.reason, line.available_on) for line in promise.unavailable] == [("after_need_by", june(5))]
    assert await promised(germany, BERLIN, need_by=june(4)) == june(4)


@pytest.mark.parametrize(("to", "day"), [(BERLIN, 4), (MUNICH, 5), (SOMEWHERE, 4)])
async def test_what_was_learned_knows_no_holidays_so_it_moves_too(germany: Any, to: Destination, day: int) -> None:
    """What is learned says two days in the middle, which is the holiday; nine tenths a day later."""
    await germany.learn(learned(2.0, 0.0))
    (option,) = (await germany.promise(("cup", 1), to=to, **GROUND)).options
    assert (option.promised_on, option.delivery.p50, option.dates_from) == (june(day), june(day), "history")


async def test_learned_quantiles_move_by_themselves(germany: Any) -> None:
    """The median is the 4th, the holiday, and moves to the 5th; nine tenths have come by the 5th, and so they stay."""
    await germany.learn(learned(2.0, 1.0))
    (option,) = (await germany.promise(("cup", 1), to=MUNICH, **GROUND)).options
    assert (option.delivery.p50, option.delivery.p90) == (june(5), june(5))
    (option,) = (await germany.promise(("cup", 1), to=BERLIN, **GROUND)).options
    assert (option.delivery.p50, option.delivery.p90) == (june(4), june(5))


async def test_nobody_delivers_where_the_calendar_has_no_day_for_it(germany: Any, network: Any) -> None:
    """Deliveries on Sundays only, by a service of weekdays: never."""
    network["calendars"].append({"calendar": "weekdays", "working_days": EVERY_DAY[:5]})
    network["calendars"][1] = {"calendar": "de-by", "working_days": ["sun"]}
    network["services"][0]["calendar"] = "weekdays"
    await germany.put_network(network)
    promise = await germany.promise(("cup", 1), to=MUNICH, **GROUND)
    assert [line.reason for line in promise.unavailable] == ["no_service"]


async def test_a_pick_up_knows_no_delivery_area(germany: Any) -> None:
    promise = await germany.promise(("cup", 1), to=None, pickup_node_id="a")
    assert promise.options[0].promised_on == june(2)


def learned(center_days: float, spread_days: float) -> dict[str, Any]:
    """Ground takes `center_days` in the middle, and `spread_days` more for nine tenths."""
    return {
        "version": 1,
        "shipments": 500,
        "service_ids": ["ground"],
        "levels": [0.1, 0.5, 0.9],
        "center_days": center_days,
        "scale_days": max(spread_days, 0.001),
        "spread_ratio": 0.8,
        "bins": {"distance_km": [], "weight_g": [], "location_days": []},
        "location": [],
        "scale": [],
        "shapes": [[-1.0, 0.0, 1.0]],
        "shape_of": [],
    }


def test_a_document_says_where_days_off_count(network: Any) -> None:
    network["delivery_areas"] = [{"country": "DE", "calendar": "daily"}]
    assert NetworkDocument.model_validate(network).delivery_areas[0].postal_prefixes is None
