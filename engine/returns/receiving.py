"""What has come of a return, whatever it is: announced units, more or fewer of them, and others. A pure rule.

All that comes is in stock from then on, in quality hold until somebody has looked at it. Units that the order had and
the return did not name count for the order; what the order never had is kept apart, and nothing is paid back for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.conditions import Condition
from engine.orders.facts.returns import Return, ReturnLine, ReturnState, ReturnTerms, came_back
from engine.orders.model import Note, NotedLine, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.returns.amounts import paid_back
from engine.returns.authorising import asked_of, exchange_effects
from engine.returns.paying import asked_for_refund
from engine.returns.policy import ReturnPolicy
from engine.returns.steps import moved, over_ids, return_of, settled, with_return
from engine.returns.terms import kept_terms, terms_for, with_customer

UNANNOUNCED, UNEXPECTED = "unannounced", "unexpected"
"""Why units came that the return did not name: the order had them, or it did not."""
_MAY_COME = frozenset(
    {
        ReturnState.AUTHORISED,
        ReturnState.IN_TRANSIT,
        ReturnState.DELIVERED,
        ReturnState.RECEIVED,
        ReturnState.INSPECTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReceipt:
    """What came: units by SKU, at `node_id` if that is not where they were sent; nothing follows if `is_all`."""

    units: tuple[tuple[str, int], ...]
    by: str
    node_id: str | None = None
    is_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """What was looked up to decide: the policy, for what nobody announced, and which SKUs and nodes there are."""

    policy: ReturnPolicy
    skus: Collection[str]
    node_ids: Collection[str]
    sku_classes: Mapping[str, str] = field(default_factory=dict)


def received(order: Order, return_id: str, new: NewReceipt, known: Receiving, at: datetime) -> Revision:
    """Return an order of which units have come back; raises NotFound, and InvalidInput for what is not there."""
    before = return_of(order, return_id)
    _check(new, known)
    node_id = new.node_id or before.node_id
    note = Note(event="return_received", by=new.by, node_id=node_id, subject=return_id)
    if why := _against(before, node_id):
        return refused(order, note, why)
    lines, came = _with_units(order, before, new.units, known)
    changed = msgspec.structs.replace(
        before,
        lines=tuple(lines),
        node_id=node_id,
        received_at=before.received_at or at,
        is_complete=before.is_complete or new.is_all,
    )
    if changed.pays_on_receipt:
        changed = _paid(order, changed, came)
    hold = Condition.QUALITY_HOLD.value
    changed, effects = moved(
        changed, [(line, units, "", hold) for line, units in zip(lines, came, strict=True) if units], at
    )
    changed, money = asked_for_refund(order, settled(changed, at), at)
    after = with_return(order, changed, *effects, *money, *exchange_effects(changed, at), without=over_ids(changed))
    note = replace(note, lines=_told(lines, came), reason=differences(changed) or None)
    return revision_of(order, after, note)


def differences(changed: Return) -> str:
    """Return in words how what came differs from what was announced, so far; blank if it does not."""
    told: list[str] = []
    for line in changed.lines:
        if line.reason in {UNANNOUNCED, UNEXPECTED}:
            told.append(f"{line.received} {line.sku} {line.reason}")
        elif line.received > line.quantity:
            told.append(f"{line.received - line.quantity} {line.sku} more than announced")
        elif changed.is_complete and line.received < line.quantity:
            told.append(f"{line.quantity - line.received} {line.sku} fewer than announced")
    return "; ".join(told)[:500]


def _against(before: Return, node_id: str) -> str:
    """Return why nothing can be received, blank if it can."""
    if before.state not in _MAY_COME:
        remedy = "approve it first" if before.state is ReturnState.REQUESTED else "announce what came as a new return"
        return f"Return {before.return_id!r} is {before.state.value}; {remedy}."
    if before.received and node_id != before.node_id:
        return (
            f"Return {before.return_id!r} is at node {before.node_id!r} already; announce what came to {node_id!r} as "
            "a return of its own."
        )
    return ""


def _check(new: NewReceipt, known: Receiving) -> None:
    faults, seen = list[Fault](), dict[str, int]()
    for index, (sku, quantity) in enumerate(new.units):
        path = f"$.lines[{index}]"
        if sku not in known.skus:
            message = f"there is no product {sku!r}; {nearest(sku, list(known.skus)[:500])}"
            faults.append(Fault(path=f"{path}.sku", message=message))
        if (first := seen.setdefault(sku, index)) != index:
            faults.append(Fault(path=f"{path}.sku", message=f"{sku!r} repeats $.lines[{first}].sku; send it once"))
        if quantity < 1:
            faults.append(Fault(path=f"{path}.quantity", message=f"{quantity} is no quantity; give 1 or more"))
    if new.node_id is not None and new.node_id not in known.node_ids:
        message = f"there is no node {new.node_id!r}; {nearest(new.node_id, known.node_ids)}"
        faults.append(Fault(path="$.node_id", message=message))
    if not new.units and not new.is_all:
        faults.append(Fault(path="$.lines", message="is empty; name what came, or say is_all if nothing more will"))
    if faults:
        raise InvalidInput(faults)


def _with_units(
    order: Order, before: Return, units: Sequence[tuple[str, int]], known: Receiving
) -> tuple[list[ReturnLine], list[int]]:
    """Return the lines with what came, and how much of each that is now."""
    lines, came = list(before.lines), [0] * len(before.lines)
    line_ids = {line.sku: line.line_id for line in order.demand}
    sent, back = with_customer(order), came_back(order.life.returns)

    def add(line_id: str, sku: str, count: int, reason: str, terms: ReturnTerms) -> None:
        for place, line in enumerate(lines):
            if (line.line_id, line.sku) == (line_id, sku):
                lines[place] = msgspec.structs.replace(line, received=line.received + count)
                came[place] += count
                return
        lines.append(
            ReturnLine(line_id=line_id, sku=sku, quantity=0, reason=reason, terms=terms, received=count),
        )
        came.append(count)

    for sku, quantity in units:
        line_id = line_ids.get(sku, "")
        of_order = min(quantity, max(0, sent.get(line_id, 0) - back.get(line_id, 0))) if line_id else 0
        if of_order:
            rule, terms = terms_for(known.policy, asked_of(order, sku, UNANNOUNCED, known.sku_classes))
            add(line_id, sku, of_order, UNANNOUNCED, kept_terms(rule, terms))
        if quantity > of_order:
            add("", sku, quantity - of_order, UNEXPECTED, ReturnTerms(rule=UNEXPECTED))
    return lines, came


def _paid(order: Order, changed: Return, came: Sequence[int]) -> Return:
    for place, units in enumerate(came):
        lines = list(changed.lines)
        lines[place] = paid_back(order, changed, lines[place], units, 100)
        changed = msgspec.structs.replace(changed, lines=tuple(lines))
    return changed


def _told(lines: Sequence[ReturnLine], units: Sequence[int]) -> tuple[NotedLine, ...]:
    """Return units of lines as a step of the history tells them; what is of no line goes by its SKU."""
    return tuple(
        NotedLine(line_id=line.line_id or line.sku, quantity=count)
        for line, count in zip(lines, units, strict=True)
        if count
    )
