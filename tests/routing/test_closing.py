"""Nodes that are switched off: nothing new goes there, and what they hold goes elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import IllegalState, InsufficientStock, InvalidInput
from engine.inventory.model import HoldLine
from engine.inventory.service import InventoryService
from engine.network.closures import NAME, closed_ids
from engine.orders.changing import OrderChanges
from engine.orders.closing import NodeClosures
from engine.orders.model import OrderState
from engine.orders.steering_service import OrderSteering
from engine.routing.model import AllocationRow, OrderAllocation
from engine.routing.run_model import RunRequest
from engine.routing.runs import RoutingRuns
from engine.storage.documents import MemoryDocumentStore

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()
FRIDAY = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture
def runs(world: World) -> RoutingRuns:
    return world.runs()


@pytest.fixture
def closures(world: World, runs: RoutingRuns) -> NodeClosures:
    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=1)
    return NodeClosures(world.documents, world.book, steering, runs, world.reference, world.clock)


@pytest.fixture
def inventory(world: World) -> InventoryService:
    return InventoryService(world.stock, world=world.reference.current, clock=world.clock)


async def nodes_of(world: World, order_id: str) -> list[tuple[int, str | None]]:
    return [(row.quantity, row.node_id) for row in (await world.orders.get(order_id)).allocation]


async def test_a_node_that_is_off_is_promised_held_and_routed_no_more(
    world: World, closures: NodeClosures, inventory: InventoryService
) -> None:
    """Catches a view that does not move with the closure, and holds that look at stock alone."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    promise = await world.promise({"MUG": 1})
    assert promise.options[0].shipments[0].node_id == "east"
    await closures.close("east", "fire")
    promise = await world.promise({"MUG": 1})
    assert {parcel.node_id for option in promise.options for parcel in option.shipments} == {"west"}
    with pytest.raises(InsufficientStock) as caught:
        await inventory.hold([HoldLine(sku="MUG", quantity=1, node_id="east")])
    assert caught.value.lines[0].available == 0
    await world.order("o1", {"MUG": 1})
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == [(1, "west")]
    await closures.reopen("east")
    await inventory.hold([HoldLine(sku="MUG", quantity=1, node_id="east")])
    assert (await world.promise({"MUG": 1})).options[0].shipments[0].node_id == "east"


async def test_what_a_node_has_to_ship_is_opened_when_it_is_off_and_goes_elsewhere(
    world: World, closures: NodeClosures
) -> None:
    await world.count(east={"MUG": 9, "TEA": 9}, west={"MUG": 9})
    for order_id in ("o1", "o2"):
        await world.order(order_id, {"MUG": 1})
    await world.runs().execute(ALL)
    closure = await closures.close("east", "fire")
    assert await closures.tend()
    found = await closures.find("east")
    assert found is not None
    assert (found.closure_id, found.opened_orders, found.drained) == (closure.closure_id, 2, True)
    assert (await world.position("east", "MUG")).confirmed == 0
    order = await world.orders.get("o1")
    assert (order.state, order.steering.attempts, order.steering.order_hold) == (OrderState.BACKORDERED, 0, None)
    await world.runs().execute(ALL)
    assert await nodes_of(world, "o1") == [(1, "west")]
    assert not await closures.tend()


async def test_what_comes_from_a_run_that_began_before_is_found_when_it_is_looked_again(
    world: World, closures: NodeClosures
) -> None:
    """Catches a node that is emptied only once: a run under way would have filled it again."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 1})
    await closures.close("east", "fire")
    assert not await closures.tend()
    east = AllocationRow(line_id="1", sku="MUG", quantity=1, node_id="east", service="ground", ship_on=FRIDAY.date())
    decided = OrderAllocation(order_id="o1", rows=(east,))
    await world.book.commit("run_1", [decided], capacities={}, today={"east": FRIDAY.date()})
    assert await closures.tend()
    assert await nodes_of(world, "o1") == [(1, None)]


async def test_with_reroute_a_run_follows_when_all_is_opened(
    world: World, closures: NodeClosures, runs: RoutingRuns
) -> None:
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 1})
    await world.runs().execute(ALL)
    await closures.close("east", "fire", reroute=True)
    await closures.tend()
    await runs.finish()
    found = await closures.find("east")
    assert found is not None
    assert found.run_id == (await world.orders.get("o1")).run_id
    assert await nodes_of(world, "o1") == [(1, "west")]


async def test_an_order_whose_checkout_hold_is_on_a_node_that_is_off_is_routed_from_elsewhere(
    world: World, closures: NodeClosures
) -> None:
    """Catches own stock that is taken for there: a run would send the order to the closed node, or wait for it."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.hold("res_1", "east", MUG=2)
    await closures.close("east", "fire")
    await world.stock.confirm("res_1")
    await world.order("o1", {"MUG": 2}, reservation_id="res_1")
    run = await world.runs().execute(ALL)
    assert run.unrouted == ()
    assert await nodes_of(world, "o1") == [(2, "west")]
    assert (await world.position("east", "MUG")).reserved == 0


async def test_a_server_that_begins_does_not_look_again_at_what_was_drained(
    world: World, closures: NodeClosures, runs: RoutingRuns
) -> None:
    """Catches closures that every new process reads all orders for; what comes after the closure is found."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 1})
    await world.runs().execute(ALL)
    world.clock.advance(timedelta(hours=1))
    await closures.close("east", "fire")
    await closures.tend()
    await world.order("o2", {"MUG": 1})
    east = AllocationRow(line_id="1", sku="MUG", quantity=1, node_id="east", service="ground", ship_on=FRIDAY.date())
    decided = [OrderAllocation(order_id="o2", rows=(east,))]
    await world.book.commit("run_1", decided, capacities={}, today={"east": FRIDAY.date()})
    seen = list[float]()

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.book, name)

        async def allocated(self, limit: int, *, after_ms: float = 0) -> list[tuple[str, float]]:
            seen.append(after_ms)
            return await world.book.allocated(limit, after_ms=after_ms)

    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=1)
    book: Any = Watched()
    assert await NodeClosures(world.documents, book, steering, runs, world.reference, world.clock).tend()
    assert seen == [(FRIDAY + timedelta(minutes=59)).timestamp() * 1000]
    assert await nodes_of(world, "o2") == [(1, None)]


async def test_an_order_of_which_units_have_left_stays_and_is_counted(world: World, closures: NodeClosures) -> None:
    await world.count(east={"MUG": 9})
    await world.order("o1", {"MUG": 2})
    await world.runs().execute(ALL)
    await world.stock.consume(str((await world.orders.get("o1")).reservation_id))
    await closures.close("east", "fire")
    await closures.tend()
    found = await closures.find("east")
    assert found is not None
    assert (found.opened_orders, found.left_orders) == (0, 1)


async def test_closing_again_changes_nothing_and_a_node_that_is_on_cannot_be_switched_on(
    world: World, closures: NodeClosures
) -> None:
    with pytest.raises(InvalidInput, match="unknown node 'eats'"):
        await closures.close("eats", "fire")
    with pytest.raises(IllegalState, match="is on"):
        await closures.reopen("east")
    first = await closures.close("east", "fire", by="anna")
    assert await closures.close("east", "water", by="bo") == first
    over = await closures.reopen("east")
    assert over.reopened_at is not None
    assert await closures.reopen("east") == over
    again = await closures.close("east", "water")
    assert again.closure_id != first.closure_id
    assert [each.node_id for each in await closures.all()] == ["east"]


async def test_a_closure_that_was_not_published_is_published_when_it_is_looked_again(
    world: World, closures: NodeClosures
) -> None:
    """Catches a process that dies between the two writes: the node would be off for nobody."""
    await closures.close("east", "fire")
    await world.documents.put("closed_nodes", b"[]")
    assert (await world.reference.current()).network.closed == frozenset()
    await closures.tend()
    assert len((await world.reference.current()).network.closed) == 1


async def test_a_run_asked_for_when_a_node_is_empty_already_follows_once(
    world: World, closures: NodeClosures, runs: RoutingRuns
) -> None:
    """Catches a node that is not looked at any more once it is empty, though a run is asked for later."""
    await world.count(east={"MUG": 9}, west={"MUG": 9})
    await world.order("o1", {"MUG": 1})
    await world.runs().execute(ALL)
    await closures.close("east", "fire")
    await closures.tend()
    assert await nodes_of(world, "o1") == [(1, None)]
    await closures.close("east", "fire", reroute=True)
    await closures.tend()
    await runs.finish()
    found = await closures.find("east")
    assert found is not None
    assert found.run_id is not None
    assert await nodes_of(world, "o1") == [(1, "west")]
    await closures.tend()
    assert await closures.find("east") == found


class Interrupted(MemoryDocumentStore):
    """Documents that let something else happen just before one is added, once."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def add(self, collection: str, name: str, body: bytes) -> int:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return await super().add(collection, name, body)


@pytest.mark.parametrize("closes_again", [False, True])
async def test_a_node_that_is_switched_on_while_it_is_looked_at_stays_on(
    world: World, runs: RoutingRuns, closes_again: bool
) -> None:
    """The seeded bug: what a look has found is written over what was said meanwhile, and the node is off again."""
    documents = Interrupted()
    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=1)
    closures = NodeClosures(documents, world.book, steering, runs, world.reference, world.clock)
    await closures.close("east", "fire")

    async def meanwhile() -> None:
        await closures.reopen("east")
        if closes_again:
            await closures.close("east", "flood")

    documents.meanwhile = meanwhile
    await closures.tend()
    found = await closures.find("east")
    assert found is not None
    assert (found.reason, found.reopened_at is None) == (("flood", True) if closes_again else ("fire", False))
    await closures.tend()
    published = await documents.get(NAME)
    assert published is not None
    assert closed_ids(published.body) == ({"east"} if closes_again else set())
