"""The steps from stock as read to a promise that is kept, each a plain function of one order.

Here: what is done with an order and in which sequence. Not here: reading and waiting (service.py), who is done when
(together.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET

from engine import tokens
from engine.availability.reference import View
from engine.availability.stock import AtpTable, StockReader
from engine.catalog.model import Catalog
from engine.inventory.model import StockView
from engine.promising.answer import quoted
from engine.promising.kept import with_validity
from engine.promising.model import (
    KeptPromise,
    NotServedBy,
    Option,
    Promise,
    PromiseRequest,
    UnavailableLine,
)
from engine.promising.pegging import with_pegs
from engine.promising.programme import Programme, Tables, build
from engine.promising.reasons import refused
from engine.promising.request import Asked
from engine.promising.slot_options import Offer
from engine.promising.solving import Solved, solved, told
from engine.promising.store import PromiseStore
from solvers.promise_dates import Load

_KEPT_TIMES = 2
"""Promises are kept for so many times their life, so that one that has expired can still be renewed."""

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, kw_only=True, eq=False)
class Work:
    """One order on its way: what was asked and read, and what the steps so far have made of it."""

    request: PromiseRequest
    view: View
    asked: Asked
    stock: StockView
    now: datetime
    load: Load
    offer: Offer | None = None
    table: AtpTable = field(init=False)
    programme: Programme = field(init=False)
    plans: Solved = field(init=False)
    options: tuple[Option, ...] = field(init=False)
    missing: tuple[UnavailableLine, ...] = field(init=False)
    promise: Promise = field(init=False)


class Steps:
    """The steps, with what they share: tables of the network, and where promises are kept."""

    def __init__(
        self,
        promises: PromiseStore,
        ttl_seconds: int,
        new_token: Callable[[], str] = lambda: tokens.new_token(10),
    ) -> None:
        self._promises = promises
        self._ttl_seconds = ttl_seconds
        self._new_token = new_token
        self._reader = StockReader()
        self._tables = Tables()

    def atp(self, stock: StockView, view: View, now: datetime, channel: str | None) -> AtpTable:
        """Return what a channel may take of stock as it was read."""
        return self._reader.read(stock, view, view.days.at(now).local_day, now=now, channel=channel)

    def build(self, work: Work) -> None:
        """Put the order, the network and live ATP into arrays."""
        view, now, asked = work.view, work.now, work.asked
        work.table = self.atp(work.stock, view, now, work.request.channel)
        programme = build(asked, view, work.table, now, self._tables, work.load)
        work.programme = self._tables.valued(programme, asked, view)

    def solve(self, work: Work) -> None:
        """Find the plans; may run in a thread."""
        work.plans = solved(work.asked, work.view, work.programme)

    def tell(self, work: Work) -> None:
        """Put the plans into words; may run in a thread."""
        work.options, work.missing = told(work.plans, work.asked, work.view, work.programme)

    def keep(self, work: Work) -> None:
        """Make the promise, and have it kept if it has options."""
        request, view, now, offer = work.request, work.view, work.now, work.offer
        options, missing = work.options, work.missing
        if offer is not None and options:
            options = offer.told(options, request.slot_days)
            missing = missing if options else refused(work.asked, "no_slot")
        options = with_pegs(options, work.asked, work.stock, work.table, view)
        expires_at = (now + timedelta(seconds=self._ttl_seconds)).replace(microsecond=0)
        options = with_validity(quoted(options, request.quote), view, now, expires_at)
        if offer is not None:
            options = offer.valid(options)
        work.promise = promise = Promise(
            promise_id=f"prm_{int(expires_at.timestamp()):08x}{self._new_token()}",
            as_of=now,
            binding=False,
            expires_at=expires_at,
            options=options,
            unavailable=missing,
            channel=request.channel,
            not_served_by=_not_served_by(work.asked, view) or UNSET,
        )
        if options:
            asked_again = msgspec.structs.replace(request, explain=False) if request.explain else request
            to_keep = promise if offer is None else msgspec.structs.replace(promise, options=_without_slots(options))
            kept = KeptPromise(promise=to_keep, kits=_kits_in(options, view.catalog), request=asked_again)
            self._promises.keep(promise.promise_id, _encode(kept), _KEPT_TIMES * self._ttl_seconds)


def _not_served_by(asked: Asked, view: View) -> tuple[NotServedBy, ...]:
    """Return the services that were allowed, but do not deliver to the address, by name."""
    services = view.network.services
    found = [NotServedBy(service=services[s], cause=cause) for s, cause in asked.not_serving.items()]
    return tuple(sorted(found, key=lambda entry: entry.service))


def _without_slots(options: Sequence[Option]) -> tuple[Option, ...]:
    """Return options as they are kept: which windows are free is looked up again when one is reserved."""
    return tuple(msgspec.structs.replace(option, slots=UNSET) for option in options)


def _kits_in(options: Sequence[Option], catalog: Catalog) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return what the kits among the lines of options come down to."""
    if not catalog.kits:
        return {}
    skus = {line.sku for option in options for shipment in option.shipments for line in shipment.lines}
    return {sku: catalog.content[sku].components for sku in skus if sku in catalog.kits}
