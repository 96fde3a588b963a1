"""Whether an order is one that a rule of the order policy is for: every condition that is stated holds.

Pure. Not here: what follows from it (fraud.py, checks.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.orders.checking.document import RecentDocument, WhenDocument
from engine.orders.checking.model import CheckedOrder, RecentOrders

_Test = Callable[[CheckedOrder], bool]


def holds_for(when: WhenDocument, order: CheckedOrder, recent: RecentOrders, at: datetime) -> bool:
    """Return whether all that a rule states is so of an order."""
    if not all(test(order) for test in _tests(when)):
        return False
    return when.recent is None or is_often(when.recent, order, recent, at)


def is_often(rule: RecentDocument, order: CheckedOrder, recent: RecentOrders, at: datetime) -> bool:
    """Return whether the buyer of an order has had so many lately, this one counted."""
    if not order.common(rule.by):
        return False
    found = set(recent.since(rule.by, at - timedelta(minutes=rule.within_minutes)))
    return len(found | {order.captured.order_id}) >= rule.orders_from


def _tests(when: WhenDocument) -> list[_Test]:
    """Return a test for each condition that is stated."""
    stated = when.model_fields_set
    return [test(when) for name, test in _TESTS.items() if name in stated and getattr(when, name) is not None]


def _money_test(when: WhenDocument) -> _Test:
    least, currency = when.total_cents_from or 0, when.currency

    def test(order: CheckedOrder) -> bool:
        prices = order.prices
        return prices is not None and prices.total_cents >= least and currency in {None, prices.currency}

    return test


def _currency_test(when: WhenDocument) -> _Test:
    return lambda order: order.prices is not None and order.prices.currency == when.currency


def _skus_test(when: WhenDocument) -> _Test:
    wanted = frozenset(when.skus or ())
    return lambda order: any(line.sku in wanted for line in order.captured.lines)


def _classes_test(when: WhenDocument) -> _Test:
    wanted = frozenset(when.sku_classes or ())
    return lambda order: any(order.catalog.classes.get(line.sku) in wanted for line in order.captured.demand)


def _discount_test(when: WhenDocument) -> _Test:
    least = when.discount_percent_from or 0.0
    return lambda order: (found := order.discount_percent) is not None and found >= least


def _margin_test(when: WhenDocument) -> _Test:
    most = when.margin_percent_below or 0.0
    return lambda order: (found := order.margin_percent) is not None and found < most


_TESTS: dict[str, Callable[[WhenDocument], _Test]] = {
    "channels": lambda when: lambda order: order.captured.channel in (when.channels or ()),
    "customer_ids": lambda when: lambda order: order.customer_id in (when.customer_ids or ()),
    "customer_classes": lambda when: lambda order: order.captured.customer_class in (when.customer_classes or ()),
    "is_guest": lambda when: lambda order: (not order.customer_id) is when.is_guest,
    "countries": lambda when: lambda order: order.captured.destination.country in (when.countries or ()),
    "not_countries": lambda when: lambda order: order.captured.destination.country not in (when.not_countries or ()),
    "service_levels": lambda when: lambda order: order.captured.wanted_level in (when.service_levels or ()),
    "is_po_box": lambda when: lambda order: order.captured.destination.is_po_box is when.is_po_box,
    "units_from": lambda when: lambda order: order.units >= (when.units_from or 0),
    "line_units_from": lambda when: (
        lambda order: max(line.quantity for line in order.captured.lines) >= (when.line_units_from or 0)
    ),
    "skus": _skus_test,
    "sku_classes": _classes_test,
    "currency": _currency_test,
    "total_cents_from": _money_test,
    "discount_percent_from": _discount_test,
    "margin_percent_below": _margin_test,
}
"""A maker of a test for each condition but `recent`."""
