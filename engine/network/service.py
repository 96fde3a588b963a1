"""The network as a use case: put a document, get the compiled network of the moment, without nodes switched off.

One compiled network is kept, with its days; it is compiled again when the store's epoch has moved.
"""

from __future__ import annotations

from engine.errors import InvalidInput, NotFound
from engine.network.checks import check_network
from engine.network.closures import NAME as CLOSED
from engine.network.closures import closed_ids, with_closed
from engine.network.days import NetworkDays
from engine.network.document import NetworkDocument
from engine.network.model import Network, compile_network
from engine.storage.documents import DocumentStore

NAME = "network"


class NetworkService:
    """Puts and serves the network document."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._days: NetworkDays | None = None
        self._epoch = -1

    async def put(self, document: NetworkDocument) -> int:
        """Check and store a document and return its version; `InvalidInput` with every fault, nothing stored."""
        faults = check_network(document)
        if faults:
            raise InvalidInput(faults)
        return await self._documents.put(NAME, document.model_dump_json(by_alias=True).encode())

    async def current(self) -> Network:
        """Return the network as last put; `NotFound` before the first."""
        return (await self.days()).network

    async def days(self, epoch: int | None = None) -> NetworkDays:
        """Return the current network with its days; pass the store's `epoch` if it is known to save asking."""
        now = await self._documents.epoch() if epoch is None else epoch
        if self._days is None or self._epoch != now:
            found = await self._documents.get(NAME)
            if found is None:
                raise NotFound("There is no network yet; put one with PUT /v1/network.")
            if self._days is None or self._days.network.version != found.version:
                document = NetworkDocument.model_validate_json(found.body)
                self._days = NetworkDays(compile_network(document, found.version))
            off = await self._documents.get(CLOSED)
            network = with_closed(self._days.network, closed_ids(None if off is None else off.body))
            if network is not self._days.network:
                self._days = self._days.of(network)
            self._epoch = now
        return self._days
