"""What inventory is made of: positions, supplies, reservations, and the view of stock that solvers and ATP read.

Quantities are whole units. `reserved = held + confirmed`; `available = on_hand - safety_stock - reserved`, which may be
negative after a count. Not here: where these are kept (store.py), what may be asked (service.py), ATP
(engine/availability).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.inventory.conditions import Condition
from engine.inventory.quotas import Quota

T = TypeVar("T")

KINDS = 8
"""Cells per (sku, node); each is an unsigned 32-bit number."""
ON_HAND, SAFETY_STOCK, HELD, CONFIRMED, VERSION, SCHEDULED, EVENT, QUOTAS = range(8)
"""Cell kinds; VERSION 0: there is no position; SCHEDULED counts schedule entries; EVENT is the last (history.py);
QUOTAS counts channel quotas."""

MAX_UNITS = 2**31 - 1
"""The most units a cell may hold; as on_hand it says that the position is unlimited."""
MAX_ON_HAND = MAX_UNITS - 1
"""The most units that can be counted."""
DEFAULT_TTL_SECONDS = 900
MAX_TTL_SECONDS = 3600


class PositionCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An absolute count, or `unlimited` instead of `on_hand`: a vendor who always has more.

    With `expected_version` it is refused if the position moved (0: it must not exist yet).
    """

    node_id: str
    sku: str
    on_hand: int | None = None
    safety_stock: int = 0
    expected_version: int | None = None
    unlimited: bool = False

    @property
    def units(self) -> int:
        """What the position holds from now on: on_hand, or MAX_UNITS if it is unlimited."""
        return MAX_UNITS if self.unlimited or self.on_hand is None else self.on_hand


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change of on_hand, or of the units in another condition, by `delta`; the reason is for people."""

    node_id: str
    sku: str
    delta: int
    reason: str
    condition: Condition = Condition.SELLABLE


class Supply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A scheduled receipt, named by `supply_id` within its (sku, node); putting quantity 0 removes it.

    `pegged` units are reserved by lines that name it, as read from a store; `unpegged` is negative if that is too many.
    """

    supply_id: str
    node_id: str
    sku: str
    quantity: int
    expected_on: date
    pegged: int = 0

    @property
    def unpegged(self) -> int:
        """Units that no reservation names."""
        return self.quantity - self.pegged


class DatedDemand(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units reserved to ship on a later date, summed over reservations; `pegged` of them wait for a named supply."""

    ship_on: date
    quantity: int
    pegged: int = 0


def dated_demand(schedule: Iterable[tuple[int, int]], pegs: Iterable[tuple[int, int, str]]) -> tuple[DatedDemand, ...]:
    """Return dated demand by day, of (day ordinal, delta) and of (day ordinal, pegged units, supply_id)."""
    units, pegged = Counter[int](), Counter[int]()
    for day, delta in schedule:
        units[day] -= min(delta, 0)
    for day, quantity, _ in pegs:
        pegged[day] += quantity
    return tuple(
        DatedDemand(ship_on=date.fromordinal(day), quantity=units[day], pegged=pegged[day])
        for day in sorted(units)
        if units[day]
    )


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stock of one SKU at one node; `version` moves with on_hand and safety_stock only, 0 if never counted."""

    node_id: str
    sku: str
    on_hand: int
    held: int
    confirmed: int
    safety_stock: int
    version: int
    supplies: tuple[Supply, ...] = ()
    dated: tuple[DatedDemand, ...] = ()
    conditions: Mapping[Condition, int] | None = None
    """Units that cannot be sold, by condition; None where that was not asked for."""
    buffer: int | None = None
    """Units kept back by rule, if that is more than safety_stock; None where that was not asked for."""
    quotas: tuple[Quota, ...] | None = None
    """Channel quotas and what is used of each; None where that was not asked for."""

    @property
    def unlimited(self) -> bool:
        """Whether there are always more: nothing is counted, adjusted or used up."""
        return self.on_hand == MAX_UNITS

    @property
    def reserved(self) -> int:
        """Units promised to somebody: held + confirmed."""
        return self.held + self.confirmed

    @property
    def available(self) -> int:
        """Units free now; negative when a count found fewer than are reserved."""
        return self.on_hand - self.safety_stock - self.held - self.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLine:
    """Units of one SKU at one node; with a `ship_on` after the node's today they are dated demand.

    With a `supply_id` they come from that supply (backorder, preorder), and ship on the day it is expected, or on
    `ship_on` if that is later. Naming a part of a reservation, a `supply_id` means the units that were pegged to it,
    whatever their `ship_on`.
    """

    sku: str
    quantity: int
    node_id: str
    ship_on: date | None = None
    supply_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLimit:
    """Who holds, and how many reservations of theirs may be held at once, this one included."""

    holder: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A request to keep units for a while: all lines or none."""

    reservation_id: str
    lines: tuple[HoldLine, ...]
    ttl_seconds: float = DEFAULT_TTL_SECONDS
    channel: str | None = None
    reference: str | None = None
    promised_on: date | None = None
    """The date of the promise that is reserved; an order that uses the reservation is due then."""
    promised: str | None = None
    """What that promise said, in the words of who made it: kept as it is, and not looked into."""
    limit: HoldLimit | None = None
    """None: it counts among nobody's open holds."""
    as_of: int | None = None
    """The epoch of the documents it was checked by; a store that keeps them beside its stock refuses it once they have
    moved. None: they are current."""


class ReservationState(StrEnum):
    """`held → confirmed → consumed`, or `→ cancelled / expired`; confirmed stock never expires."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CONSUMED = "consumed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A hold on stock.

    `lines` are what is still reserved; once it is over, what its last step closed. `expires_at` (UTC, milliseconds) is
    set while it is held and after it has expired.
    """

    reservation_id: str
    state: ReservationState
    expires_at: datetime | None
    lines: tuple[HoldLine, ...]
    reference: str | None = None
    channel: str | None = None
    promised_on: date | None = None
    promised: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """An idempotency key: `digest` names it (tenant, method, path and key), `fingerprint` is that of the raw body."""

    digest: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """A result, and whether it is the stored one of an idempotency key that came back."""

    value: T
    replayed: bool = False


Schedule = Mapping[tuple[int, int], tuple[tuple[int, int], ...]]
"""(SKU index, node index) → (day ordinal, delta), by day; supplies are positive, dated demand is negative."""


class StockView(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Stock of several SKUs as read in one pass.

    `cells` is uint32 of shape (skus, nodes, KINDS), zero where there is no position; nodes are in slot order. `epoch`
    moves with every change of stock and is read first: a view may be newer than its epoch, never older. `supplies`
    names what is positive in `schedule`; `pegs` are the (day ordinal, units, supply_id) of what is negative in it and
    waits for a named supply. `quotas` has the places where the cell counts some.
    """

    epoch: int
    node_ids: tuple[str, ...]
    skus: tuple[str, ...]
    cells: NDArray[np.uint32]
    schedule: Schedule
    supplies: Mapping[tuple[int, int], tuple[Supply, ...]]
    pegs: Mapping[tuple[int, int], tuple[tuple[int, int, str], ...]] = msgspec.field(default_factory=dict)
    quotas: Mapping[tuple[int, int], tuple[Quota, ...]] = msgspec.field(default_factory=dict)

    def available(self) -> NDArray[np.int64]:
        """Return on_hand - safety_stock - held - confirmed, int64 of shape (skus, nodes); may be negative."""
        cells = self.cells.astype(np.int64)
        taken = cells[:, :, SAFETY_STOCK] + cells[:, :, HELD] + cells[:, :, CONFIRMED]
        return np.asarray(cells[:, :, ON_HAND] - taken)

    def position(self, sku_index: int, node_index: int) -> Position:
        """Return one cell group as a position."""
        cell = self.cells[sku_index, node_index]
        place = (sku_index, node_index)
        return Position(
            node_id=self.node_ids[node_index],
            sku=self.skus[sku_index],
            on_hand=int(cell[ON_HAND]),
            held=int(cell[HELD]),
            confirmed=int(cell[CONFIRMED]),
            safety_stock=int(cell[SAFETY_STOCK]),
            version=int(cell[VERSION]),
            supplies=self.supplies.get(place, ()),
            dated=dated_demand(self.schedule.get(place, ()), self.pegs.get(place, ())),
            quotas=self.quotas.get(place, ()),
        )

    def positions(self, sku_index: int) -> tuple[Position, ...]:
        """Return the positions of one SKU that exist: counted once, or with a schedule or quotas; by node_id."""
        known = np.flatnonzero(self.cells[sku_index][:, [VERSION, SCHEDULED, QUOTAS]].any(axis=1))
        return tuple(sorted((self.position(sku_index, int(j)) for j in known), key=lambda found: found.node_id))
