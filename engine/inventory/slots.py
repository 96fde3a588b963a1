"""Windows that customers have booked: a book beside the stock that never lets in more than a window takes.

A booking belongs to a reservation. It is held with it, and goes with it; once the reservation is to be confirmed, or is
an order's, it is kept. Unlike the load of nodes (load.py) the book refuses. Here: words, and the port. Not here: what
keeps both in line (slot_desk.py), when windows are (engine/network/slots.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct, field

SLOT_PREFIX = "res_slot_"
"""Reservations with a slot have ids that begin so: the others are never asked for one."""

LOOK_SECONDS = 10.0
"""When a booking that is kept while its reservation changes is looked at."""

Taken = Literal["taken", "settled", "full", "lost"]
"""`settled`: the reservation has it, and was told so, whatever became of it since. `lost`: it is never to have it."""
Verdict = Literal["keep", "final", "gone", "look"]
"""What a look at a reservation says of its booking: to keep it, for good and never to look again, to free it, or
nothing; all but `final` and `gone` are looked at again later."""


class BookedSlot(Struct, frozen=True, kw_only=True):
    """The window that a reservation has booked, as it was when it was booked."""

    slot_id: str
    begins: datetime = field(name="from")
    ends: datetime = field(name="to")
    fee_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSlot:
    """A window to book: of the slot `slot` on `day` (an ordinal), which takes `capacity` orders."""

    booked: BookedSlot
    slot: str
    day: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the book knows of a reservation: its window, and the orders that may have taken it over.

    `is_live` says that it takes a place; `is_settled` that the reservation was made with it.
    """

    booked: BookedSlot
    is_live: bool
    is_settled: bool
    order_ids: tuple[str, ...] = ()


class SlotBook(Protocol):
    """Keeps bookings by reservation, and how many there are of each window; every method may raise Unavailable.

    Every change is one step, and takes the time from the store's clock. The invariant: never more bookings of a window
    take a place than its capacity was when the last of them came.
    """

    async def take(self, reservation_id: str, wanted: WantedSlot, seconds: float) -> Taken:
        """Take a place for a reservation that is about to be made; by itself it goes back after so many seconds."""
        ...

    async def settle(self, reservation_id: str, deadline_ms: int, capacity: int) -> bool:
        """Give a booking the deadline of its reservation, which has been made; once. False: the place is gone for good.

        A place that has gone back meanwhile is taken again if there is one.
        """
        ...

    async def prolong(self, reservation_id: str, seconds: float) -> bool:
        """Have a booking last for so many seconds at least; False if it takes no place any more."""
        ...

    async def keep(self, reservation_id: str, order_id: str = "") -> bool:
        """Have a booking stay until somebody has looked at its reservation, or at an order that may take it over.

        False if it takes no place any more.
        """
        ...

    async def judge(self, reservation_id: str, verdict: Verdict, look_seconds: float = 0) -> None:
        """Do what a look at the reservation, or its order, has said; look again after so many seconds."""
        ...

    async def due(self, limit: int) -> Sequence[str]:
        """Return reservations that are to be looked at, the longest due first."""
        ...

    async def find(self, reservation_id: str) -> Booking | None:
        """Return the booking of a reservation, None if there never was one, or it was over long ago."""
        ...

    async def taken(self, slots_by_day: Sequence[tuple[int, Sequence[str]]]) -> Sequence[Sequence[int]]:
        """Return, for each day, how many places of each of the slots are taken."""
        ...
