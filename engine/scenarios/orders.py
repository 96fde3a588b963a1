"""The orders of a story as arrays, and what gives them: recorded days, or patterns to draw from.

Not here: how they are drawn (demand.py), what the simulator does with them (engine/simulation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderTable:
    """Orders by instant, and their lines: those of order o are `first_line[o]` to `first_line[o + 1]`.

    `placed_s` is seconds since the story's start, not falling; `need_by_days` counts days from the day of the order,
    −1: whenever. `key` numbers orders for random draws: it stays the same when a change adds or takes away others. SKUs
    of an order differ. Kits are SKUs like any other.
    """

    key: Integers
    placed_s: Integers
    latitude: Floats
    longitude: Floats
    place: Integers
    """Index into `postal_codes`, −1: coordinates only."""
    channel: Integers
    need_by_days: Integers
    first_line: Integers
    sku: Integers
    quantity: Integers
    skus: tuple[str, ...]
    channels: tuple[str, ...]
    postal_codes: tuple[tuple[str, str], ...] = ()
    """(country, postal code)."""
    order_ids: tuple[str, ...] | None = None
    """Those of recorded orders."""

    def __len__(self) -> int:
        """Return how many orders there are."""
        return len(self.placed_s)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReturnTable:
    """Units that come back on recorded days, of no order that is known: they are restocked where it costs least."""

    returned_s: Integers
    sku: Integers
    quantity: Integers
    skus: tuple[str, ...]


class Demand(Protocol):
    """Gives the orders of days; the same replication gives the same orders, under every policy."""

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of one day of the story (0, 1, …), placed from its midnight on."""
        ...

    def returns(self, day: int) -> ReturnTable | None:
        """Return the recorded returns of a day; None where returns are drawn from deliveries."""
        ...

    @property
    def skus(self) -> Sequence[str]:
        """Every SKU that may be ordered."""
        ...

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that orders may come from."""
        ...
