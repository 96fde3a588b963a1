"""Searching orders as a use case: what is asked becomes terms, and the rarest of them leads through the index.

Orders of a common SKU in a rare state are found by the state, and the other way round. A search looks at so many orders
at most, so that it takes milliseconds whatever is asked; where it ends before that, it says where to go on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from engine.errors import Fault, InvalidInput, NotFound, Unavailable
from engine.faults import nearest
from engine.orders.model import Order, OrderState
from engine.search.entries import found_order
from engine.search.files import IndexFolder
from engine.search.index import IndexReader, place_of
from engine.search.model import FoundOrders, Question
from engine.search.terms import Kind, Terms

_MOST_LOOKED_AT = 3000
_COUNTED = 2000
"""Terms of more orders count as equally common; those of a kind that few orders share come first."""
_THREADS = 2
_FIRST, _LAST = 0, 2**62


class OrderSearch:
    """Searches the orders of one tenant."""

    def __init__(
        self, folder: IndexFolder, terms: Callable[[], Awaitable[Terms]], order: Callable[[str], Awaitable[Order]]
    ) -> None:
        """Take where the index is, what makes its terms, and what reads an order of the store."""
        self._folder, self._terms, self._order = folder, terms, order
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="search")
        self._mine = threading.local()

    async def find(self, question: Question) -> FoundOrders:
        """Return orders, the newest first.

        Raises InvalidInput for what nothing can be found by, and Unavailable while there is no index yet.
        """
        terms = await self._terms()
        wanted = _wanted(question, terms)
        states = [terms.of(Kind.STATE, state) for state in question.states]
        number = None if question.starting_after is None else terms.of(Kind.NUMBER, question.starting_after)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._search, question, wanted, states, number)
        if question.number and not found.orders and question.starting_after is None:
            return await self._just_captured(question, found)
        return found

    async def over(self, before: datetime, most: int) -> list[str]:
        """Return ids of orders that are over, and were last changed before an instant; none while there is no index."""
        if self._folder.current() is None:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._reader().over(_milliseconds(before), most))

    def stop(self) -> None:
        """Stop the threads that search."""
        self._threads.shutdown(cancel_futures=True)

    async def _just_captured(self, question: Question, found: FoundOrders) -> FoundOrders:
        """Ask the store for an order that the index does not have yet."""
        assert question.number is not None
        others = (question.customer, question.phone, question.email, question.sku, question.channel, question.from_at)
        if any(other is not None for other in others) or question.states or question.until is not None:
            return found
        with suppress(NotFound):
            order = await self._order(question.number.strip())
            return FoundOrders(
                orders=(found_order(order, order.captured.captured_at),), next_id=None, as_of=found.as_of
            )
        return found

    def _search(
        self, question: Question, wanted: Sequence[int], states: Sequence[int], number: int | None
    ) -> FoundOrders:
        """Search in a thread."""
        as_of, index = self._folder.as_of(), self._reader()
        least = _FIRST if question.from_at is None else place_of(_milliseconds(question.from_at))
        below = _LAST if question.until is None else place_of(_milliseconds(question.until))
        if number is not None:
            assert question.starting_after is not None
            below = min(below, _after(index, number, question.starting_after))
        ways = [[*wanted, state] for state in states] or [[*wanted]]
        found: list[int] = []
        floor: int | None = None
        for way in ways:
            ranked = sorted(way, key=lambda term: index.count(term, least, below, _COUNTED)) if len(way) > 1 else way
            places, last = index.places(
                ranked, least, below, limit=question.limit + 1, most_looked_at=_MOST_LOOKED_AT // len(ways)
            )
            found += places
            floor = last if floor is None else max(floor, last or _FIRST)
        sure = sorted((place for place in found if floor is None or place >= floor), reverse=True)
        page = sure[: question.limit]
        last_place = page[-1] if len(sure) > len(page) else floor
        return FoundOrders(
            orders=tuple(index.orders(page)),
            next_id=None if last_place is None else index.order_id(last_place),
            as_of=as_of,
        )

    def _reader(self) -> IndexReader:
        """Return this thread's reader of the index that is in use."""
        path = self._folder.current()
        if path is None:
            raise Unavailable("The index of orders is being made; search again in a while.")
        mine: tuple[Path, IndexReader] | None = getattr(self._mine, "reader", None)
        if mine is None or mine[0] != path:
            if mine is not None:
                mine[1].close()
            mine = self._mine.reader = path, IndexReader(path)
        return mine[1]


def _wanted(question: Question, terms: Terms) -> list[int]:
    """Return the terms that an order has to have all of, those of few orders first."""
    asked = {
        Kind.NUMBER: question.number,
        Kind.PHONE: question.phone,
        Kind.EMAIL: question.email,
        Kind.CUSTOMER: question.customer,
        Kind.SKU: question.sku,
        Kind.CHANNEL: question.channel,
    }
    faults = [
        Fault(
            path="query.state", message=f"{state!r} is no state; {nearest(state, [each.value for each in OrderState])}"
        )
        for state in question.states
        if state not in set(OrderState)
    ]
    if faults:
        raise InvalidInput(faults)
    return [terms.of(kind, value) for kind, value in asked.items() if value is not None]


def _after(index: IndexReader, number: int, order_id: str) -> int:
    place = index.place(number, order_id)
    if place is None:
        message = f"{order_id!r} is no order of the index; give `next` of the answer before, or leave it out"
        raise InvalidInput(Fault(path="query.starting_after", message=message))
    return place


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
