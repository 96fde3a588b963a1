"""Returns of which no order is known: an order stands for the sale that nobody can find, delivered as it is captured.

So such a return is received, inspected and stocked as any other. Its units are worth what the catalog sells them for,
at the share of the return policy; they pay store credit, or nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from engine.availability.reference import View
from engine.errors import Fault, IllegalState, InvalidInput
from engine.faults import nearest
from engine.inventory.checks import candidates
from engine.orders.destination import Destination
from engine.orders.effecting import without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import LinePrice, Money, Prices
from engine.orders.facts.returns import LabelPaidBy, Return, ReturnLine, ReturnState, ReturnTerms
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import Life
from engine.orders.model import Captured, Note, NotedLine, Order, OrderState
from engine.orders.revising import Revision, revision_of
from engine.returns.authorising import first_effects
from engine.returns.policy import ReturnPolicy, StoredReturnPolicy
from engine.returns.steps import BEGIN, over_ids, return_id_of, return_of, with_return
from engine.routing.model import OrderLine

RULE = "without_receipt"
"""The name of the terms of such returns."""
CHANNEL = "without_receipt"
"""The channel of the orders that stand for unknown sales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnits:
    """Units that somebody brings or sends back, and why."""

    sku: str
    quantity: int
    reason: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturnWithoutReceipt:
    """What comes back without a receipt, to which node; `customer_id` says whose it is, if that is known."""

    lines: tuple[NewUnits, ...]
    node_id: str
    by: str
    customer_id: str = ""


def without_receipt(
    new: NewReturnWithoutReceipt, order_id: str, stored: StoredReturnPolicy, view: View, at: datetime
) -> tuple[Captured, Life]:
    """Return an order for an unknown sale and its life, with a return in it; raises InvalidInput, IllegalState."""
    policy = stored.policy
    _check(new, policy, view)
    if not policy.without_receipt.is_allowed:
        raise IllegalState("The return policy takes nothing back without a receipt. Find the order.")
    lines = tuple(
        OrderLine(line_id=str(number), sku=each.sku, quantity=each.quantity)
        for number, each in enumerate(new.lines, start=1)
    )
    node = view.network.document.nodes[view.network.index[new.node_id]]
    captured = Captured(
        order_id=order_id,
        channel=CHANNEL,
        destination=Destination(latitude=node.latitude, longitude=node.longitude, time_zone=node.time_zone),
        lines=lines,
        demand=lines,
        captured_at=at,
    )
    money = Money(prices=_prices(lines, policy, view)) if policy.without_receipt.pays_credit else Money()
    life = Life(customer_id=new.customer_id, shipments=(_sold(lines, new.node_id, at),), money=money)
    order = Order(captured=captured, state=OrderState.CAPTURED, life=life)
    made = _return(order, new, stored, at)
    begin = Effect(effect_id=f"{made.return_id}:begin", kind=BEGIN, due_at=at, subject=made.return_id)
    return captured, with_return(order, made, begin, *first_effects(made, at)).life


def begun(order: Order, effect: Effect) -> Revision:
    """Return the first step of such an order, which says what it is; nothing of it is to be routed from then on."""
    made = return_of(order, effect.subject)
    event = "return_requested" if made.state is ReturnState.REQUESTED else "return_authorised"
    note = Note(
        event=event,
        by=made.by,
        reason=made.needs_approval or RULE,
        node_id=made.node_id,
        lines=tuple(NotedLine(line_id=line.line_id, quantity=line.quantity) for line in made.lines),
        subject=made.return_id,
    )
    life = without_effect(order.life, effect.effect_id)
    return revision_of(order, with_return(replace(order, life=life), made, without=over_ids(made)), note)


def _return(order: Order, new: NewReturnWithoutReceipt, stored: StoredReturnPolicy, at: datetime) -> Return:
    policy, terms = stored.policy, ReturnTerms(rule=RULE, label=LabelPaidBy.NOBODY)
    needs = RULE if policy.without_receipt.needs_approval else ""
    return Return(
        return_id=return_id_of(order),
        node_id=new.node_id,
        state=ReturnState.REQUESTED if needs else ReturnState.AUTHORISED,
        lines=tuple(
            ReturnLine(
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                reason=each.reason,
                terms=terms,
                comment=each.comment,
            )
            for line, each in zip(order.captured.demand, new.lines, strict=True)
        ),
        authorised_at=at,
        by=new.by,
        policy_version=stored.version,
        valid_until=at.astimezone(UTC).date() + timedelta(days=policy.days_to_send),
        has_receipt=False,
        most_refund_cents=policy.without_receipt.most_cents,
        pays_on_receipt=policy.refund_at == "received",
        refund_shares=policy.refund_shares,
        needs_approval=needs,
    )


def _sold(lines: Sequence[OrderLine], node_id: str, at: datetime) -> Shipment:
    """Return the shipment that brought it to the customer, whenever that was."""
    return Shipment(
        shipment_id="shp_unknown",
        node_id=node_id,
        service="",
        ship_on=at.astimezone(UTC).date(),
        lines=tuple(ShipmentLine(line_id=each.line_id, sku=each.sku, quantity=each.quantity) for each in lines),
        state=ShipmentState.DELIVERED,
        released_at=at,
        shipped_at=at,
        delivered_at=at,
    )


def _prices(lines: Sequence[OrderLine], policy: ReturnPolicy, view: View) -> Prices:
    """Return what units are worth by the catalog, at the policy's share; what it has no price for is worth nothing."""
    percent, prices = policy.without_receipt.refund_percent, view.catalog.prices
    found = tuple(
        LinePrice(
            line_id=line.line_id,
            quantity=line.quantity,
            unit_price_cents=prices.get(line.sku, 0),
            total_cents=line.quantity * prices.get(line.sku, 0) * percent // 100,
        )
        for line in lines
    )
    currency = view.network.document.currency
    return Prices(currency=currency, lines=found, total_cents=sum(each.total_cents for each in found))


def _check(new: NewReturnWithoutReceipt, policy: ReturnPolicy, view: View) -> None:
    faults, seen = list[Fault](), dict[str, int]()
    for index, line in enumerate(new.lines):
        path = f"$.lines[{index}]"
        if line.sku not in view.catalog.content or line.sku in view.catalog.kits:
            alike = candidates(line.sku, view.catalog)
            remedy = nearest(line.sku, alike) if alike else "check the spelling; of a kit name its products"
            faults.append(Fault(path=f"{path}.sku", message=f"there is no product {line.sku!r}; {remedy}"))
        if (first := seen.setdefault(line.sku, index)) != index:
            message = f"{line.sku!r} repeats $.lines[{first}].sku; send each product once"
            faults.append(Fault(path=f"{path}.sku", message=message))
        if line.quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{line.quantity} is no quantity; give 1 or more"))
        if line.reason not in policy.reasons:
            message = f"{line.reason!r} is no reason of the return policy; {nearest(line.reason, policy.reasons)}"
            faults.append(Fault(path=f"{path}.reason", message=message))
    if new.node_id not in view.network.index:
        message = f"there is no node {new.node_id!r}; {nearest(new.node_id, view.network.index)}"
        faults.append(Fault(path="$.node_id", message=message))
    if not new.lines:
        faults.append(Fault(path="$.lines", message="is empty; name at least one product"))
    if faults:
        raise InvalidInput(faults)
