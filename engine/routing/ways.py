"""Which ways the parcels of an order may go: carrier services, with the days and prices that they have for it.

The solver knows one level that a service must have to carry an order, and neither contents nor addresses of parcels. So
an order that may not use all services, or has other days or prices than most, gets a level of its own, with copies of
the services that may carry it. An order of which any line may not go by some service uses none of it, for none of its
parcels: safe, if sometimes stricter than need be. Copies come after all services, so that other orders are planned as
if there were none; orders of the same terms share them.

A pick-up goes to its store: by services of the level `ship_to_store`, and by one more way, after all services, by which
the store hands over what it has itself. Not here: what the days (arrivals.py) and prices (rate_cards.py) are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.catalog.model import Catalog
from engine.delivery.pickup import PICKUP, SHIP_TO_STORE, to_store
from engine.network.delivery_areas import NO_AREA
from engine.network.model import Network
from engine.routing.contents import NO_BOXING, Boxing, Contents
from engine.routing.days_apart import DaysApart
from engine.routing.model import OpenOrder
from solvers.problem import ANY_LEVEL, IntArray
from solvers.promise_freight import BARS

NO_STORE = -1


class Dating(NamedTuple):
    """What the days of an order's parcels depend on, beside node and service.

    `area` is the calendar for deliveries there, `shift` a row of `Ways.shifts`, `store` the node of a pick-up. Nothing
    leaves before the day `not_before` (an ordinal), nor before so many working days of making.
    """

    area: int = NO_AREA
    shift: int = 0
    store: int = NO_STORE
    not_before: int = 0
    making_days: int = 0


class Pricing(NamedTuple):
    """What prices depend on beside weight: `area_cents` for a box to the address, by service, empty if nothing."""

    area_cents: tuple[int, ...] = ()
    boxing: Boxing = NO_BOXING


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """The ways of a problem, in its order of services.

    `service` (ways,) is the number in the network, one more than it has for what a store hands over itself; `level`
    what orders name, `dating` and `pricing` the number of its terms in `datings` and `pricings`. `of_order` is the
    level that each order wants; `shifts` (shifts, nodes) by how many days dates at destinations differ from the node's.
    """

    service: IntArray
    level: IntArray
    dating: IntArray
    pricing: IntArray
    of_order: IntArray
    datings: tuple[Dating, ...]
    pricings: tuple[Pricing, ...]
    shifts: IntArray

    def names(self, network: Network) -> tuple[str, ...]:
        """Return the name of every way."""
        known = (*network.services, PICKUP)
        return tuple(known[v] for v in self.service.tolist())


class Wait(NamedTuple):
    """How long the lines of an order that are made to order make it wait; see `Dating`."""

    not_before: int = 0
    making_days: int = 0


def ways_of(
    orders: Sequence[OpenOrder], waits: Mapping[str, Wait], view: View, apart: DaysApart, contents: Contents
) -> Ways:
    """Return the ways of a batch: services by name, then copies; `waits` are of the orders that wait, by id."""
    network = view.network
    stores = set(to_store(network))
    names = sorted(set(network.service_levels))
    made = _Made(network, [v for v in network.services_by_name if v not in stores], names)
    bits_of, places = _Bits(view.catalog, network), _Surcharges(network)
    for order in orders:
        shift, wait = apart.row_of(order), waits.get(order.order_id, Wait())
        classes, boxing = bits_of.order(order), contents.boxing_of(order)
        heavy = contents.too_heavy(order) if contents.light else ()
        if order.pickup_node_id is None:
            dating = Dating(area=_area(order, network), shift=shift, not_before=wait[0], making_days=wait[1])
            pricing = Pricing(area_cents=places.of(order), boxing=boxing)
            closed = _not_serving(order, network)
            made.add(order, classes, {*closed, *heavy} if heavy else closed, dating, pricing)
        else:
            store = network.index.get(order.pickup_node_id, NO_STORE)
            dating = Dating(shift=shift, store=store, not_before=wait[0], making_days=wait[1])
            made.add_pickup(order, classes, heavy, dating, Pricing(boxing=boxing))
    return made.ways(apart.shifts())


class _Made:
    """Collects the ways of orders as they come."""

    def __init__(self, network: Network, usual: Sequence[int], names: Sequence[str]) -> None:
        self._network, self._usual = network, tuple(usual)
        self._code = {name: k for k, name in enumerate(names)}
        self._barred = network.freight.service[:, BARS].tolist()
        self._service = list(usual)
        self._level = [self._code[network.service_levels[v]] for v in usual]
        self._dating, self._pricing = [0] * len(usual), [0] * len(usual)
        self._datings, self._pricings = {Dating(): 0}, {Pricing(): 0}
        self._own: dict[tuple[tuple[int, ...], Dating, Pricing], int] = {}
        self._of_order: list[int] = []

    def add(self, order: OpenOrder, classes: int, closed: Collection[int], dating: Dating, pricing: Pricing) -> None:
        """Add an order to an address, with the handling classes of its lines and the services that do not go there."""
        is_usual = dating == Dating() and pricing == Pricing()
        if is_usual and not classes and not closed:
            self._of_order.append(self._usual_level(order))
            return
        allowed = tuple(v for v in self._usual if not self._barred[v] & classes and v not in closed)
        if is_usual and len(allowed) == len(self._usual):
            self._of_order.append(self._usual_level(order))
            return
        levels = self._network.service_levels
        services = tuple(v for v in allowed if order.service_level in (None, levels[v]))
        self._of_order.append(self._level_of(services, dating, pricing))

    def add_pickup(
        self, order: OpenOrder, classes: int, closed: Collection[int], dating: Dating, pricing: Pricing
    ) -> None:
        """Add an order that is picked up in a store."""
        network, found = self._network, list[int]()
        if dating.store != NO_STORE and not classes & int(network.freight.node_bars[dating.store]):
            if order.service_level != PICKUP:
                found += [v for v in to_store(network) if not self._barred[v] & classes and v not in closed]
            if order.service_level != SHIP_TO_STORE:
                found.append(len(network.services))
        self._of_order.append(self._level_of(tuple(found), dating, pricing))

    def ways(self, shifts: IntArray) -> Ways:
        """Return what was collected.

        Who may go by any service could go by copies too. Where these have other days or prices, orders of the usual
        terms that ask for no level have one of their own as well.
        """
        if len(self._datings) > 1 or len(self._pricings) > 1:
            free = [order for order, level in enumerate(self._of_order) if level == ANY_LEVEL]
            for order in free:
                self._of_order[order] = self._level_of(self._usual, Dating(), Pricing())
        return Ways(
            service=np.array(self._service, np.int64),
            level=np.array(self._level, np.int64),
            dating=np.array(self._dating, np.int64),
            pricing=np.array(self._pricing, np.int64),
            of_order=np.array(self._of_order, np.int64),
            datings=tuple(self._datings),
            pricings=tuple(self._pricings),
            shifts=shifts,
        )

    def _usual_level(self, order: OpenOrder) -> int:
        return ANY_LEVEL if order.service_level is None else self._code.get(order.service_level, len(self._code))

    def _level_of(self, services: tuple[int, ...], dating: Dating, pricing: Pricing) -> int:
        """Return the level of orders of some terms; the first of them makes the copies."""
        key = (services, dating, pricing)
        if key not in self._own:
            level = self._own[key] = len(self._code) + 1 + len(self._own)
            self._service += services
            self._level += [level] * len(services)
            self._dating += [self._datings.setdefault(dating, len(self._datings))] * len(services)
            self._pricing += [self._pricings.setdefault(pricing, len(self._pricings))] * len(services)
        return self._own[key]


def _not_serving(order: OpenOrder, network: Network) -> Collection[int]:
    """Return the services that do not deliver to the address of an order."""
    if network.addresses is None:
        return ()
    return network.addresses.not_served_by(order.country, order.postal_code, is_po_box=order.is_po_box)


def _area(order: OpenOrder, network: Network) -> int:
    """Return the calendar for deliveries at the address of an order."""
    if network.delivery_areas is None:
        return NO_AREA
    return network.delivery_areas.calendar_at(order.country, order.postal_code)


class _Surcharges:
    """What a box to each address costs more, by service; nothing if none costs more. Looked up once each."""

    def __init__(self, network: Network) -> None:
        self._freight = network.freight
        self._known: dict[tuple[str | None, str | None, bool], tuple[int, ...]] = {}

    def of(self, order: OpenOrder) -> tuple[int, ...]:
        """Return them for the address of an order."""
        if self._freight.is_plain:
            return ()
        place = (order.country, order.postal_code, order.residential)
        if place not in self._known:
            area = self._freight.area(order.country, order.postal_code, is_residential=order.residential)
            self._known[place] = tuple(area.sum(axis=0).tolist()) if area.any() else ()
        return self._known[place]


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


def refused_stock(catalog: Catalog, network: Network, skus: Sequence[str]) -> NDArray[np.bool_]:
    """Return which nodes of the network do not handle which SKUs, shape (skus, nodes)."""
    freight = network.freight
    classes = np.array([freight.bits_of(catalog.handling.get(sku, ())) for sku in skus], np.int64)
    barred: NDArray[np.bool_] = (classes[:, None] & freight.node_bars[None, :]) != 0
    return barred
