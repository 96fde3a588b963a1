"""Units of returns in stock: each move is an effect made under its id, so that a crash neither loses nor doubles any.

Moves of a return are made in order: what comes is there before it is looked at. Not here: which moves there are
(receiving.py, inspecting.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from engine.errors import OnHandOutOfRange, Refused, Unavailable, WrongCondition
from engine.inventory.conditions import Condition, ConditionChange
from engine.inventory.model import Adjustment, Replay
from engine.inventory.service import InventoryService
from engine.orders.changing import Rule
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import Return, StockMove
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.returns.steps import return_of, with_return

_BY = "stock"
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=15)


class ReturnStock:
    """Makes the moves of returns in stock."""

    def __init__(self, inventory: InventoryService) -> None:
        self._inventory = inventory

    async def make(self, order: Order, effect: Effect) -> Rule:
        """Make one move, once; refused by stock, it is tried again later under another key, as nothing was done."""
        changed = return_of(order, effect.subject)
        place = next(place for place, each in enumerate(changed.moves) if each.move_id == effect.effect_id)
        if any(each.done_at is None for each in changed.moves[:place]):
            raise Unavailable("An earlier move of the return in stock is not made yet.")
        move = changed.moves[place]
        if await self._is_unlimited(move.sku, changed.node_id):
            return _made(effect, is_counted=False)
        try:
            await self._move(changed, move)
        except (OnHandOutOfRange, WrongCondition) as refusal:
            return _refused(effect, refusal)
        return _made(effect)

    async def _move(self, changed: Return, move: StockMove) -> None:
        key = f"{move.move_id}:{move.refusals}"
        replay, reason = Replay(digest=key, fingerprint=key), f"return {changed.return_id}"
        if move.from_condition and move.to_condition:
            turned = ConditionChange(
                node_id=changed.node_id,
                sku=move.sku,
                quantity=move.quantity,
                from_condition=Condition(move.from_condition),
                to_condition=Condition(move.to_condition),
                reason=reason,
            )
            await self._inventory.change_conditions([turned], replay=replay)
            return
        comes = bool(move.to_condition)
        adjustment = Adjustment(
            node_id=changed.node_id,
            sku=move.sku,
            delta=move.quantity if comes else -move.quantity,
            reason=reason,
            condition=Condition(move.to_condition if comes else move.from_condition),
        )
        await self._inventory.adjust([adjustment], replay=replay)

    async def _is_unlimited(self, sku: str, node_id: str) -> bool:
        positions = await self._inventory.positions(sku)
        return any(position.node_id == node_id and position.unlimited for position in positions)


def _made(effect: Effect, *, is_counted: bool = True) -> Rule:
    """Return the rule that writes down that a move was made."""

    def rule(order: Order, at: datetime) -> Revision:
        changed, move = _move_of(order, effect)
        done = msgspec.structs.replace(move, done_at=at, is_counted=is_counted)
        note = Note(event="return_stocked", by=_BY, node_id=changed.node_id, subject=effect.subject, reason=_said(move))
        after = replace(order, life=without_effect(order.life, effect.effect_id))
        return revision_of(order, with_return(after, _with(changed, done)), note)

    return rule


def _refused(effect: Effect, why: Refused) -> Rule:
    """Return the rule that tries a move again later, under another key: this one has its answer."""

    def rule(order: Order, at: datetime) -> Revision:
        changed, move = _move_of(order, effect)
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(effect.tries, 20))
        said = str(why)[:200]
        later = msgspec.structs.replace(effect, tries=effect.tries + 1, due_at=at + wait, last_error=said)
        life = with_effects(without_effect(order.life, effect.effect_id), later)
        again = _with(changed, msgspec.structs.replace(move, refusals=move.refusals + 1))
        note = Note(event="effect_put_off", by=_BY, reason=said, subject=effect.subject)
        return revision_of(order, with_return(replace(order, life=life), again), note)

    return rule


def _move_of(order: Order, effect: Effect) -> tuple[Return, StockMove]:
    changed = return_of(order, effect.subject)
    return changed, next(each for each in changed.moves if each.move_id == effect.effect_id)


def _with(changed: Return, move: StockMove) -> Return:
    moves = tuple(move if each.move_id == move.move_id else each for each in changed.moves)
    return msgspec.structs.replace(changed, moves=moves)


def _said(move: StockMove) -> str:
    return f"{move.quantity} {move.sku}: {move.from_condition or 'outside'} to {move.to_condition or 'outside'}"
