"""The tax table as a use case: put it, get it, and the one in force without asking for it.

Orders keep the tax that they were captured with. Not here: what is in it (taxes.py).
"""

from __future__ import annotations

import msgspec

from engine.errors import InvalidInput, NotFound
from engine.orders.paying.taxes import Taxes, TaxTable, tax_faults
from engine.storage.documents import DocumentStore

NAME = "tax_rates"
_decode, _encode = msgspec.json.Decoder(TaxTable).decode, msgspec.json.Encoder().encode


class TaxRates:
    """Puts and serves the tax table of a tenant."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._known: tuple[int, Taxes | None] | None = None

    async def put(self, table: TaxTable) -> int:
        """Keep a table as the next version, for orders captured from now on; raises InvalidInput with every fault."""
        faults = tax_faults(table)
        if faults:
            raise InvalidInput(faults)
        return await self._documents.put(NAME, _encode(table))

    async def get(self) -> tuple[int, TaxTable]:
        """Return the version in force and the table; raises NotFound."""
        found = await self._documents.get(NAME)
        if found is None:
            raise NotFound("There are no tax rates yet, and nothing is taxed; put some with PUT /v1/tax-rates.")
        return found.version, _decode(found.body)

    async def at(self, epoch: int) -> Taxes | None:
        """Return the table in force at an epoch of documents, None before the first; it is read once for each."""
        known = self._known
        if known is None or known[0] != epoch:
            found = await self._documents.get(NAME)
            known = self._known = epoch, None if found is None else Taxes(_decode(found.body))
        return known[1]
