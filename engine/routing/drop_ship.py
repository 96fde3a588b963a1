"""Drop-ship orders: what vendors are to be sent, of what a run has allocated to them.

One for each parcel of a vendor, under an id made of what is in it: the same parcel again, by whatever run, is the same
drop-ship order, which has been sent. What a later run adds on the same day is another: rows remember what they were
first sent as. Not here: sending them, and taking them back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

import msgspec

from engine.network.model import Network
from engine.routing.model import AllocationRow, OrderAllocation, OrderLine

VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropShipOrder:
    """Units of one order that a vendor ships to its customer, by one service on one day."""

    drop_ship_id: str
    node_id: str
    order_id: str
    service: str
    ship_on: date
    lines: tuple[OrderLine, ...]


def vendors_of(network: Network) -> frozenset[str]:
    """Return the ids of the vendors of a network."""
    return frozenset(node.node_id for node in network.document.nodes if node.kind == VENDOR)


def sent(allocations: Iterable[OrderAllocation], vendors: Collection[str]) -> list[OrderAllocation]:
    """Return allocations in which new rows of vendors say what they are sent as; rows that were sent before said so."""
    if not vendors:
        return list(allocations)
    found = list[OrderAllocation]()
    for allocation in allocations:
        new = {id(row): each.drop_ship_id for each, rows in _parcels(allocation, vendors) for row in rows}
        rows = tuple(
            replace(row, sent_as=new[id(row)]) if row.sent_as is None and id(row) in new else row
            for row in allocation.rows
        )
        found.append(replace(allocation, rows=rows))
    return found


def drop_ship_orders(allocations: Iterable[OrderAllocation], vendors: Collection[str]) -> list[DropShipOrder]:
    """Return what vendors are to be sent of some allocations, by order and node."""
    return [order for allocation in (allocations if vendors else ()) for order, _ in _parcels(allocation, vendors)]


def _parcels(allocation: OrderAllocation, vendors: Collection[str]) -> list[tuple[DropShipOrder, list[AllocationRow]]]:
    """Return the drop-ship orders of an allocation with their rows: those of one day that were sent together."""
    found: dict[tuple[str, date, str, str], list[AllocationRow]] = {}
    for row in allocation.rows:
        if row.node_id in vendors and row.service is not None and row.ship_on is not None:
            found.setdefault((str(row.node_id), row.ship_on, row.service, row.sent_as or ""), []).append(row)
    return [(_order(allocation.order_id, *key[:3], rows), rows) for key, rows in sorted(found.items())]


def _order(order_id: str, node_id: str, ship_on: date, service: str, rows: Iterable[AllocationRow]) -> DropShipOrder:
    units: dict[tuple[str, str], int] = {}
    for row in rows:
        units[row.line_id, row.sku] = units.get((row.line_id, row.sku), 0) + row.quantity
    lines = tuple(OrderLine(line_id=name, sku=sku, quantity=count) for (name, sku), count in sorted(units.items()))
    content = msgspec.json.encode((order_id, node_id, service, ship_on, lines))
    return DropShipOrder(
        drop_ship_id=f"dso_{sha256(content).hexdigest()[:32]}",
        node_id=node_id,
        order_id=order_id,
        service=service,
        ship_on=ship_on,
        lines=lines,
    )
