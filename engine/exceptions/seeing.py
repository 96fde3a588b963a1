"""Reading what an order is looked at with: its parcels, what it holds and awaits, and the outlook of all of it.

Not here: judging it (judging.py), which orders are looked at when (watch.py), what becomes of them (alerting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.delivery.day_tables import DayTables
from engine.errors import InvalidInput, NotFound
from engine.exceptions.arriving import Arriving, Place, place_of
from engine.exceptions.dry import DryPromises
from engine.exceptions.judging import Outlook, due_of, outlook_of, stopped_by
from engine.exceptions.leaving import Leaving, Nodes
from engine.exceptions.parcels import Parcel, parcels_of, planned, products_of, unplaced
from engine.exceptions.proposing import Around, stock_outlook
from engine.inventory.model import HoldLine, ReservationState
from engine.inventory.store import InventoryStore
from engine.orders.model import Order, OrderState
from engine.promising.model import Option
from engine.routing.model import OrderLine

_OPEN = (ReservationState.HELD, ReservationState.CONFIRMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One minute, in which orders are looked at."""

    view: View
    now: datetime
    leaving: Leaving
    arriving: Arriving


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at an order has shown: its parcels, their outlooks, and on whose stock that depends.

    It `is_waiting` if units of it have no node.
    """

    parcels: tuple[Parcel, ...]
    place: Place | None
    outlooks: tuple[Outlook, ...] = ()
    skus: tuple[str, ...] = ()
    is_waiting: bool = False


class Seeing:
    """Looks at orders."""

    def __init__(self, reference: Reference, stock: InventoryStore, dry: DryPromises, clock: Clock) -> None:
        self._reference, self._stock, self._dry, self._clock = reference, stock, dry, clock
        self._tables = DayTables()

    async def moment(self, nodes: Nodes) -> Moment:
        """Return the minute of now; raises NotFound without a network."""
        view, now = await self._reference.current(), self._clock.now()
        return Moment(view=view, now=now, leaving=Leaving(view, now, nodes), arriving=Arriving(view, now, self._tables))

    def around(self, order: Order, moment: Moment) -> Around | None:
        """Return what an order is looked at with; None if nothing was promised, or its place is not known."""
        due, place = due_of(order), place_of(order, moment.view)
        if due is None or place is None:
            return None
        return Around(view=moment.view, place=place, due=due, leaving=moment.leaving, arriving=moment.arriving)

    async def look(self, order: Order, moment: Moment) -> Look:
        """Return the outlook of every part of an order that has not arrived; none if nothing was promised."""
        around, view = self.around(order, moment), moment.view
        parcels, lines = parcels_of(order, view.network, view.catalog), unplaced(order)
        if around is None:
            return Look(parcels=tuple(parcels), place=place_of(order, view), is_waiting=bool(lines))
        skus = set[str]()
        if lines:
            held = await self.held(order)
            skus.update(line.sku for line in held if line.supply_id is not None)
            more, lines = planned(order, lines, held, await self._supplies(held), view.catalog)
            parcels += more
        found = [
            outlook_of(parcel, order, around.due, around.place, moment.leaving, moment.arriving) for parcel in parcels
        ]
        if lines and self._is_asked(order, around):
            skus.update(sku for line in lines for sku in products_of(view.catalog, line.sku))
            options = await self._options(order, lines)
            stopped = stopped_by(order)
            outlook = stock_outlook(order, lines, options, around)
            found.append(outlook if stopped is None else replace(outlook, cause=stopped))
        return Look(
            parcels=tuple(parcels),
            place=around.place,
            outlooks=tuple(found),
            skus=tuple(sorted(skus)),
            is_waiting=bool(unplaced(order)),
        )

    async def marks(self, skus: Sequence[str]) -> dict[str, int]:
        """Return a mark of the stock of each SKU, which is another when anything of it is, and its supplies."""
        view = await self._stock.read(sorted(skus))
        scheduled: dict[int, list[object]] = {}
        for (row, slot), entries in sorted(view.schedule.items()):
            scheduled.setdefault(row, []).append((slot, entries))
        return {
            sku: hash((view.cells[row].tobytes(), tuple(scheduled.get(row, ())))) for row, sku in enumerate(view.skus)
        }

    async def held(self, order: Order) -> tuple[HoldLine, ...]:
        """Return what the reservation of an order keeps."""
        if order.reservation_id is None:
            return ()
        with suppress(NotFound):
            reservation = await self._stock.get_reservation(order.reservation_id)
            if reservation.state in _OPEN:
                return reservation.lines
        return ()

    async def _supplies(self, held: Sequence[HoldLine]) -> dict[str, date]:
        """Return when the supplies come that lines name; one that is overdue comes today at the earliest."""
        named = {line.supply_id: line for line in held if line.supply_id is not None}
        if not named:
            return {}
        view = await self._stock.read(sorted({line.sku for line in named.values()}))
        today = self._clock.now().date()
        return {
            supply.supply_id: max(supply.expected_on, today)
            for row in range(len(view.skus))
            for position in view.positions(row)
            for supply in position.supplies
            if supply.supply_id in named
        }

    async def _options(self, order: Order, lines: Sequence[OrderLine]) -> tuple[Option, ...]:
        try:
            return await self._dry.options(order, lines)
        except InvalidInput:  # a product or the place is not known any more: nothing can be sent
            return ()

    def _is_asked(self, order: Order, around: Around) -> bool:
        """Say whether units without a node are looked at: a run has left them, or the order is stopped, or late.

        Those of an order that has just come wait for their first run.
        """
        is_new = order.state is OrderState.CAPTURED and order.run_id is None and stopped_by(order) is None
        return not is_new or around.arriving.today(around.place) >= around.due.toordinal() - 1
