"""Puts documents into an engine's services, in the order in which they refer to each other.

Checked as a whole before anything is written: `check_documents` puts them into services in memory first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from msgspec import structs

from engine.catalog.service import CatalogService
from engine.errors import InvalidInput, NotFound
from engine.faults import prefixed
from engine.integrations.documents_folder import Documents
from engine.inventory.service import InventoryService
from engine.network.service import NetworkService
from engine.orders.service import OrderService

POSITIONS_AT_ONCE = 2_000


class Services(Protocol):
    """What documents are put into; `engine.bootstrap.Engine` is one."""

    @property
    def network(self) -> NetworkService:
        """The network."""

    @property
    def catalog(self) -> CatalogService:
        """The catalog."""

    @property
    def inventory(self) -> InventoryService:
        """Live stock."""

    @property
    def orders(self) -> OrderService:
        """Orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How much was put."""

    positions: int
    supplies: int
    orders: int


async def put_documents(
    documents: Documents, services: Services, progress: Callable[[int], None] = lambda _: None
) -> Loaded:
    """Put everything; `progress` hears how many positions are in.

    Raises InvalidInput with the file before each JSON path, and what the services raise.
    """
    if documents.network is not None:
        await _named("network.json", services.network.put(documents.network))
    if documents.catalog is not None:
        await _named("catalog.json", services.catalog.put(documents.catalog))
    for start in range(0, len(documents.positions), POSITIONS_AT_ONCE):
        part = documents.positions[start : start + POSITIONS_AT_ONCE]
        await _named(f"positions.json, entries from {start}", services.inventory.put_positions(part))
        progress(start + len(part))
    if documents.supplies:
        await _named("supplies.json", services.inventory.put_supplies(documents.supplies))
    if documents.orders:
        await _named("orders.json", services.orders.capture_many(documents.orders))
    return Loaded(positions=len(documents.positions), supplies=len(documents.supplies), orders=len(documents.orders))


async def check_documents(documents: Documents, scratch: Services, current: Services) -> None:
    """Raise InvalidInput if `documents` do not fit together, or not with what `current` has; nothing is kept.

    `scratch` are services in memory; versions and reservations, which only the store knows, are not looked at.
    """
    network, catalog = documents.network, documents.catalog
    try:
        if network is None:
            await scratch.network.put((await current.network.current()).document)
        if catalog is None:
            await scratch.catalog.put((await current.catalog.current()).document)
    except NotFound as missing:
        message = f"{missing} Add network.json and catalog.json to the folder."
        raise NotFound(message) from None
    timeless = replace(
        documents,
        positions=tuple(structs.replace(count, expected_version=None) for count in documents.positions),
        orders=tuple(replace(order, reservation_id=None) for order in documents.orders),
    )
    await put_documents(timeless, scratch)


async def _named(file: str, work: Awaitable[object]) -> None:
    """Do the work, and put the file's name before the places of its faults."""
    try:
        await work
    except InvalidInput as error:
        raise InvalidInput(prefixed(error.faults, file)) from None
