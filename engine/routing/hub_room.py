"""What is left of stock and of nodes' days, while orders of a plan change over to hubs.

Days on which a node hands over an order of now share what is left on the fullest of them, as in a problem; other days
are counted by themselves. Not here: what a plan leaves (decision.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.network.model import Network
from engine.routing.decision import Left
from engine.routing.model import UsedCapacity
from solvers.problem import UNLIMITED, IntArray

Day = tuple[int, int]
"""A node and the ordinal of a day; `NOW` for the days that a problem knows."""
NOW = 0


@dataclass(slots=True, kw_only=True)
class Use:
    """What parcels take: units of stock entries, and (units, parcels) of nodes on days; -1 is no entry."""

    stock: Counter[int] = field(default_factory=Counter)
    units: Counter[Day] = field(default_factory=Counter)
    parcels: Counter[Day] = field(default_factory=Counter)

    def add(self, day: Day, quantity: int, parcels: int) -> None:
        """Add units and parcels of a node on a day."""
        self.units[day] += quantity
        self.parcels[day] += parcels

    def take(self, entries: Iterable[int], quantity: Iterable[int]) -> None:
        """Add units of stock."""
        for entry, units in zip(entries, quantity, strict=True):
            if entry >= 0:
                self.stock[entry] += units


class Room:
    """What is left; `node` are the network's numbers of the problem's nodes, `days` those on which each ships now."""

    def __init__(
        self,
        left: Left,
        network: Network,
        node: IntArray,
        days: Sequence[set[int]],
        used: Mapping[tuple[str, int], UsedCapacity],
    ) -> None:
        self.stock, self._units, self._parcels = left.stock.copy(), left.units.copy(), left.parcels.copy()
        self._network, self._node, self._days, self._used = network, node, days, used
        self._later: dict[Day, list[int]] = {}

    def day(self, node: int, ordinal: int) -> Day:
        """Return the day under which something counts that leaves a node then."""
        return (node, NOW) if ordinal in self._days[int(self._node[node])] else (node, ordinal)

    def left(self, day: Day) -> tuple[int, int]:
        """Return the units and the parcels that are left of a node's day."""
        node, ordinal = day
        if ordinal == NOW:
            return int(self._units[node]), int(self._parcels[node])
        units, parcels = self._of(day)
        return units, parcels

    def fits(self, use: Use) -> bool:
        """Return whether all of this is left."""
        return all(self.stock[entry] >= units for entry, units in use.stock.items()) and all(
            units <= self.left(day)[0] and use.parcels[day] <= self.left(day)[1] for day, units in use.units.items()
        )

    def take(self, use: Use, sign: int = 1) -> None:
        """Take this, or with -1 give it back."""
        for entry, units in use.stock.items():
            self.stock[entry] -= sign * units
        for day, units in use.units.items():
            node, ordinal = day
            if ordinal == NOW:
                self._units[node] -= sign * units if self._units[node] < UNLIMITED else 0
                self._parcels[node] -= sign * use.parcels[day] if self._parcels[node] < UNLIMITED else 0
            else:
                of_day = self._of(day)
                of_day[0] -= sign * units
                of_day[1] -= sign * use.parcels[day]

    def _of(self, day: Day) -> list[int]:
        """Return what is left of a day that the problem does not know."""
        if day not in self._later:
            n = int(self._node[day[0]])
            used = self._used.get((self._network.node_ids[n], day[1]))
            units, parcels = int(self._network.capacity_units[n]), int(self._network.capacity_parcels[n])
            self._later[day] = [
                UNLIMITED if units < 0 else units - (used.units if used else 0),
                UNLIMITED if parcels < 0 else parcels - (used.parcels if used else 0),
            ]
        return self._later[day]


def entries_of(has: IntArray, lines: Iterable[int]) -> list[int]:
    """Return the stock entries of some lines, by their place in the order."""
    return [int(has[line]) for line in lines]


def places_of(mask: int) -> list[int]:
    """Return the places of the lines in a mask."""
    return np.flatnonzero([mask >> p & 1 for p in range(mask.bit_length())]).tolist()
