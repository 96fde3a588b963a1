"""Whatever is done with a paid order, in whatever order, money, shipments and the provider's books agree."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import IllegalState
from engine.orders.effecting import with_effects
from engine.orders.facts.money import EntryKind, TenderKind
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import NewTender, Note, Order
from engine.orders.paying.balancing import aside_cents, is_settled, refund_for
from engine.orders.paying.ledger import (
    REFUND,
    asked_cents,
    is_closed,
    net_charged_cents,
    open_cents,
    room_cents,
    sum_cents,
)
from engine.orders.paying.values import charged_for_cents, wanted_cents
from engine.orders.remaining import units_left
from engine.orders.revising import revision_of
from engine.payments.report import report_of
from tests.payments.till import Till

TOKENS = ("tok_visa", "tok_one_capture", "tok_timeout", "tok_declined_later", "tok_expires", "tok_capture_declined")
ACTS = ("ship", "lose", "cancel", "cancel some", "settle", "route", "refund", "wait", "long wait", "tender")


async def act(till: Till, name: str, units: int) -> None:
    """Do something with the order, if it can be done."""
    order = await till.orders.get("ord_1")
    there = sum(row.quantity for row in order.allocation if row.node_id == "north")
    with suppress(IllegalState):
        if name in {"ship", "lose"} and there:
            await till.ship(min(units, there), then=ShipmentState.LOST if name == "lose" else ShipmentState.SHIPPED)
        elif name == "cancel" and not is_settled(order):
            await till.cancel_the_rest()
        elif name == "cancel some" and not is_settled(order):
            await till.cancel_the_rest(units=min(units, sum(units_left(order).values())))
        elif name == "route" and not order.steering.order_holds and not is_settled(order):
            await till.route_what_is_left()
        elif name == "refund":
            await till.changes.change("ord_1", lambda order, _: given_back(order, 10 * units))
        elif name == "tender":
            await till.add(NewTender(kind=TenderKind.CARD, token="tok_visa"))
        elif name == "settle":
            await till.settle()
    if name in {"wait", "long wait"}:
        till.clock.advance(timedelta(minutes=20) if name == "wait" else timedelta(days=6, hours=12))
        await till.effects.step()


def given_back(order: Order, cents: int):  # type: ignore[no-untyped-def]
    life = with_effects(order.life, *refund_for(order, cents))
    return revision_of(order, replace(order, life=life), Note(event="refund_asked", by="anna"))


async def check(till: Till) -> None:
    """Assert that nobody is charged without stock, and that the ledger is never more than the provider's books."""
    order = await till.orders.get("ord_1")
    captured, refunded = await till.at_provider()
    lost = sum(1000 * each.lines[0].quantity for each in order.life.shipments if each.state is ShipmentState.LOST)
    shipped = charged_for_cents(order) + (lost or 0)
    assert captured <= shipped + 500 * bool(lost)
    assert refunded <= captured
    money = order.life.money
    assert sum_cents(money, EntryKind.CAPTURED) <= captured
    assert sum_cents(money, EntryKind.REFUNDED) <= refunded
    assert all(open_cents(money, entry) >= 0 for entry in money.ledger if entry.kind is EntryKind.AUTHORISED)


async def tell(tenders: Sequence[NewTender], acts: Sequence[tuple[str, int]]) -> None:
    till = Till()
    await till.stocked()
    await till.place(*tenders)
    for name, units in acts:
        await act(till, name, units)
        await check(till)
    await till.quiet(days=1)
    await check(till)
    order = await till.orders.get("ord_1")
    assert asked_cents(order, REFUND) == 0
    balances = {"sandbox": await till.balances(), "terms": None}
    report = report_of([order], balances, order.captured.captured_at, till.clock.now() + timedelta(days=1))
    assert report.agrees, report.disagreements
    money, due = order.life.money, charged_for_cents(order) - net_charged_cents(order)
    willing = [
        each for each in money.tenders if room_cents(order, each) or (each.takes_rest and not is_closed(money, each))
    ]
    assert due <= 0 or not willing, "no stock without a charge, as long as anybody pays"
    kind = sum(entry.amount_cents for entry in money.ledger if entry.kind is EntryKind.REFUNDED and not entry.subject)
    assert net_charged_cents(order) - wanted_cents(order) <= kind, "what is too much was given back"
    if is_settled(order):
        assert aside_cents(order) == 0, "what is set aside for nothing is let go"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(TOKENS),
    st.sampled_from(["", "gift_700", "gift_9000"]),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 4)), max_size=14),
)
def test_money_shipments_and_the_providers_books_agree_whatever_is_done(
    token: str, gift: str, acts: list[tuple[str, int]]
) -> None:
    """Catches a refund of goodwill that counts as if its units had never left, and a capture that is forgotten."""
    tenders = [NewTender(kind=TenderKind.CARD, token=token)]
    if gift:
        tenders.insert(0, NewTender(kind=TenderKind.GIFT_CARD, token=gift, amount_cents=1500))
    story: Coroutine[None, None, None] = tell(tenders, [("settle", 1), ("route", 1), *acts])
    asyncio.run(story)
