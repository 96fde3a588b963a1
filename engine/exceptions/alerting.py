"""What becomes of an order's alerts when it is looked at: opened, changed, closed; and of its promise: a pure rule.

An alert is only written when it changes, so that an order which is late stays as it is for as long as it is as late.
Not here: the outlook itself (judging.py), who is told how (the notice that `delayed` asks for).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

import msgspec

from engine.exceptions.judging import Outlook, due_of, severity_of, worst_of
from engine.exceptions.policy import AlertPolicyDocument, From, rank
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Alert
from engine.orders.life import Amendment
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of

Delayed = Callable[[Order, Alert, date, datetime], Effect | None]
"""The effect by which the customer is told of a later day, None if nobody tells."""
MOST_CLOSED = 20
"""Alerts that are over which an order keeps."""
_LITTLE = 0.1
"""By how much a probability has to move to be worth a change."""
OVER, RE_PROMISED = "over", "re_promised"


def open_alerts(order: Order) -> tuple[Alert, ...]:
    """Return the alerts of an order that are not over."""
    return tuple(alert for alert in order.life.alerts if alert.closed_at is None)


def watched(
    order: Order, outlooks: Sequence[Outlook], policy: AlertPolicyDocument, at: datetime, by: str, delayed: Delayed
) -> Revision | None:
    """Return an order with the alerts that its outlook asks for, None if it has just these."""
    due = due_of(order)
    if due is None:
        return None
    before = {alert.subject: alert for alert in open_alerts(order)}
    found: list[Alert] = []
    for outlook in worst_of(outlooks):
        known = before.pop(outlook.subject, None)
        severity = severity_of(outlook, due, policy, is_open=known is not None)
        if severity is not None:
            found.append(_alert(order, outlook, severity, due, at, known, len(found)))
        elif known is not None:
            before[outlook.subject] = known
    over = [msgspec.structs.replace(each, closed_at=at, outcome=each.outcome or OVER) for each in before.values()]
    moved, found = _moved(order, found, policy, at)
    told, effects = _told(order, found, policy, at, delayed)
    alerts = _kept(order, [*told, *over])
    if alerts == order.life.alerts and moved is None:
        return None
    life = msgspec.structs.replace(order.life, alerts=alerts, effects=(*order.life.effects, *effects))
    if moved is not None:
        life = msgspec.structs.replace(life, amendment=msgspec.structs.replace(terms_of(order), promised_on=moved))
    return revision_of(order, replace(order, life=life), _note(order, alerts, moved, by))


def terms_of(order: Order) -> Amendment:
    """Return the terms of an order as they are now."""
    return order.life.amendment or Amendment(
        lines=order.lines,
        demand=order.demand,
        whole=order.whole,
        destination=order.destination,
        service_level=order.wanted_level,
        need_by=order.need_by,
        promised_on=order.promised_on,
    )


def asks_for(alert: Alert, wanted: From | None) -> bool:
    """Say whether an alert is as bad as a policy asks for; one that nobody can date is late by any number of days."""
    if wanted is None or rank(alert.severity) < rank(wanted.severity):
        return False
    delay = alert.delay_days
    return alert.late_probability >= wanted.probability and (delay is None or delay >= wanted.delay_days)


def _alert(
    order: Order, outlook: Outlook, severity: str, due: date, at: datetime, known: Alert | None, more: int
) -> Alert:
    new = Alert(
        alert_id=f"alr_{order.order_id}.{_number(order) + more}" if known is None else known.alert_id,
        severity=severity,
        cause=outlook.cause.value,
        at=at if known is None else known.at,
        subject=outlook.subject,
        promised_on=due,
        predicted_on=outlook.predicted_on,
        latest_on=outlook.latest_on,
        late_probability=outlook.late_probability,
        message=outlook.message,
        told_on=None if known is None else known.told_on,
        outcome="" if known is None else known.outcome,
    )
    if known is None:
        return new
    is_same = all(getattr(new, name) == getattr(known, name) for name in ("severity", "cause", "predicted_on"))
    is_same &= new.promised_on == known.promised_on
    return known if is_same and abs(new.late_probability - known.late_probability) < _LITTLE else new


def _number(order: Order) -> int:
    """Return the number of the next alert of an order; those that are forgotten had lower ones."""
    return max((int(each.alert_id.rpartition(".")[2]) for each in order.life.alerts), default=0) + 1


def _moved(
    order: Order, alerts: list[Alert], policy: AlertPolicyDocument, at: datetime
) -> tuple[date | None, list[Alert]]:
    """Return the day that is promised from now on, None for that of before, and the alerts with what became of them.

    It is the day by which all of it has arrived nine times of ten; nothing is promised that nobody can date.
    """
    latest = [alert.latest_on for alert in alerts]
    if not any(asks_for(alert, policy.re_promise) for alert in alerts) or None in latest:
        return None, alerts
    day, due = max(day for day in latest if day is not None), due_of(order)
    if due is None or day <= due or day < at.date():
        return None, alerts
    return day, [msgspec.structs.replace(alert, outcome=RE_PROMISED) for alert in alerts]


def _told(
    order: Order, alerts: Sequence[Alert], policy: AlertPolicyDocument, at: datetime, delayed: Delayed
) -> tuple[list[Alert], tuple[Effect, ...]]:
    """Return the alerts with what the customer is told, and the notice: one for all, and none for what was told."""
    told = max((each.told_on for each in order.life.alerts if each.told_on is not None), default=None)
    days = [alert.latest_on for alert in alerts if alert.latest_on is not None]
    worst = [alert for alert in alerts if asks_for(alert, policy.notify) and alert.latest_on is not None]
    if not worst or (told is not None and max(days) <= told):
        return list(alerts), ()
    day = max(days)
    effect = delayed(order, worst[0], day, at)
    if effect is None:
        return list(alerts), ()
    return [msgspec.structs.replace(alert, told_on=day) for alert in alerts], (effect,)


def _kept(order: Order, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Return all alerts in the order of their numbers: open ones, and the last of those that are over."""
    fresh = {alert.alert_id: alert for alert in alerts}
    known = [fresh.pop(alert.alert_id, alert) for alert in order.life.alerts]
    found = [*known, *fresh.values()]
    over = [alert for alert in found if alert.closed_at is not None]
    gone = {alert.alert_id for alert in over[: max(0, len(over) - MOST_CLOSED)]}
    return tuple(alert for alert in found if alert.alert_id not in gone)


def _note(order: Order, alerts: Sequence[Alert], moved: date | None, by: str) -> Note:
    """Return the step of the history: a promise that moves, else the worst that has happened to an alert."""
    before = {alert.alert_id: alert for alert in order.life.alerts}
    new = [alert for alert in alerts if alert.alert_id not in before]
    over = [each for each in alerts if each.closed_at is not None and before[each.alert_id].closed_at is None]
    changed = [each for each in alerts if each.closed_at is None and before.get(each.alert_id, each) != each]
    for event, found in (("alert_opened", new), ("alert_changed", changed), ("alert_closed", over)):
        if found:
            first = found[0]
            if moved is not None:
                reason = f"promised for {moved} instead of {due_of(order)}: {first.message}"
                return Note(event="promise_moved", by=by, reason=reason, subject=first.alert_id)
            return Note(event=event, by=by, reason=first.message, subject=first.alert_id)
    return Note(event="promise_moved", by=by, reason=f"promised for {moved} instead of {due_of(order)}")
