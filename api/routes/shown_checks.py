"""What an order was checked for, and what it costs, from the engine's words to the wire's."""

from __future__ import annotations

from api.schemas import orders as wire
from engine.orders.approving import pending
from engine.orders.facts.money import Prices
from engine.orders.model import Order


def shown_checks(order: Order) -> wire.OrderChecks | None:
    """Return what an order was checked for, None before there was an order policy."""
    checks = order.life.checks
    if checks is None:
        return None
    return wire.OrderChecks(
        policy_version=checks.policy_version,
        at=checks.at,
        fraud_score=checks.fraud_score,
        findings=[
            wire.OrderFinding(rule=each.rule, message=each.message, score=each.score, hold_kind=each.hold_kind or None)
            for each in checks.findings
        ],
        approvals=[
            wire.OrderApproval(
                rule=each.rule, by=each.by, at=each.at, is_approved=each.is_approved, reason=each.reason or None
            )
            for each in checks.approvals
        ],
        awaits=list(pending(order)),
    )


def shown_prices(prices: Prices | None) -> wire.OrderPrices | None:
    """Return what an order costs, None if it came without prices."""
    if prices is None:
        return None
    return wire.OrderPrices(
        currency=prices.currency,
        total_cents=prices.total_cents,
        shipping_cents=prices.shipping_cents,
        shipping_tax_cents=prices.shipping_tax_cents,
        is_tax_included=prices.is_tax_included,
        lines=[
            wire.OrderLinePrice(
                line_id=each.line_id,
                quantity=each.quantity,
                unit_price_cents=each.unit_price_cents,
                discount_cents=each.discount_cents,
                tax_code=each.tax_code,
                tax_cents=each.tax_cents,
                total_cents=each.total_cents,
            )
            for each in prices.lines
        ],
    )
