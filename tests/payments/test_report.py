"""The reconciliation report: books that agree, that do not, and money that does not move."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from order_shop import NOON

import engine.payments.report as report_module
import engine.payments.service as service_module
from engine.errors import InvalidInput
from engine.orders.model import Order
from engine.orders.paying.tendering import Tendering
from engine.payments.provider import NewAuthorisation
from engine.payments.report import Report, report_of
from engine.payments.service import PaymentService
from engine.payments.terms import InvoiceTerms
from tests.payments.till import TOTAL, VISA, Till, tokens

DAY = timedelta(days=1)


async def report(till: Till) -> Report:
    providers = {"sandbox": till.sandbox, "terms": InvoiceTerms()}
    service = PaymentService(till.orders, till.changes, till.effects, providers, Tendering(), till.clock)
    return await service.report(NOON - DAY, till.clock.now() + DAY)


async def test_books_agree_after_a_shipment_and_a_refund() -> None:
    till = Till()
    await till.paid()
    await till.ship(1)
    await till.settle()
    found = await report(till)
    assert (found.agrees, found.orders, found.open_matters) == (True, 1, ())
    (totals,) = found.totals
    assert (totals.provider, totals.currency, totals.authorisations) == ("sandbox", "EUR", 1)
    assert (totals.authorised_cents, totals.captured_cents, totals.refunded_cents) == (TOTAL, 1500, 0)


async def test_what_was_done_past_the_orders_is_found() -> None:
    """Catches a report that looks at the orders' own ledgers only."""
    till = Till()
    await till.paid()
    await till.ship(1)
    order = await till.settle()
    capture = order.life.money.ledger[-1]
    await till.sandbox.refund("by_hand", capture.provider_id, 300)
    stray = NewAuthorisation(
        key="by_hand", order_id="ord_9", tender_id="t", kind=VISA.kind, token="tok", amount_cents=70, currency="EUR"
    )
    await till.sandbox.authorise(stray)
    found = await report(till)
    assert not found.agrees
    assert [(each.order_id, each.what, each.ledger_cents, each.provider_cents) for each in found.disagreements] == [
        ("ord_1", "refunded", 0, 300),
        ("ord_9", "authorised", 0, 70),
    ]
    assert [each.reason for each in found.disagreements] == ["the amounts differ", "no order knows it"]


async def test_what_a_provider_has_forgotten_is_found() -> None:
    till = Till()
    order = await till.paid()
    found = report_of([order], {"sandbox": [], "terms": None}, NOON - DAY, NOON + DAY)
    assert [(each.what, each.reason) for each in found.disagreements] == [
        ("authorised", "the provider does not know it")
    ]


async def test_what_is_being_captured_just_now_is_no_disagreement() -> None:
    till = Till()
    await till.paid()
    order = await till.ship(1)
    (effect,) = [each for each in order.life.effects if each.kind == "payment.capture"]
    entry = order.life.money.ledger[0]
    await till.sandbox.capture(effect.effect_id, entry.provider_id, effect.amount_cents)
    assert (await report(till)).agrees, "the provider has done it, and the order does not know it yet"


async def test_money_that_does_not_move_is_named_with_its_reason() -> None:
    till = Till()
    await till.paid(*tokens("tok_capture_declined"))
    await till.ship(4)
    await till.settle()
    till.clock.advance(timedelta(hours=1))
    await till.stocked()
    await till.place(*tokens("tok_unreachable"), order_id="ord_2", reserved=False)
    await till.settle("ord_2")
    found = await report(till)
    assert [(each.order_id, each.what, each.amount_cents) for each in found.open_matters] == [
        ("ord_1", "not_captured", TOTAL),
        ("ord_2", "not_paid", TOTAL),
        ("ord_2", "payment.authorise put off", TOTAL),
    ]
    assert "does not answer" in found.open_matters[-1].reason
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


async def test_a_period_that_is_none_is_refused() -> None:
    till = Till()
    service = PaymentService(till.orders, till.changes, till.effects, {}, Tendering(), till.clock)
    with pytest.raises(InvalidInput, match="is not after"):
        await service.report(NOON, NOON)


async def test_a_report_reads_orders_some_at_a_time_each_once_and_names_so_many_rows_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches all open orders read at once, an order of two lists counted twice, and an answer without an end."""
    monkeypatch.setattr(service_module, "_PAGE", 2)
    monkeypatch.setattr(service_module, "_AT_ONCE", 2)
    monkeypatch.setattr(report_module, "MOST_ROWS", 3)
    till = Till()
    await till.stocked(100)
    for number in range(5):
        await till.place(*tokens("tok_declined"), order_id=f"ord_{number}", reserved=False)
        await till.settle(f"ord_{number}")
    reading, most, get = 0, 0, till.orders.get

    async def counted(order_id: str) -> Order:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0)
        reading -= 1
        return await get(order_id)

    monkeypatch.setattr(till.orders, "get", counted)
    found = await report(till)
    assert (found.orders, len(found.open_matters), found.open_matter_count, most) == (5, 3, 5, 2)
