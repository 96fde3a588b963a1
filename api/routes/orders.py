"""Orders over HTTP: capture, look, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.shown_alerts import shown_alert
from api.routes.shown_checks import shown_checks, shown_prices
from api.routes.shown_payments import new_tender
from api.routes.shown_shipments import shown_shipment
from api.schemas import order_steering as said
from api.schemas import orders as wire
from engine.delivery.promised import PromisedTerms
from engine.errors import ExplanationNotKept, IllegalState, NotFound, NotRouted, Refused
from engine.orders.cancelling import NewCancellation
from engine.orders.destination import Destination
from engine.orders.explanations import Explained
from engine.orders.model import HistoryEntry, NewLine, NewOrder, Order
from engine.orders.personal import Personal
from engine.orders.states import customer_lines, state_of
from engine.orders.steering import OrderHold

EXAMPLE = {
    "channel": "web",
    "destination": {"latitude": 40.71, "longitude": -74.01},
    "lines": [{"sku": "MUG-RED", "quantity": 2}, {"sku": "TEA-50", "quantity": 1}],
    "need_by": "2026-12-24",
}
ORDER = {"order_id": "ord_1"}


async def capture_order(call: Call[wire.OrderBody, NoQuery]) -> Answer:
    """Checks the order and keeps it as `captured`; a routing run then decides where it ships from.

    With a reservation_id the order takes that stock over, and its own routing may swap it. If the reservation was made
    from an option of a promise, the order keeps its day, its service level if one was asked for, and its store.
    """
    captured = await call.engine.orders.capture(new_order(call.body), replay=call.replay)
    shown = shown_order(captured.value, await personal_of(call, captured.value))
    return Answer(value=shown, status=201, is_replayed=captured.replayed)


def new_order(body: wire.OrderBody) -> NewOrder:
    """Return what is asked for by the body of an order."""
    return NewOrder(
        channel=body.channel,
        destination=Destination() if body.destination is None else destination_of(body.destination),
        lines=tuple(map(_new_line, body.lines)),
        order_id=body.order_id,
        reservation_id=body.reservation_id,
        service_level=body.service_level,
        need_by=body.need_by,
        pickup_node_id=body.pickup_node_id,
        customer=body.customer,
        payment=body.payment,
        customer_class=body.customer_class,
        priority=body.priority,
        channel_order_id=body.channel_order_id,
        customer_id=body.customer_id,
        currency=body.currency,
        shipping_cents=body.shipping_cents,
        total_cents=body.total_cents,
        tenders=tuple(map(new_tender, body.tenders)),
    )


def _new_line(line: wire.OrderLineBody) -> NewLine:
    return NewLine(
        sku=line.sku,
        quantity=line.quantity,
        line_id=line.line_id,
        unit_price_cents=line.unit_price_cents,
        discount_cents=line.discount_cents,
        tax_code=line.tax_code or "",
        unit_cost_cents=line.unit_cost_cents,
    )


async def get_order(call: Call[None, NoQuery]) -> Answer:
    """The order, where it stands, and which node ships what once it is routed."""
    order = await call.engine.orders.get(call.path["order_id"])
    return Answer(value=shown_order(order, await personal_of(call, order)))


async def personal_of(call: Call[Any, Any], order: Order) -> Personal | None:
    """Return the personal data of an order if the caller may see them, and they are there."""
    return await call.engine.customers.seal.opened(order.life) if call.may("customers:read") else None


async def get_order_history(call: Call[None, NoQuery]) -> Answer:
    """The states the order went through, oldest first."""
    entries = await call.engine.orders.history(call.path["order_id"])
    return Answer(value=shown_history(entries))


async def get_order_explanation(call: Call[None, wire.ExplanationQuery]) -> Answer:
    """Why each line ships from where it does: every other node with its cost difference or what stands in its way.

    And what would have changed it. With a run_id, the decision of that run, dry runs too.
    """
    found = await call.engine.explanations.explain(call.path["order_id"], call.query.run_id)
    return Answer(value=shown_explanation(found))


async def cancel_order(call: Call[said.CancelBody, NoQuery]) -> Answer:
    """Cancels units of lines, or all that has not left a node, and gives their stock and capacity back.

    What is with nodes is taken out of its shipments, as far as the order policy lets it; money follows. Cancelling all
    of an order again answers the same.
    """
    body, order_id = call.body, call.path["order_id"]
    new = NewCancellation(lines=tuple((line.line_id, line.quantity) for line in body.lines or ()), reason=body.reason)
    cancelled = await call.engine.cancellations.cancel(order_id, new, by=body.by, replay=call.replay)
    await call.engine.effects.settle(order_id)
    return Answer(value=shown_order(cancelled.value), is_replayed=cancelled.replayed)


def shown_history(entries: Sequence[HistoryEntry]) -> wire.OrderHistory:
    """Return the steps of an order as they go over the wire."""
    return wire.OrderHistory(data=[_entry(entry) for entry in entries])


def shown_explanation(found: Explained) -> wire.ExplainedOrder:
    """Return an explanation as it goes over the wire."""
    told = found.explanation
    return wire.ExplainedOrder(
        order_id=told.order_id,
        state=found.order.state.value,
        run_id=found.run_id,
        decided_at=found.decided_at,
        is_in_force=found.is_in_force,
        currency=told.currency,
        cost_cents=told.cost_cents,
        costs=told.costs,
        shipments=told.shipments,
        lines=told.lines,
        from_one_node=told.from_one_node,
        relaxed=told.relaxed,
        order_hold=shown_hold(found.order.steering.order_hold),
        rejections=shown_rejections(found.order),
        value_cents=told.value_cents,
        over_hub=told.over_hub,
    )


def shown_rejections(order: Order) -> list[said.Rejection]:
    """Return which nodes did not ship what of an order."""
    return [
        said.Rejection(
            node_id=each.node_id,
            kind=each.kind.value,
            reason=each.reason,
            lines=[said.LineUnits(line_id=line.line_id, quantity=line.quantity) for line in each.lines],
            at=each.at,
            by=each.by,
            run_id=each.run_id,
        )
        for each in order.steering.rejections
    ]


def shown_hold(hold: OrderHold | None) -> said.OrderHold | None:
    """Return the order hold of an order, if it has one."""
    if hold is None:
        return None
    return said.OrderHold(
        reason=hold.reason,
        at=hold.at,
        by=hold.by,
        kind=hold.kind,
        release_at=hold.release_at,
        release_on=hold.release_on or None,
    )


def shown_holds(order: Order) -> list[said.OrderHold]:
    """Return all order holds of an order, the longest first."""
    return [shown for hold in order.steering.order_holds if (shown := shown_hold(hold)) is not None]


def _entry(entry: HistoryEntry) -> wire.HistoryEntry:
    note = entry.note
    if note is None:
        return wire.HistoryEntry(at=entry.at, state=entry.state.value, run_id=entry.run_id)
    return wire.HistoryEntry(
        at=entry.at,
        state=entry.state.value,
        run_id=None,
        event=note.event,
        reason=note.reason,
        by=note.by,
        node_id=note.node_id,
        lines=[said.LineUnits(line_id=line.line_id, quantity=line.quantity) for line in note.lines],
        subject=note.subject,
        amount_cents=note.amount_cents,
        moves=[
            wire.UnitsMoved(line_id=move.line_id, before=move.before, after=move.after, quantity=move.quantity)
            for move in note.moves
        ],
    )


def destination_of(body: wire.DestinationBody) -> Destination:
    """Return where something is to go."""
    return Destination(
        latitude=body.latitude,
        longitude=body.longitude,
        postal_code=body.postal_code,
        country=body.country,
        time_zone=body.time_zone,
        residential=body.residential,
        is_po_box=body.is_po_box,
    )


def _promised(terms: PromisedTerms) -> wire.PromisedOption:
    return wire.PromisedOption(
        service_level=terms.service_level,
        p50=terms.p50,
        p90=terms.p90,
        shipments=[
            wire.PromisedParcel(node_id=parcel.node_id, service=parcel.service, ship_on=parcel.ship_on)
            for parcel in terms.parcels
        ],
    )


def shown_order(order: Order, personal: Personal | None = None) -> wire.Order:
    """Return an order as it goes over the wire; with its personal data where they are opened for the caller."""
    captured, steering = order.captured, order.steering
    return wire.Order(
        order_id=order.order_id,
        state=state_of(order).value,
        channel=captured.channel,
        captured_at=captured.captured_at,
        destination=wire.OrderDestination(
            latitude=order.destination.latitude,
            longitude=order.destination.longitude,
            postal_code=order.destination.postal_code,
            country=order.destination.country,
            time_zone=order.destination.time_zone,
            residential=order.destination.residential,
            is_po_box=order.destination.is_po_box,
        ),
        lines=shown_lines(order),
        allocations=[
            wire.Allocation(
                line_id=row.line_id,
                sku=row.sku,
                quantity=row.quantity,
                node_id=row.node_id,
                service=row.service,
                ship_on=row.ship_on,
                hub=None
                if row.hub is None
                else wire.AllocationHub(
                    node_id=row.hub.node_id, available_on=row.hub.available_on, ship_on=row.hub.ship_on
                ),
            )
            for row in order.allocation
        ],
        reservation_id=order.reservation_id,
        run_id=order.run_id,
        service_level=order.wanted_level,
        need_by=order.need_by,
        promised_on=order.promised_on,
        pickup_node_id=captured.picked_up_at,
        promised=None if captured.promised is None else _promised(captured.promised),
        customer=None if personal is None else personal.customer,
        payment=captured.payment if personal is None else personal.payment,
        waiting_reservation_ids=list(order.waiting_reservation_ids),
        customer_class=captured.customer_class,
        priority=order.priority,
        order_hold=shown_hold(steering.order_hold),
        order_holds=shown_holds(order),
        channel_order_id=order.life.channel_order_id or None,
        customer_id=order.life.customer_id or None,
        checks=shown_checks(order),
        links=[wire.OrderLink(kind=link.kind, order_id=link.order_id) for link in order.life.links],
        prices=shown_prices(order.life.money.prices),
        rejections=shown_rejections(order),
        pins=[said.Pin(line_id=line_id, node_id=node_id) for line_id, node_id in steering.pins.items()],
        forbidden_node_ids=list(steering.forbidden_node_ids),
        alerts=[shown_alert(each) for each in order.life.alerts],
        shipments=[shown_shipment(order, shipment) for shipment in order.life.shipments],
        returns=[
            wire.OrderReturn(
                return_id=each.return_id,
                state=each.state.value,
                node_id=each.node_id,
                tracking_number=each.tracking_number or None,
                refund_cents=each.refund_cents,
            )
            for each in order.life.returns
        ],
    )


def shown_lines(order: Order) -> list[wire.OrderLine]:
    """Return the customer's lines as they go over the wire."""
    return [
        wire.OrderLine(
            line_id=line.line_id,
            sku=line.sku,
            quantity=line.quantity,
            state=state.value,
            units={each.value: count for each, count in units.items()},
        )
        for line, (state, units) in zip(order.lines, customer_lines(order), strict=True)
    ]


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/orders",
        summary="Capture an order",
        handler=capture_order,
        body=wire.OrderBody,
        reply=wire.Order,
        scope="orders:write",
        status=201,
        refusals=(NotFound, IllegalState, Refused),
        is_keyed=True,
        example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/history",
        summary="Get the history of an order",
        handler=get_order_history,
        reply=wire.OrderHistory,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}/explanation",
        summary="Explain how an order was routed",
        handler=get_order_explanation,
        query=wire.ExplanationQuery,
        reply=wire.ExplainedOrder,
        scope="orders:read",
        refusals=(ExplanationNotKept, NotFound, NotRouted),
        path_examples=ORDER,
    ),
    Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/cancel",
        summary="Cancel an order, or lines of it",
        handler=cancel_order,
        body=said.CancelBody,
        is_body_optional=True,
        reply=wire.Order,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
    ),
    Endpoint(
        method="GET",
        path="/v1/orders/{order_id:path}",
        summary="Get an order",
        handler=get_order,
        reply=wire.Order,
        scope="orders:read",
        refusals=(NotFound,),
        path_examples=ORDER,
    ),
)
