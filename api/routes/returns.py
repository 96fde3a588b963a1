"""Returns over HTTP: look, approve, receive, inspect, refurbish, cancel, close."""

from __future__ import annotations

import msgspec

from api.endpoint import Answer, Call, Endpoint, Handler, NoQuery
from api.schemas import returns as wire
from engine.errors import IllegalState, NotFound
from engine.events.actor import actor
from engine.inventory.model import Outcome
from engine.orders.facts import returns as facts
from engine.orders.model import Order
from engine.returns.inspecting import Inspected, NewInspection
from engine.returns.receiving import NewReceipt, differences
from engine.returns.refurbishing import NewRefurbishment, Refurbished, RefurbishedAs
from engine.returns.steps import return_of
from engine.returns.without_receipt import NewReturnWithoutReceipt, NewUnits

RETURN = {"return_id": "ret_1_ord_1"}


async def take_without_receipt(call: Call[wire.ReturnWithoutReceiptBody, NoQuery]) -> Answer:
    """Takes units back of which no order is known, where the return policy allows it; for store credit, or nothing.

    An order of the channel `without_receipt` stands for their sale, so that they are received and inspected as others.
    """
    body = call.body
    new = NewReturnWithoutReceipt(
        lines=tuple(
            NewUnits(sku=line.sku, quantity=line.quantity, reason=line.reason, comment=line.comment)
            for line in body.lines
        ),
        node_id=body.node_id,
        by=body.by or actor(),
        customer_id=body.customer_id or "",
    )
    found = await call.engine.returns.take_without_receipt(new, replay=call.replay)
    shown = shown_return(found.value, found.value.life.returns[-1])
    return Answer(value=shown, status=201, is_replayed=found.replayed)


async def get_return(call: Call[None, NoQuery]) -> Answer:
    """The return, what came of it, what became of that, and what it pays back."""
    order, found = await call.engine.returns.get(call.path["return_id"])
    return Answer(value=shown_return(order, found))


async def approve_return(call: Call[wire.ReturnDecisionBody, NoQuery]) -> Answer:
    """Approves a return that waits for it: from then on it may come."""
    return_id, body = call.path["return_id"], call.body
    found = await call.engine.returns.approve(return_id, body.by or actor(), body.reason, call.replay)
    return _answer(return_id, found)


async def reject_return(call: Call[wire.ReturnDecisionBody, NoQuery]) -> Answer:
    """Refuses a return that waits for approval."""
    return_id, body = call.path["return_id"], call.body
    found = await call.engine.returns.reject(return_id, body.by or actor(), body.reason, call.replay)
    return _answer(return_id, found)


async def receive_return(call: Call[wire.ReturnReceiptBody, NoQuery]) -> Answer:
    """Writes down what has come, all or part of it, or more, or other units than were announced.

    Units are in stock from then on, in quality hold. Those that the order had count for it; for others nothing is paid.
    """
    return_id, body = call.path["return_id"], call.body
    new = NewReceipt(
        units=tuple((line.sku, line.quantity) for line in body.lines),
        by=body.by or actor(),
        node_id=body.node_id,
        is_all=body.is_all,
    )
    return _answer(return_id, await call.engine.returns.receive(return_id, new, call.replay))


async def inspect_return(call: Call[wire.ReturnInspectionBody, NoQuery]) -> Answer:
    """Says what becomes of units that came, and pays back what the return policy gives for that.

    `restock` sells them again, `refurbish` keeps them as damaged, and what is for `scrap` is gone.
    """
    return_id, body = call.path["return_id"], call.body
    units = tuple(
        Inspected(
            sku=line.sku,
            quantity=line.quantity,
            disposition=facts.Disposition(line.disposition),
            refund_percent=line.refund_percent,
        )
        for line in body.lines
    )
    new = NewInspection(units=units, by=body.by or actor(), reason=body.reason or "")
    return _answer(return_id, await call.engine.returns.inspect(return_id, new, call.replay))


async def refurbish_return(call: Call[wire.ReturnRefurbishmentBody, NoQuery]) -> Answer:
    """Says what became of units that were kept as damaged to be refurbished: they are sold again, or are gone.

    The return may be closed by then. What is paid back does not change.
    """
    return_id, body = call.path["return_id"], call.body
    units = tuple(
        Refurbished(sku=line.sku, quantity=line.quantity, outcome=RefurbishedAs(line.outcome)) for line in body.lines
    )
    new = NewRefurbishment(units=units, by=body.by or actor(), reason=body.reason or "")
    return _answer(return_id, await call.engine.returns.refurbish(return_id, new, call.replay))


async def cancel_return(call: Call[wire.ReturnDecisionBody, NoQuery]) -> Answer:
    """Lets a return not take place, as long as nothing of it has come. Cancelling again answers the same."""
    return_id, body = call.path["return_id"], call.body
    found = await call.engine.returns.cancel(return_id, body.by or actor(), body.reason, call.replay)
    return _answer(return_id, found)


async def close_return(call: Call[wire.ReturnDecisionBody, NoQuery]) -> Answer:
    """Waits for nothing more of a return of which some has come and was inspected. Closing again answers the same."""
    return_id, body = call.path["return_id"], call.body
    found = await call.engine.returns.close(return_id, body.by or actor(), body.reason, call.replay)
    return _answer(return_id, found)


def shown_return(order: Order, found: facts.Return) -> wire.Return:
    """Return a return as it goes over the wire."""
    return wire.Return(
        return_id=found.return_id,
        order_id=order.order_id,
        state=found.state.value,
        node_id=found.node_id,
        lines=[_line(line) for line in found.lines],
        differences=differences(found),
        authorised_at=found.authorised_at,
        by=found.by,
        policy_version=found.policy_version,
        valid_until=found.valid_until,
        needs_approval=found.needs_approval,
        approved_by=found.approved_by,
        reason=found.reason,
        received_at=found.received_at,
        closed_at=found.closed_at,
        carrier=found.carrier,
        service=found.service,
        tracking_number=found.tracking_number,
        label_url=found.label_url,
        label_cents=found.label_cents,
        problem=found.problem,
        events=[
            wire.ReturnEvent(event=each.event, at=each.at, place=each.place or None, detail=each.detail or None)
            for each in found.events
        ],
        fee_cents=found.fee_cents,
        label_fee_cents=found.label_fee_cents,
        shipping_refund_cents=found.shipping_refund_cents,
        refund_cents=found.refund_cents,
        store_credit_cents=found.store_credit_cents,
        store_credit=found.store_credit or None,
        has_receipt=found.has_receipt,
        stock=[
            wire.ReturnStockMove(
                sku=move.sku,
                quantity=move.quantity,
                from_condition=move.from_condition or None,
                to_condition=move.to_condition or None,
                done_at=move.done_at,
                is_counted=move.is_counted,
            )
            for move in found.moves
        ],
        exchange=None if found.exchange is None else _exchange(found.exchange),
    )


def _exchange(found: facts.Exchange) -> wire.ReturnExchange:
    return wire.ReturnExchange(
        order_id=found.order_id,
        lines=[wire.ExchangeLine(sku=line.sku, quantity=line.quantity) for line in found.lines],
        due=found.due.value,  # type: ignore[arg-type]
        is_captured=found.is_captured,
        promised_on=found.promised_on,
        total_cents=None if found.prices is None else found.prices.total_cents,
        agreed_cents=found.agreed_cents,
        difference_cents=found.difference_cents,
        credit_cents=found.credit_cents,
    )


def _line(line: facts.ReturnLine) -> wire.ReturnLine:
    return wire.ReturnLine(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        reason=line.reason,
        comment=line.comment,
        terms=line.terms.rule,
        restocking_percent=line.terms.restocking_percent,
        received=line.received,
        restocked=line.restocked,
        refurbished=line.refurbished,
        scrapped=line.scrapped,
        value_cents=line.value_cents,
        refund_cents=line.refund_cents,
        to_refurbish=line.to_refurbish,
    )


def _answer(return_id: str, found: Outcome[Order]) -> Answer:
    shown = shown_return(found.value, return_of(found.value, return_id))
    return Answer(value=shown, is_replayed=found.replayed)


def _step(last: str, summary: str, handler: Handler, body: type[msgspec.Struct], example: object) -> Endpoint:
    """Return an endpoint by which a return goes on, under a key; it answers the return as it is then."""
    return Endpoint(
        method="POST",
        path="/v1/returns/{return_id:path}/" + last,
        summary=summary,
        handler=handler,
        body=body,
        is_body_optional=body is wire.ReturnDecisionBody,
        reply=wire.Return,
        scope="returns:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=RETURN,
        example=example,
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/returns",
        summary="Take units back without a receipt",
        handler=take_without_receipt,
        body=wire.ReturnWithoutReceiptBody,
        reply=wire.Return,
        scope="returns:write",
        status=201,
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        example={"node_id": "chicago-dc", "lines": [{"sku": "MUG-RED", "quantity": 1, "reason": "unwanted"}]},
    ),
    _step("approve", "Approve a return", approve_return, wire.ReturnDecisionBody, {"reason": "goodwill", "by": "carl"}),
    _step(
        "reject", "Refuse to approve a return", reject_return, wire.ReturnDecisionBody, {"reason": "worn", "by": "carl"}
    ),
    _step(
        "receipts",
        "Receive units of a return",
        receive_return,
        wire.ReturnReceiptBody,
        {"lines": [{"sku": "MUG-RED", "quantity": 1}], "is_all": True},
    ),
    _step(
        "inspections",
        "Say what becomes of units that came back",
        inspect_return,
        wire.ReturnInspectionBody,
        {"lines": [{"sku": "MUG-RED", "quantity": 1, "disposition": "restock"}]},
    ),
    _step(
        "refurbishments",
        "Say what became of units that were to be refurbished",
        refurbish_return,
        wire.ReturnRefurbishmentBody,
        {"lines": [{"sku": "MUG-RED", "quantity": 1, "outcome": "restock"}]},
    ),
    _step("cancel", "Cancel a return", cancel_return, wire.ReturnDecisionBody, {"reason": "keeps it"}),
    _step("close", "Close a return", close_return, wire.ReturnDecisionBody, {"reason": "the rest is lost"}),
    Endpoint(
        method="GET",
        path="/v1/returns/{return_id:path}",
        summary="Get a return",
        handler=get_return,
        reply=wire.Return,
        scope="returns:read",
        refusals=(NotFound,),
        path_examples=RETURN,
    ),
)
