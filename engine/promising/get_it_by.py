"""Get it by: for product pages, when one unit of each SKU could arrive at a place, and what that costs.

Answers from a table that is refreshed with stock, so a page costs no read of the store and a small part of a promise.
It claims what a promise of one line made from the same stock would give, no more: the date of its fastest option and of
its cheapest. SKUs with rules of their own (kits, quotas, made to order, least quantities, margins that are refused) are
promised, from the same stock. Not here: the table (shelf.py, lanes.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from engine.availability.reference import Reference, View
from engine.availability.selection import select_contents
from engine.availability.stock import StockReader
from engine.catalog.model import Catalog, Content
from engine.clock import Clock
from engine.errors import Fault, InvalidInput
from engine.inventory.store import InventoryStore
from engine.network.days import NEVER
from engine.network.document import ServiceLevel
from engine.promising.capacity import Room
from engine.promising.lanes import Lanes, Offer
from engine.promising.model import Destination, Name, Option, PromiseRequest, Reason, WantedLine
from engine.promising.programme import Tables, build
from engine.promising.request import Asked, understand
from engine.promising.shelf import Shelf, ShelfKeeper, is_alike
from engine.promising.solving import answered
from solvers.promise_dates import Load

MOST_SKUS = 500
_SKUS_IN_LOOP = 20
_MOST_PLACES = 10_000


class PageLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SKU of the page, product or kit."""

    sku: Name


class GetItByRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which SKUs, to which place; for whom, from which nodes and by which service levels, as of a promise."""

    lines: Annotated[tuple[PageLine, ...], Meta(min_length=1, max_length=MOST_SKUS)]
    destination: Destination
    channel: Name | None = None
    group: Name | None = None
    service_levels: Annotated[tuple[ServiceLevel, ...], Meta(min_length=1, max_length=16)] | None = None


class DatedCost(Struct, frozen=True, kw_only=True):
    """A day on which one unit could arrive, and what that costs in all."""

    promised_on: date
    total_cost_cents: int


class GetItByLine(Struct, frozen=True, kw_only=True):
    """One SKU: the earliest day, and the cheapest way; both null, with the reason, if nobody can bring a unit."""

    sku: str
    earliest: DatedCost | None
    cheapest: DatedCost | None
    reason: Reason | None = None


class GetItBy(Struct, frozen=True, kw_only=True):
    """The answer, from stock as it was at `as_of`; it holds nothing."""

    as_of: datetime
    binding: bool
    lines: tuple[GetItByLine, ...]


class GetItByService:
    """Answers product pages from memory; the first call reads all stock once."""

    def __init__(
        self,
        *,
        reference: Reference,
        inventory: InventoryStore,
        clock: Clock,
        room: Room | None = None,
        refresh_seconds: float = 1.0,
    ) -> None:
        self._keeper = ShelfKeeper(
            reference=reference, inventory=inventory, clock=clock, refresh_seconds=refresh_seconds
        )
        self._clock = clock
        self._room = room or Room(None, lambda: 0.0)
        self._page: _Page | None = None

    async def get_it_by(self, request: GetItByRequest) -> GetItBy:
        """Return the days of each SKU; raises `InvalidInput` with every fault, paths as of a promise."""
        if len(request.lines) > MOST_SKUS:
            message = f"has {len(request.lines)} lines; a call takes at most {MOST_SKUS}, make several"
            raise InvalidInput(Fault(path="$.lines", message=message))
        page = self._page_of(await self._keeper.current())
        now = self._clock.now()
        try:
            contents, asked = page.understand(request, now)
        except InvalidInput:
            newer = self._page_of(await self._keeper.current(is_new=True))
            if newer.view is page.view:
                raise
            page = newer
            contents, asked = page.understand(request, now)
        page.load = await self._room.at(page.view, page.view.days.at(now).calendars.first_day)
        if len(contents) > _SKUS_IN_LOOP:
            return await asyncio.to_thread(page.answer, request, contents, asked, now)
        return page.answer(request, contents, asked, now)

    def _page_of(self, shelf: Shelf) -> _Page:
        page = self._page
        if page is None or not is_alike(page.view, shelf.view):
            page = self._page = _Page(shelf.view)
        page.shelf = shelf
        return page


class _Page:
    """What is known of one view of the network and the catalog; the shelf changes below it."""

    shelf: Shelf
    load: Load

    def __init__(self, view: View) -> None:
        self.view = view
        self._lanes = Lanes(view)
        self._reader = StockReader()
        self._tables = Tables()
        self._places: dict[object, Asked] = {}
        policy, catalog = view.network.policy, view.catalog
        self._is_judged = policy.unprofitable == "refuse" and bool(catalog.costs)

    def understand(self, request: GetItByRequest, now: datetime) -> tuple[list[Content], Asked]:
        """Return what the SKUs come down to, and the place as a promise sees it; raises InvalidInput."""
        faults: list[Fault] = []
        contents = select_contents([line.sku for line in request.lines], self.view.catalog, faults)
        if faults:
            contents = []
        place = _place_of(request)
        asked = self._places.get(place)
        if asked is None:
            sku = request.lines[0].sku if contents else next(iter(self.view.catalog.content))
            promise = _promise_request(request, sku)
            try:
                asked = understand(promise, self.view, now)
            except InvalidInput as error:
                raise InvalidInput([*faults, *error.faults]) from None
            if len(self._places) >= _MOST_PLACES:
                self._places = {}
            self._places[place] = asked
        if faults:
            raise InvalidInput(faults)
        return contents, asked

    def answer(self, request: GetItByRequest, contents: Sequence[Content], asked: Asked, now: datetime) -> GetItBy:
        """Return the days of every line."""
        shelf, place = self.shelf, _place_of(request)
        lines = tuple(
            self._line(line.sku, content, request, asked, place, shelf, now)
            for line, content in zip(request.lines, contents, strict=True)
        )
        return GetItBy(as_of=shelf.as_of, binding=False, lines=lines)

    def _line(
        self,
        sku: str,
        content: Content,
        request: GetItByRequest,
        asked: Asked,
        place: object,
        shelf: Shelf,
        now: datetime,
    ) -> GetItByLine:
        row = shelf.rows.get(sku)
        if row is None or row in shelf.ruled or self._is_judged or _has_rules(sku, content, self.view.catalog):
            return self._promised(sku, request, shelf, now)
        if not asked.unlikely.size and not (shelf.first_day[row, asked.nodes] < NEVER).any():
            return GetItByLine(sku=sku, earliest=None, cheapest=None, reason="no_stock")
        lanes = self._lanes.of(place, asked, sku, now, self.load)
        found = lanes.best(shelf.first_day[row, lanes.nodes])
        if found is None or asked.most_parcels < 1:
            return self._promised(sku, request, shelf, now)  # for the reason
        earliest, cheapest = found
        return GetItByLine(sku=sku, earliest=_dated(earliest), cheapest=_dated(cheapest))

    def _promised(self, sku: str, request: GetItByRequest, shelf: Shelf, now: datetime) -> GetItByLine:
        """Return what a promise of one unit from the stock of the shelf says."""
        asked = understand(_promise_request(request, sku), self.view, now)
        table = shelf.table(asked.skus, self._reader, now=now, channel=request.channel)
        programme = build(asked, self.view, table, now, self._tables, self.load)
        options, missing = answered(asked, self.view, programme)
        if not options:
            return GetItByLine(sku=sku, earliest=None, cheapest=None, reason=missing[0].reason)
        earliest = min(options, key=lambda option: (option.promised_on, option.total_cost_cents))
        cheapest = min(options, key=lambda option: (option.total_cost_cents, option.promised_on))
        return GetItByLine(sku=sku, earliest=_of_option(earliest), cheapest=_of_option(cheapest))


def _has_rules(sku: str, content: Content, catalog: Catalog) -> bool:
    """Say whether more counts for a SKU than stock of one unit and freight."""
    return content.components != ((sku, 1),) or sku in catalog.making_days or sku in catalog.quantities


def _place_of(request: GetItByRequest) -> object:
    return request.destination, request.group, request.service_levels, request.channel


def _promise_request(request: GetItByRequest, sku: str) -> PromiseRequest:
    return PromiseRequest(
        lines=(WantedLine(sku=sku, quantity=1),),
        destination=request.destination,
        channel=request.channel,
        group=request.group,
        service_levels=request.service_levels,
    )


def _dated(offer: Offer) -> DatedCost:
    return DatedCost(promised_on=date.fromordinal(offer.arrives_on), total_cost_cents=offer.cost_cents)


def _of_option(option: Option) -> DatedCost:
    return DatedCost(promised_on=option.promised_on, total_cost_cents=option.total_cost_cents)
