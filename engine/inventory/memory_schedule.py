"""What is scheduled at one position of the in-memory store, found by supply and day: as in lua/schedule.lua.

Not here: ATP and positions (memory_stock.py), what follows from a change (memory_supplies.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

Move = tuple[int, str, int, int]
"""(day ordinal, supply_id or blank, delta before, delta after); negative deltas are of dated demand."""


@dataclass(slots=True)
class Schedule:
    """Supplies by id: (day, units); dated demand by (day, supply it is pegged to or blank): units."""

    supplies: dict[str, tuple[int, int]] = field(default_factory=dict)
    demand: dict[tuple[int, str], int] = field(default_factory=dict)
    pegged: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.supplies) + len(self.demand)

    def entries(self) -> Iterator[tuple[int, int, str]]:
        """Yield (day, delta, supply_id) of each supply and of dated demand."""
        for supply_id, (day, units) in self.supplies.items():
            yield day, units, supply_id
        for (day, supply_id), units in self.demand.items():
            yield day, -units, supply_id

    def put_supply(self, supply_id: str, day: int, units: int) -> list[Move]:
        """Replace a supply, 0 units remove it; return what moved."""
        known = self.supplies.pop(supply_id, None)
        if units:
            self.supplies[supply_id] = (day, units)
        if known is None:
            return [(day, supply_id, 0, units)] if units else []
        if known[0] == day:
            return [(day, supply_id, known[1], units)]
        gone = (known[0], supply_id, known[1], 0)
        return [gone, (day, supply_id, 0, units)] if units else [gone]

    def add_demand(self, day: int, supply_id: str, units: int) -> list[Move]:
        """Add to (or take off) the demand of a day that is pegged to a supply, or to none; return what moved."""
        before = self.demand.pop((day, supply_id), 0)
        after = before + units
        assert after >= 0, (day, supply_id, before, units)
        if after:
            self.demand[day, supply_id] = after
        if supply_id:
            self.pegged[supply_id] += units
            if not self.pegged[supply_id]:
                del self.pegged[supply_id]
        return [(day, supply_id, -before, -after)] if units else []
