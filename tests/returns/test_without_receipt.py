"""Units of which nobody knows the order: received, inspected and stocked as any others, for store credit or nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import IllegalState, InvalidInput, NotFound
from engine.inventory.model import Replay
from engine.orders.destination import Destination
from engine.orders.effecting import Effects
from engine.orders.facts.money import EntryKind, TenderKind
from engine.orders.facts.returns import ReturnState
from engine.orders.model import NewLine, NewOrder, NewTender, OrderState
from engine.orders.states import is_over, state_of
from engine.returns.policy import ReturnPolicy, WithoutReceipt
from tests.returns.return_desk import Desk

S = ReturnState
HOME = Destination(latitude=44.0, longitude=-93.0)
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


async def test_store_credit_is_spent_in_an_order_given_back_to_it_and_never_more_than_there_is(desk: Desk) -> None:
    """Catches credit that is issued twice by a retry, and a second order that spends what the first has set aside."""
    await desk.policy(
        ReturnPolicy(without_receipt=WithoutReceipt(pays_credit=True, refund_percent=100, most_cents=9999))
    )
    made = await desk.take(("MUG", 2))
    await desk.receive(made.return_id, ("MUG", 2))
    found = await desk.inspect(made.return_id, ("MUG", 2, "restock"))
    credit, engine = found.store_credit, desk.engine
    assert credit == await engine.store_credit.issue(f"{made.return_id}:refund:1998", made.return_id, 1998, "USD")
    assert (await engine.store_credit.get(credit)).left_cents == found.store_credit_cents == 1998
    tender = NewTender(kind=TenderKind.STORE_CREDIT, token=credit, amount_cents=1500)
    card = NewTender(kind=TenderKind.CARD, token="tok_visa")
    for name in ("ord_1", "ord_2"):
        line = NewLine(sku="POT", quantity=1, unit_price_cents=1500)
        await engine.orders.capture(
            NewOrder(order_id=name, channel="web", destination=HOME, lines=(line,), tenders=(tender, card))
        )
    first, second = [(await engine.orders.get(name)).life.money for name in ("ord_1", "ord_2")]
    assert [(each.kind, each.tender_id, each.amount_cents) for each in first.ledger] == [
        (EntryKind.AUTHORISED, "tender_1", 1500)
    ]
    assert [(each.kind, each.tender_id, each.amount_cents, each.reason) for each in second.ledger] == [
        (EntryKind.AUTHORISED, "tender_1", 498, "insufficient_funds"),
        (EntryKind.DECLINED, "tender_1", 1002, "insufficient_funds"),
        (EntryKind.AUTHORISED, "tender_2", 1002, ""),
    ]
    balance = await engine.store_credit.get(credit)
    assert (balance.issued_cents, balance.aside_cents, balance.spent_cents, balance.left_cents) == (1998, 1998, 0, 0)
    provider_id = first.ledger[0].provider_id
    spent = await engine.store_credit.capture("c1", provider_id, 1500)
    assert (await engine.store_credit.get(credit)).spent_cents == 1500
    for _ in range(2):
        await engine.store_credit.refund("r1", spent.provider_id, 700)
    balance = await engine.store_credit.get(credit)
    assert (balance.issued_cents, balance.aside_cents, balance.spent_cents, balance.left_cents) == (1998, 498, 800, 700)
    report = await engine.payments.report(desk.clock.now() - timedelta(days=1), desk.clock.now() + timedelta(days=1))
    assert {"store_credit"} == {each.provider for each in report.disagreements}, (
        "it was captured behind the order's back"
    )
    assert [each.authorised_cents for each in report.totals if each.provider == "store_credit"] == [1998]
    with pytest.raises(NotFound, match="no store credit 'credit_0'"):
        await engine.store_credit.get("credit_0")
