"""One order solved against ATP as it was read: its options, and why lines are missing.

A pure function of its arguments, so that it may run in a thread. Not here: reading (service.py, shelf.py), the arrays
(programme.py).
"""

from __future__ import annotations

from engine.availability.reference import View
from engine.promising.answer import options_of
from engine.promising.margin import judge
from engine.promising.merging import merge_lines
from engine.promising.model import Option, UnavailableLine
from engine.promising.pickup import with_ready_times, without_packaging
from engine.promising.programme import Plans, Programme, exchanged, most_masks, solve, with_values
from engine.promising.reasons import refused, unavailable
from engine.promising.request import Asked
from engine.promising.substituting import with_substitutes
from engine.promising.valuing import NO_VALUES

Answered = tuple[tuple[Option, ...], tuple[UnavailableLine, ...]]
Solved = tuple[Asked, Plans | None]
"""The order with the substitutes that it takes, and its plans, None if nothing may be served."""


def answered(asked: Asked, view: View, programme: Programme) -> Answered:
    """Solve one order, with substitutes if it takes them; a pure function, so that it may run in a thread."""
    return told(solved(asked, view, programme), asked, view, programme)


def solved(asked: Asked, view: View, programme: Programme) -> Solved:
    """Return the plans of one order."""
    plans = _plans(asked, programme)
    if asked.terms.substitutes:
        return with_substitutes(
            asked, plans, view.catalog, lambda other: _plans(other, exchanged(programme, other, view))
        )
    return asked, plans


def told(found: Solved, asked: Asked, view: View, programme: Programme) -> Answered:
    """Return plans as options, and why lines are missing."""
    final, plans = found
    if plans is None:
        return (), unavailable(asked, programme, range(len(asked.lines)))
    if programme.pickup is not None and asked.place is not None:
        plans = without_packaging(plans, len(view.network.services))
    options = judge(options_of(plans, final, view.network), final, view)
    if programme.pickup is not None:
        options = with_ready_times(options, programme.pickup)
    if not options and plans.values:  # values only rank: what is dear for their sake alone is not refused
        return answered(asked, view, with_values(programme, NO_VALUES))
    if not options and plans.served:
        return (), refused(asked, "unprofitable")
    missing = set(range(len(asked.lines))) - plans.served
    return options, unavailable(asked, programme, missing) if missing else ()


def _plans(asked: Asked, programme: Programme) -> Plans | None:
    """Return the plans for what may be served of an order; None if nothing may."""
    lines = range(len(asked.lines))
    groups: list[tuple[int, ...]] = [(line,) for line in lines if line not in asked.terms.barred]
    sending = 0 if programme.consolidation is None else len(programme.consolidation.usable)
    most = most_masks(len(programme.ask.nodes) + sending)
    if len(groups) > most:
        groups = merge_lines(programme, groups, most)
    is_whole = sum(map(len, groups)) == len(lines)
    return solve(programme, groups) if groups and (is_whole or not asked.is_complete) else None
