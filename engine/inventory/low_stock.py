"""Positions that are low on stock: what is told of them, and the port behind which that is kept.

Stock is low while `available` (on_hand − safety_stock − reserved) is at its threshold or below. Not here: thresholds
(thresholds.py), who reads the journal (low_stock_watch.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.inventory.model import StockView

Place = tuple[str, str]
"""(SKU, node_id)."""
PLENTY = 2**62
"""More than any threshold."""


class LowStockState(StrEnum):
    """What became of a position."""

    LOW = "low"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LowStockEvent:
    """A position that became low, or recovered, numbered from 1 on.

    `available` was there after the journal's `event`, at the time `at`; there is no threshold if it was taken away.
    """

    number: int
    state: LowStockState
    sku: str
    node_id: str
    available: int
    threshold: int | None
    at: datetime
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LowPosition:
    """A position that is low now; `number` is that of the event which said so."""

    number: int
    sku: str
    node_id: str
    available: int
    threshold: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the journal was read, and under which documents."""

    event: int
    documents: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """Counted positions before and after events of the journal, oldest first: one entry each in every array.

    `before` is PLENTY if the position was not counted yet.
    """

    places: Sequence[Place]
    events: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The available units of a position after an event, and its threshold (None: it has none)."""

    sku: str
    node_id: str
    available: int
    threshold: int | None
    at_ms: int
    event: int


class LowStockStore(Protocol):
    """What is low in one partition, and the journal that tells it; every method may raise Unavailable."""

    async def cursor(self) -> Cursor | None:
        """Return how far the journal was read; None before the first time."""
        ...

    async def last_event(self) -> int:
        """Return the number of the last event in the journal."""
        ...

    async def changes(self, after: int, last: int) -> Changes | None:
        """Return what the events after + 1 … last did to counted positions; None if some are no longer kept."""
        ...

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU as it was at one instant."""
        ...

    async def low_places(self) -> Collection[Place]:
        """Return every position that is low."""
        ...

    async def advance(self, cursor: Cursor | None, to: Cursor, readings: Sequence[Reading]) -> bool:
        """Move the cursor, and make an event of each reading that changes the state of its position, in one step.

        Returns False, and does nothing, if the cursor is no longer `cursor`.
        """
        ...

    async def low(self, *, limit: int, after: int) -> Sequence[LowPosition]:
        """Return positions that are low, by number, from after + 1 on; `available` is that of the event."""
        ...

    async def events(self, *, limit: int, before: int | None) -> Sequence[LowStockEvent]:
        """Return events, newest first, those before a number."""
        ...
