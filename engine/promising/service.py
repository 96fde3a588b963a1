"""Promises as a use case: one order in, dated and priced options out, kept so that a reservation can name one.

Here: reading and waiting. Not here: the steps after the read (steps.py), explanations (explaining.py). A promise holds
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from engine import tokens
from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.errors import InvalidInput, NotFound
from engine.inventory.model import StockView
from engine.inventory.slots import SlotBook, WantedSlot
from engine.promising.capacity import Room
from engine.promising.explaining import explain
from engine.promising.kept import check_days, hold_of, option_of, still_valid
from engine.promising.model import KeptPromise, Option, Promise, PromisedHold, PromiseRequest
from engine.promising.pegging import Pegs, has_pegs
from engine.promising.request import understand
from engine.promising.slot_options import slot_by_id, slot_of_option
from engine.promising.slotted import with_slots
from engine.promising.steps import Steps, Work
from engine.promising.store import PromiseStore
from engine.promising.together import Together

DEFAULT_TTL_SECONDS = 900
_LINES_IN_LOOP = 6
"""Orders of more lines are solved in a thread, as they take longer than a loop should be held up."""

_decode = msgspec.json.Decoder(KeptPromise).decode


class ReadsStock(Protocol):
    """Gives live stock; of an inventory, what promises need."""

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of some SKUs."""
        ...


class PromiseService:
    """Answers from live stock; the network and the catalog are checked for news beside the stock read."""

    def __init__(
        self,
        *,
        reference: Reference,
        inventory: ReadsStock,
        promises: PromiseStore,
        clock: Clock,
        room: Room | None = None,
        slots: SlotBook | None = None,
        ttl_seconds: int = DEFAULT_TTL_SECONDS,
        new_token: Callable[[], str] = lambda: tokens.new_token(10),
    ) -> None:
        self._reference = reference
        self._inventory = inventory
        self._promises = promises
        self._clock = clock
        self._steps = steps = Steps(promises, ttl_seconds, new_token)
        self._together = Together([steps.build, steps.solve, steps.tell, steps.keep])
        self._room = room or Room(None, lambda: 0.0)
        self._slots = slots

    async def promise(self, request: PromiseRequest) -> Promise:
        """Return the options of one order and why lines are missing; raises `InvalidInput` with every fault."""
        with self._together.underway():
            view, asked, stock = await self._reference.beside(
                lambda view: understand(request, view, self._clock.now()),
                lambda asked: self._inventory.read(asked.skus),
            )
            now = self._clock.now()
            load = await self._room.at(view, view.days.at(now).calendars.first_day)
            work = Work(request=request, view=view, asked=asked, stock=stock, now=now, load=load)
            if view.network.slots is None and len(asked.lines) <= _LINES_IN_LOOP:
                await self._together.do(work)
            else:
                await self._do_alone(work)
        if request.explain:
            explanation = await asyncio.to_thread(
                explain, asked, view, work.programme, work.table, work.promise.options
            )
            return msgspec.structs.replace(work.promise, explanation=explanation)
        return work.promise

    async def _do_alone(self, work: Work) -> None:
        """Do the steps of an order that has to look at windows on its way, or is long."""
        steps = self._steps
        steps.build(work)
        if work.view.network.slots is not None and self._slots is not None:
            work.programme, work.offer = await with_slots(
                work.programme, work.request, work.view, work.now, self._slots
            )
        for step in (steps.solve, steps.tell):
            if len(work.asked.lines) <= _LINES_IN_LOOP:
                step(work)
            else:
                await asyncio.to_thread(step, work)
        steps.keep(work)

    async def promised_hold(self, promise_id: str, option_id: str, slot_id: str | None = None) -> PromisedHold:
        """Return what a reservation of an option has to hold, kits as their products, its date and its channel.

        Raises `PromiseExpired` or `NotFound` if there is no such promise, `InvalidInput` if it has no such option or
        the slot is not for it, `PromiseStale` if its days cannot be kept any more, `SlotClosed`.
        """
        kept, view = await asyncio.gather(self._kept(promise_id), self._reference.current())
        now = self._clock.now()
        kept = still_valid(kept, promise_id, now)
        option = option_of(kept, option_id)
        check_days(option, view, now)
        pegs = await self._pegs(kept, option, view, now) if has_pegs(option) else None
        hold = hold_of(kept, option, view.catalog, pegs)
        if slot_id is None:
            return hold
        if kept.request is None:
            raise NotFound(f"It is not known what {promise_id} was asked for. Ask for a new promise.")
        return with_slot(hold, slot_of_option(option, kept.request, view, slot_id, now))

    async def slot(self, slot_id: str) -> WantedSlot:
        """Return a window that may be booked now, whoever for; raises `InvalidInput`, `SlotClosed`."""
        return slot_by_id(await self._reference.current(), slot_id, self._clock.now())

    async def _pegs(self, kept: KeptPromise, option: Option, view: View, now: datetime) -> Pegs:
        """Return what an option may count on now: supplies may have come, moved or been pegged since."""
        lines = [line for shipment in option.shipments for line in shipment.lines]
        skus = sorted({sku for line in lines for sku, _ in kept.kits.get(line.sku, ((line.sku, 1),))})
        stock, channel = await self._inventory.read(skus), kept.promise.channel
        return Pegs(stock, self._steps.atp(stock, view, now, channel), view)

    async def fresh(self, promise_id: str) -> Promise | None:
        """Return a new promise for what a stale one was asked for; None if that is not known or not valid any more."""
        kept = await self._kept(promise_id)
        if kept is None or kept.request is None:
            return None
        try:
            return await self.promise(kept.request)
        except (InvalidInput, NotFound):
            return None

    async def _kept(self, promise_id: str) -> KeptPromise | None:
        body = await self._promises.find(promise_id)
        return None if body is None else _decode(body)


def with_slot(hold: PromisedHold, slot: WantedSlot) -> PromisedHold:
    """Return what to hold together with a window, which is then what is promised."""
    return msgspec.structs.replace(hold, slot=slot, promised_on=date.fromordinal(slot.day))
