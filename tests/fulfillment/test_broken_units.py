"""Units that a node finds broken before they leave: no longer on hand, damaged instead, once; the order goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.inventory.conditions import Condition
from engine.inventory.model import PositionCount, Replay
from engine.orders.breaking import BROKEN, BrokenStock
from engine.orders.facts.shipments import ShipmentState
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from tests.fulfillment.depot import Depot, later

BROKE = NewRejection(node_id="north", reason="fell", kind=RejectionKind.DAMAGED, lines=(("1", 1),))


class Killed(BaseException):
    """The process is gone."""


async def stock(depot: Depot, sku: str = "MUG") -> tuple[int, int, int]:
    """Return the units on hand, confirmed and damaged in the north."""
    for position in await depot.engine.inventory.positions(sku):
        if position.node_id == "north":
            return (*await depot.on_hand(sku=sku), (position.conditions or {}).get(Condition.DAMAGED, 0))
    raise AssertionError("the north has no such stock")


async def test_broken_units_lie_there_as_damaged_and_the_rest_of_the_order_ships(depot: Depot) -> None:
    await depot.packed("o1", ("MUG", 3))
    key = Replay(digest="broke-1", fingerprint="broke-1")
    order = (await depot.engine.steering.reject("o1", BROKE, replay=key)).value
    assert (order.life.shipments[0].state, order.life.shipments[0].lines[0].quantity) == (ShipmentState.PICKING, 2)
    assert [(row.quantity, row.node_id) for row in order.allocation] == [(2, "north"), (1, None)]
    assert await stock(depot) == (49, 2, 1)
    assert (await depot.engine.steering.reject("o1", BROKE, replay=key)).replayed
    assert await stock(depot) == (49, 2, 1), "said again under its key, it is not broken again"
    assert {"damaged", "damaged_kept"} <= set(await depot.events("o1"))
    await depot.engine.fulfillment.pack("shp_o1-1")
    await depot.engine.fulfillment.ship("shp_o1-1")
    assert await stock(depot) == (47, 0, 1)


@pytest.mark.parametrize("how", ["before", "after", "unanswered"])
async def test_they_are_damaged_once_whenever_the_process_dies(depot: Depot, how: str) -> None:
    """Catches a move without its effect's id as key (seeded: units doubled after), and one that leaves no effect."""
    await depot.released("o1", ("MUG", 2))
    inventory = depot.engine.inventory

    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(inventory, name)

        async def adjust(self, *arguments: Any, **named: Any) -> Any:
            if how == "before":
                raise Killed
            await inventory.adjust(*arguments, **named)
            raise Killed if how == "after" else Unavailable("The store does not answer.")

    handlers = depot.engine.effects._handlers
    kept, handlers[BROKEN] = handlers[BROKEN], BrokenStock(Dying()).keep  # type: ignore[arg-type]
    try:
        await depot.engine.steering.reject("o1", replace(BROKE, lines=()))
    except Killed:
        assert how != "unanswered"
    handlers[BROKEN] = kept
    assert await stock(depot) == (48, 0, 0 if how == "before" else 2)
    depot.clock.advance(later(5))
    await depot.engine.effects.step()
    assert await stock(depot) == (48, 0, 2)
    assert (await depot.engine.orders.get("o1")).life.effects == ()


async def test_of_unlimited_stock_nothing_is_counted_as_damaged(depot: Depot) -> None:
    await depot.engine.inventory.put_positions([PositionCount(node_id="north", sku="MUG", unlimited=True)])
    await depot.released("o1", ("MUG", 2))
    order = (await depot.engine.steering.reject("o1", BROKE)).value
    assert (await depot.engine.orders.get(order.order_id)).life.effects == ()
    assert (await stock(depot))[2] == 0
