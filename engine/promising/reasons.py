"""Why a line is in no option, and when it could arrive by itself.

The first reason that holds is given: below_minimum, not_a_multiple (rules of the product), no_stock (no node ever has a
unit), insufficient_stock (no node ever has enough), low_acceptance (of those that may be used, but vendors that refuse
too many orders have it), too_far (those that have are beyond reach, or that of services), handling (nodes that have it,
or services there, do not take its handling classes), not_served (services that could carry it do not deliver to such an
address), no_service (no service carries it there), no_slot (one does, and has no window with a place left),
no_capacity (one does, but the nodes that have it ship nothing), after_need_by (it would come too late); the rest could
be served alone, but not together: insufficient_stock if lines draw on the same product, over_max_shipments if parcels
are limited, and incomplete if only the whole order may ship. Of a kit that may be split, the first reason of any of its
products counts. Last, unprofitable: the policy refuses every option.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import get_args

import numpy as np
from msgspec import structs

from engine.delivery.day_tables import no_load
from engine.promising.gathering import alone_by_hub
from engine.promising.model import Reason, UnavailableLine
from engine.promising.programme import Programme, grouped
from engine.promising.request import Asked
from solvers.problem import IntArray
from solvers.promise_dates import NEVER
from solvers.promise_freight import Cards
from solvers.promise_parcels import INFINITE, Ask, days_alone, days_covered, price_parcels

_RANK = {reason: place for place, reason in enumerate(get_args(Reason))}


def unavailable(asked: Asked, programme: Programme, missing: Iterable[int]) -> tuple[UnavailableLine, ...]:
    """Return the lines numbered in `missing`, each with its reason."""
    alone = {
        line: (asked.terms.barred[line], None) if line in asked.terms.barred else _alone(asked, programme, line)
        for line in sorted(missing)
    }
    some_cannot = any(reason is not None for reason, _ in alone.values())
    found = {
        line: (reason or _together(asked, programme, line, some_cannot), day) for line, (reason, day) in alone.items()
    }
    kits = {line: min(kit) for kit in asked.terms.whole for line in kit}
    for line in [line for line in found if kits.get(line, line) != line]:
        first = kits[line]
        if first in found:
            found[first] = min(found[first], found[line], key=lambda one: _RANK[one[0]])
        del found[line]
    return tuple(_unavailable(asked, line, reason, day) for line, (reason, day) in found.items())


def refused(asked: Asked, reason: Reason) -> tuple[UnavailableLine, ...]:
    """Return every line of an order all of whose options are refused: by the policy, or for they share no window."""
    firsts = {min(kit) for kit in asked.terms.whole}
    lines = [i for i, line in enumerate(asked.lines) if line.kit is None or i in firsts]
    return tuple(_unavailable(asked, line, reason, None) for line in lines)


def _alone(asked: Asked, programme: Programme, line: int) -> tuple[Reason | None, int | None]:
    """Return why a line cannot be served by itself (None if it can), and the day it could arrive."""
    everywhere = asked.nodes
    ask, demand = grouped(programme, [(line,)])
    days = days_alone(demand, everywhere, programme.local_day, programme.atp)
    if not (days < NEVER).any():
        if (days_alone(demand, asked.unlikely, programme.local_day, programme.atp) < NEVER).any():
            return "low_acceptance", None
        one = np.minimum(demand, 1)
        ever = (days_alone(one, everywhere, programme.local_day, programme.atp) < NEVER).any()
        return ("insufficient_stock" if ever else "no_stock"), None
    days = days_alone(demand, ask.nodes, programme.local_day, programme.atp)
    by_hub = int(alone_by_hub(programme, ask, demand)[2].min(initial=NEVER))
    if not (days < NEVER).any() and by_hub >= NEVER:
        return "too_far", None
    covered = days_covered(days, demand, ask.nodes, programme.local_day, programme.atp)
    parcels = price_parcels(True, NEVER - 1, covered, ask.nodes, ask, programme.cards, programme.days)
    if not (parcels.cost[:, 1] < INFINITE).any() and by_hub >= NEVER:
        return _without_parcel(asked, programme, ask, covered), None
    day = min(int(parcels.arrival[:, 1].min(initial=NEVER)), by_hub)
    return ("after_need_by" if day > asked.need_by else None), day


def _together(asked: Asked, programme: Programme, line: int, some_cannot: bool) -> Reason:
    """Return why a line that could be served by itself is not."""
    if asked.is_complete and some_cannot:
        return "incomplete"
    others = np.delete(programme.demand, line, axis=0)
    if (others[:, programme.demand[line] > 0] > 0).any() and asked.most_parcels >= len(asked.lines):
        return "insufficient_stock"
    classes = programme.ask.goods.handling
    if classes.shape[0] and len(set(classes.tolist())) > 1 and asked.most_parcels >= len(asked.lines):
        return "handling"
    return "over_max_shipments"


def _without_parcel(asked: Asked, programme: Programme, ask: Ask, covered: IntArray) -> Reason:
    """Return why no service carries a line that is there."""
    if _is_refused(programme, ask, covered):
        return "handling"
    if asked.not_serving:
        others = np.array(list(asked.not_serving), dtype=np.int64)
        if _has_parcel(programme, ask._replace(services=others), covered, programme.cards):
            return "not_served"
    if programme.anywhere is not programme.cards and _has_parcel(programme, ask, covered, programme.anywhere):
        return "too_far"
    free = programme.without_slots
    if free is not None and _has_parcel(free, ask._replace(services=free.ask.services), covered, free.cards):
        return "no_slot"
    roomy = programme.days._replace(load=no_load(len(programme.local_day)))
    if _has_parcel(structs.replace(programme, days=roomy), ask, covered, programme.cards):
        return "no_capacity"
    return "no_service"


def _has_parcel(programme: Programme, ask: Ask, covered: IntArray, cards: Cards) -> bool:
    """Say whether a service carries a line, whenever it comes."""
    parcels = price_parcels(True, NEVER - 1, covered, ask.nodes, ask, cards, programme.days)
    return bool((parcels.cost[:, 1] < INFINITE).any())


def _is_refused(programme: Programme, ask: Ask, covered: IntArray) -> bool:
    """Say whether a line could be served if nobody minded its handling classes."""
    if ask.goods.handling.shape[0] == 0:
        return False
    tame = ask._replace(goods=ask.goods._replace(handling=ask.goods.handling[:0]))
    return _has_parcel(programme, tame, covered, programme.cards)


def _unavailable(asked: Asked, line: int, reason: Reason, day: int | None) -> UnavailableLine:
    """Return a line with its reason; a product of a kit that may be split stands for the kit."""
    wanted = asked.lines[line]
    sku, quantity = wanted.sku, wanted.quantity
    if wanted.kit is not None:
        sku, quantity = wanted.kit, asked.terms.kit_quantities[line]
    return UnavailableLine(
        line_id=wanted.line_id,
        sku=sku,
        quantity=quantity,
        reason=reason,
        available_on=None if day is None else date.fromordinal(day),
    )
