"""What may come back: of which lines, for which reasons, until when, by which terms, and where to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import IllegalState, InvalidInput, NotFound
from engine.orders.facts.returns import LabelPaidBy, ReturnState
from engine.orders.model import OrderState
from engine.orders.states import state_of
from engine.returns.policy import ReturnPolicy, ReturnRule, Terms
from tests.returns.return_desk import Desk

S = ReturnState


async def test_units_that_arrived_may_come_back_to_the_nearest_node(desk: Desk) -> None:
    await desk.delivered("ord_1")
    found = await desk.announce("ord_1", ("1", 2), reason="damaged")
    assert (found.return_id, found.state, found.node_id) == ("ret_1_ord_1", S.AUTHORISED, "north")
    assert (found.lines[0].sku, found.lines[0].quantity, found.lines[0].terms.rule) == ("MUG", 2, "usual")
    assert str(found.valid_until) == "2026-12-06"
    order = await desk.engine.orders.get("ord_1")
    assert state_of(order) is OrderState.DELIVERED
    assert await desk.events("ord_1") == ["return_authorised"]


async def test_no_more_comes_back_than_has_left_in_all_returns_together(desk: Desk) -> None:
    """Catches units that stand in two open returns at once."""
    await desk.delivered("ord_1")
    await desk.announce("ord_1", ("1", 2))
    with pytest.raises(IllegalState, match="1 units can be returned, 2 are named: 3 have left, 0 came back and 2 are"):
        await desk.announce("ord_1", ("1", 2))
    assert (await desk.announce("ord_1", ("1", 1))).return_id == "ret_2_ord_1"


async def test_every_fault_of_a_return_is_named(desk: Desk) -> None:
    await desk.delivered("ord_1")
    with pytest.raises(InvalidInput) as caught:
        await desk.announce("ord_1", ("9", 1), ("1", 0), ("1", 1), reason="unwonted", node_id="north")
    assert [fault.path for fault in caught.value.faults] == [
        "$.lines[0].line_id",
        "$.lines[0].reason",
        "$.lines[1].quantity",
        "$.lines[1].reason",
        "$.lines[2].line_id",
        "$.lines[2].reason",
    ]
    assert "'unwanted'" in caught.value.faults[1].message
    with pytest.raises(InvalidInput, match="there is no node 'nort'"):
        await desk.announce("ord_1", ("1", 1), node_id="nort")
    with pytest.raises(NotFound):
        await desk.engine.returns.get("ret_1_ord_1")
    with pytest.raises(NotFound):
        await desk.engine.returns.get("ord_1")


async def test_a_window_begins_with_delivery_and_an_exception_needs_approval(desk: Desk) -> None:
    await desk.delivered("ord_1")
    desk.clock.advance(timedelta(days=31))
    with pytest.raises(IllegalState, match=r"until 2026-12-22 \(usual, 30 days\)"):
        await desk.announce("ord_1", ("1", 1))
    found = await desk.announce("ord_1", ("1", 1), is_exception=True)
    assert (found.state, found.needs_approval) == (S.REQUESTED, "somebody asks for an exception")
    with pytest.raises(IllegalState, match="approve it first"):
        await desk.receive(found.return_id, ("MUG", 1))
    await desk.engine.returns.approve(found.return_id, "carl", "good customer")
    found = await desk.found(found.return_id)
    assert (found.state, found.approved_by) == (S.AUTHORISED, "carl")
    assert await desk.events("ord_1") == ["return_requested", "return_approved"]


async def test_a_return_that_nobody_approves_is_over_and_its_units_may_be_announced_again(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(usual=Terms(needs_approval=True)))
    await desk.delivered("ord_1")
    found = await desk.announce("ord_1", ("1", 3))
    await desk.engine.returns.reject(found.return_id, "carl", "worn")
    found = await desk.found(found.return_id)
    assert (found.state, found.reason) == (S.REFUSED, "worn")
    with pytest.raises(IllegalState, match="nothing to approve"):
        await desk.engine.returns.approve(found.return_id, "carl")
    assert (await desk.announce("ord_1", ("1", 3))).state is S.REQUESTED


async def test_the_first_rule_that_fits_a_line_says_its_terms(desk: Desk) -> None:
    rules = (
        ReturnRule(rule="broken", reasons=("damaged",), refunds_shipping=True),
        ReturnRule(rule="pots", skus=("POT",), is_returnable=False),
        ReturnRule(rule="tea", skus=("TEA",), is_returnable=False),
        ReturnRule(rule="web", channels=("web",), restocking_percent=15, label_paid_by=LabelPaidBy.CUSTOMER),
    )
    await desk.policy(ReturnPolicy(rules=rules))
    await desk.delivered("ord_1")
    with pytest.raises(IllegalState, match=r"takes 'TEA' not back for 'unwanted' \(tea\)"):
        await desk.announce("ord_1", ("2", 1))
    found = await desk.announce("ord_1", ("2", 1), reason="damaged")
    assert (found.lines[0].terms.rule, found.policy_version) == ("broken", 1)
    found = await desk.announce("ord_1", ("1", 1))
    terms = found.lines[0].terms
    assert (terms.rule, terms.restocking_percent, terms.label) == ("web", 15, LabelPaidBy.CUSTOMER)


async def test_a_return_that_is_worth_much_needs_approval(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(approval_from_cents=2000))
    await desk.delivered("ord_1", MUG=3000)
    assert (await desk.announce("ord_1", ("1", 1))).state is S.AUTHORISED
    assert (await desk.announce("ord_1", ("1", 2))).needs_approval == "worth 2000 cents"


async def test_units_go_where_they_are_lacking_if_that_is_worth_the_way(desk: Desk) -> None:
    """South is 400 cents farther; each of the units that it is short of counts 300 there."""
    await desk.open(low_stock=[{"units": 6}])
    await desk.delivered("ord_1")
    nodes = await desk.engine.returns.nodes_for("ord_1", [("1", 2)])
    assert [(each.node_id, each.way_cents, each.need_cents) for each in nodes] == [("north", 500, 0), ("south", 900, 0)]
    await desk.policy(ReturnPolicy(need_cents_per_unit=300))
    nodes = await desk.engine.returns.nodes_for("ord_1", [("1", 2)])
    assert [(each.node_id, each.net_cents) for each in nodes] == [("south", 300), ("north", 500)]
    assert (await desk.announce("ord_1", ("1", 2))).node_id == "south"
    assert (await desk.announce("ord_1", ("1", 1))).node_id == "north", "300 cents are not worth 400"
    await desk.policy(ReturnPolicy(node_ids=("south",)))
    assert [each.node_id for each in await desk.engine.returns.nodes_for("ord_1", [("1", 1)])] == ["south"]


async def test_a_policy_that_contradicts_itself_is_refused_with_every_fault(desk: Desk) -> None:
    rules = (ReturnRule(rule="a", reasons=("wrong",)), ReturnRule(rule="a"))
    with pytest.raises(InvalidInput) as caught:
        await desk.policy(ReturnPolicy(reasons=("late", "late"), rules=rules, node_ids=("soth",)))
    assert [fault.path for fault in caught.value.faults] == [
        "$.reasons[1]",
        "$.rules[0].reasons[0]",
        "$.rules[1].rule",
        "$.node_ids[0]",
    ]
