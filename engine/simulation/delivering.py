"""Parcels from the moment they are picked: they leave their node, arrive, and some of their units come back.

A parcel takes the days of its rate, and more or fewer as it was drawn, or as a change of the story has it. Not here:
what comes before (floor.py), what a rate says (carriage.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from engine.bootstrap import Engine
from engine.errors import IllegalState
from engine.inventory.model import Adjustment
from engine.scenarios.story import DAY_SECONDS, SetTransit, Story
from engine.scenarios.streams import joined
from engine.simulation.agenda import Agenda, Rank
from engine.simulation.books import Books
from engine.simulation.facts import Ending
from engine.simulation.luck import Luck
from engine.simulation.orders import Parcel, SimOrder
from engine.simulation.shelves import Shelves
from engine.simulation.surroundings import Surroundings
from engine.simulation.times import StoryTime
from engine.simulation.world import adjust

_DELIVERED_AT_HOUR = 18
_RETRY_SECONDS = 3600
"""A parcel that cannot leave, as its supply has not come, is tried again so much later."""
_Back = tuple[SimOrder, str, str, int, bool]
"""A unit that comes back: its order, SKU, node, price, and whether it can be sold again."""


class Delivering:
    """Carries the parcels of one replication; `over` is told of orders to which nothing more can happen."""

    def __init__(
        self,
        engine: Engine,
        story: Story,
        luck: Luck,
        times: StoryTime,
        around: Surroundings,
        agenda: Agenda,
        books: Books,
        shelves: Shelves,
        over: Callable[[SimOrder], None],
    ) -> None:
        self._engine, self._story, self._luck, self._around = engine, story, luck, around
        self._times, self._agenda, self._books, self._shelves, self._over = times, agenda, books, shelves, over
        self._unlimited = {(each.sku, each.node_id) for each in story.world.positions if each.unlimited}
        self._transits: list[SetTransit] = []

    def change_transit(self, change: SetTransit) -> None:
        """Have parcels take other days from now on."""
        self._transits.append(change)

    def picked(self, now_s: int, parcel: Parcel) -> None:
        """Have a parcel leave now."""
        self._agenda.schedule(now_s, Rank.FLOOR, self._leave, parcel)

    async def take_recorded_returns(self, day: int) -> None:
        """Have the recorded returns of a day come back, each to a node that has the product already."""
        table = self._story.demand.returns(day)
        if table is None or not len(table.returned_s):
            return
        places: dict[str, str] = {}
        columns = (table.returned_s.tolist(), table.sku.tolist(), table.quantity.tolist())
        for at_s, sku, units in zip(*columns, strict=True):
            name = table.skus[sku]
            if name not in places:
                found = await self._engine.stock.positions(name)
                places[name] = found[0].node_id if found else self._around.network.node_ids[0]
            self._agenda.schedule(at_s, Rank.FLOOR, self._recorded_return, (name, places[name], units))

    async def _leave(self, now_s: int, parcel: Parcel) -> None:
        """Have a parcel leave its node; one whose supply has not come waits on."""
        if parcel.gone:
            return
        kept = await self._engine.orders.get(parcel.order.order_id)
        try:
            await self._engine.inventory.consume(kept.reservation_id or "", lines=parcel.lines)
        except IllegalState:
            self._agenda.schedule(now_s + _RETRY_SECONDS, Rank.FLOOR, self._leave, parcel)
            return
        for line in parcel.lines:
            self._shelves.take(line.sku, line.node_id, -line.quantity)
            if (line.sku, line.node_id) in self._unlimited:  # there are always as many again
                self._books.units.received += line.quantity
        parcel.shipped_s = now_s
        self._books.left(parcel.node, parcel.units)
        self._send(now_s, parcel)

    def _send(self, now_s: int, parcel: Parcel) -> None:
        """Have a parcel arrive when its carrier brings it."""
        carriage, calendars = self._around.carriage, self._around.calendars
        days = max(0, parcel.bill.transit_days + self._deviation(now_s, parcel))
        leaves = self._times.ordinal_of(now_s, self._around.zone_of(parcel.node_id))
        arrives = carriage.arrival(calendars, carriage.service(parcel.carried_by), leaves, days)
        parcel.delivered_day = self._times.day(arrives)
        at_s = self._times.midnight_s(None, arrives) + _DELIVERED_AT_HOUR * 3600
        self._agenda.schedule(max(at_s, now_s + 1), Rank.FLOOR, self._deliver, parcel)

    def _deviation(self, now_s: int, parcel: Parcel) -> int:
        """Return by how many days a parcel takes longer than its rate says."""
        operations, days, of_parcel = self._story.operations, 0.0, (parcel.order.key, parcel.node)
        shares = operations.transit_deviations.get(parcel.carried_by) or operations.transit_deviations.get("*")
        late, early = operations.transit_late_share, operations.transit_early_share
        if shares:
            days += _drawn_from(shares, self._luck.of("transit", *of_parcel))
        elif late > 0 and self._luck.of("late parcels", *of_parcel) < late:
            stays = 1 - 1 / max(operations.transit_late_days, 1.0)
            luck = self._luck.of("days late", *of_parcel)
            days += 1 + (math.floor(math.log1p(-luck) / math.log(stays)) if stays > 0 else 0)
        elif early > 0 and self._luck.of("early parcels", *of_parcel) < early:
            days -= 1
        days += sum(change.extra_days for change in self._transits if _is_of(change, now_s, parcel))
        return round(days)

    def _deliver(self, now_s: int, parcel: Parcel) -> None:
        """Hand a parcel over to its customer; with the last one the order is over, but for what comes back."""
        parcel.delivered_s = now_s
        order = parcel.order
        if not all(each.delivered_s >= 0 for each in order.parcels):
            return
        order.ending = Ending.DELIVERED
        if self._story.operations.return_share > 0 and self._story.demand.returns(0) is None:
            self._draw_returns(now_s, order)
        if order.returns_due == 0:
            self._over(order)

    def _draw_returns(self, now_s: int, order: SimOrder) -> None:
        operations, price = self._story.operations, dict(zip((s for s, _ in order.lines), order.prices, strict=True))
        units = [
            (line.sku, line.node_id) for parcel in order.parcels for line in parcel.lines for _ in range(line.quantity)
        ]
        keys = joined([order.key], np.arange(len(units)))
        comes_back = self._luck.of_each("returns", keys) < operations.return_share
        after = -np.log1p(-self._luck.of_each("days of returns", keys)) * operations.return_days
        good = self._luck.of_each("restocked", keys) < operations.restock_share
        for i in np.flatnonzero(comes_back).tolist():
            at_s = now_s + round(float(after[i]) * DAY_SECONDS)
            if at_s <= self._times.end_s:
                order.returns_due += 1
                sku, node_id = units[i]
                back = (order, sku, node_id, price.get(sku, 0), bool(good[i]))
                self._agenda.schedule(at_s, Rank.FLOOR, self._comes_back, back)

    async def _comes_back(self, _: int, back: _Back) -> None:
        order, sku, node_id, price_cents, is_good = back
        order.returns_due -= 1
        order.units_returned += 1
        order.refund_cents += price_cents
        self._books.returned(1)
        await self._restock(sku, node_id, 1, is_good=is_good)
        if order.returns_due == 0:
            self._over(order)

    async def _recorded_return(self, _: int, back: tuple[str, str, int]) -> None:
        sku, node_id, units = back
        self._books.returned(units)
        await self._restock(sku, node_id, units, is_good=True)

    async def _restock(self, sku: str, node_id: str, units: int, *, is_good: bool) -> None:
        """Put units back on the shelf; of what is unlimited there are as many as before."""
        if is_good and (sku, node_id) not in self._unlimited:
            came, _ = await adjust(self._engine, [Adjustment(node_id=node_id, sku=sku, delta=units, reason="returned")])
            self._books.units.restocked += came
        else:
            self._books.units.scrapped += units


def _drawn_from(shares: Mapping[int, float], luck: float) -> int:
    """Return a number of days by its share; what the shares leave of 1 takes none more. More luck is never sooner."""
    rest = {**shares, 0: shares.get(0, 0.0) + max(0.0, 1.0 - sum(shares.values()))}
    below = 0.0
    for days, share in sorted(rest.items()):
        below += share
        if luck < below:
            return days
    return max(rest)


def _is_of(change: SetTransit, now_s: int, parcel: Parcel) -> bool:
    """Say whether a change of transit times is in force for a parcel that leaves now."""
    return (
        (change.until_s is None or now_s < change.until_s)
        and (change.services is None or parcel.carried_by in change.services)
        and (change.node_ids is None or parcel.node_id in change.node_ids)
    )
