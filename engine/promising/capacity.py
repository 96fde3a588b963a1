"""What nodes of limited capacity are to ship already, as the arrays from which kernels take the first day with room.

Here: reading the load now and then, and its arrays. Not here: who keeps the load (engine/inventory/load.py), the day
that a parcel takes (solvers/promise_dates.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from engine.availability.reference import View
from engine.delivery.day_tables import no_load
from engine.inventory.load import LoadBook, Use
from engine.network.model import Network
from solvers.promise_dates import Load

DAYS = 60
"""So many days from the first of the day tables have a load; those tables start up to 16 days before today."""
FRESH_SECONDS = 0.25
"""How old the load may be that a promise is dated by: it holds nothing, and capacity refuses nothing."""


class Room:
    """Gives the load of now, read again when it is older than `fresh_seconds`; without a book nothing is on its way."""

    def __init__(self, book: LoadBook | None, time: Callable[[], float], fresh_seconds: float = FRESH_SECONDS) -> None:
        self._book = book
        self._time = time
        self._fresh_seconds = fresh_seconds
        self._read_at = -1.0
        self._reading: asyncio.Task[None] | None = None
        """One read for all who find the load old: many promises at once do not ask the store many times."""
        self._network: Network | None = None
        self._first_day = 0
        self._uses: Sequence[Use] = ()
        self._load: Load | None = None
        self._unlimited: tuple[Network, Load] | None = None

    async def at(self, view: View, first_day: int) -> Load:
        """Return the load of a view's nodes, the same object while nothing has changed.

        Days are counted from `first_day`, some days before today.
        """
        network, unlimited = view.network, self._unlimited
        if unlimited is not None and unlimited[0] is network:
            return unlimited[1]
        if not has_limits(network):
            none = no_load(len(network.node_ids))
            self._unlimited = network, none
            return none
        if self._book is not None and self._time() >= self._read_at + self._fresh_seconds:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read(self._book, first_day), name="reading the load")
            await asyncio.shield(self._reading)
        if self._load is None or self._network is not network or self._first_day != first_day:
            self._load = load_of(network, self._uses, first_day)
            self._network, self._first_day = network, first_day
        return self._load

    async def _read(self, book: LoadBook, first_day: int) -> None:
        try:
            uses = await book.read(first_day, DAYS)
            self._read_at = self._time()
            if uses != self._uses:
                self._uses, self._load = uses, None
        finally:
            self._reading = None


def has_limits(network: Network) -> bool:
    """Say whether any node has a capacity."""
    return bool((network.capacity_units >= 0).any() or (network.capacity_parcels >= 0).any())


def load_of(network: Network, uses: Sequence[Use], first_day: int) -> Load:
    """Return what is used as arrays by limited node and day."""
    limited = np.flatnonzero((network.capacity_units >= 0) | (network.capacity_parcels >= 0))
    row = np.full(len(network.node_ids), -1, dtype=np.int64)
    row[limited] = np.arange(len(limited))
    units = np.zeros((len(limited), DAYS), dtype=np.int64)
    parcels = np.zeros_like(units)
    for use in uses:
        node, day = network.index.get(use.node_id, -1), use.day - first_day
        if node >= 0 and row[node] >= 0 and 0 <= day < DAYS:
            units[row[node], day] += use.units
            parcels[row[node], day] += use.parcels
    return Load(row, network.capacity_units[limited], network.capacity_parcels[limited], units, parcels)
