"""Whole documents, versioned: the network, the catalog. What is in them is their owners' business.

Every put bumps one `epoch` in the same step, so that a reader knows with one cheap call whether anything moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from engine.storage.client import StoreClient
from engine.storage.functions import library
from engine.storage.keys import Keys

LIBRARY = library("documents", 1, [files("engine.storage") / "lua" / "documents.lua"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One version (1, 2, …) of a document, as the bytes that were put."""

    version: int
    body: bytes


class DocumentStore(Protocol):
    """Keeps the latest version of each named document."""

    async def put(self, name: str, body: bytes) -> int:
        """Store `body` as the next version of `name`, bump the epoch, and return the version."""
        ...

    async def get(self, name: str) -> Document | None:
        """Return the latest version of `name`, or None if it was never put."""
        ...

    async def epoch(self) -> int:
        """Return the number of puts so far, of all documents."""
        ...


class MemoryDocumentStore:
    """The documents of one process, gone with it; for tests and the simulator."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._epoch = 0

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

    async def epoch(self) -> int:
        """Return the number of puts so far."""
        return self._epoch


class RedisDocumentStore:
    """Documents in the store; needs `LIBRARY` loaded (`functions.ensure`)."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def put(self, name: str, body: bytes) -> int:
        """Store `body` as the next version of `name` and bump the epoch, in one function call."""
        keys = [self._keys.document(name), self._keys.document_epoch]
        return int(await self._client.fcall("allot_put_document_v1", keys, [body]))

    async def get(self, name: str) -> Document | None:
        """Return the latest version of `name`."""
        version, body = await self._client.call("HMGET", self._keys.document(name), "version", "body")
        return None if version is None else Document(version=int(version), body=body)

    async def epoch(self) -> int:
        """Return the number of puts so far."""
        return int(await self._client.call("GET", self._keys.document_epoch) or 0)
