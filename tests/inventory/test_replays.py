"""Idempotency keys: one effect, the same answer again, and no second body under one key; on every store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.errors import (
    IdempotencyConflict,
    IllegalState,
    InsufficientStock,
    NotFound,
    OnHandOutOfRange,
    StoredRefusal,
)
from engine.inventory.model import Adjustment, Hold, Replay


def replay(key: str = "k1", body: str = "body") -> Replay:
    return Replay(digest=key, fingerprint=body)


def hold(stock: Any, quantity: int, reservation_id: str) -> Hold:
    return Hold(reservation_id=reservation_id, lines=(stock.line(quantity),))


async def test_the_same_key_gives_the_same_reservation_and_has_one_effect(stock: Any) -> None:
    """The seeded bug: without the record the second call, which has an id of its own, holds 4 more."""
    await stock.count(10)
    first = await stock.store.hold(hold(stock, 4, "a"), today=stock.today, replay=replay())
    await stock.store.confirm("a")
    again = await stock.store.hold(hold(stock, 4, "b"), today=stock.today, replay=replay())
    assert (first.replayed, again.replayed) == (False, True)
    assert again.value == first.value
    assert (await stock.position()).reserved == 4
    with pytest.raises(NotFound):
        await stock.store.get_reservation("b")


async def test_another_body_under_the_same_key_is_refused(stock: Any) -> None:
    await stock.count(10)
    await stock.store.hold(hold(stock, 4, "a"), today=stock.today, replay=replay())
    with pytest.raises(IdempotencyConflict):
        await stock.store.hold(hold(stock, 5, "b"), today=stock.today, replay=replay(body="other"))
    with pytest.raises(IdempotencyConflict):
        await stock.store.recall(replay(body="other"))
    assert (await stock.position()).reserved == 4


async def test_a_refusal_is_stored_and_stays_though_there_is_stock_by_now(stock: Any) -> None:
    await stock.count(1)
    refusals = []
    for _ in range(2):
        with pytest.raises(InsufficientStock) as refusal:
            await stock.store.hold(hold(stock, 4, "a"), today=stock.today, replay=replay())
        refusals.append((str(refusal.value), refusal.value.lines))
        await stock.count(10)
    assert refusal.value.replayed
    assert refusals[0] == refusals[1]
    assert (await stock.position()).reserved == 0


async def test_keys_that_come_many_times_at_once_have_one_effect_each(stock: Any) -> None:
    """The seeded bug: looking the record up in one call and storing it in another holds some keys twice."""
    await stock.count(1000)

    async def ask(key: int, attempt: int) -> Any:
        wanted = hold(stock, 1, f"{key}-{attempt}")
        return await stock.store.hold(wanted, today=stock.today, replay=replay(f"key-{key}"))

    outcomes = await asyncio.gather(*(ask(key, attempt) for attempt in range(5) for key in range(50)))
    assert sum(not outcome.replayed for outcome in outcomes) == 50
    assert len({outcome.value.reservation_id for outcome in outcomes}) == 50
    assert (await stock.position()).held == 50


async def test_every_change_of_a_reservation_replays(stock: Any) -> None:
    await stock.count(10)
    store = stock.store
    await stock.hold("a", stock.line(6))
    steps = [
        ("extend", lambda: store.extend("a", 600, replay=replay("extend"))),
        ("confirm", lambda: store.confirm("a", replay=replay("confirm"))),
        ("part", lambda: store.cancel("a", lines=[stock.line(2)], replay=replay("part"))),
        ("consume", lambda: store.consume("a", lines=[stock.line(1)], replay=replay("consume"))),
        ("cancel", lambda: store.cancel("a", replay=replay("cancel"))),
    ]
    firsts = {name: await step() for name, step in steps}
    position = await stock.position()
    assert (position.on_hand, position.reserved) == (9, 0)
    for name, step in steps:
        again = await step()
        assert again.replayed
        assert again.value == firsts[name].value
    assert await stock.position() == position


async def test_refusals_of_a_reservation_replay_in_the_same_words(stock: Any) -> None:
    await stock.count(10)
    await stock.hold("a", stock.line(6))
    words = []
    for _ in range(2):
        with pytest.raises(IllegalState) as refusal:
            await stock.store.consume("a", replay=replay())
        words.append(str(refusal.value))
        await stock.store.confirm("a")
    assert words[0] == words[1]
    assert refusal.value.replayed


async def test_adjustments_replay_with_their_positions_and_refusals(stock: Any) -> None:
    await stock.count(5)

    def adjust(delta: int, key: str) -> Any:
        change = Adjustment(node_id="berlin", sku="mug", delta=delta, reason="test")
        return stock.store.adjust([change], replay=replay(key))

    first, again = await adjust(2, "more"), await adjust(2, "more")
    assert (again.replayed, again.value) == (True, first.value)
    assert (await stock.position()).on_hand == 7
    for _ in range(2):
        with pytest.raises(OnHandOutOfRange, match="from 7 to -1"):
            await adjust(-8, "less")
        await stock.count(20)


async def test_an_answer_that_needed_no_store_is_remembered_byte_for_byte(stock: Any) -> None:
    body = '{"code":"promise_expired","detail":"schön \\u0000"}'.encode() + b"\xff"
    assert (await stock.store.remember(replay(), 409, body)).value is None
    for call in (
        lambda: stock.store.remember(replay(), 404, b"{}"),
        lambda: stock.store.recall(replay()),
        lambda: stock.store.hold(hold(stock, 1, "a"), today=stock.today, replay=replay()),
    ):
        with pytest.raises(StoredRefusal) as refusal:
            await call()
        assert (refusal.value.status, refusal.value.body, refusal.value.replayed) == (409, body, True)


async def test_what_was_done_under_a_key_is_not_replaced_by_a_later_refusal(stock: Any) -> None:
    await stock.count(10)
    assert await stock.store.recall(replay()) is None
    first = await stock.store.hold(hold(stock, 4, "a"), today=stock.today, replay=replay())
    for kept in (await stock.store.remember(replay(), 409, b"{}"), await stock.store.recall(replay())):
        assert (kept.value, kept.replayed) == (first.value, True)
