"""Units of returns in stock, whoever dies when: each move is made once, in order, and later if it cannot be now."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.inventory.conditions import Condition, ConditionChange
from engine.inventory.model import Adjustment, PositionCount
from engine.orders.effecting import Effects
from engine.orders.facts.returns import ReturnState
from engine.returns.policy import ReturnPolicies
from engine.returns.service import ReturnService
from engine.returns.steps import STOCK
from engine.returns.stocking import ReturnStock
from tests.returns.return_desk import Desk


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """Stock whose caller dies before or after a call, or is not answered; once each time that it is told to."""

    def __init__(self, inventory: Any) -> None:
        self._inventory, self.how = inventory, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inventory, name)

    async def adjust(self, *arguments: Any, **named: Any) -> Any:
        return await self._call(self._inventory.adjust, *arguments, **named)

    async def change_conditions(self, *arguments: Any, **named: Any) -> Any:
        return await self._call(self._inventory.change_conditions, *arguments, **named)

    async def _call(self, call: Any, *arguments: Any, **named: Any) -> Any:
        how, self.how = self.how, ""
        if how == "before":
            raise Killed
        if how == "unanswered before":
            raise Unavailable("The store does not answer.")
        answer = await call(*arguments, **named)
        if how == "after":
            raise Killed
        if how == "unanswered after":
            raise Unavailable("The store does not answer.")
        return answer


@pytest.fixture
def dying(desk: Desk) -> tuple[Desk, Dying]:
    """A desk whose returns are made in stock by a process that may die."""
    engine, dying = desk.engine, Dying(desk.engine.inventory)
    handlers = {**engine.effects._handlers, STOCK: ReturnStock(dying).make}  # type: ignore[arg-type]
    effects = Effects(desk.stores.orders, engine.changes, handlers, desk.clock)
    policies = ReturnPolicies(desk.stores.documents)
    stores = desk.stores
    returns = ReturnService(
        engine.changes,
        effects,
        policies,
        engine.reference,
        stores.inventory,
        stores.orders,
        desk.clock,
        engine.returns._terms,
    )
    return replace(desk, engine=replace(engine, effects=effects, returns=returns)), dying


@pytest.mark.parametrize("how", ["before", "after", "unanswered before", "unanswered after"])
async def test_units_come_once_whenever_the_process_dies(dying: tuple[Desk, Dying], how: str) -> None:
    """Catches a move without its effect's id as key (units doubled after), and one taken off before it is made."""
    desk, stock = dying
    await desk.delivered("ord_1", MUG=3000)
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    stock.how = how
    try:
        await desk.receive(return_id, ("MUG", 3))
    except Killed:
        assert (await desk.found(return_id)).received == 3, "what came is written down first"
    assert (await desk.stock())[1] == (3 if "after" in how else 0)
    await desk.later(seconds=2)
    assert (await desk.stock(), (await desk.found(return_id)).moves[0].done_at) == ((10, 3, 0), desk.clock.now())
    stock.how = how
    with suppress(Killed):
        await desk.inspect(return_id, ("MUG", 1, "scrap"), ("MUG", 2, "restock"))
    await desk.later(seconds=2)
    await desk.later(seconds=4)
    found = await desk.found(return_id)
    assert (found.state, found.refund_cents, await desk.stock()) == (ReturnState.CLOSED, 3000, (12, 0, 0))
    assert (await desk.events("ord_1")).count("return_refunded") == 1
    assert (await desk.engine.orders.get("ord_1")).life.effects == ()


async def test_units_are_not_looked_at_in_stock_before_they_are_there(dying: tuple[Desk, Dying]) -> None:
    """Catches moves that do not wait for earlier ones: another return's units would be sold in their place."""
    desk, stock = dying
    for order_id in ("ord_1", "ord_2"):
        await desk.delivered(order_id)
        await desk.announce(order_id, ("1", 3))
    await desk.receive("ret_1_ord_2", ("MUG", 3))
    stock.how = "unanswered before"
    await desk.receive("ret_1_ord_1", ("MUG", 3))
    await desk.inspect("ret_1_ord_1", ("MUG", 3, "restock"))
    assert await desk.stock() == (10, 3, 0), "those of the other order are still there"
    await desk.later(seconds=2)
    await desk.later(seconds=2)
    assert await desk.stock() == (13, 3, 0)


async def test_a_move_that_stock_refuses_is_tried_again_when_that_is_mended(desk: Desk) -> None:
    """Catches a refusal that its key keeps for a day."""
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    await desk.receive(return_id, ("MUG", 2))
    taken = ConditionChange(
        node_id="north",
        sku="MUG",
        quantity=1,
        from_condition=Condition.QUALITY_HOLD,
        to_condition=Condition.DAMAGED,
        reason="dropped",
    )
    await desk.engine.inventory.change_conditions([taken])
    await desk.inspect(return_id, ("MUG", 2, "restock"))
    (effect,) = (await desk.engine.orders.get("ord_1")).life.effects
    assert (effect.tries, await desk.stock()) == (1, (10, 1, 1))
    assert "quality_hold" in effect.last_error
    await desk.engine.inventory.adjust(
        [Adjustment(node_id="north", sku="MUG", delta=1, reason="found", condition=Condition.QUALITY_HOLD)]
    )
    await desk.later(seconds=2)
    assert (await desk.stock(), (await desk.engine.orders.get("ord_1")).life.effects) == ((12, 0, 1), ())


async def test_units_that_come_to_unlimited_stock_are_not_counted(desk: Desk) -> None:
    await desk.engine.inventory.put_positions([PositionCount(node_id="north", sku="MUG", unlimited=True)])
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    await desk.receive(return_id, ("MUG", 2))
    found = await desk.inspect(return_id, ("MUG", 2, "restock"))
    assert (found.state, [move.is_counted for move in found.moves]) == (ReturnState.CLOSED, [False, False])


async def test_two_who_receive_the_same_units_at_once_receive_them_one_after_the_other(desk: Desk) -> None:
    """Catches a receipt worked out from what the order was before the other's."""
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    await asyncio.gather(desk.receive(return_id, ("MUG", 2)), desk.receive(return_id, ("MUG", 2)))
    found = await desk.found(return_id)
    assert [(line.line_id, line.received) for line in found.lines] == [("1", 3), ("", 1)]
    assert await desk.stock() == (10, 4, 0)
