"""What all steps of a return share: finding it, putting it back into its order, and what its state is then.

Pure. A return's id says which order it is of: `ret_2_ord_7` is the second return of order `ord_7`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from engine.errors import NotFound
from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import NOTHING_CAME, LabelPaidBy, Return, ReturnLine, ReturnState, StockMove
from engine.orders.model import Order
from engine.orders.released import VOID

LABEL, EXPIRE, STOCK = "carrier.return_label", "return.expire", "stock.return"
REFUND, EXCHANGE, BEGIN, CREDIT = "return.refund", "order.exchange", "return.begin", "return.credit"
"""The kinds of effects that returns ask for themselves."""
_ID = re.compile(r"ret_([1-9]\d{0,5})_(.+)", re.DOTALL)


def return_id_of(order: Order) -> str:
    """Return the id of an order's next return."""
    return f"ret_{len(order.life.returns) + 1}_{order.order_id}"


def order_id_of(return_id: str) -> str:
    """Return the id of the order that a return is of; raises NotFound for what is no id of a return."""
    found = _ID.fullmatch(return_id)
    if found is None:
        raise unknown(return_id)
    return found[2]


def unknown(return_id: str) -> NotFound:
    """Return the error of a return that is not there."""
    return NotFound(f"There is no return {return_id!r}. GET /v1/orders/{{order_id}}/returns lists those of an order.")


def return_of(order: Order, return_id: str) -> Return:
    """Return one return of an order; raises NotFound."""
    for each in order.life.returns:
        if each.return_id == return_id:
            return each
    raise unknown(return_id)


def with_return(order: Order, changed: Return, *effects: Effect, without: Sequence[str] = ()) -> Order:
    """Return an order with a return as it is from now on, new or not, and with more effects or `without` some."""
    known = any(each.return_id == changed.return_id for each in order.life.returns)
    returns = tuple(changed if each.return_id == changed.return_id else each for each in order.life.returns)
    life = msgspec.structs.replace(
        order.life,
        returns=returns if known else (*returns, changed),
        effects=tuple(each for each in order.life.effects if each.effect_id not in without),
    )
    known_ids = {each.effect_id for each in life.effects}
    return replace(order, life=with_effects(life, *(each for each in effects if each.effect_id not in known_ids)))


def settled(changed: Return, at: datetime) -> Return:
    """Return a return in the state that its units say; it is over once nothing more is to come or to be looked at."""
    if not changed.received:
        return changed
    if changed.waiting:
        return msgspec.structs.replace(changed, state=ReturnState.RECEIVED)
    if any(changed.expected(line) for line in changed.lines):
        return msgspec.structs.replace(changed, state=ReturnState.INSPECTED)
    return msgspec.structs.replace(changed, state=ReturnState.CLOSED, closed_at=at, is_complete=True)


def over_ids(changed: Return) -> tuple[str, ...]:
    """Return the ids of effects that a return which is over does not need any more."""
    return_id = changed.return_id
    if not changed.is_over:
        return ()
    expire = f"{return_id}:expire"
    return (expire, f"{return_id}:label", f"{return_id}:exchange") if changed.state in NOTHING_CAME else (expire,)


def label_payer(lines: Sequence[ReturnLine]) -> LabelPaidBy:
    """Return who pays for the way back of all lines together: the seller if he does for any of them."""
    payers = {line.terms.label for line in lines}
    return next(each for each in LabelPaidBy if each in payers)


def void_of(labelled: Return, at: datetime) -> Effect:
    """Return the effect that gives the label of a return back."""
    number = labelled.tracking_number
    return Effect(effect_id=f"{labelled.return_id}:void", kind=VOID, due_at=at, subject=number)


def moved(
    changed: Return, moves: Sequence[tuple[ReturnLine, int, str, str]], at: datetime
) -> tuple[Return, list[Effect]]:
    """Return a return with moves in stock (line, units, from which condition, to which), and effects that make them."""
    made: list[StockMove] = []
    for line, units, before, after in moves:
        number = len(changed.moves) + len(made) + 1
        made.append(
            StockMove(
                move_id=f"{changed.return_id}:stock:{number}",
                sku=line.sku,
                quantity=units,
                from_condition=before,
                to_condition=after,
            )
        )
    effects = [Effect(effect_id=each.move_id, kind=STOCK, due_at=at, subject=changed.return_id) for each in made]
    return msgspec.structs.replace(changed, moves=(*changed.moves, *made)), effects
