"""Units of which nobody knows the order: received, inspected and stocked as any others, for store credit or nothing."""

from __future__ import annotations

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.inventory.model import Replay
from engine.orders.effecting import Effects
from engine.orders.facts.returns import ReturnState
from engine.orders.model import OrderState
from engine.orders.states import is_over, state_of
from engine.returns.policy import ReturnPolicy, WithoutReceipt
from tests.returns.return_desk import Desk

S = ReturnState
KEY = Replay(digest="a" * 64, fingerprint="b")


async def test_units_without_a_receipt_go_into_stock_and_pay_nothing_unless_the_policy_says_so(desk: Desk) -> None:
    found = await desk.take(("MUG", 2))
    assert (found.state, found.has_receipt, found.node_id) == (S.AUTHORISED, False, "south")
    await desk.receive(found.return_id, ("MUG", 2))
    found = await desk.inspect(found.return_id, ("MUG", 2, "restock"))
    assert (found.state, found.refund_cents, await desk.stock(node_id="south")) == (S.CLOSED, 0, (7, 0, 0))
    order, _ = await desk.engine.returns.get(found.return_id)
    assert (state_of(order), is_over(order)) == (OrderState.RETURNED, True)
    assert await desk.engine.orders.open_orders() == []


async def test_they_pay_store_credit_at_the_share_and_the_most_that_the_policy_gives(desk: Desk) -> None:
    await desk.policy(
        ReturnPolicy(without_receipt=WithoutReceipt(pays_credit=True, refund_percent=50, most_cents=1200))
    )
    return_id = (await desk.take(("MUG", 2), ("TEA", 1))).return_id
    await desk.receive(return_id, ("MUG", 2), ("TEA", 1), ("POT", 1))
    found = await desk.inspect(return_id, ("MUG", 2, "restock"), ("POT", 1, "scrap"))
    assert (found.refund_cents, found.store_credit_cents) == (999, 999)
    found = await desk.inspect(return_id, ("TEA", 1, "restock"))
    assert (found.state, found.refund_cents, found.store_credit_cents) == (S.CLOSED, 1200, 1200)
    order, _ = await desk.engine.returns.get(return_id)
    notes = [step.note for step in await desk.engine.orders.history(order.order_id) if step.note is not None]
    assert [note.amount_cents for note in notes if note.event == "store_credit_given"] == [999, 201]


async def test_the_same_key_takes_them_once_and_a_dead_process_leaves_nothing_open(desk: Desk) -> None:
    """Catches an order that stays open for routing when its process dies before its first step."""
    settle, Effects.settle = Effects.settle, _dies  # type: ignore[method-assign]
    try:
        with pytest.raises(SystemError):
            await desk.take(("MUG", 2), replay=KEY)
    finally:
        Effects.settle = settle  # type: ignore[method-assign]
    found = await desk.take(("MUG", 2), replay=KEY)
    assert (await desk.take(("MUG", 2), replay=KEY)).return_id == found.return_id
    assert await desk.engine.effects.step() == 1
    assert await desk.engine.orders.open_orders() == []
    assert (await desk.found(found.return_id)).state is S.AUTHORISED


async def test_what_the_policy_does_not_take_is_refused_and_what_is_wrong_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as caught:
        await desk.take(("MAG", 1), ("TEA", 0), ("TEA", 1))
    assert [each.path for each in caught.value.faults] == ["$.lines[0].sku", "$.lines[1].quantity", "$.lines[2].sku"]
    await desk.policy(ReturnPolicy(without_receipt=WithoutReceipt(needs_approval=True)))
    found = await desk.take(("MUG", 1))
    assert (found.state, found.needs_approval) == (S.REQUESTED, "without_receipt")
    await desk.engine.returns.approve(found.return_id, "carl")
    assert (await desk.receive(found.return_id, ("MUG", 1))).state is S.RECEIVED
    await desk.policy(ReturnPolicy(without_receipt=WithoutReceipt(is_allowed=False)))
    with pytest.raises(IllegalState, match="takes nothing back without a receipt"):
        await desk.take(("MUG", 1))


async def _dies(self: Effects, order_id: str) -> None:
    raise SystemError("killed")
