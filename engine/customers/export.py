"""All that is kept of a customer as one document, for them or whoever they name: nothing is left sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from engine.customers.model import Customer, Profile
from engine.orders.facts.links import Notice
from engine.orders.model import Order
from engine.orders.personal import Personal
from engine.orders.states import state_of


class ExportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order of theirs."""

    line_id: str
    sku: str
    quantity: int


class ExportedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order of theirs: what they told, and what they were told."""

    order_id: str
    channel: str
    captured_at: datetime
    state: str
    postal_code: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    lines: tuple[ExportedLine, ...]
    customer: dict[str, Any] | None
    payment: dict[str, Any] | None
    notices: tuple[Notice, ...]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, and their orders, oldest first."""

    customer_id: str
    version: int
    exported_at: datetime
    profile: Profile
    orders: tuple[ExportedOrder, ...]


def exported(customer: Customer, orders: Sequence[tuple[Order, Personal | None]], at: datetime) -> Export:
    """Return a customer with their orders, each with its personal data opened."""
    return Export(
        customer_id=customer.customer_id,
        version=customer.version,
        exported_at=at,
        profile=customer.profile,
        orders=tuple(_order(order, personal or Personal()) for order, personal in orders),
    )


def _order(order: Order, personal: Personal) -> ExportedOrder:
    captured = order.captured
    destination = captured.destination if order.life.amendment is None else order.life.amendment.destination
    return ExportedOrder(
        order_id=order.order_id,
        channel=captured.channel,
        captured_at=captured.captured_at,
        state=state_of(order).value,
        postal_code=destination.postal_code,
        country=destination.country,
        latitude=destination.latitude,
        longitude=destination.longitude,
        lines=tuple(ExportedLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in order.lines),
        customer=personal.customer,
        payment=personal.payment,
        notices=order.life.notices,
    )
