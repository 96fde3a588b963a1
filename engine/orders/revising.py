"""A revision of one order: everything that a store changes in one step, if the order is still as it was seen.

What it changes is worked out by pure rules (rejecting.py, overriding.py), and made by the stores. Not here: the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.orders.batch import uses_of
from engine.orders.model import Note, Order, OrderState
from engine.orders.records import rows_document
from engine.orders.steering import steering_document
from engine.routing.model import AllocationRow

StockLine = tuple[str, str, int, int]
"""(sku, node_id, quantity, ship_on ordinal) of an order's reservation."""


class OrderChanged(Exception):
    """The order is not as it was seen; look at it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What is to become of an order as it was `seen`; with a `refusal` nothing but to say so.

    `given_back` are lines that its reservation gives back, `lost` lines that it gives back since the units are not
    there: on hand falls with them. `uses_change` says whether what it uses of nodes is that of its rows from now on.
    """

    seen: Order
    to: Order
    note: Note
    given_back: tuple[StockLine, ...] = ()
    lost: tuple[StockLine, ...] = ()
    uses_change: bool = False
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
    def uses(self) -> list[tuple[str, int, int, int]] | None:
        """What it uses of nodes from now on; None leaves that as it is."""
        return uses_of(self.to.allocation) if self.uses_change else None

    @property
    def written(self) -> str:
        """The note as JSON, as it stands in the history."""
        return msgspec.json.encode(self.note).decode()


def revision_of(seen: Order, to: Order, note: Note, **change: object) -> Revision:
    """Return a revision to an order, with the next number."""
    counted = replace(to.steering, revision=seen.steering.revision + 1)
    return Revision(seen=seen, to=replace(to, steering=counted), note=note, **change)  # type: ignore[arg-type]


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
    groups = [set(group) for group in order.captured.whole]
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
