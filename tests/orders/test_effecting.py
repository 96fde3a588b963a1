"""What orders ask to be done elsewhere: once, whoever dies when, and later when it cannot be done now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec
from order_shop import NOON, Shop, rows

from engine.clock import SettableClock
from engine.errors import Unavailable
from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import Effects, with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of


class Bank:
    """Does what it is asked to once for each id, as long as it answers; a process may die before it hears so."""

    def __init__(self) -> None:
        self.asked, self.done = list[str](), dict[str, int]()
        self.answers, self.dies = True, False

    async def handle(self, order: Order, effect: Effect) -> Rule:
        self.asked.append(effect.effect_id)
        await asyncio.sleep(0.01)
        if not self.answers:
            raise Unavailable("The bank does not answer.")
        self.done.setdefault(effect.effect_id, effect.amount_cents)
        if self.dies:
            raise SystemError("killed")

        def rule(order: Order, at: object) -> Revision:
            life = without_effect(order.life, effect.effect_id)
            note = Note(event="paid", by="bank", amount_cents=effect.amount_cents)
            return revision_of(order, replace(order, life=life), note)

        return rule


def asks(*effects: Effect) -> Rule:
    def rule(order: Order, at: object) -> Revision:
        asking = replace(order, life=with_effects(order.life, *effects))
        return revision_of(order, asking, Note(event="asked", by="anna"))

    return rule


async def begun(shop: Shop, clock: SettableClock, bank: Bank) -> tuple[OrderChanges, Effects]:
    await shop.place("ord_1", 3)
    await shop.commit("run_1", rows("ord_1", (3, "north")))
    changes = OrderChanges(shop.orders, clock)
    await changes.change("ord_1", asks(Effect(effect_id="eff_1", kind="pay", due_at=NOON, amount_cents=700)))
    return changes, Effects(shop.orders, changes, {"pay": bank.handle}, clock)


async def test_an_effect_is_done_once_and_written_down(shop: Shop, clock: SettableClock) -> None:
    bank = Bank()
    _, effects = await begun(shop, clock, bank)
    order = await effects.settle("ord_1")
    assert (order.life.effects, bank.done, bank.asked) == ((), {"eff_1": 700}, ["eff_1"])
    assert await effects.step() == 0
    *_, last = await shop.orders.history("ord_1")
    assert last.note is not None
    assert (last.note.event, last.note.amount_cents) == ("paid", 700)


async def test_what_a_dead_process_left_is_done_by_another_and_only_once(shop: Shop, clock: SettableClock) -> None:
    """Catches an effect that is taken off the order before it is done, and one done under a new id the second time."""
    bank = Bank()
    _, effects = await begun(shop, clock, bank)
    bank.dies = True
    try:
        await effects.settle("ord_1")
    except SystemError:
        bank.dies = False
    assert await effects.step() == 1
    assert (bank.asked, bank.done) == (["eff_1", "eff_1"], {"eff_1": 700})
    assert (await shop.orders.get("ord_1")).life.effects == ()


async def test_two_that_do_the_same_effect_write_it_down_once(shop: Shop, clock: SettableClock) -> None:
    """Catches a result that is written down without looking whether the order still waits for it."""
    bank = Bank()
    _, effects = await begun(shop, clock, bank)
    await asyncio.gather(effects.settle("ord_1"), effects.settle("ord_1"))
    paid = [step for step in await shop.orders.history("ord_1") if step.note is not None and step.note.event == "paid"]
    assert (len(paid), bank.done) == (1, {"eff_1": 700})


async def test_what_cannot_be_done_now_waits_longer_each_time_and_says_why(shop: Shop, clock: SettableClock) -> None:
    bank = Bank()
    bank.answers = False
    _, effects = await begun(shop, clock, bank)
    for tries, wait in ((1, 2), (2, 4), (3, 8)):
        order = await effects.settle("ord_1")
        (effect,) = order.life.effects
        assert (effect.tries, effect.due_at - clock.now()) == (tries, timedelta(seconds=wait))
        assert effect.last_error == "The bank does not answer."
        assert await effects.step() == 0, "not before it is due"
        clock.advance(timedelta(seconds=wait))
    bank.answers = True
    assert await effects.step() == 1
    assert bank.done == {"eff_1": 700}


async def test_effects_of_the_old_life_are_not_lost_when_another_change_comes_between(
    shop: Shop, clock: SettableClock
) -> None:
    bank = Bank()
    changes, effects = await begun(shop, clock, bank)
    await changes.change("ord_1", asks(Effect(effect_id="eff_2", kind="pay", due_at=NOON, amount_cents=1)))
    await effects.settle("ord_1")
    assert bank.done == {"eff_1": 700, "eff_2": 1}
    assert msgspec.json.encode((await shop.orders.get("ord_1")).life) == b"{}"
