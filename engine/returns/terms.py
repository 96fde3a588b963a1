"""What the return policy says of one line of an order: its terms, and until when units of it may be announced.

Pure. Not here: the policy itself (policy.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.orders.facts.returns import ReturnTerms
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.returns.policy import ReturnPolicy, ReturnRule, Terms

USUAL_RULE = "usual"
WITH_CUSTOMER = frozenset({ShipmentState.SHIPPED, ShipmentState.DELIVERED})
"""States of shipments whose units may come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of which product units come back, and why; channel and customer class are the order's."""

    sku: str
    reason: str
    channel: str
    sku_class: str | None = None
    customer_class: str | None = None


def terms_for(policy: ReturnPolicy, asked: Asked) -> tuple[str, Terms]:
    """Return the name and the terms of the first rule that fits, the usual terms if none does."""
    for rule in policy.rules:
        if _fits(rule, asked):
            return rule.rule, rule
    return USUAL_RULE, policy.usual


def kept_terms(rule: str, terms: Terms) -> ReturnTerms:
    """Return what a return keeps of the terms that it was authorised by."""
    return ReturnTerms(
        rule=rule,
        restocking_percent=terms.restocking_percent,
        fee_cents=terms.fee_cents,
        label=terms.label_paid_by,
        refunds_shipping=terms.refunds_shipping,
    )


def may_come_until(order: Order, line_id: str, window_days: int) -> date | None:
    """Return the last day on which units of a line may be announced: counted from the latest that has them.

    None if that is not over before they arrive. Days are those of UTC.
    """
    arrived = [_arrived_at(each) for each in order.life.shipments if _has(each, line_id)]
    if not arrived or None in arrived:
        return None
    return max(at for at in arrived if at is not None).date() + timedelta(days=window_days)


def with_customer(order: Order) -> dict[str, int]:
    """Return the units of each line that have left for the customer, and were not lost."""
    units: dict[str, int] = {}
    for shipment in order.life.shipments:
        for line in shipment.lines if shipment.state in WITH_CUSTOMER else ():
            units[line.line_id] = units.get(line.line_id, 0) + line.quantity
    return units


def still_announced(order: Order) -> dict[str, int]:
    """Return the units of each line that open returns still wait for."""
    units: dict[str, int] = {}
    for each in order.life.returns:
        for line in each.lines:
            units[line.line_id] = units.get(line.line_id, 0) + each.expected(line)
    return units


def _fits(rule: ReturnRule, asked: Asked) -> bool:
    stated = (
        (rule.reasons, asked.reason),
        (rule.skus, asked.sku),
        (rule.sku_classes, asked.sku_class),
        (rule.channels, asked.channel),
        (rule.customer_classes, asked.customer_class),
    )
    return all(names is None or value in names for names, value in stated)


def _has(shipment: Shipment, line_id: str) -> bool:
    return shipment.state in WITH_CUSTOMER and any(line.line_id == line_id for line in shipment.lines)


def _arrived_at(shipment: Shipment) -> datetime | None:
    return shipment.delivered_at if shipment.state is ShipmentState.DELIVERED else None
