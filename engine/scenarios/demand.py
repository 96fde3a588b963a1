"""Where the orders of a story come from: days that were recorded, or days drawn from patterns, one at a time.

Not here: reading recorded orders (recorded.py), what a draw is (generated.py), changes of demand (demand_changes.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.special import ndtri, pdtrik

from engine.catalog.document import CatalogDocument
from engine.network.document import NetworkDocument
from engine.scenarios.compiled_patterns import Patterns, compile_patterns
from engine.scenarios.generated import Draws
from engine.scenarios.order_tables import between
from engine.scenarios.orders import Demand, OrderTable, ReturnTable
from engine.scenarios.patterns import PatternsDocument
from engine.scenarios.story import DAY_SECONDS
from engine.scenarios.streams import uniforms

POOL_ORDERS = 20_000
_POOL_KEYS = 2**62
_KEYS_PER_DAY = 2**32


class DemandWithPool(Demand, Protocol):
    """A demand that can also give orders like its own, for a change that adds some."""

    def pool(self, replication: int) -> OrderTable:
        """Return orders to take new ones from."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedDemand:
    """The orders and returns of days that were recorded: every replication has the same.

    `inputs` are the files that were read, with their SHA-256.
    """

    table: OrderTable
    returned: ReturnTable | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    def orders(self, replication: int, day: int) -> OrderTable:  # noqa: ARG002 - recorded days are what they are
        """Return the orders of one day, as they were recorded."""
        return between(self.table, day * DAY_SECONDS, (day + 1) * DAY_SECONDS)

    def returns(self, day: int) -> ReturnTable | None:
        """Return the recorded returns of one day; None if returns were not recorded."""
        if self.returned is None:
            return None
        first, last = np.searchsorted(self.returned.returned_s, [day * DAY_SECONDS, (day + 1) * DAY_SECONDS]).tolist()
        return replace(
            self.returned,
            returned_s=self.returned.returned_s[first:last],
            sku=self.returned.sku[first:last],
            quantity=self.returned.quantity[first:last],
        )

    def pool(self, replication: int) -> OrderTable:  # noqa: ARG002
        """Return all orders."""
        return self.table

    @property
    def skus(self) -> Sequence[str]:
        """Every SKU that is ordered."""
        return self.table.skus

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that orders come from."""
        return self.table.channels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GeneratedDemand:
    """Orders drawn from patterns; each depends on the seed, the replication and its own key only.

    A day's orders have the keys of day and number: with more of them a day, those that were there stay as they are.
    """

    patterns: Patterns
    seed: int
    starts_on: date

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of one day."""
        keys = day * _KEYS_PER_DAY + np.arange(self.count(replication, day))
        drawn = Draws(self.patterns, self.seed, replication).orders(keys, self._weekday(day))
        return replace(drawn, placed_s=drawn.placed_s + day * DAY_SECONDS)

    def count(self, replication: int, day: int) -> int:
        """Return how many orders a day has: Poisson, times a log-normal factor of mean 1 where days differ more.

        By inversion, so that a day with a higher mean has more orders, never fewer.
        """
        mean = float(self.patterns.orders_per_day[self._weekday(day)])
        if self.patterns.variation:
            normal = ndtri(self._uniform(replication, "demand.variation", day))
            mean *= np.exp(self.patterns.variation * normal - self.patterns.variation**2 / 2)
        if self.patterns.is_exact or mean == 0:
            return round(mean)
        return max(0, int(np.ceil(pdtrik(self._uniform(replication, "demand.count", day), mean))))

    def returns(self, day: int) -> None:
        """Return None: returns are drawn from deliveries."""

    def pool(self, replication: int) -> OrderTable:
        """Return orders of no day, drawn from the patterns."""
        keys = _POOL_KEYS + np.arange(POOL_ORDERS)
        return Draws(self.patterns, self.seed, replication).orders(keys, self._weekday(0))

    @property
    def skus(self) -> Sequence[str]:
        """Every SKU that may be ordered."""
        return self.patterns.skus

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that orders may come from."""
        return self.patterns.channels

    def _weekday(self, day: int) -> int:
        return (self.starts_on.weekday() + day) % 7

    def _uniform(self, replication: int, cause: str, day: int) -> float:
        return float(uniforms(self.seed, replication, cause, day)[0])


def generated_demand(
    document: PatternsDocument,
    *,
    seed: int,
    starts_on: date,
    network: NetworkDocument,
    catalog: CatalogDocument,
    folder: Path = Path(),
) -> GeneratedDemand:
    """Return demand drawn from patterns; raises InvalidInput with paths from `$`, or of a file of places."""
    patterns = compile_patterns(document, network, catalog, folder)
    return GeneratedDemand(patterns=patterns, seed=seed, starts_on=starts_on)
