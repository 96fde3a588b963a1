"""What a KPI is; the table of all of them, and those of a replication, are in kpis.py.

What has no denominator is None: a story without deliveries has no share on time. Solver times are no KPIs, so that
results stay the same to the byte. Not here: sums (counts.py), intervals over replications (intervals.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from engine.scenarios.story import Story
from engine.simulation.counts import Counts
from engine.simulation.facts import Ledger
from engine.simulation.tally import Tally


class Unit(StrEnum):
    """What the number of a KPI counts."""

    CENTS = "cents"
    SHARE = "share"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"
    KM = "km"


class Better(StrEnum):
    """Which way a KPI is better; of some neither is."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What formulas read: the tally of one replication, its books, and what of a price is margin."""

    tally: Tally
    ledger: Ledger
    margin_share: float

    @property
    def counts(self) -> Counts:
        """The sums of the tally."""
        return self.tally.counts


Formula = Callable[[Figures], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI: `formula` says in words what `value` computes."""

    name: str
    group: str
    unit: Unit
    better: Better
    formula: str
    value: Formula


def margin_share(story: Story) -> float:
    """Return what of a price is margin: of the products that have price and cost, all counting alike; 1 if none has."""
    known = [
        (product.price_cents, product.cost_cents)
        for product in story.world.catalog.products
        if product.price_cents and product.cost_cents is not None
    ]
    prices = sum(price for price, _ in known)
    return 1.0 - sum(cost for _, cost in known) / prices if prices else 1.0
