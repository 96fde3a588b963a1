"""The life cycle: the table of moves, what an order is by its units, and the page that is made from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from order_shop import HOME, NOON

from engine.errors import IllegalState
from engine.orders.diagram import page
from engine.orders.life import NO_LIFE, CancelledUnits
from engine.orders.model import Captured, Note, Order, OrderState
from engine.orders.revising import revision_of
from engine.orders.states import MOVES, PROGRESS, check_move, customer_lines, moves_between, state_of
from engine.orders.steering import OrderHold, Steering
from engine.routing.model import OrderLine

S = OrderState
DOCS = Path(__file__).parents[2] / "docs/reference/order-states.md"


def order(*quantities: int) -> Order:
    lines = tuple(OrderLine(line_id=str(at), sku=f"SKU-{at}", quantity=each) for at, each in enumerate(quantities, 1))
    captured = Captured(order_id="ord_1", channel="web", destination=HOME, lines=lines, demand=lines, captured_at=NOON)
    return Order(captured=captured, state=S.CAPTURED)


def test_every_state_has_moves_a_place_in_the_order_and_a_row_on_the_page() -> None:
    assert set(MOVES) == set(S) == set(PROGRESS)
    assert DOCS.read_text() == page(), "make it anew: python -m engine.orders.diagram > docs/reference/order-states.md"


def test_an_illegal_move_is_refused_with_the_legal_ones() -> None:
    with pytest.raises(IllegalState, match=r"Line '1' is delivered, and cannot be picking; .* can be: returned"):
        check_move(S.DELIVERED, S.PICKING, "Line '1'")
    with pytest.raises(IllegalState, match="nothing follows that"):
        check_move(S.CANCELLED, S.SOURCED, "Line '1'")


def test_an_order_is_what_waits_most_and_cancelled_only_as_a_whole() -> None:
    whole = order(2, 1)
    assert state_of(whole) is S.CAPTURED
    some = replace(whole, life=msgspec.structs.replace(NO_LIFE, cancelled=(CancelledUnits(line_id="1", quantity=2),)))
    assert [state for state, _ in customer_lines(some)] == [S.CANCELLED, S.CAPTURED]
    assert state_of(some) is S.CAPTURED
    held = replace(some, steering=Steering(order_holds=(OrderHold(reason="fraud", at=NOON, by="anna"),)))
    assert state_of(held) is S.ON_HOLD


def test_a_revision_notes_its_moves_and_refuses_those_that_may_not_be() -> None:
    """Catches a rule that forgets to check: what is cancelled would come back."""
    whole = order(3)
    gone = replace(whole, life=msgspec.structs.replace(NO_LIFE, cancelled=(CancelledUnits(line_id="1", quantity=3),)))
    revision = revision_of(whole, gone, Note(event="cancelled", by="anna"))
    assert revision.to.state is S.CANCELLED
    (move,) = revision.note.moves
    assert (move.line_id, move.before, move.after, move.quantity) == ("1", "captured", "cancelled", 3)
    with pytest.raises(IllegalState, match="is cancelled, and cannot be captured"):
        revision_of(gone, whole, Note(event="undone", by="anna"))


def test_moves_are_the_fewest_and_legal_where_they_can_be() -> None:
    before = {"1": {S.PACKED: 3, S.SOURCED: 2}}
    after = {"1": {S.SHIPPED: 3, S.RELEASED: 2}}
    assert moves_between(before, after) == [("1", S.SOURCED, S.RELEASED, 2), ("1", S.PACKED, S.SHIPPED, 3)]


def test_units_that_are_added_or_taken_out_of_a_line_come_from_outside_or_go_there() -> None:
    """Catches a history from which a modified order cannot be told: its released units would be more than it has."""
    assert moves_between({"1": {S.RELEASED: 3}}, {"1": {S.RELEASED: 1}, "2": {S.CAPTURED: 2}}) == [
        ("1", S.RELEASED, None, 2),
        ("2", None, S.CAPTURED, 2),
    ]
