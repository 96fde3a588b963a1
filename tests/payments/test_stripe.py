"""The Stripe adapter, by Stripe's own SDK against a local server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import Unavailable
from engine.orders.facts.money import TenderKind
from engine.orders.model import NewTender
from engine.payments.provider import NewAuthorisation
from engine.payments.stripe import StripeProvider
from tests.payments.stripe_server import StripeAccount, stripe_server
from tests.payments.till import Till, kinds

pytest.importorskip("stripe")


@pytest.fixture
def account() -> Iterator[StripeAccount]:
    with stripe_server() as served:
        yield served


@pytest.fixture
def provider(account: StripeAccount) -> StripeProvider:
    return StripeProvider("sk_test_1", account.url)


def asked(token: str, key: str = "pay_1", cents: int = 4500) -> NewAuthorisation:
    return NewAuthorisation(
        key=key,
        order_id="ord_1",
        tender_id="tender_1",
        kind=TenderKind.CARD,
        token=token,
        amount_cents=cents,
        currency="EUR",
    )


async def test_money_is_set_aside_captured_once_and_the_rest_let_go(
    provider: StripeProvider, account: StripeAccount
) -> None:
    aside = await provider.authorise(asked("cus_9/pm_card_visa"))
    assert (aside.provider_id, aside.amount_cents, aside.is_done) == ("pi_1", 4500, True)
    assert account.intents["pi_1"]["customer"] == "cus_9"
    assert aside.expires_at is not None
    assert timedelta(days=6, hours=23) < aside.expires_at - datetime.now(UTC) <= timedelta(days=7)
    taken = await provider.capture("pay_2", aside.provider_id, 1500)
    assert (taken.amount_cents, taken.is_open) == (1500, False)
    gone = await provider.capture("pay_3", aside.provider_id, 1500)
    assert (gone.is_done, gone.is_gone) == (False, True)


async def test_several_captures_are_used_where_stripe_grants_them(
    provider: StripeProvider, account: StripeAccount
) -> None:
    aside = await provider.authorise(asked("pm_card_many"))
    first = await provider.capture("pay_2", aside.provider_id, 1500)
    second = await provider.capture("pay_3", aside.provider_id, 1000)
    assert (first.is_open, second.is_open, account.intents["pi_1"]["amount_received"]) == (True, True, 2500)
    let_go = await provider.void("pay_4", aside.provider_id)
    assert (let_go.is_done, account.intents["pi_1"]["status"]) == (True, "succeeded")
    assert account.intents["pi_1"]["amount_received"] == 2500


async def test_the_rest_of_an_intent_is_captured_as_the_last_of_it(
    provider: StripeProvider, account: StripeAccount
) -> None:
    """Catches a last capture that says there will be more: the intent stays open until it expires.

    And a retry of a capture that was done, whose answer was lost, and that looks like the last one now.
    """
    aside = await provider.authorise(asked("pm_card_many"))
    for key, cents, is_open in (("pay_2", 2250, True), ("pay_3", 2250, False)):
        account.fails_after = 1
        with pytest.raises(Unavailable, match="Stripe did not do it"):
            await provider.capture(key, aside.provider_id, cents)
        taken = await provider.capture(key, aside.provider_id, cents)
        assert (taken.amount_cents, taken.is_open) == (cents, is_open)
    assert (account.intents["pi_1"]["status"], account.intents["pi_1"]["amount_received"]) == ("succeeded", 4500)
    over = await provider.capture("pay_4", aside.provider_id, 1)
    assert (over.is_done, over.is_gone) == (False, True)


async def test_an_intent_without_room_for_more_captures_lets_its_rest_go(
    provider: StripeProvider, account: StripeAccount
) -> None:
    aside = await provider.authorise(asked("pm_card_many"))
    account.intents["pi_1"].update(captures=50, amount_received=50, amount_capturable=4450)
    refused = await provider.capture("pay_2", aside.provider_id, 100)
    assert (refused.is_done, refused.is_gone) == (False, False)
    assert (await provider.void("pay_3", aside.provider_id)).is_done
    assert (account.intents["pi_1"]["status"], account.intents["pi_1"]["amount_received"]) == ("succeeded", 50)


async def test_the_same_key_again_is_answered_as_before_and_done_once(
    provider: StripeProvider, account: StripeAccount
) -> None:
    """Catches a key that is not sent on: a retry after an answer that was lost would charge twice."""
    aside = await provider.authorise(asked("pm_card_many"))
    account.fails = 1
    with pytest.raises(Unavailable, match="Stripe did not do it"):
        await provider.capture("pay_2", aside.provider_id, 1500)
    for _ in range(2):
        assert (await provider.capture("pay_2", aside.provider_id, 1500)).amount_cents == 1500
    assert account.intents["pi_1"]["amount_received"] == 1500
    capture = await provider.capture("pay_2", aside.provider_id, 1500)
    for _ in range(2):
        assert (await provider.refund("pay_5", capture.provider_id, 700)).is_done
    assert account.intents["pi_1"]["latest_charge"]["amount_refunded"] == 700


async def test_a_declined_card_an_unknown_one_and_an_expired_authorisation_are_told_apart(
    provider: StripeProvider,
) -> None:
    declined = await provider.authorise(asked("pm_card_declined"))
    assert (declined.is_done, declined.reason) == (False, "insufficient_funds")
    unknown = await provider.authorise(asked("no_card", "pay_2"))
    assert (unknown.is_done, unknown.reason) == (False, "resource_missing")
    aside = await provider.authorise(asked("pm_card_expired", "pay_3"))
    expired = await provider.capture("pay_4", aside.provider_id, 100)
    assert (expired.is_done, expired.is_gone, expired.reason) == (False, True, "expired")


async def test_an_authorisation_is_cancelled_and_its_books_can_be_read(
    provider: StripeProvider, account: StripeAccount
) -> None:
    aside = await provider.authorise(asked("pm_card_visa"))
    assert (await provider.void("pay_2", aside.provider_id)).is_done
    assert account.intents["pi_1"]["status"] == "canceled"
    again = await provider.void("pay_2", aside.provider_id)
    assert again.is_gone, "there is nothing left of it"
    paid = await provider.authorise(asked("pm_card_visa", "pay_3"))
    await provider.capture("pay_4", paid.provider_id, 4500)
    await provider.refund("pay_5", paid.provider_id, 500)
    now = datetime.now(UTC)
    balances = await provider.balances(now - timedelta(hours=1), now + timedelta(hours=1))
    assert balances is not None
    assert [(each.key, each.captured_cents, each.refunded_cents, each.currency) for each in balances] == [
        ("pay_1", 0, 0, "EUR"),
        ("pay_3", 4500, 500, "EUR"),
    ]


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    provider = StripeProvider("sk_test_1", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        await provider.authorise(asked("pm_card_visa"))


async def test_an_order_is_paid_by_stripe_once_although_each_answer_is_lost_the_first_time(
    provider: StripeProvider, account: StripeAccount
) -> None:
    """Catches an effect that is tried again under another key, and one that is not tried again."""
    till = Till(more={"stripe": provider})
    await till.stocked()
    account.fails = 1
    await till.place(NewTender(kind=TenderKind.CARD, provider="stripe", token="cus_9/pm_card_visa"))
    assert max(effect.tries for effect in (await till.settle()).life.effects) == 1
    await till.quiet()
    await till.route("run_1", (4, "north"))
    await till.ship(1)
    account.fails = 1
    await till.settle()
    await till.quiet()
    await till.ship(3)
    await till.settle()
    order = await till.settle()
    assert [entry.split()[0] for entry in kinds(order)] == [
        "authorised",
        "captured",
        "voided",
        "authorised",
        "captured",
    ]
    assert [intent["amount_received"] for intent in account.intents.values()] == [1500, 3000]
    assert order.life.effects == ()
