"""Lower bounds for the orders whose cheapest pattern is out of exact reach: many lines, or lines that may be split.

Both are stated and proven in docs/reference/bounds.md. In integers (millicents). Not here: the exact programme
(pattern.py).
"""

from __future__ import annotations

from engine.verification.menu import Menus
from engine.verification.pattern import Menu, Source, cheapest_pattern
from engine.verification.problem import Order
from engine.verification.tariffs import IMPOSSIBLE


def many_lines(menus: Menus, order: Order, group_lines: int) -> int:
    """Return a lower bound for an order of many whole lines: the weightiest few exactly, every other line alone.

    The group is the `group_lines` lines with most to lose by a backorder, ties by SKU. Its parcels are priced as the
    least costly parcel that is not lighter, since other lines may travel with them.
    """
    by_worth = sorted(order.lines, key=lambda line: (-line.quantity, line.sku))
    group, others = by_worth[:group_lines], by_worth[group_lines:]
    value = cheapest_pattern(menus.menu(order, group), envelope=True)
    menu = menus.menu(order, others)
    if order.max_nodes == 0:
        return value + sum(menu.backorder)
    return value + sum(_alone(menu, line) for line in range(len(others)))


def _alone(menu: Menu, line: int) -> int:
    """Return the least a line costs beside others: its backorder, or its units and prices where it can leave from."""
    quantity, weight_g = menu.quantity[line], menu.weight_g[line]
    least = menu.backorder[line]
    for source in menu.sources:
        cost = source.line_costs.get(line, IMPOSSIBLE)
        room = source.capacity_units is None or quantity <= source.capacity_units
        if cost < least and room and _carries(source, weight_g):
            least = cost
    return least


def split_lines(menus: Menus, order: Order) -> int:
    """Return a lower bound for an order whose lines may be split: one parcel and each unit alone, or nothing."""
    everything = sum(menus.backorder(line) for line in order.lines)
    if order.max_nodes == 0 or not order.lines:
        return everything
    menu = menus.menu(order, order.lines, whole_lines=False)
    weights_g = [menus.problem.weight_g.get(line.sku, 0) for line in order.lines]
    lightest_g = min(weights_g)
    parcel, units = IMPOSSIBLE, [1000 * menus.problem.terms.backorder_cost_cents_per_unit] * len(weights_g)
    for source in menu.sources:
        if source.capacity_units == 0 or not _carries(source, lightest_g):
            continue
        carriage = 1000 * source.tariff.costs([lightest_g], envelope=True)[0]
        parcel = min(parcel, source.fixed + carriage)
        for line, cost in source.line_costs.items():
            if cost < units[line] and _carries(source, weights_g[line]):
                units[line] = cost
    shipped = parcel + sum(line.quantity * unit for line, unit in zip(order.lines, units, strict=True))
    return min(everything, shipped)


def _carries(source: Source, weight_g: int) -> bool:
    """Say whether some parcel of at least this weight may leave the source for the order."""
    return source.tariff.costs([weight_g], envelope=True)[0] < IMPOSSIBLE
