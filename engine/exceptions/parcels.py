"""The parcels of an order that have not arrived, those that have left their node and those that have not.

Not here: when they leave and arrive (leaving.py, arriving.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from engine.catalog.model import Catalog
from engine.inventory.model import HoldLine
from engine.network.model import Network
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.orders.remaining import units_left
from engine.routing.model import AllocationRow, OrderLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Units that one node hands over together; `units` has those of each line of the demand.

    `shipped_on` is the day on which they left, None before. Of one that `is_packed` the node has nothing to do but to
    hand it over. `node_ids` are those that have to do something for it: of a parcel over a hub the senders too.
    `carrier_on` is the day of delivery that its carrier has told. One that `is_planned` is not routed: the order holds
    its units, and they go as was promised. `awaited` is when the supply comes that they wait for.
    """

    node_id: str
    service: str
    ship_on: date
    units: Mapping[str, int]
    weight_g: int = 0
    shipment_id: str = ""
    shipped_on: date | None = None
    is_packed: bool = False
    node_ids: frozenset[str] = frozenset()
    carrier_on: date | None = None
    is_planned: bool = False
    awaited: date | None = None

    @property
    def subject(self) -> str:
        """What an alert about it names: the shipment once it has left, its node before, nothing if it is not routed."""
        if self.is_planned:
            return ""
        return self.shipment_id if self.shipped_on is not None else self.node_id

    @property
    def quantity(self) -> int:
        """Return how many units it has."""
        return sum(self.units.values())


def parcels_of(order: Order, network: Network, catalog: Catalog) -> list[Parcel]:
    """Return the parcels that are under way, then those that have not left."""
    if order.is_cancelled:
        return []
    under_way = [
        _shipped(shipment, network, catalog)
        for shipment in order.life.shipments
        if shipment.state is ShipmentState.SHIPPED and shipment.shipped_at is not None
    ]
    rows: dict[tuple[str | None, str | None, date | None], list[AllocationRow]] = {}
    for row in order.allocation:
        if row.node_id is not None:
            rows.setdefault(row.parcel, []).append(row)
    return [*under_way, *(_waiting(order, each, catalog) for each in rows.values())]


def unplaced(order: Order) -> tuple[OrderLine, ...]:
    """Return the lines of the demand of which units have no node, with so many units."""
    if order.is_cancelled:
        return ()
    left = units_left(order)
    for row in order.allocation:
        if row.node_id is not None:
            left[row.line_id] = left.get(row.line_id, 0) - row.quantity
    return tuple(
        OrderLine(line_id=line.line_id, sku=line.sku, quantity=left[line.line_id])
        for line in order.demand
        if left[line.line_id] > 0
    )


def planned(
    order: Order, lines: Sequence[OrderLine], held: Sequence[HoldLine], supplies: Mapping[str, date], catalog: Catalog
) -> tuple[list[Parcel], tuple[OrderLine, ...]]:
    """Return the parcels in which units without a node are to go as was promised, and the lines of the others.

    `held` is what the order's reservation keeps; `supplies` says when those come that it names.
    """
    promised = order.captured.promised
    by_node = {} if promised is None else {each.node_id: each for each in reversed(promised.parcels)}
    left = {line.line_id: line.quantity for line in lines}
    of_sku = {line.sku: line.line_id for line in lines}
    found: list[Parcel] = []
    for line in held:
        parcel, line_id = by_node.get(line.node_id), of_sku.get(line.sku)
        if parcel is None or line_id is None or left[line_id] <= 0:
            continue
        units = min(left[line_id], line.quantity)
        left[line_id] -= units
        found.append(
            Parcel(
                node_id=line.node_id,
                service=parcel.service,
                ship_on=parcel.ship_on,
                units={line_id: units},
                weight_g=max(parcel.weight_g, weight_of(catalog, line.sku, units)),
                node_ids=frozenset({line.node_id}),
                is_planned=True,
                awaited=line.ship_on if line.supply_id is None else supplies.get(line.supply_id, line.ship_on),
            )
        )
    rest = [msgspec.structs.replace(line, quantity=left[line.line_id]) for line in lines if left[line.line_id] > 0]
    return found, tuple(rest)


def weight_of(catalog: Catalog, sku: str, quantity: int) -> int:
    """Return what units of a product weigh; nothing is known of one that has left the catalog."""
    content = catalog.content.get(sku)
    return 0 if content is None else content.weight_g * quantity


def products_of(catalog: Catalog, sku: str) -> list[str]:
    """Return the products whose stock a SKU is: itself, or of a kit what is inside."""
    content = catalog.content.get(sku)
    return [sku] if content is None else [component for component, _ in content.components]


def _shipped(shipment: Shipment, network: Network, catalog: Catalog) -> Parcel:
    assert shipment.shipped_at is not None
    node = network.index.get(shipment.node_id)
    zone = ZoneInfo("UTC") if node is None else network.time_zones[network.time_zone_of_node[node]]
    return Parcel(
        node_id=shipment.node_id,
        service=shipment.service,
        ship_on=shipment.ship_on,
        units={line.line_id: line.quantity for line in shipment.lines},
        weight_g=sum(weight_of(catalog, line.sku, line.quantity) for line in shipment.lines),
        shipment_id=shipment.shipment_id,
        shipped_on=shipment.shipped_at.astimezone(zone).date(),
        is_packed=True,
        node_ids=frozenset({shipment.node_id}),
        carrier_on=shipment.predicted_on,
    )


def _waiting(order: Order, rows: list[AllocationRow], catalog: Catalog) -> Parcel:
    node_id, service, ship_on = rows[0].parcel
    assert node_id is not None
    assert service is not None
    assert ship_on is not None
    units: dict[str, int] = {}
    for row in rows:
        units[row.line_id] = units.get(row.line_id, 0) + row.quantity
    shipment = _shipment_of(order, node_id, service, ship_on)
    return Parcel(
        node_id=node_id,
        service=service,
        ship_on=ship_on,
        units=units,
        weight_g=sum(weight_of(catalog, row.sku, row.quantity) for row in rows),
        shipment_id="" if shipment is None else shipment.shipment_id,
        is_packed=shipment is not None and shipment.state is ShipmentState.PACKED,
        node_ids=frozenset(node for row in rows for node in row.node_ids),
    )


def _shipment_of(order: Order, node_id: str, service: str, ship_on: date) -> Shipment | None:
    """Return the shipment that a parcel has become at its node, None if it is not released."""
    for shipment in order.life.shipments:
        is_there = shipment.state in {ShipmentState.RELEASED, ShipmentState.PICKING, ShipmentState.PACKED}
        if is_there and (shipment.node_id, shipment.service, shipment.ship_on) == (node_id, service, ship_on):
            return shipment
    return None
