"""Ways out of jeopardy: what is proposed, what it costs, and what becomes of the order that takes one."""

from __future__ import annotations

from datetime import date

import pytest
from watched_world import Watched

from engine.errors import IllegalState
from engine.exceptions.accepting import accepted
from engine.exceptions.alternatives import Alternative, Kind
from engine.exceptions.rerouting import rerouting
from engine.inventory.model import Replay
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order, OrderState

REPLAY = Replay(digest="d" * 64, fingerprint="f")


def on(day: int) -> date:
    return date(2026, 11, day)


async def late(world: Watched, **stock: dict[str, int]) -> Order:
    """Return an order that did not leave `east` on Friday, and needs more than ground on Monday."""
    await world.count(**({"east": {"MUG": 2}} | stock))
    await world.order("o1", 2, due=24)
    await world.route()
    world.at(24)  # Tuesday: by air it arrives on Wednesday, by ground too; from the west on Monday
    return await world.engine.orders.get("o1")


async def behind(world: Watched) -> None:
    """Let `east` be two days behind with what it has, and have an order to ship that was promised for tomorrow."""
    await world.count(east={"MUG": 5}, west={"MUG": 3})
    for number in range(3):
        await world.order(f"lying{number}", due=30)
    await world.route()
    world.at(24)
    await world.order("o1", 2, due=25)
    await world.route()
    assert [alert.predicted_on for alert in await world.alerts("o1")] == [on(30)]


def of_kind(found: list[Alternative], kind: Kind) -> list[Alternative]:
    return [each for each in found if each.kind is kind]


async def settled(world: Watched, order_id: str) -> Order:
    """Wait for the runs, and return the order."""
    await world.engine.effects.step()
    await world.engine.routing_runs.finish()
    return await world.engine.orders.get(order_id)


async def test_waiting_is_always_an_alternative_and_moves_the_promise(world: Watched) -> None:
    await late(world)
    (wait,) = await world.engine.exceptions.alternatives("o1")
    assert (wait.kind, wait.predicted_on, wait.promised_on, wait.cost_cents) == (Kind.WAIT, on(25), on(25), None)
    order = (await world.engine.exceptions.accept("o1", wait.alternative_id, by="ann")).value
    assert order.life.amendment is not None
    assert (order.life.amendment.promised_on, order.life.amendment.need_by) == (on(25), on(25))
    assert order.state is OrderState.SOURCED
    assert await world.alerts("o1") == ()


async def test_a_faster_service_keeps_the_promise_at_a_price(world: Watched) -> None:
    """From the west ground arrives on Monday, air on Wednesday, as it does from the east where nothing is left."""
    await world.count(west={"MUG": 2})
    await world.order("o1", 2, due=25)
    await world.route()
    assert (await world.engine.orders.get("o1")).allocation[0].service == "ground"
    world.at(23)
    (air, wait) = await world.engine.exceptions.alternatives("o1")
    assert (air.kind, air.predicted_on, air.late_probability) == (Kind.FASTER_SERVICE, on(24), 0)
    assert (air.cost_cents, air.extra_cents) == (3000, 2100)
    assert (wait.kind, wait.late_probability) == (Kind.WAIT, 1)
    await world.engine.exceptions.accept("o1", air.alternative_id)
    order = await settled(world, "o1")
    assert [(row.node_id, row.service, row.quantity) for row in order.allocation] == [("west", "air", 2)]
    assert await world.free() == {"west": (2, 0)}
    assert await world.alerts("o1") == ()


async def test_another_node_takes_over_and_stock_is_conserved(world: Watched) -> None:
    """The east is two days behind: the west takes over by air, and what the east had is free again there."""
    await behind(world)
    alternatives = await world.engine.exceptions.alternatives("o1")
    (other,) = of_kind(alternatives, Kind.ANOTHER_NODE)
    assert [(each.node_id, each.service) for each in other.parcels] == [("west", "air")]
    assert (other.predicted_on, other.late_probability) == (on(25), 0)
    before = await world.free()
    await world.engine.exceptions.accept("o1", other.alternative_id, replay=REPLAY)
    order = await settled(world, "o1")
    assert {row.node_id for row in order.allocation} == {"west"}
    assert order.steering.pins == {}  # should the west refuse them, they may go elsewhere
    after = await world.free()
    assert {node: on_hand for node, (on_hand, _) in after.items()} == {node: each for node, (each, _) in before.items()}
    assert after == {"east": (5, 2), "west": (3, 1)}
    again = await world.engine.exceptions.accept("o1", other.alternative_id, replay=REPLAY)
    assert again.replayed
    assert (await world.events("o1")).count("alternative_accepted") == 1


async def test_an_alternative_whose_stock_is_gone_is_refused(world: Watched) -> None:
    await behind(world)
    (other,) = of_kind(await world.engine.exceptions.alternatives("o1"), Kind.ANOTHER_NODE)
    await world.count(west={"MUG": 1})
    with pytest.raises(IllegalState, match="is stale"):
        await world.engine.exceptions.accept("o1", other.alternative_id)


async def test_units_that_are_missing_can_be_split_off_or_substituted(world: Watched) -> None:
    await world.count(east={"MUG": 0, "POT": 4})
    await world.order("o1", 2, due=24)
    await world.route()
    alternatives = await world.engine.exceptions.alternatives("o1")
    (swap,) = of_kind(alternatives, Kind.SUBSTITUTE)[:1]
    assert [(line.sku, line.substitute_for) for line in swap.parcels[0].lines] == [("POT", "MUG")]
    await world.engine.exceptions.accept("o1", swap.alternative_id)
    order = await settled(world, "o1")
    assert [(line.line_id, line.sku) for line in order.lines] == [("1", "POT")]
    assert [(row.sku, row.node_id) for row in order.allocation] == [("POT", "east")]
    assert (await world.free("POT"))["east"] == (4, 2)


async def test_a_process_that_dies_behind_an_acceptance_leaves_the_run_to_the_sweeper(world: Watched) -> None:
    """Catches a run that is started by whoever accepts, and not asked for in the same step."""
    await behind(world)
    (other,) = of_kind(await world.engine.exceptions.alternatives("o1"), Kind.ANOTHER_NODE)
    await world.engine.changes.change("o1", lambda order, at: accepted(order, other, at, "ann"))
    halfway = await world.engine.orders.get("o1")
    assert halfway.state is OrderState.BACKORDERED
    assert (await world.free())["east"] == (5, 0)  # kept until the run has found what was accepted
    order = await settled(world, "o1")
    assert {row.node_id for row in order.allocation} == {"west"}
    assert await world.free() == {"east": (5, 2), "west": (3, 1)}
    assert order.life.effects == ()


async def test_a_process_that_dies_behind_starting_the_run_starts_no_second_one(world: Watched) -> None:
    """Catches a run with an id of its own each time."""
    await behind(world)
    (other,) = of_kind(await world.engine.exceptions.alternatives("o1"), Kind.ANOTHER_NODE)
    await world.engine.changes.change("o1", lambda order, at: accepted(order, other, at, "ann"))
    order = await world.engine.orders.get("o1")

    handler = rerouting(world.engine.routing_runs, world.engine.tenant)
    lost = (await handler(order, order.life.effects[0]))(order, world.clock.now())  # and dies before it is written
    order = await settled(world, "o1")
    steps = [step.note for step in await world.engine.orders.history("o1") if step.note is not None]
    assert [step.reason for step in steps if step.event == "rerouted"] == [lost.note.reason]  # type: ignore[union-attr]
    assert order.steering.pins == {}


async def test_a_released_shipment_is_recalled_when_another_node_takes_over(world: Watched) -> None:
    """Catches an acceptance that leaves the east with a shipment of units that the west ships too."""
    await behind(world)
    await world.engine.fulfillment.release("o1")
    assert [alert.subject for alert in await world.alerts("o1")] == ["east"]
    (other,) = of_kind(await world.engine.exceptions.alternatives("o1"), Kind.ANOTHER_NODE)
    await world.engine.exceptions.accept("o1", other.alternative_id)
    order = await settled(world, "o1")
    assert [shipment.state for shipment in order.life.shipments] == [ShipmentState.RECALLED]
    assert {row.node_id for row in order.allocation} == {"west"}
    assert await world.free() == {"east": (5, 2), "west": (3, 1)}


async def test_what_a_node_is_picking_stays_with_it(world: Watched) -> None:
    await behind(world)
    order = (await world.engine.fulfillment.release("o1")).value
    await world.engine.fulfillment.pick(order.life.shipments[0].shipment_id)
    found = await world.engine.exceptions.alternatives("o1")
    assert [each.kind for each in found] == [Kind.WAIT]
    assert found[0].predicted_on == date(2026, 11, 30)
