"""The allocations of a run in the form that stores work on: checked, and summed per line of stock and use of a node.

Not here: deciding whether they can be committed (lua/commit.lua, memory_store.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from secrets import token_hex

from engine.errors import Fault, InvalidInput
from engine.orders.model import OrderState
from engine.orders.records import demand_of, rows_document
from engine.routing.model import AllocationRow, OrderAllocation, used_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One order's allocation.

    `lines` are (sku, node_id, quantity, ship_on ordinal), `uses` are (node_id, day ordinal, units, parcels), `revision`
    is that of the order which was decided on.
    """

    order_id: str
    state: OrderState
    rows: bytes
    reservation_id: str
    lines: list[tuple[str, str, int, int]]
    uses: list[tuple[str, int, int, int]]
    revision: int

    def packed(self) -> tuple[object, ...]:
        """Return the entry as lua/commit.lua reads it."""
        head = (self.order_id, self.state.value, self.rows.decode(), self.reservation_id)
        return (*head, self.lines, self.uses, self.revision)


def check_allocations(allocations: Sequence[OrderAllocation], demands: Sequence[str | None]) -> None:
    """Check each allocation by itself, and against its order's demand; raises InvalidInput.

    It is None if there is no such order, or if it is not any more what was decided on.
    """
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for index, (allocation, demand) in enumerate(zip(allocations, demands, strict=True)):
        path, order_id = f"$[{index}]", allocation.order_id
        if first.setdefault(order_id, index) != index:
            faults.append(Fault(path=path, message=f"order {order_id} is here twice, first at $[{first[order_id]}]"))
        for number, row in enumerate(allocation.rows):
            where = (row.node_id, row.service, row.ship_on)
            if row.quantity < 1 or (None in where and where != (None, None, None)):
                message = "give a quantity of at least 1, and node_id, service and ship_on together or not at all"
                faults.append(Fault(path=f"{path}.rows[{number}]", message=message))
        if demand is not None and demand_of(allocation.rows) != demand:
            wanted = ", ".join(map(_demanded, demand.split("\n")))
            message = f"the rows of order {order_id} do not add up to what it asks for: {wanted}"
            faults.append(Fault(path=path, message=message))
    if faults:
        raise InvalidInput(faults)


def entry_of(allocation: OrderAllocation) -> Entry:
    """Return a checked allocation as an entry, with the id of the reservation that it will have."""
    lines: dict[tuple[str, str, int], int] = {}
    is_whole = True
    for row in allocation.rows:
        if row.node_id is None or row.ship_on is None:
            is_whole = False
            continue
        key = (row.sku, row.node_id, row.ship_on.toordinal())
        lines[key] = lines.get(key, 0) + row.quantity
    return Entry(
        order_id=allocation.order_id,
        state=OrderState.SOURCED if is_whole else OrderState.BACKORDERED,
        rows=rows_document(allocation.rows),
        reservation_id=f"res_{token_hex(16)}",
        lines=[(sku, node_id, quantity, day) for (sku, node_id, day), quantity in lines.items()],
        uses=uses_of(allocation.rows),
        revision=allocation.revision,
    )


def uses_of(rows: Sequence[AllocationRow]) -> list[tuple[str, int, int, int]]:
    """Return what rows use of the nodes: (node_id, day ordinal, units, parcels); see `used_by`."""
    return [(node_id, day.toordinal(), units, parcels) for (node_id, day), (units, parcels) in used_by(rows).items()]


def uses_without(
    uses: Sequence[tuple[str, int, int, int]], gone: Sequence[tuple[str, int, int, int]]
) -> list[tuple[str, int, int, int]]:
    """Return uses of nodes less others, by node and day."""
    less = {(node_id, day): (units, parcels) for node_id, day, units, parcels in gone}
    left = []
    for node_id, day, units, parcels in uses:
        some, those = less.get((node_id, day), (0, 0))
        if units > some:
            left.append((node_id, day, units - some, max(0, parcels - those)))
    return left


def today_of(entries: Sequence[Entry], today: Mapping[str, date]) -> dict[str, int]:
    """Return today's ordinal for each node in `entries`; a node that is not named has its first day there as today."""
    days: dict[str, int] = {}
    for entry in entries:
        for _, node_id, _, day in entry.lines:
            named = today.get(node_id)
            days[node_id] = named.toordinal() if named is not None else min(day, days.get(node_id, day))
    return days


def _demanded(text: str) -> str:
    """Return a line of what a store keeps as an order's demand, as people read it."""
    parts = text.split("\t")
    return f"{parts[2]} × {parts[1]}" if len(parts) == 3 else repr(text)
