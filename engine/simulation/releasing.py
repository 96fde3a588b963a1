"""Windows of a story: a routing run of all that waits, and what was decided goes to the floors, or is refused there.

An order is released when all of its units have a node; until then it waits, and a later run may send it elsewhere. A
node refuses a parcel, or finds a line missing, right then. Not here: when runs are due (simulator.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.bootstrap import Engine
from engine.errors import IllegalState, RunFailed
from engine.inventory.model import HoldLine, Reservation
from engine.orders.model import Order, OrderState
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.routing.model import AllocationRow
from engine.routing.run_model import RunRequest, RunStatus
from engine.scenarios.story import Router, Story, StoryPolicy
from engine.simulation.books import Books
from engine.simulation.facts import Names
from engine.simulation.luck import Luck
from engine.simulation.orders import Parcel, SimOrder
from engine.simulation.shelves import Shelves
from engine.simulation.surroundings import Surroundings
from engine.simulation.times import StoryTime
from engine.simulation.world import on_hand
from solvers.params import Method

_PARCELS = 1 << 20
"""More than a story has nodes: an attempt and a node make one number."""


class Releasing:
    """Routes what waits, and hands parcels to `take`."""

    def __init__(
        self,
        engine: Engine,
        story: Story,
        luck: Luck,
        times: StoryTime,
        around: Surroundings,
        books: Books,
        shelves: Shelves,
        names: Names,
        take: Callable[[int, Parcel], None],
    ) -> None:
        self._engine, self._story, self._luck, self._times, self._around = engine, story, luck, times, around
        self._books, self._shelves, self._take = books, shelves, take
        self._node = {name: number for number, name in enumerate(names.nodes)}
        self._service = {name: number for number, name in enumerate(names.services)}
        self._zones = {name: number for number, name in enumerate(names.zones)}
        self.waiting: dict[str, SimOrder] = {}
        """Orders that have no node for some units, by id, in the order of their coming."""
        self.run_ids: list[str] = []
        """Of runs that are over, until somebody forgets them."""

    async def route(self, now_s: int, policy: StoryPolicy, order_ids: Sequence[str] | None = None) -> None:
        """Route all that waits, or some of it, and release what has a node; raises RunFailed."""
        asked = [each for each in (self.waiting if order_ids is None else order_ids) if each in self.waiting]
        if not asked:
            return
        run = await self._engine.routing_runs.execute(
            RunRequest(
                order_ids=tuple(asked),
                method=(Method.AUTO if policy.router is Router.ALLOT else Method(policy.router)).value,
                method_options=policy.router_options,
                policy=None if policy.run is None else policy.name,
            )
        )
        if run.status is not RunStatus.COMMITTED:
            raise RunFailed(f"The routing run at {self._times.at(now_s).isoformat()} {run.status}: {run.failure}.")
        self.run_ids.append(run.run_id)
        left = dict[str, int]()
        for each in run.unrouted:
            left[each.order_id] = left.get(each.order_id, 0) + each.quantity
        summary = run.summary
        bound = summary.get("lower_bound_cents")
        self._books.window(
            now_s,
            len(asked),
            int(summary.get("total_cost_cents", 0)),
            -1 if bound is None else int(bound),
            sum(left.values()),
        )
        for order_id in asked:
            order = self.waiting[order_id]
            if order_id in left:
                order.units_backordered = max(order.units_backordered, left[order_id])
            else:
                await self._decided(now_s, order, await self._engine.orders.get(order_id))
        while await self._engine.load.look_again(len(asked)):  # the order's own use of its node counts from now on
            pass

    async def look_again(self, order: SimOrder) -> None:
        """Take parcels back that the engine has taken from their node; the order waits again, if any."""
        kept = await self._engine.orders.get(order.order_id)
        if kept.state is not OrderState.SOURCED and not order.has_left:
            self.take_back(order)
            self.waiting[order.order_id] = order

    def take_back(self, order: SimOrder) -> None:
        """Take the parcels of an order, of which none has left, back from their floors."""
        for parcel in order.parcels:
            parcel.gone = True
            for line in parcel.lines:
                self._shelves.take(line.sku, line.node_id, -line.quantity)
        order.parcels = []

    async def _decided(self, now_s: int, order: SimOrder, kept: Order) -> None:
        """Release an order that has a node for every unit, unless one of them refuses."""
        if kept.state is not OrderState.SOURCED or kept.reservation_id is None:
            return
        if kept.run_id != order.run_id:
            order.run_id, order.decisions = kept.run_id, order.decisions + 1
        order.routed_s = now_s if order.routed_s < 0 else order.routed_s
        rows: dict[tuple[str, str, int], list[AllocationRow]] = {}
        for row in kept.allocation:
            node_id, service, ship_on = row.parcel
            if node_id is None or service is None or ship_on is None:
                return
            rows.setdefault((node_id, service, ship_on.toordinal()), []).append(row)
        if await self._is_refused(order, rows):
            return
        reservation = await self._engine.stock.get_reservation(kept.reservation_id)
        for (node_id, service, day), of_parcel in rows.items():
            order.parcels.append(self._parcel(now_s, order, node_id, service, day, of_parcel, reservation))
        del self.waiting[order.order_id]
        for parcel in order.parcels:
            for line in parcel.lines:
                self._shelves.take(line.sku, line.node_id, line.quantity)
            self._take(now_s, parcel)

    async def _is_refused(self, order: SimOrder, rows: dict[tuple[str, str, int], list[AllocationRow]]) -> bool:
        """Have nodes refuse parcels and find lines missing, as it happens; say whether any did."""
        refused, network = False, self._around.network
        order.attempts += 1
        for node_id in dict.fromkeys(node_id for node_id, _, _ in rows):
            document = network.document.nodes[network.index[node_id]]
            number = order.attempts * _PARCELS + self._node[node_id]
            refuses = 1 - (1 - self._story.operations.rejection_share) * document.acceptance
            if refuses > 0 and self._luck.of("refusals", order.key, number) < refuses:
                refused |= await self._reject(order, NewRejection(node_id=node_id, reason="refused"))
                continue
            here = (row for (name, _, _), of_parcel in rows.items() if name == node_id for row in of_parcel)
            for place, row in enumerate(here):
                refused |= await self._is_short(order, row, number, place)
            if document.acceptance_minutes is not None and not refused:
                await self._engine.steering.accept(order.order_id, node_id)
        return refused

    async def _is_short(self, order: SimOrder, row: AllocationRow, number: int, place: int) -> bool:
        """Look for the units of a row; say whether some were missing, which are then counted no more."""
        node_id, share = row.node_id, self._story.operations.short_pick_share
        if node_id is None:
            return False
        if share > 0 and self._luck.of("short picks", order.key, number, place) < share:
            missing = row.quantity
        else:
            missing = await self._shelves.missing(self._engine, row.sku, node_id, row.quantity)
        if not missing:
            return False
        lines = ((row.line_id, missing),)
        before = await on_hand(self._engine, row.sku, node_id) or 0
        is_rejected = await self._reject(
            order, NewRejection(node_id=node_id, reason="not there", kind=RejectionKind.SHORT_PICK, lines=lines)
        )
        lost = before - (await on_hand(self._engine, row.sku, node_id) or 0)
        self._books.units.lost += lost
        self._shelves.put_right(row.sku, node_id, lost)
        return is_rejected

    async def _reject(self, order: SimOrder, new: NewRejection) -> bool:
        try:
            await self._engine.steering.reject(order.order_id, new)
        except IllegalState:  # what is packed together at a hub was taken away with another line
            return False
        order.rejections += 1
        self._books.refused(self._node[new.node_id])
        return True

    def _parcel(
        self,
        now_s: int,
        order: SimOrder,
        node_id: str,
        service: str,
        ship_on: int,
        rows: Sequence[AllocationRow],
        reservation: Reservation,
    ) -> Parcel:
        carriage = self._around.carriage
        units = sum(row.quantity for row in rows)
        weight_g = sum(row.quantity * self._around.weight_g(row.sku) for row in rows)
        of_network = carriage.service(service)
        bill = carriage.bill(carriage.network.index[node_id], of_network, order.place, weight_g, units)
        arrives = carriage.arrival(self._around.calendars, of_network, ship_on, bill.transit_days)
        return Parcel(
            order=order,
            node_id=node_id,
            node=self._node[node_id],
            service=self._service[service],
            carried_by=service,
            ship_on=ship_on,
            lines=[line for row in rows for line in _kept_for(row, reservation)],
            units=units,
            weight_g=weight_g,
            bill=bill._replace(zone=self._zones[carriage.network.zones[bill.zone]]),
            routed_s=now_s,
            promised_day=self._times.day(arrives),
        )


def _kept_for(row: AllocationRow, reservation: Reservation) -> list[HoldLine]:
    """Return what a reservation keeps for a row of the decision: its units on its day, or of now."""
    days = {None, row.ship_on}
    return [
        HoldLine(sku=line.sku, quantity=row.quantity, node_id=line.node_id, ship_on=line.ship_on)
        for line in reservation.lines
        if (line.sku, line.node_id) == (row.sku, row.node_id) and (line.ship_on in days or line.supply_id is not None)
    ][:1]
