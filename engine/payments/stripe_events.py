"""What Stripe tells by webhooks: signed, verified by its SDK, and read in our words.

Taken are `charge.refunded`, `payment_intent.canceled` and `charge.dispute.*`; all else is left.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from engine.errors import IllegalState, NotFound
from engine.orders.facts.money import ProviderReport, ReportKind
from engine.payments.provider_reports import ProviderReports, ToldReport
from engine.payments.stripe import StripeProvider, order_in

NAME = "stripe"
Outcome = Literal["taken", "known", "left"]
_KINDS = {
    "charge.refunded": ReportKind.REFUNDED,
    "payment_intent.canceled": ReportKind.CANCELLED,
    "charge.dispute.created": ReportKind.DISPUTED,
    "charge.dispute.updated": ReportKind.DISPUTED,
    "charge.dispute.funds_withdrawn": ReportKind.DISPUTED,
    "charge.dispute.funds_reinstated": ReportKind.DISPUTED,
    "charge.dispute.closed": ReportKind.DISPUTE_CLOSED,
}


class StripeEvents:
    """Takes events of a Stripe account; without it, or its signing secret, there are none."""

    def __init__(self, provider: StripeProvider | None, secret: str | None, reports: ProviderReports) -> None:
        self._provider, self._secret, self._reports = provider, secret, reports

    async def take(self, body: bytes, signature: str) -> Outcome:
        """Take an event: `taken`, `known`, or `left` as it is about nothing of ours.

        Raises InvalidInput for one that Stripe has not signed, or not lately; IllegalState without a secret.
        """
        if self._provider is None or self._secret is None:
            raise IllegalState(
                "This server takes no events of Stripe. Set ALLOT_STRIPE_KEY and ALLOT_STRIPE_WEBHOOK_SECRET."
            )
        event = self._provider.event(body, signature, self._secret)
        kind = _KINDS.get(event.type)
        if kind is None:
            return "left"
        about: Any = event.data.object
        intent_id = about.id if kind is ReportKind.CANCELLED else about.payment_intent
        order_id = order_in(getattr(about, "metadata", None)) if intent_id else None
        if intent_id and not order_id:
            order_id = await self._provider.order_of(intent_id)
        if not order_id:
            return "left"
        told = ToldReport(order_id=order_id, provider=NAME, report=_report(event, kind, about, intent_id))
        try:
            return "taken" if await self._reports.take(told) else "known"
        except NotFound:
            return "left"


def _report(event: Any, kind: ReportKind, about: Any, intent_id: str) -> ProviderReport:
    cents, reason = 0, ""
    if kind is ReportKind.REFUNDED:
        cents = about.amount_refunded
    elif kind is ReportKind.CANCELLED:
        cents, reason = about.amount, about.cancellation_reason or ""
    else:
        cents, reason = about.amount, f"{about.id} {about.reason}: {about.status}"
    return ProviderReport(
        event_id=event.id,
        kind=kind,
        provider_id=intent_id,
        amount_cents=cents,
        at=datetime.fromtimestamp(event.created, UTC),
        reason=reason,
    )
