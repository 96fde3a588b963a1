"""The book of promotions: which policy of which simulation went live, by whom and when; entries never change.

Each is a version of a document of its own, so that the event feed tells of it (`document.added`, `promotions/POLICY`).
Not here: promoting (engine/simulation/promoting.py).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.storage.documents import DocumentStore

COLLECTION = "promotions"


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """One promotion; `network_version` is None if the network was left as it was."""

    policy_id: str
    version: int
    """Of the policy that was put; 0 if it states nothing of routing runs."""
    network_version: int | None
    network_fields: list[str]
    who: str
    at: datetime
    story: str
    story_sha256: str
    story_policy: str
    results_sha256: str
    forced: bool
    """The live network was not the one of the simulation, and somebody said that it did not matter."""


class Promotions:
    """Keeps promotions, by policy."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def add(self, promotion: Promotion) -> int:
        """Keep an entry and return its number among those of its policy."""
        return await self._documents.add(COLLECTION, promotion.policy_id, msgspec.json.encode(promotion))

    async def all(self) -> list[Promotion]:
        """Return every entry, the oldest first."""
        found: list[Promotion] = []
        for policy_id, latest in (await self._documents.names(COLLECTION)).items():
            for number in range(1, latest + 1):
                entry = await self._documents.find(COLLECTION, policy_id, number)
                if entry is not None:
                    found.append(msgspec.json.decode(entry.body, type=Promotion))
        return sorted(found, key=lambda each: (each.at, each.policy_id))
