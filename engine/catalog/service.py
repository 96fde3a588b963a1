"""The catalog as a use case: put a document, get the compiled catalog of the moment.

One compiled catalog is kept; it is compiled again when the store's epoch has moved.
"""

from __future__ import annotations

from engine.catalog.checks import check_catalog
from engine.catalog.document import CatalogDocument
from engine.catalog.model import Catalog, compile_catalog
from engine.errors import InvalidInput, NotFound
from engine.storage.documents import DocumentStore

NAME = "catalog"


class CatalogService:
    """Puts and serves the catalog document."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._catalog: Catalog | None = None
        self._epoch = -1

    async def put(self, document: CatalogDocument) -> int:
        """Check and store a document and return its version; `InvalidInput` with every fault, nothing stored."""
        faults = check_catalog(document)
        if faults:
            raise InvalidInput(faults)
        return await self._documents.put(NAME, document.model_dump_json(by_alias=True).encode())

    async def current(self, epoch: int | None = None) -> Catalog:
        """Return the catalog as last put, `NotFound` before the first; pass the store's `epoch` to save asking."""
        now = await self._documents.epoch() if epoch is None else epoch
        if self._catalog is None or self._epoch != now:
            found = await self._documents.get(NAME)
            if found is None:
                raise NotFound("There is no catalog yet; put one with PUT /v1/catalog.")
            if self._catalog is None or self._catalog.version != found.version:
                document = CatalogDocument.model_validate_json(found.body)
                self._catalog = compile_catalog(document, found.version)
            self._epoch = now
        return self._catalog
