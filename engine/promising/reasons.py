"""Why a line is in no option, and when it could arrive by itself.

The first reason that holds is given: no_stock (no node ever has a unit), insufficient_stock (no node ever has enough),
too_far (those that have are beyond reach), no_service (no service carries it there), after_need_by (it would come too
late); the rest could be served alone, but not together: insufficient_stock if lines draw on the same product,
over_max_shipments if parcels are limited, and incomplete if only the whole order may ship.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np

from engine.promising.model import PromiseLine, Reason, UnavailableLine
from engine.promising.programme import Programme, grouped
from engine.promising.request import Asked
from solvers.promise_parcels import INFINITE, NEVER, days_alone, days_covered, price_parcels


def unavailable(asked: Asked, programme: Programme, missing: Iterable[int]) -> tuple[UnavailableLine, ...]:
    """Return the lines numbered in `missing`, each with its reason."""
    alone = {line: _alone(asked, programme, line) for line in sorted(missing)}
    some_cannot = any(reason is not None for reason, _ in alone.values())
    return tuple(
        _unavailable(asked.lines[line], reason or _together(asked, programme, line, some_cannot), day)
        for line, (reason, day) in alone.items()
    )


def _alone(asked: Asked, programme: Programme, line: int) -> tuple[Reason | None, int | None]:
    """Return why a line cannot be served by itself (None if it can), and the day it could arrive."""
    everywhere = asked.nodes
    ask, demand = grouped(programme, [(line,)])
    days = days_alone(demand, everywhere, programme.local_day, programme.atp)
    if not (days < NEVER).any():
        one = np.minimum(demand, 1)
        ever = (days_alone(one, everywhere, programme.local_day, programme.atp) < NEVER).any()
        return ("insufficient_stock" if ever else "no_stock"), None
    days = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
    if not (days < NEVER).any():
        return "too_far", None
    covered = days_covered(days, demand, ask.nodes, programme.local_day, programme.atp)
    parcels = price_parcels(True, NEVER - 1, covered, ask.nodes, ask, programme.cards, programme.days)
    if not (parcels.cost[:, 1] < INFINITE).any():
        return "no_service", None
    day = int(parcels.arrival[:, 1].min())
    return ("after_need_by" if day > asked.need_by else None), day


def _together(asked: Asked, programme: Programme, line: int, some_cannot: bool) -> Reason:
    """Return why a line that could be served by itself is not."""
    if asked.is_complete and some_cannot:
        return "incomplete"
    others = np.delete(programme.demand, line, axis=0)
    if (others[:, programme.demand[line] > 0] > 0).any() and asked.most_parcels >= len(asked.lines):
        return "insufficient_stock"
    return "over_max_shipments"


def _unavailable(line: PromiseLine, reason: Reason, day: int | None) -> UnavailableLine:
    return UnavailableLine(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        reason=reason,
        available_on=None if day is None else date.fromordinal(day),
    )
