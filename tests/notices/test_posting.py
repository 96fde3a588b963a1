"""Notices over the webhook channel: signed, to those who want them so, beside mail that does not go out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.config import Settings
from engine.customers.model import Profile
from tests.webhooks.receiver import Receiver

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
BOTH = Profile(name="Ann", email="ann@example.com", phone="+1 212 555 0100", channels=("email", "webhook"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as found:
        found.secrets = [SECRET]
        yield found


@pytest.fixture
def began() -> datetime:
    return datetime.now(UTC)  # the official verifier compares with its own clock


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    given = {"notices_url": receiver.url, "notices_secret": SECRET, "webhooks_allow_private": True}
    return Settings(
        **given,
        smtp_url=settings.smtp_url.get_secret_value(),
        mail_from=settings.mail_from,
        public_url=settings.public_url,
    )


async def test_a_notice_is_posted_signed_with_who_is_to_get_it(shop, receiver, postbox):
    await shop.engine.customers.put("cus-1", BOTH)
    await shop.order("o-1", customer_id="cus-1", customer=None)
    await shop.wait()
    (posted,) = receiver.events
    assert (posted["template"], posted["order_id"], posted["phone"]) == ("order_confirmed", "o-1", BOTH.phone)
    assert posted["title"] == postbox.letters[0]["Subject"]
    assert posted["tracking_url"].startswith("https://track.example.com/v1/tracking/main.")
    assert await shop.outcomes("o-1") == [
        ("order_confirmed", "email", "sent"),
        ("order_confirmed", "webhook", "sent"),
    ]


async def test_a_channel_that_works_does_not_wait_for_one_that_does_not(shop, receiver, postbox):
    """Catches a notice that is sent again over a channel that took it, since another did not."""
    receiver.answer = lambda _: (503, {}, b"ann@example.com is not known")
    await shop.engine.customers.put("cus-1", BOTH)
    await shop.order("o-1", customer_id="cus-1", customer=None)
    await shop.wait()
    assert await shop.outcomes("o-1") == [("order_confirmed", "email", "sent")]
    (effect,) = (await shop.engine.orders.get("o-1")).life.effects
    assert effect.last_error == "The service that notices are posted to answers 503."
    receiver.answer = lambda _: (200, {}, b"")
    shop.clock.advance(timedelta(minutes=3))
    await shop.wait()
    assert [row[1:] for row in await shop.outcomes("o-1")] == [("email", "sent"), ("webhook", "sent")]
    assert (len(postbox.letters), receiver.requests) == (1, 2)
    assert (await shop.engine.orders.get("o-1")).life.effects == ()
