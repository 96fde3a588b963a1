"""A revision of one order: everything that a store changes in one step, if the order is still as it was seen.

What it changes is worked out by pure rules (rejecting.py, overriding.py), and made by the stores. Not here: the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.orders.batch import uses_of
from engine.orders.destination import Destination
from engine.orders.life import life_document
from engine.orders.model import Captured, Note, NotedMove, Order, OrderState
from engine.orders.order_holds import let_go
from engine.orders.paying.balancing import check_paid, with_money
from engine.orders.paying.billing import with_bills
from engine.orders.records import demand_of, document, rows_document
from engine.orders.released import fitted, work_of
from engine.orders.remaining import routing_state, to_route
from engine.orders.states import check_move, moves_between, state_of, units_by_state
from engine.orders.steering import steering_document
from engine.routing.model import AllocationRow

StockLine = tuple[str, str, int, int]
"""(sku, node_id, quantity, ship_on ordinal or 0 if none was given) of an order's reservation."""


Use = tuple[str, int, int, int]
"""(node_id, day ordinal, units, parcels) that rows use of nodes."""


class OrderChanged(Exception):
    """The order is not as it was seen; look at it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What is to become of an order as it was `seen`; with a `refusal` nothing but to say so.

    `given_back` are lines that its reservation gives back, `lost` lines that it gives back since the units are not
    there: on hand falls with them; with `leaves` they have left the node, and what they used of it stays used.
    Stores that can move stock take two more: with `goes_to`, (reservation, order), lines given back stay reserved, by a
    new reservation of that order; with `joins`, (reservation, its order, a new reservation, this order), all lines of
    the first are those of this order from then on, under the new id if it has none; not if just one is confirmed.
    If it `closes`, the reservation gives back all that it keeps, and so do those of what the order waits for.
    `uses_change` says whether what the order uses of nodes is that of its rows from now on.
    """

    seen: Order
    to: Order
    note: Note
    given_back: tuple[StockLine, ...] = ()
    lost: tuple[StockLine, ...] = ()
    goes_to: tuple[str, str] | None = None
    joins: tuple[str, str, str, str] | None = None
    uses_change: bool = False
    leaves: bool = False
    closes: bool = False
    refusal: str | None = None

    @property
    def order_id(self) -> str:
        """The id of the order."""
        return self.seen.order_id

    @property
    def expected(self) -> tuple[str, str, str, int]:
        """The state, run, reservation and revision that the order has to have."""
        seen = self.seen
        return seen.state.value, seen.run_id or "", seen.reservation_id or "", seen.steering.revision

    @property
    def rows(self) -> bytes:
        """The allocation from now on, as JSON; blank if there was none."""
        return rows_document(self.to.allocation) if self.to.allocation else b""

    @property
    def steering(self) -> bytes:
        """What was said of it from now on, as JSON."""
        return steering_document(self.to.steering)

    @property
    def life(self) -> tuple[str, str, str, str, str, str, list[tuple[str, str]], list[Use]]:
        """What has happened to it from now on, as put_life and put_work of lua/orders.lua take it."""
        leaves = "" if not self.leaves else "some" if any(row.node_id for row in self.to.allocation) else "all"
        return (*kept_life(self.to), leaves, work_of(self.to), self._used_by_what_leaves)

    @property
    def _used_by_what_leaves(self) -> list[Use]:
        """What units that leave have used of nodes: it stays used, whatever becomes of the rest."""
        if not self.leaves:
            return []
        rest = {(node_id, day): (units, parcels) for node_id, day, units, parcels in uses_of(self.to.allocation)}
        found = []
        for node_id, day, units, parcels in uses_of(self.seen.allocation):
            left = rest.get((node_id, day), (0, 0))
            if (units, parcels) != left:
                found.append((node_id, day, units - left[0], parcels - left[1]))
        return found

    @property
    def uses(self) -> list[tuple[str, int, int, int]] | None:
        """What it uses of nodes from now on; None leaves that as it is."""
        return uses_of(self.to.allocation) if self.uses_change else None

    @property
    def written(self) -> str:
        """The note as JSON, as it stands in the history."""
        return msgspec.json.encode(self.note).decode()


def kept_life(order: Order) -> tuple[str, str, str, str, str]:
    """Return what a store keeps of an order beside its routing, and what follows from it, each as text.

    Its life, what there is to route if that is not what was captured, its demand, when the next of its effects is due
    (ms), and the state that people see.
    """
    routed = to_route(order)
    due = min((effect.due_at.timestamp() * 1000 for effect in order.life.effects), default=None)
    return (
        life_document(order.life).decode(),
        "" if routed == order.captured else document(routed).decode(),
        demand_of(routed.demand),
        "" if due is None else f"{due:.0f}",
        state_of(order).value,
    )


def revision_of(seen: Order, to: Order, note: Note, **change: object) -> Revision:
    """Return a revision to an order, with the next number, what its money needs, bills, its state, and what it moves.

    Order holds that wait for its event are released by it, and shipments that have not left hold no more than rows
    have for them from now on.

    Raises IllegalState if units would go where they cannot go from where they are, or leave and are not paid for.
    """
    to = fitted(let_go(to, note.event))
    if change.get("leaves"):
        check_paid(to)
    to = with_bills(seen, with_money(to))
    counted = replace(to.steering, revision=seen.steering.revision + 1)
    to = replace(to, steering=counted, state=routing_state(to))
    moves = moves_between(units_by_state(seen), units_by_state(to))
    for line_id, before, after, _ in moves:
        if before is not None and after is not None:
            check_move(before, after, f"Line {line_id!r} of order {seen.order_id!r}")
    noted = tuple(
        NotedMove(line_id=line_id, before=before or "", after=after or "", quantity=units)
        for line_id, before, after, units in moves
    )
    return Revision(seen=seen, to=to, note=replace(note, moves=noted), **change)  # type: ignore[arg-type]


def of_unknown(order_id: str) -> Revision:
    """Return the revision of an order that is not there, which says so; one that has come since is not as was seen."""
    captured = Captured(
        order_id=order_id, channel="", destination=Destination(), lines=(), demand=(), captured_at=datetime.min
    )
    none = Order(captured=captured, state=OrderState.DELIVERED)  # a state that no store keeps
    return Revision(seen=none, to=none, note=Note(event="refused", by=""))


def refused(seen: Order, note: Note, why: str) -> Revision:
    """Return the revision that only says why there is none."""
    return Revision(seen=seen, to=seen, note=note, refusal=why)


def reopened(order: Order, opened: Sequence[int]) -> Order:
    """Return the order with so many units of each of its rows without a node, and the other rows kept as they are.

    `opened` has a number for each row. Rows without a node become one for each line, behind those with one.
    """
    shipped: list[AllocationRow] = []
    open_units: dict[tuple[str, str], int] = {}
    for row, units in zip(order.allocation, opened, strict=True):
        left = row.quantity if row.node_id is None else row.quantity - units
        if row.node_id is None or units:
            key = (row.line_id, row.sku)
            open_units[key] = open_units.get(key, 0) + (left if row.node_id is None else units)
        if row.node_id is not None and left:
            shipped.append(replace(row, quantity=left))
    rest = [
        AllocationRow(line_id=line_id, sku=sku, quantity=quantity) for (line_id, sku), quantity in open_units.items()
    ]
    return replace(
        order,
        allocation=(*shipped, *rest),
        state=OrderState.BACKORDERED if rest else order.state,
        steering=replace(order.steering, kept=tuple(shipped)),
    )


def with_the_rest(order: Order, opened: Sequence[int]) -> list[int]:
    """Return how many units of each row to open: of a kit that ships from one node and a hub's parcel, all or none."""
    hubs = {row.parcel for row in order.allocation if row.hub is not None}
    while True:
        opened = _with_kits(order, opened)
        broken = hubs & {row.parcel for row, units in zip(order.allocation, opened, strict=True) if units}
        more = [
            row.quantity if row.parcel in broken else units for row, units in zip(order.allocation, opened, strict=True)
        ]
        if more == opened:
            return more
        opened = more


def _with_kits(order: Order, opened: Sequence[int]) -> list[int]:
    torn = {row.line_id for row, units in zip(order.allocation, opened, strict=True) if units}
    groups = [set(group) for group in order.whole]
    while True:
        joined = torn.union(*(group for group in groups if group & torn))
        if joined == torn:
            break
        torn = joined
    in_kit = torn & set[str]().union(*groups)
    return [
        row.quantity if row.line_id in in_kit and row.node_id is not None else units
        for row, units in zip(order.allocation, opened, strict=True)
    ]
