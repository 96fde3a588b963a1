"""The nearest stores that have a basket: by distance from a place, from live stock.

"Has" is what a pick-up there could promise today: ATP of every line at that one node, for the channel that asks. Not
here: costs and deliveries (get_it_by.py, service.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from numpy.typing import NDArray

from engine.availability.reference import Reference, View
from engine.availability.selection import check_channel, select_contents, select_nodes, skus_of
from engine.availability.stock import AtpTable, StockReader
from engine.catalog.model import Content
from engine.clock import Clock
from engine.delivery.pickup import pickup_at
from engine.errors import Fault, InvalidInput
from engine.inventory.store import InventoryStore
from engine.network.days import NEVER, Today
from engine.network.document import NodeKind
from engine.promising.making import working_day
from engine.promising.model import MOST_LINES, MOST_UNITS, Destination, Name
from engine.promising.request import Place, place_of
from solvers.problem import DISTANCE_TOLERANCE_KM, EARTH_RADIUS_KM

MOST_STORES = 100


class BasketLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many units of a SKU, product or kit."""

    sku: Name
    quantity: Annotated[int, Meta(ge=1, le=MOST_UNITS)] = 1


class NearestStoresRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which basket, near which place; `kinds` of nodes, `radius_km` as the crow flies, at most `limit` stores."""

    lines: Annotated[tuple[BasketLine, ...], Meta(min_length=1, max_length=MOST_LINES)]
    destination: Destination
    radius_km: Annotated[float, Meta(gt=0, le=50_000)] = 50.0
    kinds: Annotated[tuple[NodeKind, ...], Meta(min_length=1, max_length=16)] = ("store",)
    limit: Annotated[int, Meta(ge=1, le=MOST_STORES)] = 10
    channel: Name | None = None
    group: Name | None = None


class StockedLine(Struct, frozen=True, kw_only=True):
    """What a store has of a line now."""

    sku: str
    available_now: int


class NearStore(Struct, frozen=True, kw_only=True):
    """A node that has the whole basket; `ready_on` is the day, there, on which it could be picked up.

    `ready_at` is the time, at a node with opening hours, unless something has to be made first.
    """

    node_id: str
    kind: NodeKind
    name: str | None
    distance_km: float
    ready_on: date | None
    lines: tuple[StockedLine, ...]
    ready_at: datetime | UnsetType = UNSET


class NearestStores(Struct, frozen=True, kw_only=True):
    """The answer, nearest first; it holds nothing."""

    as_of: datetime
    binding: bool
    stores: tuple[NearStore, ...]


class NearestStoresService:
    """Answers from live stock, one read per request."""

    def __init__(self, *, reference: Reference, inventory: InventoryStore, clock: Clock) -> None:
        self._reference = reference
        self._inventory = inventory
        self._clock = clock
        self._reader = StockReader()

    async def nearest(self, request: NearestStoresRequest) -> NearestStores:
        """Return the nearest stores that have the basket; raises `InvalidInput` with every fault."""
        view, (contents, place, among), stock = await self._reference.beside(
            lambda view: _understand(request, view), lambda meant: self._inventory.read(skus_of(meant[0]))
        )
        now = self._clock.now()
        today = view.days.at(now)
        table = self._reader.read(stock, view, today.local_day, now=now, channel=request.channel)
        distance_km = _distances(place, view)[among]
        order = np.argsort(distance_km, kind="stable")
        near = order[distance_km[order] <= request.radius_km + DISTANCE_TOLERANCE_KM]
        ready_on = _ready_days(view, today, contents)
        stores: list[NearStore] = []
        for at in near.tolist():
            node = among[at]
            if len(stores) == request.limit:
                break
            if _has_all(request.lines, contents, table, node):
                store = _store(view, node, float(distance_km[at]), int(ready_on[node]), request, contents, table)
                stores.append(_with_hours(store, view, node, contents, now))
        return NearestStores(as_of=now, binding=False, stores=tuple(stores))


def _understand(request: NearestStoresRequest, view: View) -> tuple[list[Content], Place, list[int]]:
    """Return what the lines come down to, the place, and the nodes that may serve; raises InvalidInput."""
    network, faults = view.network, list[Fault]()
    contents = select_contents([line.sku for line in request.lines], view.catalog, faults)
    place = place_of(request.destination, network, faults)
    nodes = select_nodes(network, request.group, None, faults)
    check_channel(network, request.channel, faults)
    if faults or place is None:
        raise InvalidInput(faults)
    documents = network.document.nodes
    return contents, place, [node for node in nodes if documents[node].kind in request.kinds]


def _distances(place: Place, view: View) -> NDArray[np.float64]:
    """Return the great-circle distance of every node in kilometres, by the haversine formula."""
    network = view.network
    across = np.sin((network.longitude_rad - place.longitude_rad) / 2) ** 2
    along = np.sin((network.latitude_rad - place.latitude_rad) / 2) ** 2
    chord = along + np.cos(network.latitude_rad) * np.cos(place.latitude_rad) * across
    distance_km: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distance_km


def _ready_days(view: View, today: Today, contents: Sequence[Content]) -> NDArray[np.int64]:
    """Return, by node, the day on which a basket that is there now could be handed over, `NEVER` if none."""
    making = view.catalog.making_days
    days = max((making.get(sku, 0) for content in contents for sku, _ in content.components), default=0)
    ready = today.ready
    if days:
        nodes = range(len(view.network.node_ids))
        made_on = [working_day(view.network, today, node, int(ready[-1, node]), days) for node in nodes]
        ready = np.maximum(ready, np.array(made_on, dtype=np.int64))
    hand_over: NDArray[np.int64] = today.calendars.hand_over(ready)[-1]
    return hand_over


def _with_hours(store: NearStore, view: View, node: int, contents: Sequence[Content], now: datetime) -> NearStore:
    """Return a store with the time at which a basket is ready, if it has opening hours and nothing has to be made."""
    making = view.catalog.making_days
    if node not in view.network.pickups or any(sku in making for content in contents for sku, _ in content.components):
        return store
    ready_at = pickup_at(view.network, view.days.at(now), node, now).ready_at
    if ready_at is None:
        return store
    return msgspec.structs.replace(store, ready_on=ready_at.date(), ready_at=ready_at)


def _has_all(lines: Sequence[BasketLine], contents: Sequence[Content], table: AtpTable, node: int) -> bool:
    """Say whether a node has every line at once; lines of one product add up."""
    needed = Counter[str]()
    for line, content in zip(lines, contents, strict=True):
        for sku, units in content.components:
            needed[sku] += units * line.quantity
    return all(table.today[table.rows[sku], node] >= units for sku, units in needed.items())


def _store(
    view: View,
    node: int,
    distance_km: float,
    ready_on: int,
    request: NearestStoresRequest,
    contents: Sequence[Content],
    table: AtpTable,
) -> NearStore:
    document = view.network.document.nodes[node]
    lines = (
        StockedLine(
            sku=line.sku,
            available_now=min(int(table.today[table.rows[sku], node]) // units for sku, units in content.components),
        )
        for line, content in zip(request.lines, contents, strict=True)
    )
    return NearStore(
        node_id=document.node_id,
        kind=document.kind,
        name=document.name,
        distance_km=round(distance_km, 1),
        ready_on=None if ready_on >= NEVER else date.fromordinal(ready_on),
        lines=tuple(lines),
    )
