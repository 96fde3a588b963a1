"""Notice templates as a use case: put the document, get it. Not here: writing letters with it (letters.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.notices.document import NoticeDocument
from engine.notices.letters import check_templates
from engine.storage.documents import DocumentStore

NAME = "notice_templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeVersion:
    """A version of the document, 0 before the first."""

    version: int = 0
    document: NoticeDocument = field(default_factory=NoticeDocument)


class NoticeTemplates:
    """Puts and serves the notice templates of a tenant."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._known: NoticeVersion | None = None

    async def put(self, document: NoticeDocument) -> NoticeVersion:
        """Check and keep the document in place of the one before; raises InvalidInput with every fault."""
        check_templates(document)
        version = await self._documents.put(NAME, document.model_dump_json(exclude_unset=True).encode())
        return NoticeVersion(version=version, document=document)

    async def current(self) -> NoticeVersion:
        """Return the document of now; what is in it is read once for each version."""
        known, version = self._known, await self._documents.version(NAME)
        if version is None:
            return NoticeVersion()
        if known is None or known.version != version:
            found = await self._documents.get(NAME)
            assert found is not None
            known = NoticeVersion(version=found.version, document=NoticeDocument.model_validate_json(found.body))
            self._known = known
        return known
