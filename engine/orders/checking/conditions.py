"""Whether an order is one that a rule of the order policy is for: every condition that is stated holds.

Pure. Not here: what follows from it (fraud.py, checks.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.orders.checking.document import RecentDocument, WhenDocument
from engine.orders.checking.model import CheckedOrder, RecentOrders


def holds_for(when: WhenDocument, order: CheckedOrder, recent: RecentOrders, at: datetime) -> bool:
    """Return whether all that a rule states is so of an order."""
    if not all(_TESTS[name](when, order) for name in when.stated):
        return False
    return when.recent is None or is_often(when.recent, order, recent, at)


def is_often(rule: RecentDocument, order: CheckedOrder, recent: RecentOrders, at: datetime) -> bool:
    """Return whether the buyer of an order has had so many lately, this one counted."""
    if not order.common(rule.by):
        return False
    found = set(recent.since(rule.by, at - timedelta(minutes=rule.within_minutes)))
    return len(found | {order.captured.order_id}) >= rule.orders_from


def _is_so_dear(when: WhenDocument, order: CheckedOrder) -> bool:
    return order.prices is not None and order.prices.total_cents >= (when.total_cents_from or 0)


def _has_discount(when: WhenDocument, order: CheckedOrder) -> bool:
    found = order.discount_percent
    return found is not None and found >= (when.discount_percent_from or 0.0)


def _has_little_margin(when: WhenDocument, order: CheckedOrder) -> bool:
    found = order.margin_percent
    return found is not None and found < (when.margin_percent_below or 0.0)


_Test = Callable[[WhenDocument, CheckedOrder], bool]
_TESTS: dict[str, _Test] = {
    "channels": lambda when, order: order.captured.channel in (when.channels or ()),
    "customer_ids": lambda when, order: order.customer_id in (when.customer_ids or ()),
    "customer_classes": lambda when, order: order.captured.customer_class in (when.customer_classes or ()),
    "is_guest": lambda when, order: (not order.customer_id) is when.is_guest,
    "countries": lambda when, order: order.captured.destination.country in (when.countries or ()),
    "not_countries": lambda when, order: order.captured.destination.country not in (when.not_countries or ()),
    "service_levels": lambda when, order: order.captured.wanted_level in (when.service_levels or ()),
    "is_po_box": lambda when, order: order.captured.destination.is_po_box is when.is_po_box,
    "units_from": lambda when, order: order.units >= (when.units_from or 0),
    "line_units_from": lambda when, order: (
        max(line.quantity for line in order.captured.lines) >= (when.line_units_from or 0)
    ),
    "skus": lambda when, order: any(line.sku in (when.skus or ()) for line in order.captured.lines),
    "sku_classes": lambda when, order: any(
        order.catalog.classes.get(line.sku) in (when.sku_classes or ()) for line in order.captured.demand
    ),
    "currency": lambda when, order: order.prices is not None and order.prices.currency == when.currency,
    "total_cents_from": _is_so_dear,
    "discount_percent_from": _has_discount,
    "margin_percent_below": _has_little_margin,
}
"""A test for each condition but `recent`."""
