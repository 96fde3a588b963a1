"""What comes of a return, what becomes of it, and what it pays back: to the unit and to the cent."""

from __future__ import annotations

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.orders.facts.returns import RefundShares, ReturnState
from engine.orders.model import OrderState
from engine.orders.states import is_over, state_of, units_by_state
from engine.returns.policy import ReturnPolicy, Terms
from tests.returns.return_desk import Desk

S, U = ReturnState, OrderState


async def test_what_comes_waits_in_quality_hold_until_it_is_known_what_becomes_of_it(desk: Desk) -> None:
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    found = await desk.receive(return_id, ("MUG", 3))
    assert (found.state, found.waiting, await desk.stock()) == (S.RECEIVED, 3, (10, 3, 0))
    order = await desk.engine.orders.get("ord_1")
    assert units_by_state(order) == {"1": {U.RETURNED: 3}, "2": {U.DELIVERED: 2}}
    assert not is_over(order)
    found = await desk.inspect(return_id, ("MUG", 1, "restock"), ("MUG", 1, "refurbish"), ("MUG", 1, "scrap"))
    assert (found.state, await desk.stock()) == (S.CLOSED, (11, 0, 1))
    line = found.lines[0]
    assert (line.restocked, line.refurbished, line.scrapped, line.waiting) == (1, 1, 1, 0)
    order = await desk.engine.orders.get("ord_1")
    assert (state_of(order), is_over(order), order.life.effects) == (U.DELIVERED, True, ())
    assert await desk.events("ord_1") == ["return_authorised", "return_received", "return_inspected"]


async def test_parts_come_one_by_one_and_what_never_comes_is_closed(desk: Desk) -> None:
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2), ("2", 1))).return_id
    await desk.receive(return_id, ("MUG", 1))
    assert (await desk.inspect(return_id, ("MUG", 1, "restock"))).state is S.INSPECTED
    with pytest.raises(IllegalState, match="1 units have come; close it"):
        await desk.engine.returns.cancel(return_id, "anna")
    await desk.receive(return_id, ("TEA", 1))
    with pytest.raises(IllegalState, match=r"1 units of return .* were not inspected"):
        await desk.engine.returns.close(return_id, "anna")
    await desk.inspect(return_id, ("TEA", 1, "restock"))
    await desk.engine.returns.close(return_id, "anna", "gave up")
    assert (await desk.found(return_id)).state is S.CLOSED
    step = (await desk.engine.orders.history("ord_1"))[-1]
    assert step.note is not None
    assert (step.note.event, step.note.reason) == ("return_closed", "gave up")
    assert (await desk.announce("ord_1", ("1", 2))).state is S.AUTHORISED, "what did not come may be announced again"


async def test_more_and_other_units_than_announced_are_told_and_kept_apart(desk: Desk) -> None:
    """The order had 3 mugs and 2 teas: a fourth mug and a pot are not the customer's, and nothing is paid for them."""
    await desk.delivered("ord_1", MUG=3000, TEA=1000)
    return_id = (await desk.announce("ord_1", ("1", 1))).return_id
    found = await desk.receive(return_id, ("MUG", 4), ("TEA", 1), ("POT", 1), is_all=True)
    assert [(line.line_id, line.sku, line.quantity, line.received, line.reason) for line in found.lines] == [
        ("1", "MUG", 1, 3, "unwanted"),
        ("", "MUG", 0, 1, "unexpected"),
        ("2", "TEA", 0, 1, "unannounced"),
        ("", "POT", 0, 1, "unexpected"),
    ]
    told = {each.note.event: each.note for each in await desk.engine.orders.history("ord_1") if each.note}
    assert (
        told["return_received"].reason
        == "2 MUG more than announced; 1 MUG unexpected; 1 TEA unannounced; 1 POT unexpected"
    )
    found = await desk.inspect(return_id, ("MUG", 4, "restock"), ("TEA", 1, "restock"), ("POT", 1, "restock"))
    assert (found.state, found.refund_cents) == (S.CLOSED, 3500)
    assert [(await desk.stock(sku))[:2] for sku in ("MUG", "TEA", "POT")] == [(14, 0), (11, 0), (11, 0)]
    assert units_by_state(await desk.engine.orders.get("ord_1"))["2"] == {U.RETURNED: 1, U.DELIVERED: 1}


async def test_fewer_units_than_announced_are_told(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000)
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    await desk.receive(return_id, ("MUG", 1), is_all=True)
    found = await desk.inspect(return_id, ("MUG", 1, "restock"))
    assert (found.state, found.refund_cents) == (S.CLOSED, 1000)
    told = [each.note.reason for each in await desk.engine.orders.history("ord_1") if each.note]
    assert "2 MUG fewer than announced" in told


async def test_what_came_elsewhere_is_in_stock_there(desk: Desk) -> None:
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    found = await desk.receive(return_id, ("MUG", 1), node_id="south")
    assert (found.node_id, await desk.stock(node_id="south"), await desk.stock()) == ("south", (5, 1, 0), (10, 0, 0))
    with pytest.raises(IllegalState, match="is at node 'south' already"):
        await desk.receive(return_id, ("MUG", 1), node_id="north")


async def test_what_is_wrong_with_a_receipt_or_an_inspection_is_named(desk: Desk) -> None:
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    with pytest.raises(InvalidInput) as caught:
        await desk.receive(return_id, ("MAG", 1), ("MUG", 0), ("MUG", 1), node_id="nowhere")
    assert [each.path for each in caught.value.faults] == [
        "$.lines[0].sku",
        "$.lines[1].quantity",
        "$.lines[2].sku",
        "$.node_id",
    ]
    with pytest.raises(InvalidInput, match="is empty; name what came"):
        await desk.receive(return_id)
    await desk.receive(return_id, ("MUG", 1))
    with pytest.raises(InvalidInput) as caught:
        await desk.inspect(return_id, ("TEA", 1, "scrap"), ("MUG", 0, "scrap"), percent=101)
    assert [each.path for each in caught.value.faults] == [
        "$.lines[0].sku",
        "$.lines[0].refund_percent",
        "$.lines[1].quantity",
        "$.lines[1].refund_percent",
    ]
    with pytest.raises(IllegalState, match="has 1 units of 'MUG' to inspect, 2 are named"):
        await desk.inspect(return_id, ("MUG", 2, "scrap"))


async def test_parts_of_a_line_sum_to_its_price_to_the_cent(desk: Desk) -> None:
    """Catches units that are each rounded for themselves: 3 × 333 cents are a cent less than was paid."""
    await desk.delivered("ord_1", MUG=1000)
    paid: list[int] = []
    for _ in range(3):
        return_id = (await desk.announce("ord_1", ("1", 1))).return_id
        await desk.receive(return_id, ("MUG", 1))
        paid.append((await desk.inspect(return_id, ("MUG", 1, "restock"))).refund_cents)
    assert (paid, sum(paid)) == ([333, 333, 334], 1000)


async def test_fees_and_shares_are_kept_back_and_shipping_goes_back_with_the_whole_order(desk: Desk) -> None:
    usual = Terms(restocking_percent=10, fee_cents=150, refunds_shipping=True)
    await desk.policy(ReturnPolicy(usual=usual, refund_shares=RefundShares(refurbish=50, scrap=0)))
    await desk.delivered("ord_1", MUG=3000, TEA=1000, shipping_cents=499)
    return_id = (await desk.announce("ord_1", ("1", 3), ("2", 2))).return_id
    await desk.receive(return_id, ("MUG", 3))
    found = await desk.inspect(return_id, ("MUG", 1, "restock"), ("MUG", 1, "refurbish"), ("MUG", 1, "scrap"))
    assert (found.lines[0].value_cents, found.lines[0].refund_cents) == (3000, 900 + 450)
    assert (found.refund_cents, found.shipping_refund_cents) == (1200, 0)
    await desk.receive(return_id, ("TEA", 2))
    found = await desk.inspect(return_id, ("TEA", 2, "restock"), percent=100)
    assert (found.shipping_refund_cents, found.refund_cents) == (499, 1350 + 900 - 150 + 499)
    amounts = [
        each.note.amount_cents
        for each in await desk.engine.orders.history("ord_1")
        if each.note is not None and each.note.event == "return_refunded"
    ]
    assert (amounts, sum(filter(None, amounts))) == ([1200, 1399], found.refund_cents)


async def test_a_fee_is_never_more_than_what_is_paid_back(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(usual=Terms(fee_cents=5000)))
    await desk.delivered("ord_1", MUG=3000)
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    await desk.receive(return_id, ("MUG", 3))
    assert (await desk.inspect(return_id, ("MUG", 3, "restock"))).refund_cents == 0
    assert "return_refunded" not in await desk.events("ord_1")


async def test_money_may_go_back_when_units_come(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(refund_at="received"))
    await desk.delivered("ord_1", MUG=3000)
    return_id = (await desk.announce("ord_1", ("1", 2))).return_id
    assert (await desk.receive(return_id, ("MUG", 2))).refund_cents == 2000
    assert (await desk.inspect(return_id, ("MUG", 2, "scrap"))).refund_cents == 2000


async def test_a_return_that_never_comes_runs_out_and_one_of_which_part_came_is_closed(desk: Desk) -> None:
    await desk.delivered("ord_1")
    await desk.delivered("ord_2")
    first = (await desk.announce("ord_1", ("1", 3))).return_id
    second = (await desk.announce("ord_2", ("1", 3))).return_id
    await desk.receive(second, ("MUG", 1))
    await desk.inspect(second, ("MUG", 1, "restock"))
    await desk.later(days=14)
    assert (await desk.found(first)).state is S.AUTHORISED, "the last day is not over"
    await desk.later(days=1)
    assert ((await desk.found(first)).state, (await desk.found(second)).state) == (S.EXPIRED, S.CLOSED)
    assert (await desk.events("ord_1"), await desk.stock()) == (["return_authorised", "return_expired"], (11, 0, 0))
    with pytest.raises(IllegalState, match="is expired; announce what came as a new return"):
        await desk.receive(first, ("MUG", 3))


async def test_a_return_is_cancelled_once_and_leaves_nothing_to_be_done(desk: Desk) -> None:
    await desk.delivered("ord_1")
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    for _ in range(2):
        await desk.engine.returns.cancel(return_id, "anna", "keeps them")
    order = await desk.engine.orders.get("ord_1")
    assert (order.life.returns[0].state, order.life.effects) == (S.CANCELLED, ())
    assert await desk.events("ord_1") == ["return_authorised", "return_cancelled"]
