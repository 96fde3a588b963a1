"""A lower bound for the orders whose cheapest pattern is out of exact reach, from a value of each of their lines.

Each node on its own ships what pays best at these values; the values less what all nodes earn are a bound for any
values, good or bad (docs/reference/bounds.md). In integers (millicents). Not here: the exact programme (pattern.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from engine.verification.menu import Menus
from engine.verification.pattern import Menu, Source
from engine.verification.problem import Order
from engine.verification.tariffs import IMPOSSIBLE

EXACT_ITEMS = 12
"""Of up to so many lines that pay, a node ships the best set; of more, the best mixture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """What one node has of one line that pays there: all it may ship, in grams and millicents earned.

    `least_g` is the lightest part of it that may travel.
    """

    profit: int
    weight_g: int
    least_g: int

    @property
    def per_gram(self) -> tuple[bool, Fraction]:
        """How well it pays; what weighs nothing comes first."""
        return self.weight_g == 0, Fraction(self.profit, self.weight_g or 1)


def many_lines(menus: Menus, order: Order, values: Mapping[str, int]) -> int:
    """Return the bound that values of whole lines (by SKU, in millicents; 0 if absent) prove for an order."""
    return _bound(menus.menu(order, order.lines), [values.get(line.sku, 0) for line in order.lines], units=None)


def split_lines(menus: Menus, order: Order, values: Mapping[str, int]) -> int:
    """Return the bound that values of units (by SKU, in millicents; 0 if absent) prove where lines may be split."""
    menu = menus.menu(order, order.lines, whole_lines=False)
    units = [line.quantity for line in order.lines]
    return _bound(menu, [values.get(line.sku, 0) for line in order.lines], units=units)


def _bound(menu: Menu, values: list[int], *, units: list[int] | None) -> int:
    """Return the least of backordering everything and what one parcel or more must cost at these values.

    `units` are those of each line where lines may be split, and values and costs are of one unit then.
    """
    everything = sum(menu.backorder)
    if menu.most_parcels == 0 or not menu.sources:
        return everything
    each = units or [1] * len(values)
    worth = [
        min(value, backorder // count) for value, backorder, count in zip(values, menu.backorder, each, strict=True)
    ]
    earned = sorted(_best_parcel(menu, source, worth, units=units) for source in menu.sources)
    chosen = earned[:1] + [cost for cost in earned[1 : menu.most_parcels] if cost < 0]
    return min(everything, sum(w * count for w, count in zip(worth, each, strict=True)) + sum(chosen) - menu.split)


def _best_parcel(menu: Menu, source: Source, worth: list[int], *, units: list[int] | None) -> int:
    """Return the least that a parcel of the source costs, split cost included, less the worth of what it ships."""
    items: list[_Item] = []
    lightest_g: float = IMPOSSIBLE
    for line, cost in source.line_costs.items():
        count = 1 if units is None else min(units[line], source.held[line])
        weight_g = menu.weight_g[line] if units is None else menu.weight_g[line] // units[line]
        lightest_g = min(lightest_g, weight_g)
        if worth[line] > cost:
            items.append(_Item(profit=count * (worth[line] - cost), weight_g=count * weight_g, least_g=weight_g))
    items.sort(key=lambda item: item.per_gram, reverse=True)
    load_g, whole = sum(item.weight_g for item in items), units is None and len(items) <= EXACT_ITEMS
    sets = _sets(items) if whole else []
    best = IMPOSSIBLE
    for limit_g, cost in zip(source.tariff.limits_g, source.tariff.cheapest, strict=True):
        if cost >= IMPOSSIBLE or limit_g < lightest_g:
            continue
        fixed = source.fixed + menu.split + 1000 * cost
        if limit_g >= load_g:
            best = min(best, fixed - sum(item.profit for item in items))
        elif fixed - _mixture(items, int(limit_g)) < best:
            gain = (
                max(gain for weight_g, gain in sets if weight_g <= limit_g) if whole else _mixture(items, int(limit_g))
            )
            best = min(best, fixed - gain)
    return best


def _sets(items: list[_Item]) -> list[tuple[int, int]]:
    """Return weight and profit of every set of items."""
    sets = [(0, 0)]
    for item in items:
        sets += [(weight_g + item.weight_g, gain + item.profit) for weight_g, gain in sets]
    return sets


def _mixture(items: list[_Item], limit_g: int) -> int:
    """Return the most that so many grams can earn, of items by profit per gram, the last of which may be cut."""
    gain, left_g = 0, limit_g
    for item in items:
        if item.least_g > limit_g:
            continue
        if item.weight_g > left_g:
            return gain + item.profit * left_g // item.weight_g
        gain, left_g = gain + item.profit, left_g - item.weight_g
    return gain
