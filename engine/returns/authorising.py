"""Whether units of an order may come back, and by which terms: a pure rule.

Not here: to which node (return_nodes.py), what they are worth (amounts.py), returns of which no order is known
(without_receipt.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import Exchange, LabelPaidBy, Return, ReturnLine, ReturnState, came_back
from engine.orders.model import Note, NotedLine, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.returns.amounts import fees, units_value_cents
from engine.returns.policy import ReturnPolicy, StoredReturnPolicy, Terms
from engine.returns.return_nodes import NodeChoice
from engine.returns.steps import EXCHANGE, EXPIRE, LABEL, label_payer, return_id_of, with_return
from engine.returns.terms import Asked, kept_terms, may_come_until, still_announced, terms_for, with_customer

_STEPS = {
    ReturnState.AUTHORISED: 0,
    ReturnState.IN_TRANSIT: 0,
    ReturnState.DELIVERED: 0,
    ReturnState.RECEIVED: 1,
    ReturnState.INSPECTED: 2,
    ReturnState.CLOSED: 3,
}
ASKED_FOR = "somebody asks for an exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturnLine:
    """Units of a line of an order's demand that a customer wants to send back, and why."""

    line_id: str
    quantity: int
    reason: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturn:
    """What a customer wants to send back, and to get `instead`; `by` announces it.

    As an exception it is not refused for its window or its terms, and needs approval.
    """

    lines: tuple[NewReturnLine, ...]
    by: str
    is_exception: bool = False
    instead: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorising:
    """What was looked up to decide: the policy, the node it goes to and how, and the classes of products by SKU."""

    stored: StoredReturnPolicy
    node: NodeChoice
    sku_classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    new: NewReturnLine
    sku: str
    rule: str
    terms: Terms


def authorised(order: Order, new: NewReturn, known: Authorising, at: datetime) -> Revision:
    """Return an order with one more return, which waits for approval where the policy asks for it.

    Raises InvalidInput for lines or reasons that are not there.
    """
    policy = known.stored.policy
    lines = _checked(order, new, policy, known.sku_classes)
    noted = tuple(NotedLine(line_id=each.new.line_id, quantity=each.new.quantity) for each in lines)
    note = Note(
        event="return_authorised", by=new.by, node_id=known.node.node_id, lines=noted, subject=return_id_of(order)
    )
    why = _short(order, lines) or _exchange_again(order, new)
    against = _against(order, lines, at)
    if why or (against and not new.is_exception):
        return refused(order, note, why or against)
    needs = ASKED_FOR if against else _needs(order, lines, policy)
    state = ReturnState.REQUESTED if needs else ReturnState.AUTHORISED
    made = Return(
        return_id=return_id_of(order),
        node_id=known.node.node_id,
        carrier=known.node.carrier or "",
        service=known.node.service or "",
        weight_g=known.node.weight_g,
        state=state,
        lines=tuple(
            ReturnLine(
                line_id=each.new.line_id,
                sku=each.sku,
                quantity=each.new.quantity,
                reason=each.new.reason,
                terms=kept_terms(each.rule, each.terms),
                comment=each.new.comment,
            )
            for each in lines
        ),
        authorised_at=at,
        by=new.by,
        policy_version=known.stored.version,
        valid_until=at.astimezone(UTC).date() + timedelta(days=policy.days_to_send),
        pays_on_receipt=policy.refund_at == "received",
        refund_shares=policy.refund_shares,
        needs_approval=needs,
        exchange=new.instead,
    )
    made = msgspec.structs.replace(made, fee_cents=fees(made))
    if needs:
        note = _as_request(note, needs)
    return revision_of(order, with_return(order, made, *first_effects(made, at)), note)


def first_effects(made: Return, at: datetime) -> Iterator[Effect]:
    """Yield what is to be done for a return that was authorised: its end, its label, and an exchange that is due."""
    if made.state is not ReturnState.AUTHORISED:
        return
    return_id = made.return_id
    if made.valid_until is not None:
        ends_at = datetime.combine(made.valid_until + timedelta(days=1), time(), UTC)
        yield Effect(effect_id=f"{return_id}:expire", kind=EXPIRE, due_at=ends_at, subject=return_id)
    if made.has_receipt and made.service and label_payer(made.lines) is not LabelPaidBy.NOBODY:
        yield Effect(effect_id=f"{return_id}:label", kind=LABEL, due_at=at, subject=return_id)
    yield from exchange_effects(made, at)


def exchange_effects(made: Return, at: datetime) -> Iterator[Effect]:
    """Yield the effect that captures the exchange of a return, in the first step in which it is due."""
    wanted = made.exchange
    if wanted is not None and not wanted.is_captured and _STEPS[wanted.due] <= _STEPS.get(made.state, -1):
        yield Effect(effect_id=f"{made.return_id}:exchange", kind=EXCHANGE, due_at=at, subject=made.return_id)


def _as_request(note: Note, needs: str) -> Note:
    return Note(
        event="return_requested", by=note.by, reason=needs, node_id=note.node_id, lines=note.lines, subject=note.subject
    )


def _checked(order: Order, new: NewReturn, policy: ReturnPolicy, classes: Mapping[str, str]) -> list[_Line]:
    """Return the lines with their terms; raises InvalidInput with every fault."""
    skus = {line.line_id: line.sku for line in order.demand}
    faults, found, seen = list[Fault](), list[_Line](), dict[str, int]()
    for index, line in enumerate(new.lines):
        path = f"$.lines[{index}]"
        if line.line_id not in skus:
            message = f"order {order.order_id} has no line {line.line_id!r}; {nearest(line.line_id, skus)}"
            faults.append(Fault(path=f"{path}.line_id", message=message))
        if (first := seen.setdefault(line.line_id, index)) != index:
            message = f"{line.line_id!r} repeats $.lines[{first}].line_id; send each line once"
            faults.append(Fault(path=f"{path}.line_id", message=message))
        if line.quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{line.quantity} is no quantity; give 1 or more"))
        if line.reason not in policy.reasons:
            message = f"{line.reason!r} is no reason of the return policy; {nearest(line.reason, policy.reasons)}"
            faults.append(Fault(path=f"{path}.reason", message=message))
        if line.line_id in skus:
            asked = asked_of(order, skus[line.line_id], line.reason, classes)
            rule, terms = terms_for(policy, asked)
            found.append(_Line(new=line, sku=asked.sku, rule=rule, terms=terms))
    if not new.lines:
        faults.append(Fault(path="$.lines", message="is empty; name at least one line"))
    if faults:
        raise InvalidInput(faults)
    return found


def asked_of(order: Order, sku: str, reason: str, classes: Mapping[str, str]) -> Asked:
    """Return what rules of the policy look at for a product of an order."""
    return Asked(
        sku=sku,
        reason=reason,
        channel=order.captured.channel,
        sku_class=classes.get(sku),
        customer_class=order.captured.customer_class,
    )


def _short(order: Order, lines: Sequence[_Line]) -> str:
    """Return why there are fewer units to come back than are named, blank if there are enough."""
    there, back, announced = with_customer(order), came_back(order.life.returns), still_announced(order)
    for each in lines:
        line_id = each.new.line_id
        sent = there.get(line_id, 0)
        left = sent - back.get(line_id, 0) - announced.get(line_id, 0)
        if each.new.quantity > left:
            return (
                f"Of line {line_id!r} {max(0, left)} units can be returned, {each.new.quantity} are named: {sent} have "
                f"left, {back.get(line_id, 0)} came back and {announced.get(line_id, 0)} are in open returns."
            )
    return ""


def _exchange_again(order: Order, new: NewReturn) -> str:
    """Return why the order asked for instead cannot be, blank if it can: an id is that of one order."""
    wanted = new.instead
    taken = wanted is not None and wanted.order_id in {
        order.order_id,
        *(each.exchange.order_id for each in order.life.returns if each.exchange is not None),
    }
    return f"Order {wanted.order_id!r} is there already; name another." if wanted is not None and taken else ""


def _against(order: Order, lines: Sequence[_Line], at: datetime) -> str:
    """Return what the policy has against it, blank if nothing."""
    today = at.astimezone(UTC).date()
    for each in lines:
        if not each.terms.is_returnable:
            return (
                f"The return policy takes {each.sku!r} not back for {each.new.reason!r} ({each.rule}). Ask for an "
                "exception (is_exception), which somebody has to approve."
            )
        last = may_come_until(order, each.new.line_id, each.terms.window_days)
        if last is not None and today > last:
            return (
                f"Line {each.new.line_id!r} could be returned until {last} ({each.rule}, {each.terms.window_days} "
                "days). Ask for an exception (is_exception), which somebody has to approve."
            )
    return ""


def _needs(order: Order, lines: Sequence[_Line], policy: ReturnPolicy) -> str:
    """Return why somebody has to approve it, blank if nobody has to."""
    for each in lines:
        if each.terms.needs_approval:
            return f"{each.rule} needs approval"
    if policy.approval_from_cents is None:
        return ""
    value = sum(units_value_cents(order, each.new.line_id, each.new.quantity) for each in lines)
    return f"worth {value} cents" if value >= policy.approval_from_cents else ""
