"""Whole documents, versioned: the network, the catalog, policies. What is in them is their owners' business.

Of a document that is `put`, the latest version is kept; every put bumps one `epoch` in the same step, so that a reader
knows with one cheap call whether anything moved. Of one that is `added` to a collection, every version is kept as it is
for good; that bumps no epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from engine.events.actor import actor
from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("documents", 1, [files("engine.storage") / "lua" / "documents.lua"], revision=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One version (1, 2, …) of a document, as the bytes that were put."""

    version: int
    body: bytes


class DocumentStore(Protocol):
    """Keeps the latest version of each named document, and every version of those in collections."""

    async def put(self, name: str, body: bytes) -> int:
        """Store `body` as the next version of `name`, bump the epoch, and return the version."""
        ...

    async def get(self, name: str) -> Document | None:
        """Return the latest version of `name`, or None if it was never put."""
        ...

    async def version(self, name: str) -> int | None:
        """Return the latest version of `name` without its body, or None if it was never put."""
        ...

    async def epoch(self) -> int:
        """Return the number of puts so far, of all documents."""
        ...

    async def add(self, collection: str, name: str, body: bytes) -> int:
        """Keep `body` beside the earlier versions of `name`, as the next one, and return the version."""
        ...

    async def find(self, collection: str, name: str, version: int | None = None) -> Document | None:
        """Return a version of `name`, by default the latest, or None if there is none such."""
        ...

    async def names(self, collection: str) -> dict[str, int]:
        """Return the latest version of every name in a collection."""
        ...


class MemoryDocumentStore:
    """The documents of one process, gone with it; for tests and the simulator."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._epoch = 0
        self._collections: dict[str, dict[str, list[bytes]]] = {}

    async def put(self, name: str, body: bytes) -> int:
        """Store `body` as the next version of `name`."""
        current = self._documents.get(name)
        version = current.version + 1 if current else 1
        self._documents[name] = Document(version=version, body=bytes(body))
        self._epoch += 1
        return version

    async def get(self, name: str) -> Document | None:
        """Return the latest version of `name`."""
        return self._documents.get(name)

    async def version(self, name: str) -> int | None:
        """Return the latest version of `name`."""
        found = self._documents.get(name)
        return None if found is None else found.version

    async def epoch(self) -> int:
        """Return the number of puts so far."""
        return self._epoch

    async def add(self, collection: str, name: str, body: bytes) -> int:
        """Keep `body` as the next version of `name`."""
        versions = self._collections.setdefault(collection, {}).setdefault(name, [])
        versions.append(bytes(body))
        return len(versions)

    async def find(self, collection: str, name: str, version: int | None = None) -> Document | None:
        """Return a version of `name`, by default the latest."""
        versions = self._collections.get(collection, {}).get(name, [])
        wanted = len(versions) if version is None else version
        return Document(version=wanted, body=versions[wanted - 1]) if 0 < wanted <= len(versions) else None

    async def names(self, collection: str) -> dict[str, int]:
        """Return the latest version of every name."""
        return {name: len(versions) for name, versions in self._collections.get(collection, {}).items()}


class RedisDocumentStore:
    """Documents in the store; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def put(self, name: str, body: bytes) -> int:
        """Store `body` as the next version of `name` and bump the epoch, in one function call."""
        keys = [self._keys.document(name), self._keys.document_epoch]
        return int(await self._client.fcall("allot_put_document_v1", keys, [body, actor()]))

    async def get(self, name: str) -> Document | None:
        """Return the latest version of `name`."""
        version, body = await self._client.call("HMGET", self._keys.document(name), "version", "body")
        return None if version is None else Document(version=int(version), body=body)

    async def version(self, name: str) -> int | None:
        """Return the latest version of `name`."""
        found = await self._client.call("HGET", self._keys.document(name), "version")
        return None if found is None else int(found)

    async def epoch(self) -> int:
        """Return the number of puts so far."""
        return int(await self._client.call("GET", self._keys.document_epoch) or 0)

    async def add(self, collection: str, name: str, body: bytes) -> int:
        """Keep `body` as the next version of `name`, in one function call."""
        keys = [self._keys.collection(collection), self._keys.versions(collection, name)]
        return int(await self._client.fcall("allot_add_document_v1", keys, [name, body, actor()]))

    async def find(self, collection: str, name: str, version: int | None = None) -> Document | None:
        """Return a version of `name`, by default the latest; one that is there never changes."""
        wanted = version
        if wanted is None:
            latest = await self._client.call("HGET", self._keys.collection(collection), name)
            if latest is None:
                return None
            wanted = int(latest)
        body = await self._client.call("HGET", self._keys.versions(collection, name), str(wanted))
        return None if body is None else Document(version=wanted, body=body)

    async def names(self, collection: str) -> dict[str, int]:
        """Return the latest version of every name."""
        found = await self._client.call("HGETALL", self._keys.collection(collection))
        return {name.decode(): int(version) for name, version in zip(found[::2], found[1::2], strict=True)}
