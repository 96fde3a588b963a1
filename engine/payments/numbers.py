"""The register of invoices and credit notes: for each series the bills that have its numbers 1, 2, 3, …, none left out.

A number belongs to its bill from the moment on in which it is taken: whoever dies before it is written on the bill, it
is the same one when it is asked for again. Not here: which series there are (numbering.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Protocol

from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("numbers", 1, [files("engine.payments") / "lua" / "numbers.lua"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """A number of a series, and the day on which it was taken."""

    series: str
    number: int
    day: date


class NumberBook(Protocol):
    """Keeps which bill has which number."""

    async def allot(self, series: str, bill_id: str, day: date) -> Allotted:
        """Take the next number of a series for a bill; one that has its number keeps that, whatever is asked for."""
        ...

    async def written(self, bill_id: str) -> None:
        """Forget that a bill waits for its number to be written on it."""
        ...

    async def read(self, series: str, after: int, limit: int) -> Sequence[str]:
        """Return the ids of bills by their numbers in a series, from `after` + 1 on."""
        ...


class MemoryNumberBook:
    """Numbers of one process, gone with it."""

    def __init__(self) -> None:
        self._series: dict[str, list[str]] = {}
        self._open: dict[str, Allotted] = {}

    async def allot(self, series: str, bill_id: str, day: date) -> Allotted:
        """See `NumberBook.allot`."""
        if bill_id not in self._open:
            taken = self._series.setdefault(series, [])
            taken.append(bill_id)
            self._open[bill_id] = Allotted(series=series, number=len(taken), day=day)
        return self._open[bill_id]

    async def written(self, bill_id: str) -> None:
        """See `NumberBook.written`."""
        self._open.pop(bill_id, None)

    async def read(self, series: str, after: int, limit: int) -> Sequence[str]:
        """See `NumberBook.read`."""
        return self._series.get(series, [])[after : after + limit]


class RedisNumberBook:
    """Numbers in the store; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys

    async def allot(self, series: str, bill_id: str, day: date) -> Allotted:
        """See `NumberBook.allot`."""
        keys = [self._keys.named("numbers", series), self._keys.named("numbers_open")]
        given = await self._client.fcall("allot_number_bill_v1", keys, [bill_id, series, day.isoformat()])
        found, number, taken_on = given.decode().split(" ")
        return Allotted(series=found, number=int(number), day=date.fromisoformat(taken_on))

    async def written(self, bill_id: str) -> None:
        """See `NumberBook.written`."""
        await self._client.call("HDEL", self._keys.named("numbers_open"), bill_id)

    async def read(self, series: str, after: int, limit: int) -> Sequence[str]:
        """See `NumberBook.read`."""
        found = await self._client.call("LRANGE", self._keys.named("numbers", series), after, after + limit - 1)
        return [each.decode() for each in found]
