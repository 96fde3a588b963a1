"""Orders that are released by themselves, some time after a run has decided on them."""

from __future__ import annotations

from engine.fulfillment.timed_release import TimedReleases
from engine.orders.holding import NewHold
from engine.orders.states import state_of
from tests.fulfillment.depot import Depot, later


def releases(depot: Depot, minutes: int | None) -> TimedReleases:
    return TimedReleases(depot.stores.orders, depot.engine.fulfillment, depot.clock, minutes)


async def test_an_order_is_released_once_its_time_has_come(depot: Depot) -> None:
    timed = releases(depot, 30)
    await depot.order("o1")
    depot.clock.advance(later(20 * 60))
    await depot.order("o2")
    depot.clock.advance(later(11 * 60))
    assert await timed.step() == 1
    stands = [state_of(await depot.engine.orders.get(name)).value for name in ("o1", "o2")]
    assert stands == ["released", "sourced"]
    depot.clock.advance(later(20 * 60))
    assert (await timed.step(), await timed.step()) == (1, 0)


async def test_an_order_that_is_stopped_is_released_when_it_may_go_on(depot: Depot) -> None:
    """Catches a look that passes by an order for good."""
    timed = releases(depot, 0)
    await depot.order("o1")
    await depot.engine.steering.stop("o1", NewHold(reason="fraud?"))
    depot.clock.advance(later(60))
    assert await timed.step() == 0
    depot.clock.advance(later(30 * 60))
    assert await timed.step() == 0
    await depot.engine.steering.release("o1")
    depot.clock.advance(later(31 * 60))
    assert await timed.step() == 1


async def test_without_minutes_nothing_is_released_by_itself(depot: Depot) -> None:
    await depot.order("o1")
    depot.clock.advance(later(10**6))
    assert await releases(depot, None).step() == 0
