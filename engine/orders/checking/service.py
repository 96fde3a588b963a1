"""The order policy as a use case: put a version, get one, and the one in force without asking for it.

Every version is kept as it is for good, and orders name the one by which they were checked. Not here: what its rules
find (checks.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from engine.errors import NotFound
from engine.orders.checking.document import NO_POLICY, OrderPolicyDocument
from engine.orders.checking.recent import looks_back
from engine.storage.documents import DocumentStore

COLLECTION, NAME = "order_policies", "order-policy"
_MARK = "order_policy"
"""A document that says which version was put last: it moves the epoch, by which readers know that there is news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPolicy:
    """A version of the order policy, 0 before the first; `back` is how far its rules look back."""

    version: int = 0
    document: OrderPolicyDocument = NO_POLICY
    back: Mapping[str, timedelta] = field(default_factory=dict)


class OrderPolicies:
    """Puts and serves the order policy of a tenant."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._known: tuple[int, OrderPolicy] | None = None

    async def put(self, document: OrderPolicyDocument) -> OrderPolicy:
        """Keep a document as the next version, in force for all orders that are captured from now on."""
        body = document.model_dump_json(exclude_unset=True, exclude={"version"}).encode()
        version = await self._documents.add(COLLECTION, NAME, body)
        await self._documents.put(_MARK, str(version).encode())
        return _policy(version, body)

    async def get(self, version: int | None = None) -> OrderPolicy:
        """Return a version, by default the latest; raises NotFound."""
        found = await self._documents.find(COLLECTION, NAME, version)
        if found is None:
            latest = (await self._documents.names(COLLECTION)).get(NAME)
            remedy = "put one first" if latest is None else f"it has versions 1 to {latest}"
            which = "order policy" if version is None else f"version {version} of the order policy"
            raise NotFound(f"There is no {which}; {remedy}.")
        return _policy(found.version, found.body)

    async def at(self, epoch: int) -> OrderPolicy:
        """Return the one in force at an epoch of documents; it is read once for each."""
        known = self._known
        if known is None or known[0] != epoch:
            found = await self._documents.find(COLLECTION, NAME)
            policy = OrderPolicy() if found is None else _policy(found.version, found.body)
            known = self._known = epoch, policy
        return known[1]

    async def current(self) -> OrderPolicy:
        """Return the one in force now."""
        return await self.at(await self._documents.epoch())


def _policy(version: int, body: bytes) -> OrderPolicy:
    document = OrderPolicyDocument.model_validate_json(body)
    return OrderPolicy(version=version, document=document, back=looks_back(document))
