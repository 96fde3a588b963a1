"""Orders of which no problem can be made, found by halves, so that they hold up no other.

Not here: orders that cannot even be read (engine/orders/open.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.errors import InvalidInput
from engine.routing.model import OpenOrder, OrderAllocation

_PLACE = re.compile(r"\$\[(\d+)\]")


def culprits(orders: Sequence[OpenOrder], fails: Callable[[Sequence[OpenOrder]], bool]) -> list[OpenOrder]:
    """Return the orders that fail by themselves; of those that fail only together, none.

    One culprit among n orders takes about 2n in sizes of what is tried.
    """
    if not orders or not fails(orders):
        return []
    if len(orders) == 1:
        return list(orders)
    middle = len(orders) // 2
    return [*culprits(orders[:middle], fails), *culprits(orders[middle:], fails)]


def malformed_of(error: InvalidInput, allocations: Sequence[OrderAllocation]) -> set[str]:
    """Return the orders that a refusal to commit names; none if it names anything else."""
    places = [_PLACE.match(fault.path) for fault in error.faults]
    return {allocations[int(place[1])].order_id for place in places if place} if all(places) else set()
