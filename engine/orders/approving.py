"""Approving an order that a rule of the order policy has stopped: who said so, when and why. Pure rules.

An order goes on when each rule that stopped it has as many approvals, by different people, as it asks for. Refusing
cancels it in the same step. Not here: which orders need approval (checking/checks.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.cancelling import closed
from engine.orders.facts.checks import Approval, Checks
from engine.orders.model import Note, Order
from engine.orders.order_holds import with_holds, without_kind
from engine.orders.remaining import units_left
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.steering import APPROVAL


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApproval:
    """What somebody says of the rules that stopped an order; without one of all that wait."""

    is_approved: bool = True
    rule: str | None = None
    reason: str = ""


def approved(order: Order, new: NewApproval, at: datetime, by: str) -> Revision:
    """Return an order that somebody has approved, or has not, which cancels it.

    Raises InvalidInput for a rule that it does not wait for.
    """
    event = "approved" if new.is_approved else "not_approved"
    note = Note(event=event, by=by, reason=new.reason or None, subject=new.rule)
    waiting = pending(order)
    if order.is_cancelled or not waiting:
        state = "is cancelled" if order.is_cancelled else "waits for no approval"
        return refused(order, note, f"Order {order.order_id!r} {state}.")
    if new.rule is not None and new.rule not in waiting:
        message = f"the order does not wait for {new.rule!r}; {nearest(new.rule, waiting)}"
        raise InvalidInput(Fault(path="$.rule", message=message))
    rules = waiting if new.rule is None else {new.rule: waiting[new.rule]}
    if new.is_approved and all(by in people for _, people in rules.values()):
        return refused(order, note, f"{by!r} has approved it already; it needs somebody else's approval, too.")
    to = _said(order, [rule for rule, (_, people) in rules.items() if by not in people], new, at, by)
    if not new.is_approved:
        return closed(order, to, {line_id: units for line_id, units in units_left(order).items() if units > 0}, note)
    return revision_of(order, to if pending(to) else with_holds(to, without_kind(to, APPROVAL)), note)


def _said(order: Order, rules: Sequence[str], new: NewApproval, at: datetime, by: str) -> Order:
    """Return an order with what somebody says of rules written down."""
    assert order.life.checks is not None, "an order without checks waits for no approval"
    said = tuple(Approval(rule=rule, by=by, at=at, is_approved=new.is_approved, reason=new.reason) for rule in rules)
    checks = msgspec.structs.replace(order.life.checks, approvals=(*order.life.checks.approvals, *said))
    return replace(order, life=msgspec.structs.replace(order.life, checks=checks))


def pending(order: Order) -> dict[str, tuple[int, frozenset[str]]]:
    """Return the rules that an order waits for: how many approvals are missing, and who has given one."""
    checks = order.life.checks
    if checks is None or all(hold.kind != APPROVAL for hold in order.steering.order_holds):
        return {}
    given = {finding.rule: _given(checks, finding.rule) for finding in checks.findings if finding.approvals}
    return {
        finding.rule: (finding.approvals - len(given[finding.rule]), given[finding.rule])
        for finding in checks.findings
        if finding.approvals > len(given.get(finding.rule, ()))
    }


def _given(checks: Checks, rule: str) -> frozenset[str]:
    return frozenset(each.by for each in checks.approvals if each.rule == rule and each.is_approved)
