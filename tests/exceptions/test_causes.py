"""What else breaks promises: supplies that slip, order holds, payments, nodes that are off, stock that is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import msgspec
from watched_world import Watched

from engine.orders.facts.money import EntryKind, LedgerEntry, Money
from engine.orders.holding import NewHold
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of

_HOUR = timedelta(hours=1)


def on(day: int) -> date:
    return date(2026, 11, day)


async def test_a_supply_that_slips_makes_the_orders_late_that_wait_for_it(world: Watched) -> None:
    await world.count(east={"MUG": 0})
    await world.supply("po_1", "MUG", 5, day=24)
    order = await world.promised("o1", 2)
    assert order.captured.promised_on == on(25)
    await world.route()
    assert await world.alerts("o1") == ()
    await world.supply("po_1", "MUG", 5, day=30)
    world.clock.advance(_HOUR)
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.severity, alert.predicted_on) == ("supply_late", "critical", date(2026, 12, 1))
    assert alert.delay_days == 6
    await world.supply("po_1", "MUG", 5, day=24)
    world.clock.advance(_HOUR)
    assert await world.alerts("o1") == ()


async def test_units_without_stock_are_dated_by_the_supply_that_comes(world: Watched) -> None:
    await world.count(east={"MUG": 0})
    await world.order("o1", due=24)
    await world.route()
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.severity, alert.predicted_on, alert.delay_days) == ("stock", "critical", None, None)
    await world.supply("po_1", "MUG", 5, day=25)
    world.clock.advance(_HOUR)
    (later,) = await world.alerts("o1")
    assert (later.alert_id, later.predicted_on) == (alert.alert_id, on(27))
    assert "po_1" in later.message


async def test_an_order_hold_is_an_alert_when_it_is_too_late_for_the_promise(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    await world.engine.steering.stop("o1", NewHold(reason="is this a real address?"), by="ann")
    assert await world.alerts("o1") == ()
    world.at(21)
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.predicted_on) == ("hold_open", on(24))


async def test_a_payment_that_was_declined_is_the_cause_of_what_waits_for_it(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()

    def declined(order: Order, at: datetime) -> Revision:
        entry = LedgerEntry(entry_id="e1", kind=EntryKind.DECLINED, tender_id="t1", amount_cents=100, at=at)
        life = msgspec.structs.replace(order.life, money=Money(ledger=(entry,)))
        return revision_of(order, replace(order, life=life), Note(event="payment_declined", by="test"))

    await world.engine.changes.change("o1", declined)
    world.at(21)
    (alert,) = await world.alerts("o1")
    assert alert.cause == "payment"


async def test_a_parcel_of_a_node_that_is_switched_off_has_no_date(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    await world.engine.closures.close("east", "fire")
    (alert,) = await world.alerts("o1")
    assert (alert.cause, alert.severity, alert.predicted_on) == ("node_closed", "critical", None)
