"""Promises as a use case: one order in, dated and priced options out, kept so that a reservation can name one.

Not here: the programme (programme.py), words (answer.py), reasons (reasons.py). A promise holds nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import msgspec
from msgspec import UNSET

from engine.availability.reference import Reference, View
from engine.availability.stock import StockReader
from engine.catalog.model import Catalog
from engine.clock import Clock
from engine.errors import InvalidInput, NotFound
from engine.inventory.slots import SlotBook, WantedSlot
from engine.inventory.store import InventoryStore
from engine.promising.answer import quoted
from engine.promising.capacity import Room
from engine.promising.explaining import explain
from engine.promising.kept import check_days, hold_of, option_of, still_valid, with_validity
from engine.promising.model import KeptPromise, NotServedBy, Option, Promise, PromisedHold, PromiseRequest
from engine.promising.pegging import Pegs, has_pegs, with_pegs
from engine.promising.programme import Tables, build
from engine.promising.reasons import refused
from engine.promising.request import Asked, understand
from engine.promising.slot_options import slot_by_id, slot_of_option
from engine.promising.slotted import with_slots
from engine.promising.solving import answered
from engine.promising.store import PromiseStore

DEFAULT_TTL_SECONDS = 900
_KEPT_TIMES = 2
"""Promises are kept for so many times their life, so that one that has expired can still be renewed."""
_LINES_IN_LOOP = 6
"""Orders of more lines are solved in a thread, as they take longer than a loop should be held up."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeptPromise).decode


class PromiseService:
    """Answers from live stock; the network and the catalog are checked for news beside the stock read."""

    def __init__(
        self,
        *,
        reference: Reference,
        inventory: InventoryStore,
        promises: PromiseStore,
        clock: Clock,
        room: Room | None = None,
        slots: SlotBook | None = None,
        ttl_seconds: int = DEFAULT_TTL_SECONDS,
        new_token: Callable[[], str] = lambda: secrets.token_hex(10),
    ) -> None:
        self._reference = reference
        self._inventory = inventory
        self._promises = promises
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._new_token = new_token
        self._reader = StockReader()
        self._tables = Tables()
        self._room = room or Room(None, lambda: 0.0)
        self._slots = slots

    async def promise(self, request: PromiseRequest) -> Promise:
        """Return the options of one order and why lines are missing; raises `InvalidInput` with every fault."""
        view, asked, stock = await self._reference.beside(
            lambda view: understand(request, view, self._clock.now()), lambda asked: self._inventory.read(asked.skus)
        )
        now = self._clock.now()
        load = await self._room.at(view, view.days.at(now).calendars.first_day)
        table = self._reader.read(stock, view, view.days.at(now).local_day, now=now, channel=request.channel)
        programme = self._tables.valued(build(asked, view, table, now, self._tables, load), asked, view)
        offer = None
        if view.network.slots is not None and self._slots is not None:
            programme, offer = await with_slots(programme, request, view, now, self._slots)
        if len(asked.lines) <= _LINES_IN_LOOP:
            options, missing = answered(asked, view, programme)
        else:
            options, missing = await asyncio.to_thread(answered, asked, view, programme)
        if offer is not None and options:
            options = offer.told(options, request.slot_days)
            missing = missing if options else refused(asked, "no_slot")
        options = with_pegs(options, asked, stock, table, view)
        expires_at = (now + timedelta(seconds=self._ttl_seconds)).replace(microsecond=0)
        options = with_validity(quoted(options, request.quote), view, now, expires_at)
        if offer is not None:
            options = offer.valid(options)
        promise = Promise(
            promise_id=f"prm_{int(expires_at.timestamp()):08x}{self._new_token()}",
            as_of=now,
            binding=False,
            expires_at=expires_at,
            options=options,
            unavailable=missing,
            channel=request.channel,
            not_served_by=_not_served_by(asked, view) or UNSET,
        )
        if options:
            asked_again = msgspec.structs.replace(request, explain=False) if request.explain else request
            to_keep = promise if offer is None else msgspec.structs.replace(promise, options=_without_slots(options))
            kept = KeptPromise(promise=to_keep, kits=_kits_in(options, view.catalog), request=asked_again)
            self._promises.keep(promise.promise_id, _encode(kept), _KEPT_TIMES * self._ttl_seconds)
        if request.explain:
            explanation = await asyncio.to_thread(explain, asked, view, programme, table, options)
            return msgspec.structs.replace(promise, explanation=explanation)
        return promise

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
        table = self._reader.read(stock, view, view.days.at(now).local_day, now=now, channel=channel)
        return Pegs(stock, table, view)

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


def _not_served_by(asked: Asked, view: View) -> tuple[NotServedBy, ...]:
    """Return the services that were allowed, but do not deliver to the address, by name."""
    services = view.network.services
    found = [NotServedBy(service=services[s], cause=cause) for s, cause in asked.not_serving.items()]
    return tuple(sorted(found, key=lambda entry: entry.service))


def with_slot(hold: PromisedHold, slot: WantedSlot) -> PromisedHold:
    """Return what to hold together with a window, which is then what is promised."""
    return msgspec.structs.replace(hold, slot=slot, promised_on=date.fromordinal(slot.day))


def _without_slots(options: Sequence[Option]) -> tuple[Option, ...]:
    """Return options as they are kept: which windows are free is looked up again when one is reserved."""
    return tuple(msgspec.structs.replace(option, slots=UNSET) for option in options)


def _kits_in(options: Sequence[Option], catalog: Catalog) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return what the kits among the lines of options come down to."""
    if not catalog.kits:
        return {}
    skus = {line.sku for option in options for shipment in option.shipments for line in shipment.lines}
    return {sku: catalog.content[sku].components for sku in skus if sku in catalog.kits}
