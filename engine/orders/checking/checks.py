"""All checks of a new order by the order policy: what they find, and which order holds it begins with.

Pure: what the network, the catalog and the last orders say is handed in. Not here: the checks of capture that no policy
can leave out (engine/orders/capture.py), reading the last orders (recent.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from engine.errors import Fault
from engine.orders.checking.address import address_faults
from engine.orders.checking.conditions import holds_for
from engine.orders.checking.document import FraudChecksDocument, HoldRuleDocument, OrderPolicyDocument, Outcome
from engine.orders.checking.model import NO_RECENT, CheckedOrder, CheckedOutcome, RecentOrders
from engine.orders.checking.money import price_faults
from engine.orders.facts.checks import Checks, Finding
from engine.orders.steering import APPROVAL, OrderHold

ADDRESS, PRICES, DUPLICATE, FRAUD = "address", "prices", "duplicate", "fraud"
"""The kinds of order holds that checks ask for; rules of holds name their own."""
AGAIN = "again"
"""What orders have in common that are the same order, sent again."""
_BY = "order policy"


def checked(
    order: CheckedOrder,
    policy: OrderPolicyDocument,
    version: int,
    at: datetime,
    recent: RecentOrders = NO_RECENT,
) -> CheckedOutcome:
    """Return what the checks of an order come to; `version` is that of the policy, `recent` has this order too."""
    findings: list[Finding] = []
    faults: list[Fault] = []
    refusals: list[str] = []
    if policy.address is not None:
        _note(ADDRESS, address_faults(order, policy.address), policy.address.outcome, findings, faults)
    if policy.prices is not None:
        _note(PRICES, price_faults(order, policy.prices), policy.prices.outcome, findings, faults)
    for finding in _duplicates(order, policy, recent, at):
        findings.append(finding)
        if policy.duplicates is not None and policy.duplicates.outcome == "refuse":
            refusals.append(finding.message)
    score = _fraud(order, policy.fraud, recent, at, findings, refusals) if policy.fraud else 0
    waits = [rule for rule in policy.holds if holds_for(rule.when, order, recent, at)]
    findings += [Finding(rule=rule.rule, message=rule.reason or rule.rule, hold_kind=rule.kind) for rule in waits]
    for approval in policy.approvals:
        if holds_for(approval.when, order, recent, at):
            findings.append(
                Finding(
                    rule=approval.rule,
                    message=f"{approval.rule} needs approval",
                    hold_kind=APPROVAL,
                    approvals=approval.approvals,
                )
            )
    return CheckedOutcome(
        checks=Checks(policy_version=version, at=at, fraud_score=score, findings=tuple(findings)),
        holds=tuple(_holds(findings, waits, at)),
        faults=tuple(faults),
        refusal=" ".join(refusals),
    )


def _note(rule: str, found: Iterator[Fault], outcome: Outcome, findings: list[Finding], faults: list[Fault]) -> None:
    for fault in found:
        if outcome == "refuse":
            faults.append(fault)
        else:
            findings.append(Finding(rule=rule, message=str(fault), hold_kind=rule))


def _duplicates(
    order: CheckedOrder, policy: OrderPolicyDocument, recent: RecentOrders, at: datetime
) -> Iterator[Finding]:
    if policy.duplicates is None or not order.same_again:
        return
    own = order.captured.order_id
    since = at - timedelta(minutes=policy.duplicates.within_minutes)
    others = [order_id for order_id in recent.since(AGAIN, since) if order_id != own]
    if others:
        message = f"The same buyer sent the same units as order {others[-1]!r} before."
        yield Finding(rule=DUPLICATE, message=message, hold_kind=DUPLICATE)


def _fraud(
    order: CheckedOrder,
    rules: FraudChecksDocument,
    recent: RecentOrders,
    at: datetime,
    findings: list[Finding],
    refusals: list[str],
) -> int:
    """Return the score of an order, with each rule that counted as a finding."""
    counted = [rule for rule in rules.rules if holds_for(rule.when, order, recent, at)]
    score = min(100, sum(rule.score for rule in counted))
    refuses = rules.refuse_from is not None and score >= rules.refuse_from
    kind = FRAUD if score >= rules.hold_from and not refuses else ""
    findings += [
        Finding(rule=rule.rule, message=f"{rule.rule} (+{rule.score})", score=rule.score, hold_kind=kind)
        for rule in counted
    ]
    if refuses:
        why = ", ".join(f"{rule.rule} (+{rule.score})" for rule in counted)
        refusals.append(f"The order looks like fraud, with a score of {score}: {why}.")
    return score


def _holds(findings: Sequence[Finding], waits: Sequence[HoldRuleDocument], at: datetime) -> Iterator[OrderHold]:
    """Yield one order hold of each kind that findings ask for, with all its reasons."""
    kinds = dict.fromkeys(finding.hold_kind for finding in findings if finding.hold_kind)
    for kind in kinds:
        rules = [rule for rule in waits if rule.kind == kind]
        is_only_rules = len(rules) == sum(finding.hold_kind == kind for finding in findings)
        minutes = [rule.release_after_minutes for rule in rules] if is_only_rules else []
        events = {rule.release_on for rule in rules} if is_only_rules else set()
        longest = None if not minutes or None in minutes else max(each for each in minutes if each is not None)
        event = next(iter(events)) if len(events) == 1 else None
        yield OrderHold(
            kind=kind,
            reason="; ".join(finding.message for finding in findings if finding.hold_kind == kind)[:500],
            at=at,
            by=_BY,
            release_at=None if longest is None else at + timedelta(minutes=longest),
            release_on=event or "",
        )
