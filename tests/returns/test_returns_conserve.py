"""Whatever is announced, comes and is inspected, in any order: no unit is made or lost, and no cent paid back twice."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.orders.facts.money import EntryKind
from engine.orders.facts.returns import Disposition, RefundShares, Return, came_back
from engine.orders.states import units_by_state
from engine.returns.policy import ReturnPolicy, Terms
from engine.returns.refurbishing import RefurbishedAs
from tests.returns.return_desk import Desk

SKUS = {"1": ("MUG", 3), "2": ("TEA", 2)}
STEPS = 30


async def act(desk: Desk, dice: random.Random, came: Counter[str], gone: Counter[str]) -> None:
    """Do one thing that people do with returns, sensible or not."""
    order = await desk.engine.orders.get("ord_1")
    return_ids = [each.return_id for each in order.life.returns]
    acts = ["announce", "receive", "inspect", "refurbish", "cancel", "close", "wait"]
    what = dice.choices(acts, [4, 5, 5, 2, 1, 1, 1])[0]
    sku, units = dice.choice(["MUG", "MUG", "TEA", "POT"]), dice.randint(1, 3)
    if what == "announce" or not return_ids:
        await desk.announce("ord_1", (dice.choice(list(SKUS)), units), node_id=dice.choice(["north", "south"]))
    elif what == "receive":
        await desk.receive(dice.choice(return_ids), (sku, units), is_all=dice.random() < 0.2)
        came[sku] += units
    elif what == "inspect":
        disposition = dice.choice(list(Disposition))
        await desk.inspect(dice.choice(return_ids), (sku, units, disposition.value))
        gone[sku] += units if disposition is Disposition.SCRAP else 0
    elif what == "refurbish":
        outcome = dice.choice(list(RefurbishedAs))
        await desk.refurbish(dice.choice(return_ids), (sku, units, outcome.value))
        gone[sku] += units if outcome is RefurbishedAs.SCRAP else 0
    elif what == "wait":
        await desk.later(days=1)
    else:
        await getattr(desk.engine.returns, what)(dice.choice(return_ids), "anna")


def check_money(returns: tuple[Return, ...], told: int) -> None:
    """Nobody gets more than was paid: 1001 cents for mugs, 501 for teas, 299 for shipping, less fees."""
    value = sum(line.value_cents for each in returns for line in each.lines)
    back = sum(each.refund_cents for each in returns)
    assert back == told
    assert back <= value + sum(each.shipping_refund_cents for each in returns) <= 1001 + 501 + 299
    assert sum(each.shipping_refund_cents for each in returns) in {0, 299}
    for line_id, (_, quantity) in SKUS.items():
        refunded = sum(line.refunded for each in returns for line in each.lines if line.line_id == line_id)
        assert refunded <= quantity
    for each in returns:
        assert all(line.refund_cents <= line.value_cents for line in each.lines)


async def check(desk: Desk, came: Counter[str], gone: Counter[str]) -> None:
    order = await desk.engine.orders.get("ord_1")
    assert order.life.effects == () or all(each.kind == "return.expire" for each in order.life.effects)
    for sku in ("MUG", "TEA", "POT"):
        there = [await desk.stock(sku, node_id) for node_id in ("north", "south")]
        assert sum(map(sum, there)) == 15 + came[sku] - gone[sku]
        waiting = sum(line.waiting for each in order.life.returns for line in each.lines if line.sku == sku)
        assert sum(held for _, held, _ in there) == waiting
        to_refurbish = sum(line.to_refurbish for each in order.life.returns for line in each.lines if line.sku == sku)
        assert sum(damaged for _, _, damaged in there) == to_refurbish
    back = came_back(order.life.returns)
    for line_id, states in units_by_state(order).items():
        assert sum(states.values()) == SKUS[line_id][1]
        assert states.get("returned", 0) == back.get(line_id, 0) <= SKUS[line_id][1]  # type: ignore[call-overload]
    told = [step.note for step in await desk.engine.orders.history("ord_1") if step.note is not None]
    refunded = [each.amount_cents for each in order.life.money.ledger if each.kind is EntryKind.REFUNDED]
    assert sum(refunded) == sum(each.refund_cents for each in order.life.returns), "the tenders have it"
    check_money(order.life.returns, sum(note.amount_cents or 0 for note in told if note.event == "return_refunded"))


@pytest.mark.parametrize("seed", range(8))
async def test_units_and_cents_are_conserved_over_any_sequence(desk: Desk, seed: int) -> None:
    """Catches surplus units that are paid back, units inspected or refurbished twice, and refunds that each round up.

    Each was seeded once.
    """
    dice, came, gone = random.Random(seed), Counter[str](), Counter[str]()
    terms = Terms(restocking_percent=dice.choice([0, 15]), fee_cents=dice.choice([0, 99]), refunds_shipping=True)
    when = dice.choice(["received", "inspected"])
    await desk.policy(ReturnPolicy(usual=terms, refund_at=when, refund_shares=RefundShares(scrap=50)))  # type: ignore[arg-type]
    await desk.delivered("ord_1", MUG=1001, TEA=501, shipping_cents=299, is_paid=True)
    done = 0
    for _ in range(STEPS):
        before = came.copy(), gone.copy()
        try:
            await act(desk, dice, came, gone)
            done += 1
        except (IllegalState, InvalidInput):
            came, gone = before
        await check(desk, came, gone)
    assert done > STEPS // 4
