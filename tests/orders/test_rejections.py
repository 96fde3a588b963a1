"""Orders that nodes refuse, wholly or in part: what becomes of their lines, stock and capacity, in every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs
from order_shop import NOON, TODAY, Shop, rows

from engine.errors import IdempotencyConflict, IllegalState, InvalidInput, NotFound
from engine.inventory.model import Adjustment, Replay
from engine.orders.holding import NewHold, released, stopped
from engine.orders.model import Order, OrderState
from engine.orders.overriding import NewOverride, accepted, overridden
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.revising import OrderChanged
from engine.orders.steering import TOO_MANY_REJECTIONS, RejectionKind
from engine.routing.model import AllocationRow, LineNode, NodeCapacity, OrderAllocation, OrderLine

SHORT = RejectionKind.SHORT_PICK
NODES = ("north", "south")


async def reject(
    shop: Shop,
    order_id: str,
    node_id: str = "north",
    *lines: tuple[str, int | None],
    kind: RejectionKind = RejectionKind.REJECTED,
    most: int = 0,
    replay: Replay | None = None,
    seen: Order | None = None,
) -> Order:
    new = NewRejection(node_id=node_id, reason="no time", kind=kind, lines=lines)
    order = seen or await shop.orders.get(order_id)
    return (await shop.orders.revise(rejected(order, new, NOON, "anna", most), replay=replay)).value


async def used(shop: Shop, day: date = TODAY) -> dict[str, tuple[int, int]]:
    return {each.node_id: (each.units, each.parcels) for each in await shop.orders.used_capacity([day])}


def placed(order: Order) -> list[tuple[str, int, str | None]]:
    return [(row.line_id, row.quantity, row.node_id) for row in order.allocation]


async def test_a_node_that_rejects_an_order_gives_its_units_and_its_capacity_back(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    assert (await shop.counts("north"), await used(shop)) == ((10, 0, 3), {"north": (3, 1)})
    order = await reject(shop, "ord_1")
    assert (order.state, placed(order), order.reservation_id) == (OrderState.BACKORDERED, [("1", 3, None)], None)
    assert (await shop.counts("north"), await used(shop)) == ((10, 0, 0), {})
    assert await shop.orders.get("ord_1") == order


async def test_the_order_is_open_again_and_says_which_node_refused_which_line(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    assert await shop.orders.open_orders() == []
    await reject(shop, "ord_1")
    (open_order,) = await shop.orders.open_orders()
    assert open_order.excluded == (LineNode(line_id="1", node_id="north"),)
    assert (open_order.own_stock, open_order.kept, open_order.stopped, open_order.revision) == ((), (), None, 1)


async def test_the_reason_and_who_gave_it_are_kept_in_the_history(shop: Shop) -> None:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    order = await reject(shop, "ord_1")
    (rejection,) = order.steering.rejections
    assert (rejection.node_id, rejection.run_id) == ("north", "run_1")
    assert (rejection.reason, rejection.by) == ("no time", "anna")
    assert order.steering.attempts == 1
    *_, last = await shop.orders.history("ord_1")
    assert (last.state, last.run_id) == (OrderState.BACKORDERED, None)
    assert last.note is not None
    assert (last.note.event, last.note.node_id) == ("rejected", "north")
    assert (last.note.reason, last.note.by) == ("no time", "anna")
    assert [(line.line_id, line.quantity) for line in last.note.lines] == [("1", 3)]
    history = await shop.inventory.history("MUG", "north")
    assert history.events[0].whys == ("rejected ord_1",)


async def test_units_of_a_short_pick_are_not_on_hand_any_more_and_no_others_are_promised(shop: Shop) -> None:
    """Catches giving back what is not there: the next order would be sent to the same empty shelf."""
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (5, "north")))
    order = await reject(shop, "ord_1", "north", ("1", 2), kind=SHORT)
    assert await shop.counts("north") == (8, 0, 3)  # five were free before, and are now
    assert placed(order) == [("1", 3, "north"), ("1", 2, None)]
    assert await used(shop) == {"north": (3, 1)}
    (open_order,) = await shop.orders.open_orders()
    assert [(row.quantity, row.node_id) for row in open_order.kept] == [(3, "north")]


async def test_a_short_pick_takes_no_more_off_on_hand_than_there_is(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (5, "north")))
    await shop.inventory.adjust([Adjustment(node_id="north", sku="MUG", delta=-9, reason="count")])
    await reject(shop, "ord_1", kind=SHORT)
    assert await shop.counts("north") == (0, 0, 0)


async def test_what_another_node_has_stays_with_it(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, "south")))
    order = await reject(shop, "ord_1", "south")
    assert placed(order) == [("1", 3, "north"), ("1", 2, None)]
    assert (await shop.counts("north"), await shop.counts("south")) == ((10, 0, 3), (5, 0, 0))
    assert await used(shop) == {"north": (3, 1)}


async def test_an_order_that_was_rejected_is_routed_again_and_cancelled_like_any_other(shop: Shop) -> None:
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, "south")))
    await reject(shop, "ord_1", "north")
    allocation = replace(rows("ord_1", (5, "south")), revision=1)
    assert await shop.outcomes("run_2", allocation) == ["committed"]
    assert (await shop.counts("north"), await shop.counts("south")) == ((10, 0, 0), (5, 0, 5))
    assert await used(shop) == {"south": (5, 1)}
    await reject(shop, "ord_1", "south", ("1", 1))
    await shop.orders.cancel("ord_1")
    assert (await shop.counts("north"), await shop.counts("south"), await used(shop)) == ((10, 0, 0), (5, 0, 0), {})


async def test_a_run_that_decided_before_a_rejection_does_not_send_the_order_to_that_node_again(shop: Shop) -> None:
    """Catches a commit that does not ask for the order's revision: it would undo what the node has said meanwhile."""
    await shop.place("ord_1", 5)
    await shop.commit("run_1", rows("ord_1", (3, "north"), (2, None)))
    decided = rows("ord_1", (5, "north"))  # run_2 looked at the order before
    await reject(shop, "ord_1", "north")
    (verdict,) = await shop.commit("run_2", decided)
    assert (verdict.outcome, "said something" in (verdict.reason or "")) == ("moved", True)
    assert await shop.counts("north") == (10, 0, 0)
    assert await shop.outcomes("run_2", replace(rows("ord_1", (5, "south")), revision=1)) == ["committed"]


async def test_a_rejection_that_comes_again_under_its_key_gets_the_first_answer(shop: Shop) -> None:
    """Catches a record that is not written with the change: the retry would be refused, or give units back twice."""
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    first = await reject(shop, "ord_1", "north", ("1", 1), replay=key)
    again = await reject(shop, "ord_1", "north", ("1", 1), replay=key)
    assert again == first
    assert (await shop.counts("north"), len(await shop.orders.history("ord_1"))) == ((10, 0, 3), 3)
    kept = await shop.orders.recall_revision(key, "ord_1")
    assert kept is not None
    assert (kept.value, kept.replayed) == (first, True)
    assert await shop.orders.recall_revision(replace(key, digest="e" * 64), "ord_1") is None
    with pytest.raises(IdempotencyConflict):
        await reject(shop, "ord_1", "north", ("1", 1), replay=replace(key, fingerprint="e" * 64))


async def test_a_refusal_is_kept_under_its_key_too(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    with pytest.raises(IllegalState, match="has no unit") as first:
        await reject(shop, "ord_1", "south", replay=key)
    await reject(shop, "ord_1", "north")
    await shop.commit("run_2", replace(rows("ord_1", (4, "south")), revision=1))
    with pytest.raises(IllegalState) as again:
        await reject(shop, "ord_1", "south", replay=key)
    assert (str(again.value), again.value.replayed, first.value.replayed) == (str(first.value), True, False)


async def test_of_two_rejections_at_once_one_is_made_and_the_other_looks_again(shop: Shop) -> None:
    """Catches a change that is made whatever the order has become: units would go back twice."""
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    seen = await shop.orders.get("ord_1")
    calls = (reject(shop, "ord_1", "north", ("1", 1), seen=seen) for _ in range(4))
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, Order) for each in found) == 1
    assert all(isinstance(each, Order | OrderChanged) for each in found)
    assert (await shop.counts("north"), await used(shop)) == ((10, 0, 3), {"north": (3, 1)})


async def test_more_than_a_node_has_is_refused_and_nothing_is_changed(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    before = await shop.orders.get("ord_1")
    with pytest.raises(IllegalState, match="has 4 units of line '1' to ship, 5 are rejected"):
        await reject(shop, "ord_1", "north", ("1", 5))
    with pytest.raises(InvalidInput, match="no line '7'"):
        await reject(shop, "ord_1", "north", ("7", 1))
    with pytest.raises(IllegalState, match="'south' has no unit"):
        await reject(shop, "ord_1", "south")
    assert await shop.orders.get("ord_1") == before
    assert await shop.counts("north") == (10, 0, 4)


async def test_an_order_of_which_units_have_left_is_not_rejected(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = await shop.orders.get("ord_1")
    await shop.inventory.consume(str(order.reservation_id))
    with pytest.raises(IllegalState, match="have left a node"):
        await reject(shop, "ord_1")
    assert await shop.counts("north") == (6, 0, 0)


async def test_an_unknown_order_is_not_found(shop: Shop) -> None:
    order = replace(await shop.place("ord_1"), allocation=(AllocationRow(line_id="1", sku="MUG", quantity=1),))
    unknown = replace(order, captured=replace(order.captured, order_id="ord_none"))
    with pytest.raises(NotFound, match="ord_none"):
        await shop.orders.revise(stopped(unknown, NewHold(reason="x"), NOON, "anna"))


async def test_after_as_many_attempts_as_may_be_the_order_is_left_for_people(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    assert (await reject(shop, "ord_1", "north", most=2)).steering.order_hold is None
    await shop.commit("run_2", replace(rows("ord_1", (4, "south")), revision=1))
    order = await reject(shop, "ord_1", "south", most=2)
    assert order.steering.order_hold is not None
    assert order.steering.order_hold.reason == TOO_MANY_REJECTIONS
    (open_order,) = await shop.orders.open_orders()
    assert open_order.stopped == TOO_MANY_REJECTIONS
    done = (await shop.orders.revise(released(order, "bo"))).value
    assert (done.steering.order_hold, done.steering.attempts) == (None, 0)
    with pytest.raises(IllegalState, match="no order hold"):
        await shop.orders.revise(released(done, "bo"))


async def test_a_closed_node_is_no_attempt_and_may_be_asked_again_when_it_is_open(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = await reject(shop, "ord_1", kind=RejectionKind.CLOSED, most=1)
    assert (order.steering.attempts, order.steering.order_hold) == (0, None)
    (open_order,) = await shop.orders.open_orders()
    assert open_order.excluded == ()


async def test_a_kit_that_ships_from_one_node_is_rejected_as_a_whole(shop: Shop) -> None:
    lines = (OrderLine(line_id="1/MUG", sku="MUG", quantity=2), OrderLine(line_id="2", sku="MUG", quantity=1))
    await shop.place("ord_1", demand=(lines[0], structs.replace(lines[1], sku="TEA")), whole=(("1/MUG", "2"),))
    await shop.inventory.adjust([Adjustment(node_id="north", sku="TEA", delta=1, reason="found")])
    there = {"node_id": "north", "service": "ground", "ship_on": TODAY}
    allocation = OrderAllocation(
        order_id="ord_1",
        rows=(
            AllocationRow(line_id="1/MUG", sku="MUG", quantity=2, **there),  # type: ignore[arg-type]
            AllocationRow(line_id="2", sku="TEA", quantity=1, **there),  # type: ignore[arg-type]
        ),
    )
    assert await shop.outcomes("run_1", allocation) == ["committed"]
    order = await reject(shop, "ord_1", "north", ("1/MUG", 1), kind=SHORT)
    assert placed(order) == [("1/MUG", 2, None), ("2", 1, None)]
    assert (await shop.counts("north"), await shop.counts("north", "TEA")) == ((9, 0, 0), (1, 0, 0))


# People


async def test_a_pin_opens_what_ships_from_elsewhere_and_keeps_its_stock_until_it_is_routed(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = await shop.orders.get("ord_1")
    new = NewOverride(reason="closer to the customer", pins=(("1", "south"),))
    order = (await shop.orders.revise(overridden(order, new, NOON, "bo", NODES))).value
    assert (order.state, placed(order)) == (OrderState.BACKORDERED, [("1", 4, None)])
    assert await shop.counts("north") == (10, 0, 4)
    (open_order,) = await shop.orders.open_orders()
    assert open_order.pins == (LineNode(line_id="1", node_id="south"),)
    assert await shop.outcomes("run_2", replace(rows("ord_1", (4, "south")), revision=1)) == ["committed"]
    assert (await shop.counts("north"), await shop.counts("south")) == ((10, 0, 0), (5, 0, 4))
    assert await used(shop) == {"south": (4, 1)}


async def test_an_override_is_checked_against_the_order_the_network_and_itself(shop: Shop) -> None:
    order = await shop.place("ord_1", 4)
    for new, message in (
        (NewOverride(reason="r", pins=(("9", "south"),)), "no line '9'"),
        (NewOverride(reason="r", pins=(("1", "nowhere"),)), "unknown node 'nowhere'"),
        (NewOverride(reason="r", forbidden_node_ids=("nowhere",)), "unknown node 'nowhere'"),
        (NewOverride(reason="r", pins=(("1", "south"),), forbidden_node_ids=("south",)), "which is forbidden"),
        (NewOverride(reason="r", priority=10), "no priority"),
        (NewOverride(reason="r"), "says nothing"),
    ):
        with pytest.raises(InvalidInput, match=message):
            overridden(order, new, NOON, "bo", NODES)


async def test_a_pin_to_a_node_that_refused_the_line_asks_it_again(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = await reject(shop, "ord_1", most=1)
    new = NewOverride(reason="they have it after all", pins=(("1", "north"),), priority=7)
    order = (await shop.orders.revise(overridden(order, new, NOON, "bo", NODES))).value
    assert (order.steering.attempts, order.steering.order_hold, order.priority) == (0, None, 7)
    (open_order,) = await shop.orders.open_orders()
    assert (open_order.excluded, open_order.stopped, open_order.priority) == ((), None, 7)


async def test_forbidden_nodes_are_read_once_and_not_for_every_line(shop: Shop) -> None:
    """Catches an object for each line and node: a million for the longest order and list."""
    lines = tuple(OrderLine(line_id=sku, sku=sku, quantity=1) for sku in ("MUG", "TEA"))
    order = await shop.place("ord_1", demand=lines)
    new = NewOverride(reason="strike", forbidden_node_ids=("north",))
    await shop.orders.revise(overridden(order, new, NOON, "bo", NODES))
    (open_order,) = await shop.orders.open_orders()
    assert (open_order.excluded, open_order.forbidden) == ((), frozenset({"north"}))


async def test_an_order_hold_is_for_people_to_release(shop: Shop) -> None:
    order = await shop.place("ord_1", 4)
    order = (await shop.orders.revise(stopped(order, NewHold(reason="fraud?"), NOON, "bo"))).value
    (open_order,) = await shop.orders.open_orders()
    assert open_order.stopped == "order_hold"
    order = (await shop.orders.revise(released(order, "bo"))).value
    (open_order,) = await shop.orders.open_orders()
    assert open_order.stopped is None


async def test_a_node_accepts_what_it_was_given(shop: Shop) -> None:
    await shop.place("ord_1", 4)
    await shop.commit("run_1", rows("ord_1", (4, "north")))
    order = (await shop.orders.revise(accepted(await shop.orders.get("ord_1"), "north", NOON, "north"))).value
    (acceptance,) = order.steering.acceptances
    assert (acceptance.node_id, acceptance.run_id, order.state) == ("north", "run_1", OrderState.SOURCED)
    with pytest.raises(IllegalState, match="'south' has no unit"):
        await shop.orders.revise(accepted(order, "south", NOON, "south"))


async def test_orders_that_a_run_has_decided_on_are_listed_until_they_are_cancelled(shop: Shop) -> None:
    for number in (1, 2, 3):
        await shop.place(f"ord_{number}")
    await shop.commit("run_1", rows("ord_1", (1, "north")), rows("ord_2", (1, None)))
    found = await shop.orders.allocated(10)
    assert {order_id for order_id, _ in found} == {"ord_1", "ord_2"}
    await reject(shop, "ord_1")
    assert await shop.orders.allocated(10) == found
    await shop.orders.cancel("ord_1")
    assert [order_id for order_id, _ in await shop.orders.allocated(10)] == ["ord_2"]
    assert await shop.orders.allocated(10, after_ms=max(at for _, at in found)) == []
    capacity = NodeCapacity(units=0)
    assert await shop.outcomes("run_2", rows("ord_3", (1, "north")), north=capacity) == ["moved"]
    assert [order_id for order_id, _ in await shop.orders.allocated(10)] == ["ord_2"]
