"""What the units of an order are worth: of each line of its demand, of what was charged for, of what is still to come.

Amounts of parts are differences of rounded running totals, so that they sum to the total to the cent however a line is
divided. Not here: prices (pricing.py), and what follows from the amounts (balancing.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order
from engine.orders.paying.pricing import shipping_total_cents


def demand_values(order: Order) -> dict[str, int]:
    """Return what all units of each line of an order's demand are worth, in cents; they sum to its priced lines.

    A line that is a product itself is worth its price. That of a kit is spread over the kit's products by their units;
    over all of the order's if its products are counted with other lines.
    """
    prices = order.life.money.prices
    return _by_demand(order, {} if prices is None else {each.line_id: each.total_cents for each in prices.lines})


def demand_taxes(order: Order) -> dict[str, int]:
    """Return the tax in what all units of each line of an order's demand are worth, in cents; spread as that is."""
    prices = order.life.money.prices
    return _by_demand(order, {} if prices is None else {each.line_id: each.tax_cents for each in prices.lines})


def charged_for_cents(order: Order) -> int:
    """Return what the units that have left, and were not lost, are worth; shipping is paid with the first of them."""
    shipped: dict[str, int] = {}
    for shipment in order.life.shipments:
        if shipment.has_left and shipment.state is not ShipmentState.LOST:
            for line in shipment.lines:
                shipped[line.line_id] = shipped.get(line.line_id, 0) + line.quantity
    return _worth_cents(order, shipped)


def wanted_cents(order: Order) -> int:
    """Return what the customer will have paid once all that was not cancelled has left."""
    if order.is_cancelled:
        return charged_for_cents(order)
    wanted = {line.line_id: line.quantity for line in order.demand}
    for each in order.life.cancelled:
        wanted[each.line_id] = wanted.get(each.line_id, 0) - each.quantity
    return _worth_cents(order, wanted)


def _worth_cents(order: Order, units: Mapping[str, int]) -> int:
    """Return what so many units of each line of the demand are worth, with shipping if there are any."""
    prices = order.life.money.prices
    counted = {line.line_id: min(line.quantity, max(0, units.get(line.line_id, 0))) for line in order.demand}
    if prices is None or not any(counted.values()):
        return 0
    values = demand_values(order)
    worth = sum(values[line.line_id] * counted[line.line_id] // line.quantity for line in order.demand)
    return worth + shipping_total_cents(prices)


def _by_demand(order: Order, amounts: Mapping[str, int]) -> dict[str, int]:
    """Return amounts of priced lines by the lines of the demand."""
    values = {line.line_id: 0 for line in order.demand}
    quantities = {line.line_id: line.quantity for line in order.demand}
    for priced_id, cents in amounts.items():
        if priced_id in values:
            values[priced_id] += cents
            continue
        mine = [line_id for line_id in values if line_id.startswith(f"{priced_id}/")] or list(values)
        for line_id, share in _spread(cents, {each: quantities[each] for each in mine}).items():
            values[line_id] += share
    return values


def _spread(cents: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Return an amount divided by weights, in whole cents that sum to it."""
    total, before, passed = sum(weights.values()), 0, 0
    shares: dict[str, int] = {}
    for name, weight in weights.items():
        passed += weight
        shares[name] = cents * passed // total - before
        before += shares[name]
    return shares
