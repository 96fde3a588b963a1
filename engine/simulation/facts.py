"""What a simulation tells of itself: plain columns, in chunks, so that memory does not grow with the days.

An order is told once, when nothing more can happen to it or the story is over; its parcels with it. Instants are whole
seconds since the story's start, days count from its first day, −1 is never; money is whole cents. Not here: what is
made of them (kpis.py), how they come about (simulator.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Ending(IntEnum):
    """How an order ended."""

    NO_OFFER = 0
    """Lost: nothing could be promised."""
    TOO_LATE = 1
    """Lost: the customer did not want to wait so long."""
    TOO_DEAR = 2
    """Lost: the customer did not want to pay so much for delivery."""
    DELIVERED = 3
    """All of it was delivered."""
    CANCELLED = 4
    """Some of it was delivered, or nothing; the rest was cancelled."""
    OPEN = 5
    """Everything was over first (`Story.drain_days`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderFacts:
    """One row an order that ended, lost ones too."""

    key: Integers
    placed_s: Integers
    latitude: Floats
    longitude: Floats
    channel: Integers
    ending: Integers
    lines: Integers
    units: Integers
    lines_shipped: Integers
    """Whole lines that were shipped."""
    units_shipped: Integers
    units_cancelled: Integers
    units_backordered: Integers
    """Units that waited for stock after a routing run, at most at a time."""
    units_returned: Integers
    revenue_cents: Integers
    """Price of what was shipped."""
    lost_cents: Integers
    """Price of what was not sold after all: lost orders, cancelled units."""
    charged_cents: Integers
    """What the customer paid for delivery."""
    refund_cents: Integers
    promised_day: Integers
    """The day that was promised (`promised_on`)."""
    expected_day: Integers
    """Its median."""
    requested_day: Integers
    """The day by which the customer wanted it, −1: whenever."""
    promised_parcels: Integers
    promised_cost_cents: Integers
    parcels: Integers
    rejections: Integers
    """Refused parcels and short picks."""
    reroutes: Integers
    """Decisions of routing runs after the first."""
    routed_s: Integers
    """The first decision that gave it a node."""
    shipped_s: Integers
    """Its last parcel left."""
    delivered_s: Integers
    """Its last parcel arrived."""
    delivered_day: Integers
    """The day of it, at the destination."""
    cost_cents: Integers
    """All costs of its parcels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParcelFacts:
    """One row a parcel that left its node; `order` is the row of the same chunk."""

    order: Integers
    node: Integers
    service: Integers
    zone: Integers
    distance_m: Integers
    units: Integers
    weight_g: Integers
    routed_s: Integers
    due_day: Integers
    """The day on which it was to leave."""
    shipped_s: Integers
    promised_day: Integers
    """The day by which it was to arrive when it was routed."""
    delivered_s: Integers
    delivered_day: Integers
    shipping_cents: Integers
    """Rates and surcharges of its carrier, and the transfer to a hub."""
    handling_cents: Integers
    """The node's, for the parcel."""
    units_cents: Integers
    """The node's, for its units."""
    packaging_cents: Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NodeDayFacts:
    """One row a node and day, told when the day is over; a capacity of −1 is unlimited."""

    day: Integers
    node: Integers
    capacity_units: Integers
    capacity_parcels: Integers
    units: Integers
    """What left."""
    parcels: Integers
    backlog_units: Integers
    """What was to have left, and has not."""
    backlog_parcels: Integers
    refused: Integers
    """Parcels that it refused, and short picks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayFacts:
    """One row a day, told when it is over."""

    day: Integers
    positions: Integers
    """That have ever had stock."""
    stocked_out: Integers
    """Those with nothing left to sell at its end."""
    units_on_hand: Integers
    open_orders: Integers
    waiting_units: Integers
    """Units of open orders that have no node."""
    placed_orders: Integers
    """Orders that customers came for on this day, lost ones too."""
    placed_units: Integers
    returned_units: Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowFacts:
    """One row a routing run that had orders; a bound of −1: there is none, as of rules that prove nothing."""

    at_s: Integers
    orders: Integers
    cost_cents: Integers
    bound_cents: Integers
    unrouted_units: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The sums of a whole replication, kept by the simulator beside the engine's books; they have to agree.

    Units: `start + received + found + restocked = shipped + lost + end`, whoever counts. Money: what was paid is what
    was charged and refunded, order by order.
    """

    start_units: int
    received_units: int
    found_units: int
    """Corrections of counts upwards, and stock that changes of the story brought."""
    restocked_units: int
    scrapped_units: int
    """Returned, and not sold again: in no stock."""
    shipped_units: int
    lost_units: int
    """Corrections of counts downwards, and stock that changes of the story took away."""
    end_units: int
    end_value_cents: int
    """What is left, at cost."""
    orders: int
    revenue_cents: int
    charged_cents: int
    refund_cents: int
    cost_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the numbers of facts stand for."""

    nodes: tuple[str, ...]
    services: tuple[str, ...]
    zones: tuple[str, ...]
    channels: tuple[str, ...]


class FactSink(Protocol):
    """Takes facts as they come; a chunk's parcels name rows of its orders."""

    def orders(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        """Take orders that have ended, with their parcels."""
        ...

    def day(self, day: DayFacts, nodes: NodeDayFacts, windows: WindowFacts) -> None:
        """Take a day that is over; those after the last on which customers come are not told."""
        ...


def columns(facts: Any) -> Mapping[str, NDArray[Any]]:
    """Return the columns of a table of facts by name, in their order."""
    return {field.name: getattr(facts, field.name) for field in fields(facts)}


def gathered(kind: type[Any], rows: Sequence[Mapping[str, float]]) -> Any:
    """Return a table of facts of rows by column name; what a row does not name is −1."""
    return kind(
        **{
            field.name: np.array(
                [row.get(field.name, -1) for row in rows], float if "Floats" in str(field.type) else np.int64
            )
            for field in fields(kind)
        }
    )
