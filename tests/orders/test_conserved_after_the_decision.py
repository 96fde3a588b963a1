"""Whatever nodes and people say, in any order: units and capacity are counted once, and no unit is made or lost.

On hand falls by what short picks did not find and by nothing else; what is reserved is what orders hold; what is used
of nodes is what rows say.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from order_shop import NOON, TODAY, Shop, rows

from engine.errors import IllegalState
from engine.orders.holding import NewHold, released, stopped
from engine.orders.overriding import NewOverride, overridden
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.steering import RejectionKind

NODES = ("north", "south")
STEPS = 40


@dataclass(slots=True)
class Books:
    """What there should be: units on hand, and by order what it has reserved and uses, by node."""

    on_hand: Counter[str] = field(default_factory=lambda: Counter(north=10, south=5))
    reserved: dict[str, Counter[str]] = field(default_factory=dict)
    used: dict[str, Counter[str]] = field(default_factory=dict)

    async def check(self, shop: Shop) -> None:
        reserved, used = sum(self.reserved.values(), Counter[str]()), sum(self.used.values(), Counter[str]())
        for node_id in NODES:
            assert await shop.counts(node_id) == (self.on_hand[node_id], 0, reserved[node_id])
        found = {each.node_id: each.units for each in await shop.orders.used_capacity([TODAY])}
        assert found == {node_id: units for node_id, units in used.items() if units}


async def commit(shop: Shop, books: Books, order_id: str, dice: random.Random, run: int) -> None:
    """Give an order's three units to nodes, or to none, as a run would; perhaps by what was known earlier."""
    order = await shop.orders.get(order_id)
    first = dice.randrange(4)
    parts = [
        (units, node_id) for units, node_id in ((first, "north"), (3 - first, dice.choice(["south", None]))) if units
    ]
    stale = dice.random() < 0.2 and order.steering.revision > 0
    revision = order.steering.revision - stale
    (verdict,) = await shop.commit(f"run_{run}", replace(rows(order_id, *parts), revision=revision))
    assert not (stale and verdict.outcome == "committed")
    shipped = Counter({node_id: units for units, node_id in parts if node_id is not None})
    if verdict.outcome == "committed" and shipped:
        books.reserved[order_id], books.used[order_id] = shipped, Counter(shipped)


async def reject(shop: Shop, books: Books, order_id: str, dice: random.Random) -> None:
    """Have a node refuse some units, or not find them, whether it has them or not."""
    order, node_id, units = await shop.orders.get(order_id), dice.choice(NODES), dice.randint(1, 3)
    kind = dice.choice([RejectionKind.REJECTED, RejectionKind.SHORT_PICK, RejectionKind.CLOSED])
    new = NewRejection(node_id=node_id, reason="r", kind=kind, lines=(("1", units),))
    there = sum(row.quantity for row in order.allocation if row.node_id == node_id)
    try:
        revised = (await shop.orders.revise(rejected(order, new, NOON, "anna", 0))).value
    except IllegalState:
        assert there < units or order.is_cancelled
        return
    assert there >= units
    books.reserved[order_id][node_id] -= units
    if kind is RejectionKind.SHORT_PICK:
        books.on_hand[node_id] -= units
    books.used[order_id] = Counter()
    for row in revised.allocation:
        if row.node_id is not None:
            books.used[order_id][row.node_id] += row.quantity


async def say(shop: Shop, order_id: str, dice: random.Random) -> None:
    """Pin the line, take the pin away, stop the order or release it."""
    order = await shop.orders.get(order_id)
    act = dice.choice(["pin", "free", "stop", "release"])
    if act == "stop":
        revision = stopped(order, NewHold(reason="r"), NOON, "bo")
    elif act == "release":
        revision = released(order, "bo")
    else:
        pins = (("1", dice.choice(NODES) if act == "pin" else None),)
        revision = overridden(order, NewOverride(reason="r", pins=pins), NOON, "bo", NODES)
    try:
        await shop.orders.revise(revision)
    except IllegalState:
        assert order.is_cancelled or act == "release"


@pytest.mark.parametrize("seed", range(6))
async def test_no_unit_is_made_or_lost_whatever_is_said_in_any_order(shop: Shop, seed: int) -> None:
    """Catches units that go back twice or not at all, and uses that do not follow the rows (seeded: each of them)."""
    dice, books = random.Random(seed), Books()
    order_ids = [f"ord_{number}" for number in range(4)]
    for order_id in order_ids:
        await shop.place(order_id, 3)
    for step in range(STEPS):
        order_id = dice.choice(order_ids)
        act = dice.choices(["commit", "reject", "say", "cancel"], [5, 5, 2, 0.3])[0]
        if act == "commit":
            await commit(shop, books, order_id, dice, step)
        elif act == "reject":
            await reject(shop, books, order_id, dice)
        elif act == "say":
            await say(shop, order_id, dice)
        else:
            await shop.orders.cancel(order_id)
            books.reserved.pop(order_id, None)
            books.used.pop(order_id, None)
        await books.check(shop)
