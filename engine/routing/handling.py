"""Who may carry what in a routing run: nodes that do not handle a product have none of it, and orders keep to services.

The solver knows one level that a service must have to carry an order, and no contents of parcels. So an order of which
any line may not go by some service uses none of it, for none of its parcels: safe, if sometimes stricter than need be.
Nor does it use a service that does not deliver to its address. Such an order, and one to an area in which nothing is
delivered on some days, gets a level of its own, which copies of the services have that may carry it, with the days on
which they deliver there. Copies come after all services, so that other orders are planned as if there were none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.catalog.model import Catalog
from engine.network.delivery_areas import NO_AREA
from engine.network.model import Network
from engine.routing.model import OpenOrder
from solvers.problem import ANY_LEVEL, IntArray
from solvers.promise_freight import BARS, FUEL

_SHIP_TO_STORE = "ship_to_store"
"""Services of this level bring parcels to stores, not to customers: only an order that asks for it uses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """The services of a problem by number in the network, the level of each, and the level that each order wants.

    `area` has the calendar for deliveries that each service keeps to, `NO_AREA` for its own alone.
    """

    service: IntArray
    area: IntArray
    level: IntArray
    of_order: IntArray


def refused_stock(catalog: Catalog, network: Network, skus: Sequence[str]) -> NDArray[np.bool_]:
    """Return which nodes of the network do not handle which SKUs, shape (skus, nodes)."""
    freight = network.freight
    classes = np.array([freight.bits_of(catalog.handling.get(sku, ())) for sku in skus], np.int64)
    barred: NDArray[np.bool_] = (classes[:, None] & freight.node_bars[None, :]) != 0
    return barred


def eligible_services(orders: Sequence[OpenOrder], catalog: Catalog, network: Network) -> Eligible:
    """Return the services, sorted by name and then the copies, with their levels."""
    to_stores = {v for v, level in enumerate(network.service_levels) if level == _SHIP_TO_STORE}
    some_to_store = any(order.service_level == _SHIP_TO_STORE for order in orders)
    service = [v for v in network.services_by_name if v not in to_stores or some_to_store]
    names = sorted(set(network.service_levels))
    code = {name: k for k, name in enumerate(names)}
    level = [code[network.service_levels[v]] for v in service]
    barred, known = network.freight.service[:, BARS].tolist(), len(service)
    area_of = [NO_AREA] * known
    own: dict[tuple[str | None, tuple[int, ...], int], int] = {}
    of_order, bits_of = [], _Bits(catalog, network)
    for order in orders:
        classes, closed = bits_of.order(order), {*_not_serving(order, network)}
        if order.service_level is None and some_to_store:
            closed |= to_stores
        area = _area(order, network)
        is_free = not classes and not closed and area == NO_AREA
        allowed = () if is_free else tuple(v for v in service[:known] if not barred[v] & classes and v not in closed)
        if is_free or (len(allowed) == known and area == NO_AREA):
            of_order.append(ANY_LEVEL if order.service_level is None else code.get(order.service_level, len(names)))
            continue
        key = (order.service_level, allowed, area)
        if key not in own:
            own[key] = len(names) + 1 + len(own)
            copies = [v for v in allowed if order.service_level in (None, network.service_levels[v])]
            service += copies
            level += [own[key]] * len(copies)
            area_of += [area] * len(copies)
        of_order.append(own[key])
    return Eligible(
        service=np.array(service, np.int64),
        area=np.array(area_of, np.int64),
        level=np.array(level, np.int64),
        of_order=np.array(of_order, np.int64),
    )


def _not_serving(order: OpenOrder, network: Network) -> Collection[int]:
    """Return the services that do not deliver to the address of an order; orders do not say if it is a box."""
    if network.addresses is None:
        return ()
    return network.addresses.not_served_by(order.country, order.postal_code, is_po_box=False)


def _area(order: OpenOrder, network: Network) -> int:
    """Return the calendar for deliveries at the address of an order."""
    if network.delivery_areas is None:
        return NO_AREA
    return network.delivery_areas.calendar_at(order.country, order.postal_code)


def fueled_cents(network: Network) -> IntArray:
    """Return what every weight step of the rate cards costs with its service's fuel on it, rounded half up."""
    points = np.repeat(network.freight.service[:, FUEL], len(network.zones))
    cents = network.rates.cost_cents
    if not points.any():
        return cents
    return cents + (cents * np.repeat(points, np.diff(network.rates.offsets)) + 5_000) // 10_000


class _Bits:
    """The handling classes of SKUs as bits, looked up once each."""

    def __init__(self, catalog: Catalog, network: Network) -> None:
        self._classes: Mapping[str, int] = {
            sku: network.freight.bits_of(classes) for sku, classes in catalog.handling.items()
        }

    def order(self, order: OpenOrder) -> int:
        """Return the union of the classes of an order's lines."""
        union = 0
        if self._classes:
            for line in order.lines:
                union |= self._classes.get(line.sku, 0)
        return union
