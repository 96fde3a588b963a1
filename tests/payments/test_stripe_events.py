"""What Stripe tells by webhooks: verified by its SDK, taken once, written into the order and shown in the report."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.orders.facts.money import TenderKind
from engine.orders.model import NewTender
from engine.orders.paying.tendering import Tendering
from engine.payments.provider_reports import ProviderReports
from engine.payments.report import Report
from engine.payments.service import PaymentService
from engine.payments.stripe import StripeProvider
from engine.payments.stripe_events import StripeEvents
from tests.payments.stripe_server import StripeAccount, stripe_server
from tests.payments.till import Till, kinds

pytest.importorskip("stripe")
SECRET = "whsec_test"
DAYS = timedelta(days=4000)


@pytest.fixture
def account() -> Iterator[StripeAccount]:
    with stripe_server() as served:
        yield served


class Office:
    """An order of four mugs paid by Stripe, of which one has left, and what takes Stripe's events."""

    def __init__(self, account: StripeAccount) -> None:
        self.provider = StripeProvider("sk_test_1", account.url)
        self.till = Till(more={"stripe": self.provider})
        self.reports = ProviderReports(self.till.changes, self.till.documents)
        self.events = StripeEvents(self.provider, SECRET, self.reports)

    async def begin(self, method: str = "pm_card_many") -> None:
        await self.till.stocked()
        await self.till.place(NewTender(kind=TenderKind.CARD, provider="stripe", token=f"cus_9/{method}"))
        await self.till.settle()
        await self.till.route("run_1", (4, "north"))
        await self.till.ship(1)
        await self.till.settle()

    async def told(self, kind: str, event_id: str = "evt_1", **about: object) -> str:
        body = event(kind, event_id, **about)
        return await self.events.take(body, signed(body))

    async def report(self) -> Report:
        till = self.till
        providers = {"stripe": self.provider}
        service = PaymentService(
            till.orders, till.changes, till.effects, providers, Tendering(), till.clock, self.reports
        )
        return await service.report(till.clock.now() - DAYS, till.clock.now() + DAYS)


def event(kind: str, event_id: str, **about: object) -> bytes:
    said = {"object": "event", "id": event_id, "type": kind, "created": int(time.time()), "data": {"object": about}}
    return json.dumps(said).encode()


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> str:
    moment = int(time.time() if at is None else at)
    said = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={said}"


async def test_only_what_stripe_has_signed_lately_is_taken(account: StripeAccount) -> None:
    """Catches a signature that is not verified, and one of another body, another secret or of yesterday."""
    office = Office(account)
    body = event("charge.refunded", "evt_1", object="charge", payment_intent="pi_1", amount_refunded=1)
    for signature in ("", "t=1,v1=00", signed(body, "whsec_other"), signed(body + b" "), signed(body, at=1e9)):
        with pytest.raises(InvalidInput, match="Stripe-Signature: is none of Stripe for this body"):
            await office.events.take(body, signature)
    assert await office.events.take(body, signed(body)) == "left", "it is about no order of ours"
    assert await office.told("customer.created", object="customer", id="cus_1") == "left"
    with pytest.raises(IllegalState, match="Set ALLOT_STRIPE_KEY and ALLOT_STRIPE_WEBHOOK_SECRET"):
        await StripeEvents(office.provider, None, office.reports).take(body, signed(body))


async def test_what_was_refunded_at_stripe_is_booked_once_and_what_we_asked_for_is_not_booked_again(
    account: StripeAccount,
) -> None:
    """Catches an event that is replayed and booked twice, and our own refund booked a second time."""
    office = Office(account)
    await office.begin()
    capture = next(each for each in (await office.till.settle()).life.money.ledger if each.kind == "captured")
    charge = account.intents["pi_1"]["latest_charge"]
    charge["amount_refunded"] = 300
    about = {"object": "charge", "payment_intent": "pi_1", "amount_refunded": 300, "metadata": {"allot_order": "ord_1"}}
    for outcome in ("taken", "known"):
        assert await office.told("charge.refunded", **about) == outcome
    order = await office.till.orders.get("ord_1")
    assert [each.split()[0] for each in kinds(order)] == ["authorised", "captured", "refunded"]
    assert [each.event_id for each in order.life.money.reports] == ["evt_1"]
    refund = order.life.money.ledger[-1]
    assert (refund.amount_cents, refund.authorisation_id) == (300, capture.entry_id)
    assert await office.told("charge.refunded", "evt_2", **about) == "taken", "another event says the same"
    assert len((await office.till.orders.get("ord_1")).life.money.ledger) == 3
    report = await office.report()
    assert (report.agrees, [each.report.event_id for each in report.provider_reports]) == (True, ["evt_1"])


async def test_what_was_cancelled_at_stripe_is_set_aside_anew(account: StripeAccount) -> None:
    office = Office(account)
    await office.begin()
    account.intents["pi_1"].update(status="canceled", amount_capturable=0)
    about = {"object": "payment_intent", "id": "pi_1", "amount": 4500, "cancellation_reason": "fraudulent"}
    assert await office.told("payment_intent.canceled", **about, metadata={"allot_order": "ord_1"}) == "taken"
    order = await office.till.settle()
    assert [each.split()[0] for each in kinds(order)] == ["authorised", "captured", "voided", "authorised"]
    assert order.life.money.ledger[2].reason == "done at the provider: fraudulent"
    assert account.intents["pi_2"]["amount_capturable"] == 3000


async def test_disputes_are_shown_in_the_report_until_and_as_they_are_closed(account: StripeAccount) -> None:
    office = Office(account)
    await office.begin()
    before = len((await office.till.orders.get("ord_1")).life.money.ledger)
    about = {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1", "amount": 1500, "reason": "fraudulent"}
    opened = {**about, "status": "needs_response", "metadata": {}}
    assert await office.told("charge.dispute.created", **opened) == "taken"
    assert await office.told("charge.dispute.closed", "evt_2", **{**opened, "status": "lost"}) == "taken"
    report = await office.report()
    assert [(each.order_id, each.report.kind, each.report.reason) for each in report.provider_reports] == [
        ("ord_1", "disputed", "dp_1 fraudulent: needs_response"),
        ("ord_1", "dispute_closed", "dp_1 fraudulent: lost"),
    ]
    assert len((await office.till.orders.get("ord_1")).life.money.ledger) == before
