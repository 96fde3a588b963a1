"""What follows by policy without people: the promise is moved, the customer is told, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from watched_world import Watched

from engine.errors import InvalidInput
from engine.exceptions.alerting import MOST_CLOSED, watched
from engine.exceptions.judging import Cause, Outlook
from engine.exceptions.policy import AlertPolicyDocument, From
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Alert
from engine.orders.model import Order


def on(day: int) -> date:
    return date(2026, 11, day)


def delayed(order: Order, alert: Alert, day: date, at: datetime) -> Effect:
    return Effect(effect_id=f"delayed_{alert.alert_id}_{day}", kind="notice.delayed", due_at=at, subject=str(day))


async def test_without_a_policy_nobody_is_told_and_no_promise_moves(world: Watched) -> None:
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    world.at(24)
    assert len(await world.alerts("o1")) == 1
    order = await world.engine.orders.get("o1")
    assert (order.life.amendment, order.life.effects) == (None, ())


async def test_a_promise_moves_by_policy_to_the_day_that_will_be_kept(world: Watched) -> None:
    await world.engine.alert_policy.put(AlertPolicyDocument(re_promise=From(severity="major", delay_days=1)))
    await world.count(east={"MUG": 5})
    await world.order("o1", due=23)
    await world.route()
    world.at(24)
    (alert,) = await world.alerts("o1")
    assert (alert.outcome, alert.promised_on) == ("re_promised", on(23))
    order = await world.engine.orders.get("o1")
    assert order.life.amendment is not None
    assert order.life.amendment.promised_on == on(25)
    world.clock.advance(timedelta(minutes=2))
    assert await world.alerts("o1") == ()
    assert [each for each in await world.events("o1") if each != "override"] == ["promise_moved", "alert_closed"]


async def test_the_customer_is_told_once_of_each_later_day(world: Watched) -> None:
    """Catches a notice with every look at the order."""
    order = await world.order("o1", due=23)
    policy = AlertPolicyDocument(notify=From(severity="minor", probability=0.4, delay_days=0))
    told: list[str] = []
    for latest in (on(25), on(25), on(24), on(27)):
        late = Outlook(
            subject="east",
            cause=Cause.NODE_LATE,
            leaves_on=on(23),
            predicted_on=latest,
            latest_on=latest,
            late_probability=0.6,
        )
        revision = watched(order, [late], policy, world.clock.now(), "test", delayed)
        order = order if revision is None else revision.to
        told = [effect.subject for effect in order.life.effects]
    assert told == ["2026-11-25", "2026-11-27"]


async def test_an_alert_is_written_only_when_it_changes(world: Watched) -> None:
    order = await world.order("o1", due=23)
    late = Outlook(
        subject="east",
        cause=Cause.NODE_LATE,
        leaves_on=on(23),
        predicted_on=on(24),
        latest_on=on(25),
        late_probability=0.6,
    )
    policy, now = AlertPolicyDocument(), world.clock.now()
    first = watched(order, [late], policy, now, "test", delayed)
    assert first is not None
    assert first.note.event == "alert_opened"
    assert watched(first.to, [_with(late, 0.65)], policy, now, "test", delayed) is None
    worse = watched(first.to, [_with(late, 0.95)], policy, now, "test", delayed)
    assert worse is not None
    assert [alert.severity for alert in worse.to.life.alerts] == ["critical"]
    over = watched(worse.to, [], policy, now, "test", delayed)
    assert over is not None
    assert [alert.outcome for alert in over.to.life.alerts] == ["over"]


async def test_an_order_keeps_the_last_of_its_alerts(world: Watched) -> None:
    order = await world.order("o1", due=23)
    late = Outlook(
        subject="east", cause=Cause.STOCK, leaves_on=None, predicted_on=None, latest_on=None, late_probability=1
    )
    for _ in range(MOST_CLOSED + 5):
        for outlooks in ([late], []):
            revision = watched(order, outlooks, AlertPolicyDocument(), world.clock.now(), "test", delayed)
            assert revision is not None
            order = revision.to
    assert len(order.life.alerts) == MOST_CLOSED
    assert order.life.alerts[-1].alert_id == f"alr_o1.{MOST_CLOSED + 5}"


async def test_a_policy_whose_severities_do_not_rise_is_refused(world: Watched) -> None:
    with pytest.raises(InvalidInput, match=r"major_probability.*0\.2 is below the minor_probability 0\.25"):
        await world.engine.alert_policy.put(AlertPolicyDocument(major_probability=0.2))


def _with(outlook: Outlook, late_probability: float) -> Outlook:
    return replace(outlook, late_probability=late_probability)


async def test_a_promise_that_moves_keeps_the_level_that_was_asked_for(world: Watched) -> None:
    """Catches terms made of what was captured alone: a level may come from the promise behind the reservation."""
    await world.engine.alert_policy.put(AlertPolicyDocument(re_promise=From(severity="minor")))
    await world.count(east={"MUG": 5})
    await world.promised("o1", service_levels=("expedited",))
    await world.route()
    world.at(25)
    (alert,) = await world.alerts("o1")
    order = await world.engine.orders.get("o1")
    assert (alert.outcome, order.wanted_level, order.promised_on) == ("re_promised", "expedited", on(27))
