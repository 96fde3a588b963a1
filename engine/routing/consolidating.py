"""Orders of a solved batch that do better over a hub: lines of several nodes in one parcel, packed where they meet.

The solver knows no hubs. So each order that may use one is looked at again, exactly, against what the plan leaves and
what it has itself, and changes over where that costs less, or is the only way to keep its promised day. The bound is
proven for the problem with hubs: at the prices that prove it, it is lowered by as much as any way over a hub would have
been cheaper for each order. Not here: what hubs can do (hub_offers.py), the best way of one order (hub_programme.py),
what it costs in the end (hub_plan.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.network.model import Network
from engine.routing.batch import Batch
from engine.routing.decision import ShadowPrices, left_by
from engine.routing.hub_bound import HubBound, worth
from engine.routing.hub_offers import OWN, HubOffers
from engine.routing.hub_plan import Columns, HubParcel, HubPart, HubPlan, sorted_rows
from engine.routing.hub_prices import prices_left, usual_prices
from engine.routing.hub_programme import Direct, HubPattern, Prices, best, least
from engine.routing.hub_room import NOW, Room, Use, entries_of, places_of
from engine.routing.hub_tables import NEVER_CENTS, HubTables, Parcels
from engine.routing.model import UsedCapacity
from engine.routing.plan_costs import plan_of
from solvers.plan import BACKORDER, RoutingPlan, RoutingResult
from solvers.prices import MILLICENTS
from solvers.problem import RoutingProblem
from solvers.stopping import Stopping

PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What orders change over to hubs against: the plan, the days on which nodes ship now, and what else is used."""

    batch: Batch
    result: RoutingResult
    network: Network
    days: Sequence[set[int]]
    used: Mapping[tuple[str, int], UsedCapacity]
    stopping: Stopping
    """Until when orders change over; if some were not even looked at by then, nothing is proven."""
    ship_complete: bool = False
    settled: frozenset[str] = frozenset()
    """Orders that stay as they are: for them soft limits were broken."""


class _Now(NamedTuple):
    """What an order has in the plan: rows of its table with sets of lines, what that costs, and what it uses."""

    direct: tuple[Direct, ...]
    cents: int | None
    """None if the plan may not ship it so: its promised day was given up."""
    waits: int
    use: Use
    rows: slice


def consolidated(ground: Ground) -> HubPlan | None:
    """Return the plan with hubs; None where hubs can do nothing for any of the orders."""
    offers = ground.batch.hubs
    if offers is None:
        return None
    return _Consolidating(ground, offers).plan()


class _Consolidating:
    """The orders of a batch that may change over."""

    def __init__(self, ground: Ground, offers: HubOffers) -> None:
        self._ground, self._offers, self._batch = ground, offers, ground.batch
        self._problem, self._plan = ground.batch.problem, ground.result.plan
        self._tables = HubTables(self._problem, offers)
        plan = self._plan
        left = left_by(self._problem, plan.line, plan.node, plan.quantity)
        self._room = Room(left, ground.network, ground.batch.node, ground.days, ground.used)
        self._is_proven = not ground.settled
        self._bound = HubBound(self._problem, offers, ground.result)
        self._chosen: dict[int, tuple[Parcels, HubPattern]] = {}

    def plan(self) -> HubPlan:
        """Return the plan with all orders that change over."""
        waiting = [at for _, at in sorted(self._looked())]
        for _ in range(PASSES):
            still = [at for at in waiting if self._ground.stopping.late() or not self._changes(at)]
            if len(still) == len(waiting):
                break
            waiting = still
        parcels = [self._parcel(at, *chosen) for at, chosen in sorted(self._chosen.items())]
        moved = np.zeros(self._problem.order_count, np.bool_)
        moved[[parcel.order for parcel in parcels]] = True
        return HubPlan(
            parcels=tuple(parcels),
            rest=self._rest(moved),
            before=_rows(self._problem, self._plan, moved),
            bound_cents=self._bound.cents() if self._is_proven else None,
        )

    def _looked(self) -> list[tuple[tuple[int, int, int, int], int]]:
        """Return the orders that could do better by rank, and count for the bound what hubs could do for each."""
        found = []
        for at, order in enumerate(self._tables.chosen.tolist()):
            if self._ground.stopping.late():
                self._is_proven = False
                break
            parcels = self._tables.parcels(at)
            if not len(parcels.leg):
                continue
            now, whole = self._now(parcels), self._usual(parcels)
            by_hub = least(parcels, self._offers, whole)
            keeps = bool(self._offers.keeps[order])
            saves = 0 if now.cents is None else now.cents - by_hub
            if by_hub < NEVER_CENTS and self._may_change(order) and (keeps or saves > 0):
                found.append(((-self._batch.orders[order].priority, int(not keeps), -saves, order), at))
            direct = None if now.cents is None else now.direct
            self._bound.add(parcels, whole, by_hub, direct, partial(self._late, now))
        return found

    def _may_change(self, order: int) -> bool:
        return self._batch.orders[order].order_id not in self._ground.settled

    def _usual(self, parcels: Parcels) -> Prices:
        return usual_prices(self._batch, parcels, ship_complete=self._ground.ship_complete)

    @property
    def _split(self) -> int:
        return self._problem.terms.split_cost_cents

    def _now(self, parcels: Parcels) -> _Now:
        """Return what an order has in the plan."""
        plan, use = self._plan, Use()
        first, last = np.searchsorted(plan.line, [parcels.lines[0], parcels.lines[-1] + 1]).tolist()
        masks: dict[int, int] = {}
        for line, node in zip(plan.line[first:last].tolist(), plan.node[first:last].tolist(), strict=True):
            masks[node] = masks.get(node, 0) | 1 << int(line - parcels.lines[0])
        waits = masks.pop(BACKORDER, 0)
        rows = {int(node): row for row, node in enumerate(parcels.node.tolist())}
        known, cents = list[Direct](), int(parcels.short[waits])
        for node, mask in masks.items():
            row = rows.get(node)
            cost = NEVER_CENTS if row is None else int(parcels.direct[row, mask])
            if row is not None:
                known.append(Direct(row, mask))
                places = places_of(mask)
                use.take(entries_of(parcels.has[row], places), parcels.quantity[places].tolist())
                use.add((node, NOW), int(parcels.units[mask]), 1)
            cents += cost
        cents += self._split * max(0, len(masks) - 1)
        known_cents = cents if cents < NEVER_CENTS else None
        return _Now(tuple(known), known_cents, int(parcels.units[waits]), use, slice(first, last))

    def _late(self, now: _Now, prices: ShadowPrices) -> int:
        """Return what an order costs in the plan that comes after its promised day, in thousandths, at some prices."""
        plan, rows, use = self._plan, now.rows, now.use
        paid = plan_of(self._problem, plan.line[rows], plan.node[rows], plan.quantity[rows], plan.service[rows])
        found = paid.costs.total * MILLICENTS
        for entry, units in use.stock.items():
            found += int(worth(prices, np.array([entry]), np.array([units]))[0])
        for (node, _), units in use.units.items():
            found += int(prices.units[node]) * units + int(prices.parcels[node])
        return found

    def _changes(self, at: int) -> bool:
        """Change an order over to a hub, if there is a better way now; return whether there was."""
        parcels = self._tables.parcels(at)
        now, keeps = self._now(parcels), bool(self._offers.keeps[parcels.order])
        self._room.take(now.use, -1)
        live = prices_left(self._usual(parcels), parcels, self._offers, self._room)
        while True:
            pattern = best(parcels, self._offers, live)
            if pattern is None:
                break
            cents, use = self._cost(parcels, live, pattern), self._use(at, parcels, pattern)
            waits = int(parcels.units[-1]) - int(parcels.units[pattern.served])
            fits = cents < NEVER_CENTS and self._room.fits(use)
            is_better = now.cents is not None and cents < now.cents
            if fits and (is_better or (keeps and waits <= now.waits)):
                self._room.take(use)
                self._chosen[at] = (parcels, pattern)
                return True
            if fits:
                break
            live.onward[pattern.stop] = NEVER_CENTS
        self._room.take(now.use)
        return False

    def _cost(self, parcels: Parcels, live: Prices, pattern: HubPattern) -> int:
        """Return what a way over a hub costs, in cents; `NEVER_CENTS` or more if it cannot be."""
        if 1 + len(pattern.direct) > parcels.most:
            return NEVER_CENTS
        cents = int(live.onward[pattern.stop, pattern.mask]) + int(live.short[len(live.short) - 1 ^ pattern.served])
        cents += sum(int(live.direct[each.row, each.mask]) + live.split for each in pattern.direct)
        hub = int(self._offers.stop_hub[pattern.stop])
        return cents + sum(int(live.part[parcels.place(part.leg, hub), part.mask]) for part in pattern.parts)

    def _use(self, at: int, parcels: Parcels, pattern: HubPattern) -> Use:
        """Return what a way over a hub takes of stock, and of days."""
        use, room, hub = Use(), self._room, int(self._offers.stop_hub[pattern.stop])
        for each in pattern.direct:
            places = places_of(each.mask)
            use.take(entries_of(parcels.has[each.row], places), parcels.quantity[places].tolist())
            use.add((int(parcels.node[each.row]), NOW), int(parcels.units[each.mask]), 1)
        for part in pattern.parts:
            place = parcels.place(part.leg, hub)
            places = places_of(part.mask)
            use.take(entries_of(parcels.part_has[place], places), parcels.quantity[places].tolist())
            if part.leg != OWN:
                day = room.day(part.node, int(self._offers.legs.leaves[part.leg]))
                use.add(day, int(parcels.units[part.mask]), 1)
        service = self._tables.way_of(at, int(parcels.weight_g[pattern.mask]), stop=pattern.stop)
        leaves = int(self._offers.hand_over[pattern.stop, service])
        use.add(room.day(hub, leaves), int(parcels.units[pattern.mask]), 1)
        return use

    def _parcel(self, at: int, parcels: Parcels, pattern: HubPattern) -> HubParcel:
        parts = tuple(
            HubPart(
                leg=part.leg,
                node=part.node,
                lines=tuple(int(parcels.lines[p]) for p in places_of(part.mask)),
                transfer_cents=0
                if part.leg == OWN
                else self._tables.transfer_cents(
                    part.leg, int(parcels.weight_g[part.mask]), int(parcels.units[part.mask])
                ),
            )
            for part in pattern.parts
        )
        service = self._tables.way_of(at, int(parcels.weight_g[pattern.mask]), stop=pattern.stop)
        return HubParcel(order=parcels.order, stop=pattern.stop, service=service, parts=parts)

    def _rest(self, moved: NDArray[np.bool_]) -> Columns:
        """Return the rows that no hub packs."""
        rows = list[tuple[int, int, int, int]]()
        for at, (parcels, pattern) in self._chosen.items():
            left = len(parcels.short) - 1 ^ pattern.mask
            for each in pattern.direct:
                node = int(parcels.node[each.row])
                service = self._tables.way_of(at, int(parcels.weight_g[each.mask]), node=node)
                rows += [(int(parcels.lines[p]), node, int(parcels.quantity[p]), service) for p in places_of(each.mask)]
                left ^= each.mask
            rows += [(int(parcels.lines[p]), BACKORDER, int(parcels.quantity[p]), BACKORDER) for p in places_of(left)]
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        stay = _rows(self._problem, self._plan, ~moved)
        return sorted_rows(stay, columns)


def _rows(problem: RoutingProblem, plan: RoutingPlan, orders: NDArray[np.bool_]) -> Columns:
    """Return the rows of a plan that are of some orders."""
    mine = orders[problem.line_order[plan.line]]
    return plan.line[mine], plan.node[mine], plan.quantity[mine], plan.service[mine]
