from __future__ import annotations

import asyncio

import pytest

from engine.storage.client import StoreClient
from engine.storage.documents import (
    LIBRARY,
    Document,
    DocumentStore,
    MemoryDocumentStore,
    RedisDocumentStore,
)
from engine.storage.functions import ensure
from engine.storage.keys import Keys


@pytest.fixture(params=["memory", "redis"])
async def documents(request: pytest.FixtureRequest, client: StoreClient, keys: Keys) -> DocumentStore:
    if request.param == "memory":
        return MemoryDocumentStore()
    await ensure(client, [LIBRARY])
    return RedisDocumentStore(client, keys)


async def test_a_document_that_was_never_put_is_none(documents: DocumentStore) -> None:
    assert await documents.get("network") is None
    assert await documents.epoch() == 0


async def test_each_put_is_the_next_version_and_keeps_every_byte(documents: DocumentStore) -> None:
    body = bytes(range(256))
    assert await documents.put("network", b"{}") == 1
    assert await documents.put("network", body) == 2
    assert await documents.get("network") == Document(version=2, body=body)


async def test_the_epoch_moves_with_every_put_of_any_document(documents: DocumentStore) -> None:
    await documents.put("network", b"a")
    await documents.put("catalog", b"b")
    await documents.put("network", b"c")
    assert await documents.epoch() == 3
    assert (await documents.get("catalog")) == Document(version=1, body=b"b")


async def test_concurrent_puts_get_versions_of_their_own(documents: DocumentStore) -> None:
    """Catches a put made of a read and a write in two calls: versions would repeat and the epoch would lag."""
    versions = await asyncio.gather(*(documents.put("network", b"%d" % n) for n in range(50)))
    assert sorted(versions) == list(range(1, 51))
    assert await documents.epoch() == 50
    latest = await documents.get("network")
    assert latest == Document(version=50, body=b"%d" % versions.index(50))


async def test_tenants_do_not_see_each_other(client: StoreClient, keys: Keys) -> None:
    await ensure(client, [LIBRARY])
    mine, theirs = RedisDocumentStore(client, keys), RedisDocumentStore(client, Keys("somebody-else"))
    await mine.put("network", b"mine")
    assert await theirs.get("network") is None


async def test_every_version_of_a_document_in_a_collection_is_kept_as_it_was(documents: DocumentStore) -> None:
    """Catches a store that keeps the latest only, as it does of documents that are put."""
    bodies = [bytes(range(256)), b"", b"{}"]
    assert [await documents.add("policies", "peak", body) for body in bodies] == [1, 2, 3]
    found = [await documents.find("policies", "peak", version) for version in (1, 2, 3, None)]
    expected = [Document(version=n, body=body) for n, body in enumerate(bodies, 1)]
    assert found == [*expected, expected[-1]]


@pytest.mark.parametrize("version", [0, 2, -1, None])
async def test_a_version_that_was_never_added_is_none(version: int | None, documents: DocumentStore) -> None:
    await documents.add("policies", "peak", b"{}")
    name = "base" if version is None else "peak"
    assert await documents.find("policies", name, version) is None


async def test_names_of_a_collection_have_versions_of_their_own_and_move_no_epoch(documents: DocumentStore) -> None:
    for collection, name in (("policies", "peak"), ("policies", "base"), ("policies", "peak"), ("others", "peak")):
        await documents.add(collection, name, b"{}")
    assert await documents.names("policies") == {"peak": 2, "base": 1}
    assert await documents.names("nothing") == {}
    assert await documents.epoch() == 0


async def test_concurrent_additions_lose_none(documents: DocumentStore) -> None:
    """Catches a version that is read and then written in two calls: two would have the same, and one body be lost."""
    versions = await asyncio.gather(*(documents.add("policies", "peak", b"%d" % n) for n in range(50)))
    assert sorted(versions) == list(range(1, 51))
    for n, version in enumerate(versions):
        assert await documents.find("policies", "peak", version) == Document(version=version, body=b"%d" % n)
