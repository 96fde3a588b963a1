"""Until when an option is valid: exactly as long as a reservation of it is not refused for its days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import PromiseExpired, PromiseStale
from engine.promising.model import Promise

NEW_YORK = ZoneInfo("America/New_York")
INSTANT = timedelta(microseconds=1)


async def is_kept(world: Any, promise: Promise, option_id: str, at: datetime) -> bool:
    world.clock.advance(at - world.clock.now())
    try:
        await world.service.promised_hold(promise.promise_id, option_id)
    except (PromiseStale, PromiseExpired):
        return False
    return True


async def test_far_from_any_cut_off_options_are_valid_as_long_as_the_promise(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("b", "cup", 5))
    promise = await world.promise(("cup", 1))
    assert {option.valid_until for option in promise.options} == {promise.expires_at}


async def test_an_option_is_valid_until_the_cut_off_of_its_node_and_service(world: Any, network: Any) -> None:
    """It is 14:50 in New York; `a` closes at 15:00, but air fetches at 14:55."""
    network["nodes"][0]["pick_ups"] = [{"service": "air", "cut_off": "14:55"}]
    await world.put_network(network)
    await world.stock(("a", "cup", 5))
    world.clock.advance(timedelta(hours=2, minutes=50))
    promise = await world.promise(("cup", 1))
    until = {option.shipments[0].service: option.valid_until for option in promise.options}
    assert until == {
        "ground": datetime(2026, 3, 4, 15, 0, tzinfo=NEW_YORK),
        "air": datetime(2026, 3, 4, 14, 55, tzinfo=NEW_YORK),
    }


async def test_an_option_that_leaves_tomorrow_outlives_todays_cut_off(world: Any) -> None:
    await world.supply("a", "cup", 5, in_days=1)
    world.clock.advance(timedelta(hours=2, minutes=50))
    promise = await world.promise(("cup", 1))
    assert {option.valid_until for option in promise.options} == {promise.expires_at}


async def test_of_several_parcels_the_first_cut_off_counts(world: Any, network: Any) -> None:
    network["nodes"][1] |= {"cut_off": "14:55"}
    await world.put_network(network)
    await world.stock(("a", "cup", 1), ("b", "saucer", 1))
    world.clock.advance(timedelta(hours=2, minutes=50))
    promise = await world.promise(("cup", 1), ("saucer", 1))
    assert {option.valid_until for option in promise.options} == {datetime(2026, 3, 4, 14, 55, tzinfo=NEW_YORK)}


async def test_a_basket_is_valid_as_long_as_it_can_be_picked_before_closing(world: Any, network: Any) -> None:
    """The shop closes at 13:40 and picks for 90 minutes; it is noon, and at 12:10 it is just early enough."""
    network["nodes"][2]["store_pickup"] = {"hours": [{"from": "10:00", "to": "13:40"}], "picking_minutes": 90}
    await world.put_network(network)
    await world.stock(("shop", "cup", 5))
    promise = await world.promise(("cup", 1), to=None, pickup_node_id="shop")
    (option,) = promise.options
    assert option.valid_until == datetime(2026, 3, 4, 12, 10, tzinfo=NEW_YORK) + INSTANT
    assert await is_kept(world, promise, option.option_id, option.valid_until - INSTANT)
    assert not await is_kept(world, promise, option.option_id, option.valid_until)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_an_option_is_kept_until_its_validity_ends_and_not_after(world: Any, network: Any, data: Any) -> None:
    """With cut-offs in the next minutes, in three time zones, around midnight and both switches of the clocks."""
    near = data.draw(st.sampled_from([(3, 8), (3, 29), (4, 5), (10, 25), (11, 1), (7, 1)]))
    start = datetime(2026, *near, tzinfo=UTC) + timedelta(seconds=data.draw(st.integers(-43_200, 43_200)))
    for node in network["nodes"]:
        zone = data.draw(st.sampled_from(["America/New_York", "Europe/Berlin", "Pacific/Auckland"]))
        soon = [
            (start + timedelta(minutes=data.draw(st.integers(-5, 20)))).astimezone(ZoneInfo(zone)) for _ in range(3)
        ]
        times = [f"{at:%H:%M}" for at in soon]
        node |= {"cut_off": times[0], "time_zone": zone}
        node["pick_ups"] = [{"service": "ground", "cut_off": times[1]}, {"service": "air", "cut_off": times[2]}]
    await world.put_network(network)
    world.clock.advance(start - world.clock.now())
    await world.stock(("a", "cup", 5), ("b", "cup", 9), ("b", "saucer", 9), ("shop", "saucer", 5))
    promise = await world.promise(("cup", 1), ("saucer", 1))
    assert promise.options
    for option in promise.options:
        assert start < option.valid_until <= promise.expires_at
        assert await is_kept(world, promise, option.option_id, option.valid_until - INSTANT)
        assert not await is_kept(world, promise, option.option_id, option.valid_until)
