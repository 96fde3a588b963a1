"""Keeps booked windows in line with reservations and the orders that take them over: two steps that may die in between.

A place is taken before the stock is held, and goes back by itself; so who dies in between leaves nothing for good. It
is kept before the reservation is confirmed, or taken over by an order, and from then on freed by nobody but who has
looked at what became of those. Looks are taken every second, by every server. Not here: the rules of places
(lua/slots/slots.lua), which windows there are (engine/network/slots.py).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from engine.clock import Clock
from engine.errors import AllotError, IllegalState, NotFound, SlotFull, Unavailable
from engine.inventory.model import Hold, Outcome, Replay, Reservation, ReservationState
from engine.inventory.slots import SLOT_PREFIX, BookedSlot, Booking, SlotBook, Verdict, WantedSlot
from engine.inventory.store import InventoryStore

log = logging.getLogger("allot.slots")

GRACE_SECONDS = 60.0
"""A place outlives the reservation that is about to be made by so much; then it gets the same deadline."""
LOOK_AGAIN_SECONDS = 600.0
_OVER = (ReservationState.CANCELLED, ReservationState.EXPIRED)

Step = Callable[[], Awaitable[Outcome[Reservation]]]


class TakenOver(Protocol):
    """What the desk has to know of an order."""

    @property
    def first_reservation_id(self) -> str | None:
        """The reservation that the order took over when it was captured."""

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""


def has_slot(reservation_id: str) -> bool:
    """Say whether a reservation may have booked a window; its id tells."""
    return reservation_id.startswith(SLOT_PREFIX)


def slot_reservation_id(replay: Replay | None) -> str:
    """Return an id for a reservation with a slot: a request that comes again finds the place that it has taken."""
    if replay is None:
        return SLOT_PREFIX + secrets.token_hex(12)
    return SLOT_PREFIX + sha256(f"{replay.digest}\0{replay.fingerprint}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDesk:
    """The steps of reservations with a window; `order` raises NotFound for one that was not captured."""

    book: SlotBook
    stock: InventoryStore
    order: Callable[[str], Awaitable[TakenOver]]
    clock: Clock
    grace_seconds: float = GRACE_SECONDS

    async def reserve(self, hold: Hold, wanted: WantedSlot, step: Step, replay: Replay | None) -> Outcome[Reservation]:
        """Take a place, then hold the stock by `step`; raises SlotFull, and what `step` raises."""
        reservation_id = hold.reservation_id
        found = await self.book.take(reservation_id, wanted, hold.ttl_seconds + self.grace_seconds)
        if found == "settled":
            return await step()  # answered as before
        if found == "lost":
            raise await self._lost(reservation_id, wanted.booked.slot_id)
        held = await self._held_before(replay) if found == "full" else None
        if found == "full" and held is None:
            raise SlotFull(wanted.booked.slot_id)
        try:
            held = held or await step()
        except Unavailable:
            raise  # it may have been held; the place goes back by itself unless the request comes again
        except AllotError:
            await self._quietly(self.book.judge(reservation_id, "gone"))
            raise
        expires_at = held.value.expires_at
        deadline_ms = 0 if expires_at is None else round(expires_at.timestamp() * 1000)
        if not await self.book.settle(reservation_id, deadline_ms, wanted.capacity):
            raise await self._lost(reservation_id, wanted.booked.slot_id)
        return held

    async def confirm(self, reservation_id: str, step: Step) -> Outcome[Reservation]:
        """Keep the place, then confirm; raises IllegalState if the place is gone, though stock is held still."""
        if not await self.book.keep(reservation_id):
            await self._refuse_without_place(reservation_id)
        return await self._reviewed_if_refused(reservation_id, step)

    async def extend(self, reservation_id: str, ttl_seconds: float, step: Step) -> Outcome[Reservation]:
        """Have the place last longer, then extend; raises IllegalState as `confirm` does."""
        if not await self.book.prolong(reservation_id, ttl_seconds + self.grace_seconds):
            await self._refuse_without_place(reservation_id)
        return await self._reviewed_if_refused(reservation_id, step)

    async def cancel(self, step: Step) -> Outcome[Reservation]:
        """Cancel, then free the place if nothing is reserved any more."""
        cancelled = await step()
        if cancelled.value.state in _OVER:
            await self.let_go(cancelled.value.reservation_id)
        return cancelled

    async def take_over(self, reservation_id: str, order_id: str) -> None:
        """Keep the place for an order that is about to be captured; raises IllegalState as `confirm` does."""
        if not await self.book.keep(reservation_id, order_id):
            await self._refuse_without_place(reservation_id)

    async def let_go(self, reservation_id: str) -> None:
        """Free the place if the reservation, or the order that took it over, is over; a failure is left to a look."""
        await self._quietly(self.review(reservation_id))

    async def settled(self, held: Outcome[Reservation], slot_id: str) -> Outcome[Reservation]:
        """Return what was held before, if its place is settled, or can be now; else give it back and raise SlotFull.

        For who comes again with a request that cannot be understood any more, as its promise has expired.
        """
        reservation_id, expires_at = held.value.reservation_id, held.value.expires_at
        deadline_ms = 0 if expires_at is None else round(expires_at.timestamp() * 1000)
        if not await self.book.settle(reservation_id, deadline_ms, 0):
            raise await self._lost(reservation_id, slot_id)
        return held

    async def slot_of(self, reservation: Reservation, *, is_now: bool = False) -> BookedSlot | None:
        """Return the window that a reservation was made with; with `is_now`, not one that it has lost since.

        The answer to a key that comes back is that of then, whatever became of the place.
        """
        if not has_slot(reservation.reservation_id):
            return None
        booking = await self.book.find(reservation.reservation_id)
        if booking is None or not booking.is_settled:
            return None
        is_open = reservation.state in (ReservationState.HELD, ReservationState.CONFIRMED)
        return None if is_now and is_open and not booking.is_live else booking.booked

    async def look_again(self, limit: int = 100) -> int:
        """Look at what became of bookings that are due for it; return how many there were."""
        ids = await self.book.due(limit)
        for reservation_id in ids:
            await self.review(reservation_id)
        return len(ids)

    async def review(self, reservation_id: str) -> None:
        """Look at a reservation, and its order, and free or keep its place."""
        booking = await self.book.find(reservation_id)
        if booking is None:
            await self.book.judge(reservation_id, "look")
        else:
            await self.book.judge(reservation_id, *await self._truth(reservation_id, booking))

    async def _truth(self, reservation_id: str, booking: Booking) -> tuple[Verdict, float]:
        """Return what is to become of a booking, and in how many seconds to look again."""
        now = self.clock.now()
        for order_id in booking.order_ids:
            try:
                order = await self.order(order_id)
            except NotFound:
                continue
            if order.first_reservation_id == reservation_id:
                if order.is_cancelled:
                    return "gone", 0
                return ("final" if booking.booked.ends <= now else "keep"), LOOK_AGAIN_SECONDS
        try:
            reservation = await self.stock.get_reservation(reservation_id)
        except NotFound:  # never made; or forgotten, and then nobody knows whether it was consumed or cancelled
            return ("look" if booking.is_settled else "gone"), LOOK_AGAIN_SECONDS
        if reservation.state in _OVER:
            return "gone", 0
        if reservation.state is ReservationState.CONSUMED or booking.booked.ends <= now:
            return "final", 0
        if reservation.state is ReservationState.CONFIRMED:
            return "keep", LOOK_AGAIN_SECONDS
        left = 0.0 if reservation.expires_at is None else (reservation.expires_at - now).total_seconds()
        return "look", min(max(left, 0.5), LOOK_AGAIN_SECONDS)

    async def _held_before(self, replay: Replay | None) -> Outcome[Reservation] | None:
        """Return what was held under this key by who died before it was settled; raises what the key was answered."""
        before = None if replay is None else await self.stock.recall(replay)
        if before is None or not isinstance(before.value, Reservation):
            return None
        return Outcome(value=before.value, replayed=True)

    async def _lost(self, reservation_id: str, slot_id: str) -> SlotFull:
        """Give the stock back that was held without a place, and return the refusal."""
        await self._quietly(self.stock.cancel(reservation_id))
        return SlotFull(slot_id, is_recorded=True)

    async def _refuse_without_place(self, reservation_id: str) -> None:
        """Raise IllegalState if a reservation holds stock and has lost its place; else the next step says what is."""
        booking = await self.book.find(reservation_id)
        if booking is None or booking.is_live or not booking.is_settled:
            return
        try:
            reservation = await self.stock.get_reservation(reservation_id)
        except NotFound:
            return
        if reservation.state is ReservationState.HELD:
            slot_id = booking.booked.slot_id
            raise IllegalState(f"{reservation_id} does not hold {slot_id} any more. Cancel it, and reserve again.")

    async def _reviewed_if_refused(self, reservation_id: str, step: Step) -> Outcome[Reservation]:
        try:
            return await step()
        except Unavailable:
            raise
        except AllotError:
            await self.let_go(reservation_id)
            raise

    async def _quietly(self, work: Awaitable[object]) -> None:
        """Do what a later look would do too; a failure is logged."""
        try:
            await work
        except AllotError as error:
            log.warning("a slot is not freed now, but when it is looked at: %s", error)
