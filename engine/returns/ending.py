"""How a return goes on or ends without units: approved or refused, cancelled, run out, closed as it is. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import Return, ReturnState
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, refused, revision_of
from engine.returns.authorising import exchange_effects, first_effects
from engine.returns.paying import asked_for_refund
from engine.returns.receiving import differences
from engine.returns.steps import EXPIRE, over_ids, return_of, settled, void_of, with_return
from engine.returns.travelling import awaited_until, was_sent


def approved(order: Order, return_id: str, by: str, reason: str, at: datetime) -> Revision:
    """Return an order with a return that somebody has approved; raises NotFound."""
    before = return_of(order, return_id)
    note = _note("return_approved", before, by, reason)
    if before.state is not ReturnState.REQUESTED:
        return refused(order, note, f"Return {return_id!r} is {before.state.value}; there is nothing to approve.")
    changed = msgspec.structs.replace(before, state=ReturnState.AUTHORISED, approved_by=by)
    return revision_of(order, with_return(order, changed, *first_effects(changed, at)), note)


def rejected(order: Order, return_id: str, by: str, reason: str, at: datetime) -> Revision:
    """Return an order with a return that somebody has refused to approve; raises NotFound."""
    before = return_of(order, return_id)
    note = _note("return_refused", before, by, reason)
    if before.state is not ReturnState.REQUESTED:
        return refused(order, note, f"Return {return_id!r} is {before.state.value}; cancel it, if nothing has come.")
    changed = msgspec.structs.replace(before, state=ReturnState.REFUSED, closed_at=at, reason=reason)
    return revision_of(order, with_return(order, changed, without=over_ids(changed)), note)


def cancelled(
    order: Order, return_id: str, by: str, reason: str, at: datetime, *, exchange_ships: bool = False
) -> Revision | None:
    """Return an order with a return that does not take place; cancelling again changes nothing. Raises NotFound.

    While there is an order in exchange for it that was not cancelled (`exchange_ships`), it stays as it is.
    """
    before = return_of(order, return_id)
    note = _note("return_cancelled", before, by, reason)
    if before.state is ReturnState.CANCELLED:
        return None
    if before.received:
        why = f"Of return {return_id!r} {before.received} units have come; close it, if nothing more will."
        return refused(order, note, why)
    if before.is_over:
        return refused(order, note, f"Return {return_id!r} is {before.state.value}; there is nothing to cancel.")
    if before.state is ReturnState.DELIVERED and not before.is_complete:
        why = (
            f"The parcel of return {return_id!r} is at node {before.node_id!r}; say what was in it as a receipt first."
        )
        return refused(order, note, why)
    if any(each.effect_id == f"{return_id}:exchange" for each in order.life.effects):
        return refused(order, note, f"The exchange of return {return_id!r} is being captured; cancel it in a moment.")
    if before.exchange_order_id and exchange_ships:
        return refused(
            order, note, f"Order {before.exchange_order_id!r} was made in exchange for it; cancel that first."
        )
    changed = msgspec.structs.replace(before, state=ReturnState.CANCELLED, closed_at=at, reason=reason)
    return revision_of(order, with_return(order, changed, *_voids(changed, at), without=over_ids(changed)), note)


def closed(order: Order, return_id: str, by: str, reason: str, at: datetime) -> Revision | None:
    """Return an order with a return of which nothing more will come; closing again changes nothing. Raises NotFound."""
    before = return_of(order, return_id)
    note = _note("return_closed", before, by, reason)
    if before.state is ReturnState.CLOSED:
        return None
    if before.is_over or not before.received:
        why = f"Return {return_id!r} is {before.state.value}, and nothing of it has come; cancel it instead."
        return refused(order, note, why)
    if before.waiting:
        why = f"{before.waiting} units of return {return_id!r} were not inspected; say what becomes of them first."
        return refused(order, note, why)
    return _without_more(order, before, note, at)


def expired(order: Order, return_id: str, at: datetime) -> Revision:
    """Return an order with a return whose units had to be there by now: what has not come is not expected any more.

    A parcel that the carrier has, or has brought, is waited for.
    """
    before = return_of(order, return_id)
    order_before = order
    order = replace(order, life=without_effect(order.life, f"{return_id}:expire"))
    note = _note("return_expired", before, "return policy", "")
    if (until := awaited_until(before, at)) is not None:
        again = Effect(effect_id=f"{return_id}:expire", kind=EXPIRE, due_at=until, subject=return_id)
        order = replace(order, life=with_effects(order.life, again))
        return revision_of(order_before, order, replace(note, event="return_awaited", reason=before.state.value))
    if before.is_over:
        return revision_of(order_before, order, note)
    if before.received:
        return _without_more(order, before, note, at, seen=order_before)
    changed = msgspec.structs.replace(before, state=ReturnState.EXPIRED, closed_at=at)
    after = with_return(order, changed, *_voids(changed, at), without=over_ids(changed))
    return revision_of(order_before, after, note)


def _without_more(order: Order, before: Return, note: Note, at: datetime, seen: Order | None = None) -> Revision:
    changed = settled(msgspec.structs.replace(before, is_complete=True), at)
    changed, money = asked_for_refund(order, changed, at)
    effects = (*money, *exchange_effects(changed, at))
    after = with_return(order, changed, *effects, without=over_ids(changed))
    return revision_of(seen or order, after, replace(note, reason=note.reason or differences(changed) or None))


def _voids(ended: Return, at: datetime) -> Sequence[Effect]:
    """Return the effect that gives a label back that nobody used."""
    return (void_of(ended, at),) if ended.tracking_number and not was_sent(ended) else ()


def _note(event: str, changed: Return, by: str, reason: str) -> Note:
    return Note(event=event, by=by, reason=reason or None, node_id=changed.node_id, subject=changed.return_id)
