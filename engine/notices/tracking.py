"""What a customer sees of their order by a signed link: where it is, and nothing that is personal.

Not here: links (links.py), how it looks (api/customer_pages.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from engine.catalog.model import Catalog
from engine.notices.letters import names_of
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order, OrderState
from engine.orders.states import customer_lines, state_of

S = OrderState
STEPS: tuple[tuple[str, frozenset[OrderState]], ...] = (
    ("Ordered", frozenset({S.CAPTURED, S.VALIDATED, S.ON_HOLD, S.PROMISED, S.BACKORDERED})),
    ("In preparation", frozenset({S.SOURCED, S.RELEASED, S.PICKING, S.PACKED})),
    ("On its way", frozenset({S.SHIPPED})),
    ("Delivered", frozenset({S.DELIVERED, S.RETURNED})),
)
"""What an order goes through, as customers say it, and the states that are each."""
_EVENTS_SHOWN = 10


class TrackedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the order, or of a shipment."""

    sku: str
    name: str
    quantity: int
    state: str = ""


class TrackedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the carrier said of a shipment, and when that was."""

    at: datetime
    event: str
    place: str


class TrackedShipment(msgspec.Struct, frozen=True, kw_only=True):
    """A shipment of the order; `number` is its own, from 1."""

    number: int
    state: str
    carrier: str
    tracking_number: str
    shipped_at: datetime | None
    expected_on: date | None
    delivered_at: datetime | None
    lines: tuple[TrackedLine, ...]
    events: tuple[TrackedEvent, ...]


class Tracked(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its customer sees it; `step` is how far it has come, None if it was cancelled."""

    order: str
    state: str
    step: str | None
    captured_at: datetime
    promised_on: date | None
    expected_on: date | None
    is_late: bool
    lines: tuple[TrackedLine, ...]
    shipments: tuple[TrackedShipment, ...]


def tracked(order: Order, catalog: Catalog) -> Tracked:
    """Return what the customer of an order sees of it."""
    names, state = names_of(catalog), state_of(order)
    promised_on = order.captured.promised_on if order.life.amendment is None else order.life.amendment.promised_on
    told = [alert.told_on for alert in order.life.alerts if alert.told_on is not None]
    expected_on = max(told, default=promised_on)
    lines = tuple(
        TrackedLine(sku=line.sku, name=names.get(line.sku, line.sku), quantity=line.quantity, state=its_state.value)
        for line, (its_state, _) in zip(order.lines, customer_lines(order), strict=True)
    )
    shown = [each for each in order.life.shipments if each.state is not ShipmentState.RECALLED]
    return Tracked(
        order=order.life.channel_order_id or order.order_id,
        state=state.value,
        step=_step(order, state),
        captured_at=order.captured.captured_at,
        promised_on=promised_on,
        expected_on=expected_on,
        is_late=bool(promised_on and expected_on and expected_on > promised_on),
        lines=lines,
        shipments=tuple(_shipment(number, each, names) for number, each in enumerate(shown, start=1)),
    )


def _step(order: Order, state: OrderState) -> str | None:
    """Return how far an order has come, by the part of it that is farthest on its way, until all has arrived."""
    if state is OrderState.CANCELLED:
        return None
    its_own = next(name for name, states in STEPS if state in states)
    if its_own == STEPS[-1][0]:
        return its_own
    if any(shipment.has_left for shipment in order.life.shipments):
        return STEPS[2][0]
    is_begun = any(row.node_id is not None for row in order.allocation) and state is not OrderState.ON_HOLD
    return STEPS[1][0] if is_begun else its_own


def _shipment(number: int, shipment: Shipment, names: Mapping[str, str]) -> TrackedShipment:
    return TrackedShipment(
        number=number,
        state=shipment.state.value,
        carrier=shipment.carrier or shipment.service,
        tracking_number=shipment.tracking_number,
        shipped_at=shipment.shipped_at,
        expected_on=shipment.predicted_on,
        delivered_at=shipment.delivered_at,
        lines=tuple(
            TrackedLine(sku=line.sku, name=names.get(line.sku, line.sku), quantity=line.quantity)
            for line in shipment.lines
        ),
        events=tuple(
            TrackedEvent(at=each.at, event=each.event, place=each.place)
            for each in sorted(shipment.events, key=lambda each: each.at, reverse=True)[:_EVENTS_SHOWN]
        ),
    )
