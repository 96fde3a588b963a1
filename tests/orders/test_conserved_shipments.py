"""Whatever is released, packed, shipped, lost, refused and routed again, in any order: units are in one place each.

On hand falls by what leaves and by what short picks did not find, and by nothing else; what is reserved is what rows
say; what is used of nodes is what rows say and what has left them; states sum to the demand, and shipments that have
not left hold what rows have for them.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from order_shop import NOON, TODAY, Shop, rows

from engine.errors import IllegalState
from engine.fulfillment.carrying import Loss, Remedy, lost
from engine.fulfillment.packing import NewCarton, packed
from engine.fulfillment.releasing import recalled, released
from engine.fulfillment.shipping import Handover, shipped
from engine.orders.model import Order
from engine.orders.overriding import NewOverride, overridden
from engine.orders.rejecting import NewRejection, rejected
from engine.orders.released import units_of
from engine.orders.remaining import units_left
from engine.orders.revising import Revision
from engine.orders.states import units_by_state
from engine.orders.steering import RejectionKind

NODES = ("north", "south")
QUANTITY, STEPS = 4, 90
ACTS = {"commit": 6, "release": 5, "reject": 2, "pack": 4, "ship": 5, "lose": 1, "recall": 1, "pin": 1}


@dataclass(slots=True)
class Books:
    """What there should be: units on hand, and that have left, by node; by order what it reserves and uses, by node."""

    on_hand: Counter[str] = field(default_factory=lambda: Counter(north=10, south=5))
    left: Counter[str] = field(default_factory=Counter)
    reserved: dict[str, Counter[str]] = field(default_factory=dict)
    used: dict[str, Counter[str]] = field(default_factory=dict)

    async def check(self, shop: Shop, orders: list[Order]) -> None:
        reserved, used = sum(self.reserved.values(), Counter[str]()), sum(self.used.values(), Counter[str]())
        for order in orders:
            there = units_of(order.allocation)
            for shipment in order.life.shipments:
                for line in shipment.lines if shipment.is_with_node else ():
                    there[line.line_id, shipment.parcel] -= line.quantity
            assert all(units >= 0 for units in there.values()), "a shipment holds what its order has no rows for"
            assert all(sum(units.values()) == QUANTITY for units in units_by_state(order).values())
            assert 0 <= units_left(order)["1"] <= QUANTITY
        for node_id in NODES:
            assert await shop.counts(node_id) == (self.on_hand[node_id], 0, reserved[node_id])
        found = {each.node_id: each.units for each in await shop.orders.used_capacity([TODAY])}
        assert found == {node_id: units for node_id, units in (used + self.left).items() if units}


def act(order: Order, kind: str, dice: random.Random) -> Revision | None:
    """Return what somebody does with an order, whether that is possible or not."""
    if kind == "release":
        return released(order, NOON, "anna", node_id=dice.choice([None, *NODES]))
    if kind == "reject":
        how = dice.choice([RejectionKind.REJECTED, RejectionKind.SHORT_PICK])
        new = NewRejection(node_id=dice.choice(NODES), reason="r", kind=how, lines=(("1", dice.randint(1, 2)),))
        return rejected(order, new, NOON, "anna", 0)
    if kind == "pin":
        pins = (("1", dice.choice([*NODES, None])),)
        return overridden(order, NewOverride(reason="r", pins=pins), NOON, "bo", NODES)
    if not order.life.shipments:
        return None
    wanted = {"pack": ("released", "picking"), "ship": ("packed",), "lose": ("shipped",)}.get(kind, ())
    fitting = [each for each in order.life.shipments if each.state in wanted and dice.random() < 0.9]
    shipment = dice.choice(fitting or order.life.shipments)
    name, lines = shipment.shipment_id, tuple((line.line_id, line.quantity) for line in shipment.lines)
    if kind == "pack":
        return packed(order, name, [NewCarton(lines=lines, weight_g=1)], NOON, "anna", needs_label=False)
    if kind == "ship":
        return shipped(order, name, Handover(tracking_number="T"), NOON, "anna")
    if kind == "lose":
        return lost(order, name, Loss(reason="gone", remedy=dice.choice(list(Remedy))), "bo")
    return recalled(order, name, "no", "bo")


def booked(books: Books, revision: Revision) -> None:
    name = revision.order_id
    for _, node_id, units, _ in (*revision.given_back, *revision.lost):
        books.reserved[name][node_id] -= units
    for _, node_id, units, _ in revision.lost:
        books.on_hand[node_id] -= units
        if revision.leaves:
            books.left[node_id] += units
            books.used[name][node_id] -= units
    if revision.uses is not None and not revision.leaves:
        books.used[name] = placed(revision.to)


def placed(order: Order) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in order.allocation:
        if row.node_id is not None:
            found[row.node_id] += row.quantity
    return found


async def commit(shop: Shop, books: Books, order: Order, dice: random.Random, run: int) -> None:
    """Route what is left of an order as a run does: what is released, or kept, stays."""
    found = await shop.orders.open_orders([order.order_id])
    if not found or found[0].stopped is not None:
        return
    kept = found[0].kept if dice.random() < 0.7 else found[0].released
    rest = sum(line.quantity for line in found[0].lines) - sum(row.quantity for row in kept)
    if rest <= 0:
        return
    first = dice.randint(0, rest)
    parts = [(units, node) for units, node in ((first, "north"), (rest - first, dice.choice(["south", None]))) if units]
    allocation = rows(order.order_id, *parts)
    allocation = replace(allocation, rows=(*kept, *allocation.rows), revision=found[0].revision)
    (verdict,) = await shop.commit(f"run_{run}", allocation)
    if verdict.outcome == "committed" and any(row.node_id for row in allocation.rows):
        there = placed(await shop.orders.get(order.order_id))
        books.reserved[order.order_id], books.used[order.order_id] = there, Counter(there)


@pytest.mark.parametrize("seed", range(4))
async def test_no_unit_is_made_lost_or_shipped_twice_whatever_is_done_in_any_order(shop: Shop, seed: int) -> None:
    """Catches rows that stay as their units leave, and shipments that keep what was refused (seeded: both)."""
    dice, books = random.Random(seed), Books()
    names = [f"ord_{number}" for number in range(3)]
    for name in names:
        await shop.place(name, QUANTITY)
    done: Counter[str] = Counter()
    for step in range(STEPS):
        kind = dice.choices(list(ACTS), list(ACTS.values()))[0]
        order = await shop.orders.get(dice.choice(names))
        if kind == "commit":
            await commit(shop, books, order, dice, step)
        else:
            try:
                revision = act(order, kind, dice)
                if revision is not None:
                    await shop.orders.revise(revision)
                    booked(books, revision)
                    done[kind] += 1
            except IllegalState:
                done["refused"] += 1
        await books.check(shop, [await shop.orders.get(name) for name in names])
    assert done["ship"] >= 1
