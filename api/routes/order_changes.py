"""Changes of an order over HTTP: shown first, then made."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from api.endpoint import Answer, Call, Endpoint, Handler, NoQuery
from api.routes.orders import ORDER, destination_of, shown_order
from api.schemas import order_changes as wire
from api.schemas.orders import Order
from engine.bootstrap import Engine
from engine.errors import IllegalState, NotFound
from engine.orders.modifying import ModifiedLine, NewModification
from engine.orders.splitting import NewSplit


async def modify_order(call: Call[wire.ModifyBody, NoQuery]) -> Answer:
    """Changes quantities, adds and removes lines, or changes the address, the service level or the deadline.

    With `dry_run` it only says what that would come to: the difference in price, what is given back or set aside, by
    when it can be there. What nodes have stays there, unless the order is to go otherwise: then it is routed anew.
    """
    body, order_id = call.body, call.path["order_id"]
    new = _modification(body)
    if body.dry_run:
        found = await call.engine.modifications.preview(order_id, new, by=body.by)
        preview = wire.ModificationPreview(
            difference_cents=found.difference_cents,
            refund_cents=found.refund_cents,
            authorise_cents=found.authorise_cents,
            opened_units=found.opened_units,
            promised_on=found.promised_on,
        )
        return Answer(value=wire.ModifiedOrder(dry_run=True, order=shown_order(found.order), preview=preview))
    done = await call.engine.modifications.modify(order_id, new, by=body.by, replay=call.replay)
    await call.engine.effects.settle(order_id)
    shown = wire.ModifiedOrder(dry_run=False, order=shown_order(done.value), preview=None)
    return Answer(value=shown, is_replayed=done.replayed)


async def split_order(call: Call[wire.SplitBody, NoQuery]) -> Answer:
    """Makes units of an order one of their own: its `links` say which. Prices and tenders are divided to the cent.

    What was reserved for them is reserved for the other order, unless somebody else took it in that moment.
    """
    body, order_id = call.body, call.path["order_id"]
    new = NewSplit(
        lines=tuple((line.line_id, line.quantity) for line in body.lines),
        destination=None if body.destination is None else destination_of(body.destination),
        reason=body.reason,
    )
    done = await call.engine.regrouping.split(order_id, new, by=body.by, replay=call.replay)
    await _settle_both(call.engine, order_id)
    return Answer(value=shown_order(done.value), is_replayed=done.replayed)


async def merge_order(call: Call[wire.MergeBody, NoQuery]) -> Answer:
    """Lets an order join another of the same channel and customer that goes the same way; then it is cancelled.

    It is stopped first. If the other cannot take its lines any more, it goes on by itself, and its history says why.
    """
    body, order_id = call.body, call.path["order_id"]
    done = await call.engine.regrouping.merge(order_id, body.into, reason=body.reason, by=body.by, replay=call.replay)
    await _settle_both(call.engine, order_id)
    return Answer(value=shown_order(done.value), is_replayed=done.replayed)


async def _settle_both(engine: Engine, order_id: str) -> None:
    """Do what an order asks for, and then what the order that follows it asks for."""
    order = await engine.effects.settle(order_id)
    for link in order.life.links[-1:]:
        with suppress(NotFound):  # it comes later, if it could not come now
            await engine.effects.settle(link.order_id)


def _change_of_order(
    last: str, summary: str, handler: Handler, body: type[Struct], reply: type[Struct], example: object
) -> Endpoint:
    """Return an endpoint by which an order is changed under a key."""
    return Endpoint(
        method="POST",
        path="/v1/orders/{order_id:path}/" + last,
        summary=summary,
        handler=handler,
        body=body,
        reply=reply,
        scope="orders:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=ORDER,
        example=example,
    )


def _modification(body: wire.ModifyBody) -> NewModification:
    return NewModification(
        lines=tuple(
            ModifiedLine(
                quantity=line.quantity,
                line_id=line.line_id,
                sku=line.sku,
                unit_price_cents=line.unit_price_cents,
                discount_cents=line.discount_cents,
                tax_code=line.tax_code or "",
                unit_cost_cents=line.unit_cost_cents,
            )
            for line in body.lines or ()
        ),
        destination=None if body.destination is None else destination_of(body.destination),
        service_level=body.service_level,
        need_by=body.need_by,
        shipping_cents=body.shipping_cents,
        reason=body.reason,
        expected_total_cents=body.expected_total_cents,
    )


ENDPOINTS = (
    _change_of_order(
        "modify",
        "Modify an order, or see what that would come to",
        modify_order,
        wire.ModifyBody,
        wire.ModifiedOrder,
        {"lines": [{"line_id": "1", "quantity": 1}], "dry_run": True},
    ),
    _change_of_order(
        "split", "Split an order", split_order, wire.SplitBody, Order, {"lines": [{"line_id": "2", "quantity": 1}]}
    ),
    _change_of_order("merge", "Merge an order into another", merge_order, wire.MergeBody, Order, {"into": "ord_2"}),
)
