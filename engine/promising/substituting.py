"""Lines that cannot be served as they were asked, with another SKU instead, where the shopper agrees.

What can be served as it was asked is never substituted. The others try their first substitutes together, what is then
still missing its second, and so on; a round counts if more units of the order are served with it than before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec

from engine.catalog.model import Catalog
from engine.promising.programme import Plans
from engine.promising.request import Asked
from engine.promising.terms import barred

Solved = tuple[Asked, Plans | None]
"""An order, and what is found for it; None if nothing may be served."""


def with_substitutes(
    asked: Asked, plans: Plans | None, catalog: Catalog, solve: Callable[[Asked], Plans | None]
) -> Solved:
    """Return what serves most units: the order as `asked`, whose plans are given, or with substitutes in it.

    Of an order that ships as a whole or not at all, the lines that need a substitute are those that would be missing if
    a part might ship.
    """
    first = best = (asked, plans)
    if len(_served(first)) == len(asked.lines):
        return first
    if asked.is_complete:
        asked = msgspec.structs.replace(asked, is_complete=False)
        best = (asked, solve(asked))
    substitutes = asked.terms.substitutes
    for place in range(max(map(len, substitutes))):
        served = _served(best)
        short = [line for line in range(len(asked.lines)) if line not in served and place < len(substitutes[line])]
        if not short:
            continue
        other = _exchange(asked, best, short, place, catalog)
        found = (other, solve(other))
        if _units(found) > _units(best):
            best = found
    is_enough = not first[0].is_complete or len(_served(best)) == len(asked.lines)
    return best if is_enough else first


def _exchange(asked: Asked, best: Solved, short: Iterable[int], place: int, catalog: Catalog) -> Asked:
    """Return the order with what is served so far as it is, and the short lines with the substitutes of a place."""
    served = _served(best)
    lines = [best[0].lines[i] if i in served else line for i, line in enumerate(asked.lines)]
    for line in short:
        wanted, other = asked.lines[line], asked.terms.substitutes[line][place]
        lines[line] = msgspec.structs.replace(wanted, sku=other, substitute_for=wanted.sku)
    contents = tuple(catalog.content[line.sku] for line in lines)
    return msgspec.structs.replace(
        asked, lines=tuple(lines), contents=contents, terms=replace(asked.terms, barred=barred(lines, catalog))
    )


def _served(solved: Solved) -> frozenset[int]:
    return frozenset() if solved[1] is None else solved[1].served


def _units(solved: Solved) -> int:
    """Return how many units of the lines as they were asked are served; a substitute counts one for one."""
    return sum(solved[0].lines[line].quantity for line in _served(solved))
