"""Learned lead times as a use case: put a learned file, get the one that promises use."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.calibration.lead_times import LeadTimes
from engine.calibration.learned import LearnedDocument, check_learned
from engine.errors import InvalidInput, NotFound
from engine.storage.documents import DocumentStore

NAME = "lead_times"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredLeadTimes:
    """One version of the learned file, as it was put and to be asked."""

    version: int
    body: bytes
    lead_times: LeadTimes


class LeadTimeService:
    """Puts and serves the learned file; the one of the moment is kept, and read again when the epoch has moved."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._stored: StoredLeadTimes | None = None
        self._epoch = -1

    async def put(self, document: LearnedDocument) -> int:
        """Check and store a learned file and return its version; `InvalidInput` with every fault, nothing stored."""
        faults = check_learned(document)
        if faults:
            raise InvalidInput(faults)
        return await self._documents.put(NAME, document.model_dump_json(exclude_none=True).encode())

    async def current(self, epoch: int | None = None) -> StoredLeadTimes:
        """Return the learned file as last put; `NotFound` before the first."""
        found = await self.find(epoch)
        if found is None:
            raise NotFound("There are no lead times yet; put a file of allot calibrate with PUT /v1/lead-times.")
        return found

    async def find(self, epoch: int | None = None) -> StoredLeadTimes | None:
        """Return the learned file, None before the first; pass the store's `epoch` if it is known."""
        now = await self._documents.epoch() if epoch is None else epoch
        if self._epoch != now:
            found = await self._documents.get(NAME)
            if found is not None and (self._stored is None or self._stored.version != found.version):
                lead_times = LeadTimes(json.loads(found.body))
                self._stored = StoredLeadTimes(version=found.version, body=found.body, lead_times=lead_times)
            self._epoch = now
        return self._stored
