"""Order holds: of several kinds at once, released by hand, in time, or by an event; an order goes on without any."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from order_shop import HOME, NOON

from engine.clock import SettableClock
from engine.errors import IllegalState, InvalidInput
from engine.inventory.memory_store import MemoryInventoryStore
from engine.orders.changing import OrderChanges
from engine.orders.effecting import Effects
from engine.orders.facts.checks import Checks, Finding
from engine.orders.holding import NewHold, release_in_time, released, stopped
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.model import Captured, Note, Order, OrderState
from engine.orders.order_holds import RELEASE
from engine.orders.revising import revision_of
from engine.orders.states import state_of
from engine.orders.steering import APPROVAL, MANUAL, TOO_MANY_REJECTIONS, OrderHold, Steering, steering_of
from engine.routing.model import OrderLine

LINE = OrderLine(line_id="1", sku="MUG", quantity=2)
CAPTURED = Captured(order_id="ord_1", channel="web", destination=HOME, lines=(LINE,), demand=(LINE,), captured_at=NOON)
ORDER = Order(captured=CAPTURED, state=OrderState.CAPTURED)


def held(order: Order, kind: str, **more: object) -> Order:
    return stopped(order, NewHold(reason=f"for {kind}", kind=kind, **more), NOON, "anna").to  # type: ignore[arg-type]


def kinds(order: Order) -> list[str]:
    return [hold.kind for hold in order.steering.order_holds]


def test_an_order_has_one_order_hold_of_each_kind_and_goes_on_without_any() -> None:
    order = held(held(held(ORDER, "fraud"), "address"), "fraud")
    assert (kinds(order), state_of(order)) == (["address", "fraud"], OrderState.ON_HOLD)
    order = released(order, "bo", "address").to
    assert (kinds(order), state_of(order)) == (["fraud"], OrderState.ON_HOLD)
    revision = released(order, "bo")
    assert (kinds(revision.to), state_of(revision.to), revision.note.subject) == ([], OrderState.CAPTURED, "fraud")


def test_an_event_of_its_history_releases_what_waits_for_it() -> None:
    order = held(held(ORDER, "payment", release_on="payment_authorised"), "address")
    other = revision_of(order, order, Note(event="payment_declined", by="pay")).to
    assert kinds(other) == ["payment", "address"]
    paid = revision_of(order, order, Note(event="payment_authorised", by="pay"))
    assert kinds(paid.to) == ["address"]


def test_only_an_order_hold_that_is_there_is_released_and_approval_never_by_hand() -> None:
    assert released(ORDER, "bo").refusal == "Order 'ord_1' has no order hold."
    refusal = released(held(ORDER, "fraud"), "bo", "address").refusal
    assert refusal == "Order 'ord_1' has no order hold of the kind 'address'; it has: fraud."
    hold = OrderHold(kind=APPROVAL, reason="big", at=NOON, by="order policy")
    waits = replace(
        held(ORDER, "fraud"), steering=Steering(order_holds=(hold, *held(ORDER, "fraud").steering.order_holds))
    )
    assert kinds(released(waits, "bo").to) == [APPROVAL]
    assert "approve it, or refuse it" in str(released(waits, "bo", APPROVAL).refusal)
    with pytest.raises(InvalidInput, match="is not put on by hand"):
        held(ORDER, APPROVAL)


def test_a_time_that_is_past_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"\$\.release_at: .* is past; give an instant after"):
        held(ORDER, "manual", release_at=NOON)


def test_what_was_kept_with_one_order_hold_and_no_kinds_keeps_it() -> None:
    old = b'{"rejections":[],"order_hold":{"reason":"fraud?","at":"2026-11-22T12:00:00Z","by":"bo"},"attempts":1}'
    said = steering_of(old)
    assert (said.order_hold, said.attempts) == (OrderHold(kind=MANUAL, reason="fraud?", at=NOON, by="bo"), 1)
    many = steering_of(old.replace(b"fraud?", TOO_MANY_REJECTIONS.encode()).decode())
    assert [hold.kind for hold in many.order_holds] == [TOO_MANY_REJECTIONS]
    assert steering_of(b'{"order_hold":null}').order_holds == ()


async def test_an_order_hold_with_a_time_is_released_when_it_has_come_and_once() -> None:
    """Seeded bug: an effect that outlives its order hold, by which a later one of the kind was released too early."""
    clock = SettableClock(NOON)
    orders = MemoryOrderStore(MemoryInventoryStore(clock), clock)
    changes = OrderChanges(orders, clock)
    effects = Effects(orders, changes, {RELEASE: release_in_time}, clock)
    await orders.capture(CAPTURED)

    async def hold(minutes: int) -> Order:
        new = NewHold(reason="regret", kind="regret", release_at=clock.now() + timedelta(minutes=minutes))
        return (await changes.change("ord_1", lambda order, at: stopped(order, new, at, "bo"))).value

    await hold(30)
    await hold(60)
    clock.advance(timedelta(minutes=45))
    assert (await effects.step(), kinds(await orders.get("ord_1"))) == (0, ["regret"])
    clock.advance(timedelta(minutes=15))
    assert (await effects.step(), await effects.step()) == (1, 0)
    order = await orders.get("ord_1")
    assert (kinds(order), order.life.effects, state_of(order)) == ([], (), OrderState.CAPTURED)
    assert [step.state for step in await orders.history("ord_1")][-2:] == [OrderState.ON_HOLD, OrderState.CAPTURED]
    with pytest.raises(IllegalState, match="has no order hold"):
        await changes.change("ord_1", lambda order, _: released(order, "bo"))


def test_an_order_hold_that_asks_for_nothing_more_leaves_no_effect() -> None:
    order = held(ORDER, "regret", release_at=NOON + timedelta(hours=1))
    assert [effect.subject for effect in order.life.effects] == ["regret"]
    assert released(order, "bo").to.life.effects == ()
    finding = Finding(rule="big", message="big", hold_kind=APPROVAL, approvals=1)
    checks = Checks(policy_version=1, at=NOON, findings=(finding,))
    checked = replace(order, life=msgspec.structs.replace(order.life, checks=checks))
    assert released(checked, "bo").to.life.checks == checks
