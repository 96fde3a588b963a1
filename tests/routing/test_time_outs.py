"""Nodes that have to accept orders within some minutes: those they leave lying go elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.model import Order
from engine.orders.steering_service import OrderSteering
from engine.orders.time_outs import TimeOuts
from engine.routing.run_model import RunRequest

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


@pytest.fixture
def steering(world: World) -> OrderSteering:
    return OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=3)


@pytest.fixture
async def time_outs(world: World, steering: OrderSteering, network_document: dict[str, Any]) -> TimeOuts:
    west, east = network_document["nodes"]
    document = {**network_document, "nodes": [west, {**east, "acceptance_minutes": 30}]}
    await world.networks.put(NetworkDocument.model_validate(document))
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    return TimeOuts(world.book, steering, world.reference, world.clock)


async def nodes_of(world: World, order_id: str) -> list[str | None]:
    return [row.node_id for row in (await world.orders.get(order_id)).allocation]


async def test_what_a_node_does_not_accept_in_time_goes_elsewhere(world: World, time_outs: TimeOuts) -> None:
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    world.clock.advance(timedelta(minutes=29))
    assert await time_outs.step() == 0
    world.clock.advance(timedelta(minutes=2))
    assert await time_outs.step() == 1
    (rejection,) = (await world.orders.get("o1")).steering.rejections
    assert (rejection.kind, rejection.reason) == ("time_out", "not accepted within 30 minutes")
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == ["west"]
    world.clock.advance(timedelta(days=1))
    assert await time_outs.step() == 0  # west need not accept


async def test_what_a_node_has_accepted_stays_with_it(
    world: World, time_outs: TimeOuts, steering: OrderSteering
) -> None:
    """Catches a time-out that does not look whether the node has accepted what this run gave it."""
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 2})
    await world.runs().execute(ALL)
    await steering.accept("o1", "east")
    world.clock.advance(timedelta(hours=1))
    assert await time_outs.step() == 1
    assert (await nodes_of(world, "o1"), await nodes_of(world, "o2")) == (["east"], [None])


async def test_orders_of_every_age_are_looked_at_once_they_are_due(world: World, time_outs: TimeOuts) -> None:
    """Catches a cursor that passes orders which are not due yet."""
    for minute in range(4):
        await world.order(f"o{minute}", {"MUG": 1})
        await world.runs().execute(ALL)
        world.clock.advance(timedelta(minutes=10))
        assert await time_outs.step() == (minute >= 2)
    world.clock.advance(timedelta(minutes=30))
    assert await time_outs.step() == 2


async def test_an_order_that_left_in_silence_is_left_alone(world: World, time_outs: TimeOuts) -> None:
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await world.stock.consume(str((await world.orders.get("o1")).reservation_id))
    world.clock.advance(timedelta(hours=1))
    assert await time_outs.step() == 0
    assert await nodes_of(world, "o1") == ["east"]


async def test_a_node_that_is_given_a_limit_later_is_held_to_it(
    world: World, time_outs: TimeOuts, network_document: dict[str, Any]
) -> None:
    """Catches a cursor that has passed orders of a node before it had a limit, or had a shorter one."""
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == ["east"]
    west, east = network_document["nodes"]
    for node, minutes, advance, late in ((west, 30, 90, 0), (east, 120, 60, 1)):
        nodes = [{**each, "acceptance_minutes": minutes} if each is node else each for each in (west, east)]
        await world.networks.put(NetworkDocument.model_validate({**network_document, "nodes": nodes}))
        world.clock.advance(timedelta(minutes=advance))
        assert await time_outs.step() == late


class Counted:
    """An order store that counts how often an order is read."""

    def __init__(self, book: MemoryOrderStore) -> None:
        self.book, self.reads = book, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.book, name)

    async def get(self, order_id: str) -> Order:
        self.reads += 1
        return await self.book.get(order_id)


async def test_a_server_that_begins_does_not_read_all_orders_that_there_ever_were(
    world: World, time_outs: TimeOuts, steering: OrderSteering
) -> None:
    for name, days in (("o1", 31), ("o2", 1)):
        await world.order(name, {"MUG": 1})
        await world.runs().execute(ALL)
        world.clock.advance(timedelta(days=days))
    book: Any = Counted(world.book)
    assert await TimeOuts(book, steering, world.reference, world.clock).step() == 1
    assert book.reads == 1
    assert await nodes_of(world, "o2") == [None]


async def test_orders_between_a_short_and_a_long_time_out_are_not_read_again_and_again(
    world: World, steering: OrderSteering, network_document: dict[str, Any]
) -> None:
    """Catches one cursor for all nodes: every step read what is older than 5 minutes and younger than a day."""
    west, east = network_document["nodes"]
    nodes = [{**west, "acceptance_minutes": 5}, {**east, "acceptance_minutes": 24 * 60}]
    await world.networks.put(NetworkDocument.model_validate({**network_document, "nodes": nodes}))
    await world.count(east={"MUG": 9})
    for name in ("o1", "o2"):
        await world.order(name, {"MUG": 1})
    await world.runs().execute(ALL)
    book: Any = Counted(world.book)
    time_outs = TimeOuts(book, steering, world.reference, world.clock)
    for _ in range(24):
        world.clock.advance(timedelta(minutes=59))
        assert await time_outs.step() == 0
        assert book.reads == 2
    world.clock.advance(timedelta(minutes=59))
    assert await time_outs.step() == 2
