"""Webhooks arrive: at least once, in order, signed, after an hour without a receiver and after a killed sender."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from faults.scale import SCALE
from webhooks.receiver import Receiver

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.inventory.model import Adjustment, PositionCount
from engine.webhooks.delivering import Deliveries


async def count(engine: Engine, on_hand: int = 10) -> None:
    await engine.stock.put_positions([PositionCount(node_id="east", sku="mug", on_hand=on_hand)])


async def change(engine: Engine, times: int) -> None:
    """Let so many events happen."""
    for _ in range(times):
        await engine.stock.adjust([Adjustment(node_id="east", sku="mug", delta=1, reason="found")])


async def subscribe(engine: Engine, receiver: Receiver, in_flight: int = 1, types: tuple[str, ...] = ()) -> str:
    assert engine.webhooks is not None
    webhook_id, _, secret = (await engine.webhooks.create(receiver.url, types, in_flight, None)).value
    receiver.secrets.append(secret)
    return webhook_id


async def deliver(engine: Engine, by: Deliveries | None = None) -> None:
    deliveries = by or engine.deliveries
    assert deliveries is not None
    await deliveries.step()
    await deliveries.settle()


def on_hands(receiver: Receiver) -> list[int]:
    return [event["data"]["after"]["on_hand"] for event in receiver.events if "after" in event["data"]]


async def test_a_receiver_that_is_down_for_an_hour_loses_nothing(
    engine: Engine, clock: SettableClock, reached: Callable[..., None]
) -> None:
    """Seeded bug that it catches: the cursor moves before the answer came, and what was in flight is lost."""
    events = -(-SCALE.webhook_events // 12) * 12
    await count(engine)
    async with Receiver() as receiver:
        webhook_id = await subscribe(engine, receiver)
        await receiver.stop()
        clock.advance(-timedelta(hours=2))
        for _ in range(12):
            await change(engine, events // 12)
            await deliver(engine)
            clock.advance(timedelta(minutes=5))
        assert engine.webhooks is not None
        webhook = await engine.webhooks.get(webhook_id)
        assert webhook.failing_since_ms
        tries = webhook.attempts
        assert 3 < tries <= 12
        await receiver.start()
        clock.advance(datetime.now(UTC) - clock.now())
        await deliver(engine)
        assert on_hands(receiver) == [11 + number for number in range(events)], "all of them, in order, once each"
        assert (await engine.webhooks.get(webhook_id)).failing_since_ms == 0
        reached("webhook events that outlast an hour without a receiver", events=events, tries=tries)


async def test_what_a_killed_sender_had_not_noted_is_sent_again_and_nothing_is_left_out(
    engine: Engine, settings: Settings, clock: SettableClock
) -> None:
    """Seeded bug that it catches: a server that takes over begins behind the page, not behind what was taken of it."""
    await count(engine)
    async with Receiver() as receiver:
        await subscribe(engine, receiver)
        await change(engine, 30)
        receiver.pause_seconds = 0.01
        assert engine.deliveries is not None
        await engine.deliveries.step()
        while len(receiver.events) < 5:  # noqa: ASYNC110 - a receiver tells nobody
            await asyncio.sleep(0.01)
        await engine.deliveries.stop()
        taken = len(receiver.events)
        assert 0 < taken < 30
        async with allot_engine(settings, clock=clock) as other:
            await deliver(other)
        found = on_hands(receiver)
        assert sorted(set(found)) == list(range(11, 41))
        assert len(found) <= 31, "at most the one that was in flight comes twice"
        assert list(dict.fromkeys(found)) == sorted(set(found))


async def test_of_two_servers_one_sends(engine: Engine) -> None:
    assert engine.webhooks is not None
    await count(engine)
    other = Deliveries(engine.webhooks, engine.leases)
    async with Receiver() as receiver:
        await subscribe(engine, receiver)
        await change(engine, 20)
        await asyncio.gather(deliver(engine), deliver(engine, other))
        assert on_hands(receiver) == list(range(11, 31))


async def test_requests_in_flight_at_once_take_nothing_twice(engine: Engine, clock: SettableClock) -> None:
    await count(engine)
    async with Receiver() as receiver:
        await subscribe(engine, receiver, in_flight=5)
        receiver.pause_seconds = 0.01
        await change(engine, 20)
        failing = {15, 22}

        def answer(event: dict) -> tuple[int, dict[str, str], bytes]:
            on_hand = event["data"]["after"]["on_hand"]
            return (500, {}, b"") if on_hand in failing else (200, {}, b"")

        receiver.answer = answer
        await deliver(engine)
        assert sorted(on_hands(receiver)) == [11, 12, 13, 14]
        failing.clear()
        clock.advance(timedelta(seconds=10))
        await deliver(engine)
        assert sorted(on_hands(receiver)) == list(range(11, 31))
        assert receiver.most_at_once == 5


async def test_only_the_types_asked_for_are_sent(engine: Engine) -> None:
    await count(engine)
    async with Receiver() as receiver:
        await subscribe(engine, receiver, types=("document.*",))
        await change(engine, 5)
        assert engine.webhooks is not None
        await engine.webhooks.feed.tell_webhook("whk_other", "disabled", "")
        await deliver(engine)
        assert receiver.requests == 0


async def test_after_three_days_of_failures_a_webhook_is_disabled_and_that_is_told(
    engine: Engine, clock: SettableClock
) -> None:
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver, Receiver() as told:
        webhook_id = await subscribe(engine, receiver, types=("inventory.*",))
        clock.advance(-timedelta(days=4))
        receiver.is_trusting = True
        receiver.answer = lambda _: (503, {"Retry-After": "120"}, b"later")
        await change(engine, 1)
        tries = 0
        for _ in range(3000):
            await deliver(engine)
            webhook = await engine.webhooks.get(webhook_id)
            tries = webhook.attempts
            if webhook.state == "disabled":
                break
            wait = webhook.next_try_ms / 1000 - clock.now().timestamp()
            assert wait >= 119, "a receiver that says when to come again is not asked before"
            clock.advance(timedelta(seconds=wait))
        assert webhook.state == "disabled"
        assert 72 <= tries <= 100
        await subscribe(engine, told, types=("webhook.*",))
        requests = receiver.requests
        await change(engine, 1)
        clock.advance(timedelta(days=1))
        await deliver(engine)
        assert receiver.requests == requests, "nothing is sent to it any more"
        page = await engine.webhooks.feed.page(None, limit=100, wanted=_only("webhook.disabled"))
        assert [event.data.webhook_id for event in page.events] == [webhook_id]
        receiver.answer = lambda _: (200, {}, b"")
        await engine.webhooks.enable(webhook_id, None)


def _only(name: str):  # type: ignore[no-untyped-def]
    from engine.feed.model import wanted

    return wanted([name], "types")


async def test_a_receiver_that_is_gone_is_not_tried_again(engine: Engine) -> None:
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver:
        webhook_id = await subscribe(engine, receiver)
        receiver.answer = lambda _: (410, {}, b"")
        await change(engine, 2)
        await deliver(engine)
        assert (await engine.webhooks.get(webhook_id)).state == "disabled"
        assert receiver.requests == 1
        receiver.answer = lambda _: (200, {}, b"")
        await engine.webhooks.enable(webhook_id, None)
        await deliver(engine)
        assert on_hands(receiver)[:2] == [11, 12], "what it did not take comes once it is enabled"


async def test_events_that_are_no_longer_kept_are_told_to_be_missed(engine: Engine, client, keys) -> None:
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver:
        webhook_id = await subscribe(engine, receiver, types=("inventory.*", "webhook.missed"))
        await change(engine, 10)
        await client.call("XTRIM", keys.journal, "MAXLEN", 2)
        await deliver(engine)
        types = [event["type"] for event in receiver.events]
        assert types.count("inventory.changed") == 2
        assert types.count("webhook.missed") == 1
        assert (await engine.webhooks.get(webhook_id)).missed_ms


async def test_what_a_receiver_that_is_down_has_missed_is_told_once(
    engine: Engine, clock: SettableClock, client, keys
) -> None:
    """Seeded bug that it catches: the cursor stays where nothing is kept until something is taken."""
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver:
        await subscribe(engine, receiver, types=("inventory.*",))
        await change(engine, 10)
        await client.call("XTRIM", keys.journal, "MAXLEN", 2)
        receiver.answer = lambda _: (503, {}, b"")
        clock.advance(-timedelta(hours=1))
        for _ in range(4):
            await deliver(engine)
            clock.advance(timedelta(minutes=3))
        assert receiver.requests == 4
        page = await engine.webhooks.feed.page(None, limit=100, wanted=_only("webhook.missed"))
        assert len(page.events) == 1
        receiver.answer = lambda _: (200, {}, b"")
        clock.advance(datetime.now(UTC) - clock.now())
        await deliver(engine)
        assert on_hands(receiver) == [19, 20]


async def test_both_secrets_are_good_for_the_time_of_grace(engine: Engine, clock: SettableClock) -> None:
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver:
        webhook_id = await subscribe(engine, receiver)
        secret, _ = (await engine.webhooks.rotate(webhook_id, 60, None)).value
        receiver.secrets.append(secret)
        await change(engine, 1)
        await deliver(engine)
        clock.advance(timedelta(seconds=61))
        await change(engine, 1)
        await deliver(engine)
        assert receiver.signed_by == [[0, 1], [1]]


async def test_what_receivers_answer_is_kept_for_those_who_ask(engine: Engine) -> None:
    await count(engine)
    assert engine.webhooks is not None
    async with Receiver() as receiver:
        webhook_id = await subscribe(engine, receiver)
        receiver.answer = lambda _: (422, {}, b"no such field\x00" + b"x" * 100_000)
        await change(engine, 1)
        await deliver(engine)
        ping = await engine.webhooks.ping(webhook_id)
        (pinged, failed) = await engine.webhooks.deliveries(webhook_id)
        assert pinged == ping
        assert failed.status == 422
        assert failed.answer.startswith("no such field ")
        assert len(failed.answer) == 200


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(engine: Engine, status: int) -> None:
    await count(engine)
    async with Receiver() as receiver, Receiver() as elsewhere:
        await subscribe(engine, receiver)
        receiver.answer = lambda _: (status, {"Location": elsewhere.url}, b"")
        await change(engine, 1)
        await deliver(engine)
        assert receiver.requests == 1
        assert elsewhere.requests == 0
