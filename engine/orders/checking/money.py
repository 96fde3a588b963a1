"""Checks of prices and totals: that there are some, that they add up, and that they are not far below the catalog's.

Pure; whole cents. Not here: working prices out (engine/payments).
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Fault
from engine.orders.checking.document import PriceChecksDocument
from engine.orders.checking.model import CheckedOrder


def price_faults(order: CheckedOrder, rule: PriceChecksDocument) -> Iterator[Fault]:
    """Yield what is wrong with the prices of an order."""
    prices = order.prices
    if prices is None:
        if rule.required:
            yield Fault(path="$.lines", message="has no prices; give each line its unit_price_cents")
        return
    stated = order.stated_total_cents
    if stated is not None and abs(stated - prices.total_cents) > rule.total_tolerance_cents:
        message = f"{stated} is not what the order comes to, {prices.total_cents}; correct prices or total"
        yield Fault(path="$.total_cents", message=message)
    if rule.max_percent_below_catalog is not None:
        yield from _below_catalog(order, rule.max_percent_below_catalog)
    discount = order.discount_percent
    if rule.max_discount_percent is not None and discount is not None and discount > rule.max_discount_percent:
        message = f"discounts of {discount:.1f} % are more than {rule.max_discount_percent:g} %"
        yield Fault(path="$.lines", message=message)


def _below_catalog(order: CheckedOrder, most_percent: float) -> Iterator[Fault]:
    assert order.prices is not None
    places = {line.line_id: (index, line.sku) for index, line in enumerate(order.captured.lines)}
    for line in order.prices.lines:
        index, sku = places.get(line.line_id, (-1, ""))
        usual = order.catalog.prices.get(sku)
        if usual and 100 * (usual - line.unit_price_cents) > most_percent * usual:
            message = f"{line.unit_price_cents} is more than {most_percent:g} % below {usual}, the price of {sku!r}"
            yield Fault(path=f"$.lines[{index}].unit_price_cents", message=message)
