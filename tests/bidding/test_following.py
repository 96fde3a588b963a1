"""Bid prices that are read beside requests: nobody waits for them, and those that are outdated do not count for long.

Another server publishes; the documents of this one answer about bid prices when they are let, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from api.routes.catalog import EXAMPLE as CATALOG
from api.routes.network import EXAMPLE as NETWORK
from engine.availability.reference import Reference, View
from engine.bidding.document import BidPricesDocument
from engine.bidding.following import KnownPrices
from engine.bidding.service import NAME, BidPriceService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.errors import Unavailable
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.documents import Document, MemoryDocumentStore


class SlowDocuments(MemoryDocumentStore):
    """Documents in memory; those of bid prices come when they may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_broken = False

    async def get(self, name: str) -> Document | None:
        if name == NAME:
            await self.may_answer.wait()
            if self.is_broken:
                raise Unavailable("the store does not answer")
        return await super().get(name)


@dataclass
class Server:
    documents: SlowDocuments
    elsewhere: BidPriceService
    own: BidPriceService
    reference: Reference

    async def publish(self, cents: int) -> None:
        """Publish a price of mugs in Reno, from another server."""
        rows = [{"node_id": "reno", "sku": "MUG-RED", "price_cents": cents}]
        await self.elsewhere.put(BidPricesDocument.model_validate({"prices": rows}))

    async def price(self) -> int:
        """Return what a request goes by, which may take no longer than a moment."""
        async with asyncio.timeout(1):
            return cents_of(await self.reference.current())


def cents_of(view: View) -> int:
    return 0 if view.bid_prices is None else view.bid_prices.cents("MUG-RED", "reno")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    documents = SlowDocuments()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    await networks.put(NetworkDocument.model_validate(NETWORK))
    await catalogs.put(CatalogDocument.model_validate(CATALOG))
    own = BidPriceService(documents)
    reference = Reference(documents, networks, catalogs, bid_prices=own)
    yield Server(documents, BidPriceService(documents), own, reference)
    await reference.stop()


async def settled(server: Server) -> None:
    """Wait until what is published has been read."""
    await server.reference.current_with_prices()
    for _ in range(3):
        await asyncio.sleep(0)


async def test_no_request_waits_for_prices_that_are_being_read(server: Server) -> None:
    """Seeded bug: a view that reads prices itself keeps the request waiting for them."""
    await server.publish(100)
    await settled(server)
    assert await server.price() == 100
    server.documents.may_answer.clear()
    await server.publish(200)
    assert await server.price() == 100
    server.documents.may_answer.set()
    await settled(server)
    assert await server.price() == 200


async def test_a_server_that_has_just_started_does_without_them_for_a_moment(server: Server) -> None:
    await server.publish(100)
    server.documents.may_answer.clear()
    assert await server.price() == 0
    server.documents.may_answer.set()
    await settled(server)
    assert await server.price() == 100


async def test_who_must_know_them_waits(server: Server) -> None:
    await server.publish(100)
    server.documents.may_answer.clear()
    waiting = asyncio.create_task(server.reference.current_with_prices())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    server.documents.may_answer.set()
    assert cents_of(await waiting) == 100


async def test_who_publishes_knows_at_once(server: Server) -> None:
    server.documents.may_answer.clear()
    rows = [{"node_id": "reno", "sku": "MUG-RED", "price_cents": 300}]
    await server.own.put(BidPricesDocument.model_validate({"prices": rows}))
    assert await server.price() == 300


async def test_outdated_prices_count_for_a_minute_at_most_and_new_ones_as_soon_as_they_are_read(
    server: Server,
) -> None:
    """Seeded bug: without the limit, a server that cannot read what is published ranks by old prices for ever."""
    seconds = [0.0]
    told: list[int] = []
    known = KnownPrices(
        server.own, lambda: told.append(0 if known.latest is None else 1), retry_seconds=0.001, time=lambda: seconds[0]
    )
    await server.publish(100)
    known.follow(await server.documents.epoch())
    await known.settle()
    assert told == [1]
    server.documents.is_broken = True
    await server.publish(200)
    known.follow(await server.documents.epoch())
    await asyncio.sleep(0.02)
    assert known.latest is not None
    seconds[0] = 61.0
    await asyncio.sleep(0.02)
    assert (known.latest, told) == (None, [1, 0])
    server.documents.is_broken = False
    await known.settle()
    assert known.latest is not None
    assert (known.latest.cents("MUG-RED", "reno"), told) == (200, [1, 0, 1])


async def test_a_document_of_others_that_moves_does_not_have_prices_read_again(server: Server) -> None:
    await server.publish(100)
    await settled(server)
    server.documents.is_broken = True
    await server.documents.put("something", b"else")
    assert cents_of(await server.reference.current_with_prices()) == 100


async def test_many_prices_are_read_as_they_were_published_whatever_their_names(server: Server) -> None:
    """They are decoded in pieces; names have quotes, brackets and commas where one ends."""
    names = [f'a"}},{{"b]{number}\\' for number in range(12_000)]
    rows = [{"node_id": name, "sku": name[::-1], "price_cents": cents} for cents, name in enumerate(names, start=1)]
    await server.elsewhere.put(BidPricesDocument.model_validate({"prices": rows, "forecast_version": 7}))
    found = await server.own.current()
    assert len(found.body) > 3 * 2**18
    assert sum(map(len, found.by_sku.values())) == len(names)
    assert [found.cents(name[::-1], name) for name in names] == list(range(1, len(names) + 1))
    assert found.forecast_version == 7
    await server.elsewhere.put(BidPricesDocument.model_validate({"prices": []}))
    assert dict((await server.own.current()).by_sku) == {}
