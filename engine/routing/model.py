"""What a routing run sees of orders, and what it gives back: values, and the port through which they come and go.

Not here: solving (solvers), the run itself (runs.py), and where orders are kept (engine/orders, which implements
`OrderBook`; the arrow goes from there to here).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

import msgspec

from engine.delivery.promised import PromisedParcel
from engine.inventory.buffers import Kept


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of an order; `line_id` is unique in its order, `sku` too."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStock:
    """Units that the order's own unexpired reservation keeps at a node: available to this order's routing only.

    `ship_on` is set if they are dated demand, None if they are taken from what is there now.
    """

    sku: str
    node_id: str
    quantity: int
    ship_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNode:
    """A line and a node of the network that it may, or may not, ship from."""

    line_id: str
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that waits for a source: captured, or backordered by an earlier run, or refused by a node.

    The destination has coordinates in degrees, or a country and postal code, or both; `time_zone` is its IANA name. An
    order with a `pickup_node_id` goes to that store instead. `need_by` is a deadline: later is no use. `promised_on` is
    what its reservation was promised for, by `promised_parcels` if it was an option of a promise: kept if it can be,
    else shipped all the same. `whole` are ids of lines that ship from one node, or not at all.

    `lines` are what is to be routed: `kept` rows stay as an earlier run decided, if that can be, and those of them that
    are `released` in any case, as their nodes work on them. `excluded` are nodes that a line does not go to, since they
    refused it, `forbidden` those that people want no line from, `pins` the only nodes that they want a line from. An
    order that is `stopped` is left alone, for that reason. `revision` counts what nodes and people have said of it.
    """

    order_id: str
    lines: tuple[OrderLine, ...]
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    postal_code: str | None = None
    need_by: date | None = None
    promised_on: date | None = None
    service_level: str | None = None
    channel: str | None = None
    own_stock: tuple[OwnStock, ...] = ()
    time_zone: str | None = None
    residential: bool = False
    is_po_box: bool = False
    pickup_node_id: str | None = None
    promised_parcels: tuple[PromisedParcel, ...] = ()
    whole: tuple[frozenset[str], ...] = ()
    kept: tuple[AllocationRow, ...] = ()
    excluded: tuple[LineNode, ...] = ()
    forbidden: frozenset[str] = frozenset()
    pins: tuple[LineNode, ...] = ()
    priority: int = 0
    stopped: str | None = None
    revision: int = 0
    customer_class: str | None = None
    released: tuple[AllocationRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStop:
    """The hub that packs units of another node: from when on they are there, and when their parcel leaves."""

    node_id: str
    available_on: date
    ship_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRow:
    """Units of one line from one node by one carrier service on one day; without a node they are backordered.

    `node_id`, `service` and `ship_on` are all given or all None; a line may have several rows, whose quantities sum
    to the line's. Of units that go over a `hub`, the node has them, and sends them there on `ship_on`; `service` takes
    the parcel from the hub. `sent_as` is what a vendor was first sent it as (drop_ship.py), with the rows that have the
    same.
    """

    line_id: str
    sku: str
    quantity: int
    node_id: str | None = None
    service: str | None = None
    ship_on: date | None = None
    sent_as: str | None = None
    hub: HubStop | None = None

    @property
    def node_ids(self) -> frozenset[str]:
        """The nodes that have something to do with it: the one that has the units, and the hub that packs them."""
        nodes = (self.node_id, None if self.hub is None else self.hub.node_id)
        return frozenset(node for node in nodes if node is not None)

    @property
    def parcel(self) -> tuple[str | None, str | None, date | None]:
        """Who hands the parcel to the customer's carrier over, by which service, on which day."""
        if self.hub is None:
            return self.node_id, self.service, self.ship_on
        return self.hub.node_id, self.service, self.hub.ship_on


def used_by(rows: Iterable[AllocationRow]) -> dict[tuple[str, date], tuple[int, int]]:
    """Return the units and parcels that rows use of nodes, by node and day: a parcel for each service of a day.

    What a node sends to a hub is a parcel of its own there; the hub's parcel counts at the hub, with all its units.
    """
    units: dict[tuple[str, date], int] = {}
    parcels: dict[tuple[str, date], set[str]] = {}
    for row in rows:
        if row.node_id is None or row.service is None or row.ship_on is None:
            continue
        uses = [(row.node_id, row.ship_on, row.service)]
        if row.hub is not None:
            sent = f"to {row.hub.node_id}"
            uses = [(row.node_id, row.ship_on, sent), (row.hub.node_id, row.hub.ship_on, row.service)]
        for node_id, day, by in uses:
            units[node_id, day] = units.get((node_id, day), 0) + row.quantity
            parcels.setdefault((node_id, day), set()).add(by)
    return {at: (count, len(parcels[at])) for at, count in units.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAllocation:
    """The decision for one order; every unit of it appears in a row. `revision` is that of the order decided on."""

    order_id: str
    rows: tuple[AllocationRow, ...]
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCapacity:
    """What a node can ship on one day; None is unlimited."""

    units: int | None = None
    parcels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedCapacity:
    """What committed allocations already use of a node on one day."""

    node_id: str
    ship_on: date
    units: int
    parcels: int


class VerdictOutcome(StrEnum):
    """What became of one order's allocation."""

    COMMITTED = "committed"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to one allocation.

    committed: kept, its stock confirmed (also when this run had committed it before) · moved: stock or capacity is no
    longer there, or a node or people have said something of the order since; nothing of this order was changed,
    `reason` names the first thing missing; solve it again · gone: the order is not open any more (cancelled, sourced by
    another run, or unknown).
    """

    order_id: str
    outcome: VerdictOutcome
    reason: str | None = None


RUN_OVER = 1_000_000_000
"""The epoch of a run that is over: above that of anybody who worked on it."""


class OrderBook(Protocol):
    """Where a routing run gets its orders and puts its decisions."""

    async def open_orders(self, order_ids: Sequence[str] | None = None) -> list[OpenOrder]:
        """Return the open orders in the order of their capture, or those of `order_ids` that are open.

        Raises NotFound, naming them, when ids are unknown.
        """
        ...

    async def used_capacity(self, days: Sequence[date]) -> list[UsedCapacity]:
        """Return what committed allocations use per node on `days`, only where something is used."""
        ...

    async def commit(
        self,
        run_id: str,
        allocations: Sequence[OrderAllocation],
        *,
        capacities: Mapping[str, NodeCapacity],
        today: Mapping[str, date],
        buffers: Kept | None = None,
        epoch: int = 0,
    ) -> list[Verdict]:
        """Commit each order of a run, atomic per order, idempotent by `run_id`; one verdict per allocation, in order.

        `epoch` tells how often the run was taken up: raises LeaseLost, with nothing done, when a later one is known
        (0: not asked). What a run has committed with an epoch stays so, also after another run has had the order.

        `capacities` limits a node's units and parcels per day (a node not named is unlimited); `today` is the date at
        each node that appears, which tells dated demand from what ships now; `buffers` are the units kept back of
        positions by rule. May be called again with the same arguments after Unavailable. Raises InvalidInput if an
        allocation does not match its order's lines.
        """
        ...

    async def fence(self, run_id: str, epoch: int) -> None:
        """Refuse commits of a run with an earlier epoch from now on; with `RUN_OVER`, all."""
        ...
