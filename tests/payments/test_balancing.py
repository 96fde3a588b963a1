"""The money of an order agrees with the order: set aside, captured with what leaves, given back, let go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.orders.facts.money import TenderKind
from engine.orders.facts.shipments import ShipmentState
from engine.orders.life import Life
from engine.orders.model import NewTender, Note, OrderState
from engine.orders.paying.balancing import PAYMENT, refund_for, with_money
from engine.orders.paying.tendering import Tendering
from engine.orders.revising import revision_of
from tests.payments.till import TOTAL, VISA, Till, asked, kinds, refusal, tokens


async def test_an_order_waits_on_hold_until_its_money_is_set_aside_and_its_stock_confirmed() -> None:
    """Catches stock that is confirmed, or routed, before the money is there."""
    till = Till()
    await till.stocked()
    await till.place()
    waiting = await till.orders.get("ord_1")
    assert [hold.kind for hold in waiting.steering.order_holds] == [PAYMENT]
    assert asked(waiting) == ["payment.authorise"]
    assert await till.shop.counts("north") == (10, 4, 0)
    paid = await till.settle()
    assert (kinds(paid), asked(paid)) == ([f"authorised {TOTAL}"], [])
    assert paid.steering.order_holds == ()
    assert await till.shop.counts("north") == (10, 0, 4), "held, then confirmed"
    events = [entry.note.event for entry in await till.orders.history("ord_1") if entry.note]
    assert events == ["payment_authorised", "reservation_confirmed"]


async def test_each_shipment_captures_its_part_and_the_parts_come_to_the_total() -> None:
    till = Till()
    await till.paid()
    first = await till.ship(1)
    assert asked(first) == ["payment.capture", "bill.number"], "in the step by which it leaves"
    assert kinds(await till.settle())[1:] == ["captured 1500"], "shipping is paid with the first"
    await till.ship(3)
    done = await till.settle()
    assert kinds(done)[1:] == ["captured 1500", "captured 3000"]
    assert (await till.at_provider(), done.life.effects) == ((TOTAL, 0), ())


async def test_a_card_that_is_declined_leaves_the_order_waiting_for_another_tender() -> None:
    till = Till()
    await till.stocked()
    await till.place(*tokens("tok_declined"))
    order = await till.settle()
    assert kinds(order) == [f"declined {TOTAL}"]
    assert [hold.kind for hold in order.steering.order_holds] == [PAYMENT]
    await till.changes.change("ord_1", lambda order, _: Tendering().added(order, [VISA], "anna"))
    paid = await till.settle()
    assert (kinds(paid)[1:], paid.steering.order_holds) == ([f"authorised {TOTAL}"], ())


async def test_an_order_that_is_not_paid_in_time_is_cancelled_and_its_stock_is_free() -> None:
    till = Till()
    await till.stocked()
    await till.place(*tokens("tok_declined"))
    await till.settle()
    await till.quiet()
    order = await till.orders.get("ord_1")
    assert (order.state, order.life.effects) == (OrderState.CANCELLED, ())
    assert await till.shop.counts("north") == (10, 0, 0)
    assert (await till.changes.change("ord_1", lambda *_: None)).value.life.money.ledger == order.life.money.ledger


async def test_stock_that_is_gone_as_it_is_to_be_confirmed_cancels_the_order_and_lets_the_money_go() -> None:
    """Catches an authorisation that stays on the customer's card for an order that has no stock."""
    till = Till()
    await till.stocked(4)
    await till.place()
    till.clock.advance(timedelta(seconds=901))
    order = await till.settle()
    assert order.state is OrderState.CANCELLED
    assert kinds(order) == [f"authorised {TOTAL}", f"voided {TOTAL}"]
    assert await till.at_provider() == (0, 0)
    assert await till.shop.counts("north") == (4, 0, 0)


async def test_several_tenders_are_used_in_their_order_and_refunded_from_the_last() -> None:
    till = Till()
    gift = NewTender(kind=TenderKind.GIFT_CARD, token="gift_2000", amount_cents=2000)
    order = await till.paid(gift, NewTender(kind=TenderKind.INVOICE))
    assert [tender.amount_cents for tender in order.life.money.tenders] == [2000, 2500], "one takes the rest"
    await till.ship(1)
    await till.ship(3)
    done = await till.settle()
    assert kinds(done) == ["authorised 2000", "authorised 2500", "captured 1500", "captured 500", "captured 2500"]
    effects = refund_for(done, 2600, "ret_1")
    ledger = {entry.entry_id: entry for entry in done.life.money.ledger}
    assert [(ledger[each.target].tender_id, each.amount_cents) for each in effects] == [
        ("tender_2", 2500),
        ("tender_1", 100),
    ]


async def test_a_gift_card_with_less_on_it_than_asked_for_leaves_the_rest_to_others() -> None:
    till = Till()
    await till.stocked()
    gift = NewTender(kind=TenderKind.GIFT_CARD, token="gift_700", amount_cents=2000)
    card = NewTender(kind=TenderKind.CARD, token="tok_visa", amount_cents=TOTAL)
    await till.place(gift, card)
    order = await till.settle()
    assert kinds(order) == ["authorised 700", "declined 1300", "authorised 2500", "authorised 1300"]
    assert order.steering.order_holds == ()


async def test_a_tender_without_an_amount_also_pays_what_a_gift_card_turns_out_to_lack() -> None:
    till = Till()
    await till.stocked()
    await till.place(NewTender(kind=TenderKind.GIFT_CARD, token="gift_700", amount_cents=2000), VISA)
    order = await till.settle()
    assert kinds(order) == ["authorised 700", "declined 1300", "authorised 2500", "authorised 1300"]
    assert order.steering.order_holds == ()


async def test_one_gift_card_pays_two_orders_up_to_its_balance_and_no_further() -> None:
    till = Till()
    await till.stocked()
    gift = NewTender(kind=TenderKind.GIFT_CARD, token="gift_5000_anna")
    for order_id in ("ord_1", "ord_2"):
        await till.place(gift, order_id=order_id)
    first, second = [await till.settle(order_id) for order_id in ("ord_1", "ord_2")]
    assert (kinds(first), kinds(second)) == ([f"authorised {TOTAL}"], ["authorised 500", "declined 4000"])


async def test_nothing_leaves_that_is_not_paid_for() -> None:
    """Catches a shipment that goes out on an authorisation which has expired."""
    till = Till()
    await till.paid(*tokens("tok_expires"))
    till.clock.advance(timedelta(minutes=11))
    said = await refusal(till.ship(4))
    assert said.startswith(
        f"Order 'ord_1' is not paid for: {TOTAL} cents fall due as this leaves, and 0 are set aside."
    )
    assert await till.shop.counts("north") == (10, 0, 4)


async def test_an_authorisation_is_renewed_before_it_expires() -> None:
    till = Till()
    await till.paid()
    till.clock.advance(timedelta(days=6, minutes=1))
    await till.effects.step()
    order = await till.orders.get("ord_1")
    assert kinds(order) == [f"authorised {TOTAL}", f"authorised {TOTAL}", f"voided {TOTAL}"]
    await till.ship(4)
    assert kinds(await till.settle())[3:] == [f"captured {TOTAL}"]
    assert await till.at_provider() == (TOTAL, 0)


async def test_an_authorisation_whose_renewal_is_declined_stands_until_it_expires_then_the_order_waits() -> None:
    till = Till()
    await till.paid(*tokens("tok_declined_later"))
    till.clock.advance(timedelta(days=6, minutes=1))
    await till.effects.step()
    order = await till.orders.get("ord_1")
    assert kinds(order) == [f"authorised {TOTAL}", f"declined {TOTAL}"]
    assert order.steering.order_holds == ()
    till.clock.advance(timedelta(days=1))
    await till.effects.step()
    order = await till.orders.get("ord_1")
    assert kinds(order)[2:] == [f"expired {TOTAL}"]
    assert [hold.kind for hold in order.steering.order_holds] == [PAYMENT]


async def test_a_provider_that_captures_once_only_is_asked_to_set_the_rest_aside_anew() -> None:
    till = Till()
    await till.paid(*tokens("tok_one_capture"))
    await till.ship(1)
    order = await till.settle()
    assert kinds(order)[1:] == ["captured 1500", "voided 3000", "authorised 3000"]
    await till.ship(3)
    assert kinds(await till.settle())[4:] == ["captured 3000"]


async def test_what_is_not_shipped_is_let_go_once_the_rest_is_cancelled() -> None:
    till = Till()
    await till.paid()
    await till.ship(1)
    await till.settle()
    await till.cancel_the_rest()
    order = await till.settle()
    assert kinds(order)[1:] == ["captured 1500", "voided 3000"]
    assert order.life.effects == ()


async def test_a_second_tender_is_let_go_as_soon_as_the_first_pays_for_what_is_left() -> None:
    till = Till()
    first = NewTender(kind=TenderKind.CARD, token="tok_visa", amount_cents=2500)
    await till.paid(first, NewTender(kind=TenderKind.CARD, token="tok_other"))
    await till.cancel_the_rest(units=1)
    assert kinds(await till.settle()) == ["authorised 2500", "authorised 2000"], "half of it is needed still"
    await till.cancel_the_rest(units=1)
    order = await till.settle()
    assert kinds(order)[2:] == ["voided 2000"]
    await till.ship(2)
    assert kinds(await till.settle())[3:] == ["captured 2500"]


async def test_units_that_are_lost_are_not_charged_twice_as_they_are_sent_again() -> None:
    till = Till()
    await till.paid()
    await till.ship(2, then=ShipmentState.LOST)
    await till.settle()
    assert await till.at_provider() == (2500, 0)
    await till.route("run_2", (4, "north"))
    await till.ship(2)
    order = await till.settle()
    assert await till.at_provider() == (2500, 0), "two were lost and two have left: paid once"
    assert order.state is OrderState.SOURCED


async def test_units_that_are_lost_and_then_cancelled_are_given_back() -> None:
    till = Till()
    await till.paid()
    await till.ship(2)
    await till.ship(2, then=ShipmentState.LOST)
    await till.settle()
    assert await till.at_provider() == (TOTAL, 0)
    await till.cancel_the_rest()
    order = await till.settle()
    assert await till.at_provider() == (TOTAL, 2000)
    assert order.life.effects == ()


async def test_a_capture_that_is_declined_is_tried_on_a_new_authorisation_three_times() -> None:
    till = Till()
    await till.paid(*tokens("tok_capture_declined"))
    await till.ship(4)
    order = await till.settle()
    assert [entry for entry in kinds(order) if entry.startswith("declined")] == [f"declined {TOTAL}"] * 3
    assert await till.at_provider() == (0, 0)
    assert asked(order) == []


async def test_more_is_not_given_back_than_was_captured() -> None:
    till = Till()
    await till.paid()
    await till.ship(1)
    order = await till.settle()
    with pytest.raises(IllegalState, match="1600 cents cannot be given back of order 'ord_1'; 1500 can"):
        refund_for(order, 1600)
    to = replace(order, life=replace_effects(order.life, refund_for(order, 1000)))
    await till.changes.change("ord_1", lambda now, _: revision_of(now, to, Note(event="refund_asked", by="anna")))
    order = await till.settle()
    with pytest.raises(IllegalState, match="600 cents cannot be given back of order 'ord_1'; 500 can"):
        refund_for(order, 600)
    assert await till.at_provider() == (1500, 1000)


def replace_effects(life: Life, more: object) -> Life:
    import msgspec

    return msgspec.structs.replace(life, effects=(*life.effects, *more))  # type: ignore[misc]


async def test_an_order_without_prices_or_tenders_has_nothing_to_do_with_money() -> None:
    till = Till()
    await till.stocked()
    order = await till.shop.place("ord_2", 1)
    assert with_money(order) is order
    assert refund_for(order, 100) == ()


def test_tenders_that_cannot_be_are_told_with_place_and_remedy() -> None:
    card = NewTender(kind=TenderKind.CARD, token="4242 4242 4242 4242")
    with pytest.raises(InvalidInput) as caught:
        Tendering().tenders(
            [
                card,
                NewTender(kind=TenderKind.CARD, provider="strpe"),
                NewTender(kind=TenderKind.INVOICE, amount_cents=0),
            ],
            with_prices(),
        )
    assert [str(fault) for fault in caught.value.faults] == [
        "$.tenders[0].token: looks like a card number; give the payment provider's token for it instead",
        "$.tenders[1].provider: 'strpe' is no payment provider here; use one of: sandbox, store_credit, terms",
        "$.tenders[1].token: is missing; give what the payment provider calls it, and never a card number",
        "$.tenders[2].amount_cents: 0 is no amount; give a whole number of cents from 1 to 9007199254740991",
        "$.tenders[1].amount_cents: is missing, as it is at $.tenders[0]; only one tender may take the rest",
    ]
    with pytest.raises(InvalidInput, match="come to 100 cents, and 4500 are to be paid"):
        Tendering().tenders([NewTender(kind=TenderKind.CARD, token="tok", amount_cents=100)], with_prices())


def with_prices():  # type: ignore[no-untyped-def]
    from engine.orders.facts.money import Prices

    return Prices(currency="EUR", lines=(), total_cents=TOTAL)
