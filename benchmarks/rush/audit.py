"""The audit after the peak: every unit of every position is sold once or left, and every order was committed once.

It adds up what was put, what orders and shoppers were told, and what the store says is left; it believes no counter of
sales. Not here: whether plans are good, which their certified gaps say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.rush.shoppers import Bought
from engine.errors import NotFound
from engine.inventory.model import CONFIRMED, HELD, ON_HAND, PositionCount, StockView
from engine.inventory.store import InventoryStore
from engine.orders.model import HistoryEntry, Order, OrderState
from engine.orders.service import OrderService

T = TypeVar("T")
_IN_FLIGHT = 500
Cell = tuple[str, str]
"""(node_id, sku)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found; the first five count what is wrong.

    `oversold` are cells of which more was sold than was there; `unbalanced`, of which sold and left are not what was
    there; `moved`, whose units on hand are not what was put; `twice` are orders that were sourced more than once, or
    decided twice by one run; `lost`, those that are not there. `undecided` are those of the windows that no run has
    decided on, since their stock had moved each time: they stay open for the next.
    """

    oversold: int
    unbalanced: int
    moved: int
    twice: int
    lost: int
    undecided: int
    sourced: int
    backordered: int
    cells: int
    sold_out: int
    units_sold: int
    commits: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.oversold or self.unbalanced or self.moved or self.twice or self.lost)


async def audit(
    orders: OrderService,
    stock: InventoryStore,
    positions: Sequence[PositionCount],
    order_ids: Sequence[str],
    bought: Bought,
) -> Audit:
    """Return what the books say when nothing is on its way any more; `order_ids` are those of the windows."""
    kept = {each.order_id: each for each in bought.kept if each.order_id}
    asked = [*order_ids, *kept]
    found = dict(zip(asked, await _each(orders.get, asked), strict=True))
    known = {order_id: order for order_id, order in found.items() if order is not None}
    histories = {name: steps or () for name, steps in zip(known, await _each(orders.history, list(known)), strict=True)}
    sold = Counter[Cell]()
    for order_id, order in known.items():
        if order_id in kept and order.state is not OrderState.SOURCED:
            sold.update(await _reserved(stock, order.reservation_id or ""))
        else:
            sold.update(_shipped(order))
    for each in bought.kept:
        if not each.order_id and each.state != "cancelled":
            sold.update(_units((line[1], line[0], line[2]) for line in each.lines))
    put = {(each.node_id, each.sku): each.on_hand or 0 for each in positions}
    there, left = _cells(await stock.snapshot())
    cells = put.keys() | sold.keys() | there.keys()
    commits = {order_id: [step for step in steps if step.run_id] for order_id, steps in histories.items()}
    return Audit(
        oversold=sum(sold[cell] > put.get(cell, 0) for cell in cells),
        unbalanced=sum(sold[cell] + left.get(cell, 0) != put.get(cell, 0) for cell in cells),
        moved=sum(there.get(cell, 0) != put.get(cell, 0) for cell in cells),
        twice=sum(map(_is_twice, commits.values())),
        lost=len(asked) - len(known),
        undecided=sum(not commits[order_id] for order_id in order_ids if order_id in commits),
        sourced=sum(order.state is OrderState.SOURCED for order in known.values()),
        backordered=sum(order.state is OrderState.BACKORDERED for order in known.values()),
        cells=len(put),
        sold_out=sum(sold[cell] >= units > 0 for cell, units in put.items()),
        units_sold=sum(sold.values()),
        commits=sum(map(len, commits.values())),
    )


async def _each(ask: Callable[[str], Awaitable[T]], names: Sequence[str]) -> list[T | None]:
    """Return what is there of each name, so many at a time; None for what is not."""

    async def one(name: str) -> T | None:
        try:
            return await ask(name)
        except NotFound:
            return None

    found: list[T | None] = []
    for start in range(0, len(names), _IN_FLIGHT):
        found += await asyncio.gather(*map(one, names[start : start + _IN_FLIGHT]))
    return found


def _shipped(order: Order) -> Counter[Cell]:
    """Return the units of an order that have a node, by the last decision on it."""
    return _units((row.node_id, row.sku, row.quantity) for row in order.allocation if row.node_id is not None)


async def _reserved(stock: InventoryStore, reservation_id: str) -> Counter[Cell]:
    """Return what the reservation of an order keeps: also what waits for the day that was promised."""
    reservation = await stock.get_reservation(reservation_id)
    return _units((line.node_id, line.sku, line.quantity) for line in reservation.lines)


def _units(rows: Iterable[tuple[str, str, int]]) -> Counter[Cell]:
    found = Counter[Cell]()
    for node_id, sku, quantity in rows:
        found[node_id, sku] += quantity
    return found


def _cells(stock: StockView) -> tuple[dict[Cell, int], dict[Cell, int]]:
    """Return what the store says is on hand, and what it says is left, of cells that have anything."""
    counted = stock.cells.astype(np.int64)
    there = counted[:, :, ON_HAND]
    left = there - counted[:, :, HELD] - counted[:, :, CONFIRMED]
    for (row, slot), schedule in stock.schedule.items():
        left[row, slot] -= sum(-units for _, units in schedule if units < 0)
    rows, slots = (axis.tolist() for axis in np.nonzero(counted.any(axis=2)))
    places = [((stock.node_ids[slot], stock.skus[row]), (row, slot)) for row, slot in zip(rows, slots, strict=True)]
    return {cell: int(there[at]) for cell, at in places}, {cell: int(left[at]) for cell, at in places}


def _is_twice(steps: Sequence[HistoryEntry]) -> bool:
    runs = [step.run_id for step in steps]
    return len(set(runs)) < len(runs) or sum(step.state is OrderState.SOURCED for step in steps) > 1
