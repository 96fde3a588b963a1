"""Numbers of invoices and credit notes: consecutive by year, each of one bill, whoever dies when."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from engine.orders.facts.shipments import ShipmentState
from engine.orders.paying.billing import NUMBER, billed_cents, bills_of
from engine.orders.paying.values import charged_for_cents
from engine.payments.numbering import BillNumbers
from engine.payments.numbers import LIBRARY, MemoryNumberBook, NumberBook, RedisNumberBook
from engine.storage.client import StoreClient
from engine.storage.functions import ensure
from engine.storage.keys import Keys
from tests.payments.till import Killed, Till

TODAY = date(2026, 11, 23)


@pytest.fixture(params=["memory", "redis"])
async def book(request: pytest.FixtureRequest, client: StoreClient, keys: Keys) -> NumberBook:
    if request.param == "memory":
        return MemoryNumberBook()
    await ensure(client, [LIBRARY])
    return RedisNumberBook(client, keys)


async def test_however_many_ask_at_once_and_again_numbers_have_no_gap(book: NumberBook) -> None:
    """Catches a number that is counted up before it is looked whether the bill has one (seeded)."""
    asked = [f"bill_{number % 20}" for number in range(60)]
    given = await asyncio.gather(*(book.allot("INV-2026", bill_id, TODAY) for bill_id in asked))
    read = await book.read("INV-2026", 0, 100)
    assert sorted(read) == sorted(set(asked))
    assert [read[each.number - 1] for each in given] == asked
    assert await book.read("INV-2026", 5, 2) == read[5:7]


async def test_a_bill_keeps_its_number_over_new_year_until_it_is_written_on_it(book: NumberBook) -> None:
    """Catches a series that is looked for in the year of now (seeded): the old year would have a gap."""
    first = await book.allot("INV-2026", "bill_1", date(2026, 12, 31))
    assert await book.allot("INV-2027", "bill_1", date(2027, 1, 1)) == first
    await book.written("bill_1")
    assert (await book.allot("INV-2027", "bill_2", date(2027, 1, 1))).number == 1


class Dying:
    """A register whose caller dies before or after a call, once, when it is told to."""

    def __init__(self, how: str) -> None:
        self._book, self.how = MemoryNumberBook(), how

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            dies = self.how if self.how.startswith(name) else ""
            if dies:
                self.how = ""
            if dies.endswith("before"):
                raise Killed
            answer = await getattr(self._book, name)(*arguments)
            if dies.endswith("after"):
                raise Killed
            return answer

        return call


@pytest.mark.parametrize("how", ["allot before", "allot after", "written before", "written after"])
async def test_no_number_is_lost_or_given_twice_whenever_the_process_dies(how: str) -> None:
    """Catches a number that belongs to no bill until it is written on it (seeded: a register without open bills)."""
    till, dying = Till(), Dying(how)
    till.effects._handlers[NUMBER] = BillNumbers(dying, till.changes, till.clock).number  # type: ignore[arg-type]
    await till.paid()
    await till.ship(1)
    with pytest.raises(Killed):
        await till.settle()
    till.clock.advance(timedelta(minutes=1))
    await till.ship(3)
    await till.settle()
    order = await till.orders.get("ord_1")
    assert sorted(bill.number for bill in order.life.bills) == ["INV-2026-000001", "INV-2026-000002"]
    assert [bill.total_cents for bill in bills_of(order)] == [1500, 3000]
    assert len(await dying.read("INV-2026", 0, 10)) == 2


async def test_what_is_lost_is_on_a_credit_note_and_on_an_invoice_again_when_it_is_sent_again() -> None:
    till = Till()
    await till.paid()
    await till.ship(3)
    await till.ship(1, then=ShipmentState.LOST)
    order = await till.settle()
    assert [(bill.kind, bill.total_cents) for bill in order.life.bills] == [
        ("invoice", 3500),
        ("invoice", 1000),
        ("credit_note", 1000),
    ]
    assert order.life.bills[2].number == "CN-2026-000001"
    assert billed_cents(order) == charged_for_cents(order) == 3500
