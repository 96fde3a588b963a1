"""Returns as use cases: announce, approve, receive, inspect, refurbish, cancel, close; and what is asked for when.

Not here: the rules (authorising.py, receiving.py, inspecting.py, refurbishing.py, ending.py), exchanges
(exchanging.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.availability.reference import Reference, View
from engine.clock import Clock
from engine.errors import Fault, InvalidInput, NotFound
from engine.faults import nearest
from engine.inventory.model import Outcome, Replay
from engine.inventory.store import InventoryStore
from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import Effects
from engine.orders.facts.returns import Return, ReturnState
from engine.orders.model import Order
from engine.orders.remaining import to_route
from engine.orders.revising import Revision
from engine.orders.store import OrderStore
from engine.returns.authorising import Authorising, NewReturn, authorised
from engine.returns.ending import approved, cancelled, closed, rejected
from engine.returns.exchanging import ExchangeTerms, NewExchange
from engine.returns.inspecting import NewInspection, inspected
from engine.returns.policy import ReturnPolicies, ReturnPolicy
from engine.returns.receiving import NewReceipt, Receiving, received
from engine.returns.refurbishing import NewRefurbishment, refurbished
from engine.returns.return_nodes import NodeChoice, best_nodes
from engine.returns.steps import order_id_of, return_of
from engine.returns.without_receipt import NewReturnWithoutReceipt, without_receipt
from engine.tokens import new_token


class ReturnService:
    """The returns of a tenant; every step is one change of their order, and settles what it asks for."""

    def __init__(
        self,
        changes: OrderChanges,
        effects: Effects,
        policies: ReturnPolicies,
        reference: Reference,
        stock: InventoryStore,
        orders: OrderStore,
        clock: Clock,
        terms: ExchangeTerms,
    ) -> None:
        self._changes, self._effects, self._policies = changes, effects, policies
        self._reference, self._stock = reference, stock
        self._orders, self._clock, self._terms = orders, clock, terms

    async def get(self, return_id: str) -> tuple[Order, Return]:
        """Return a return and its order; raises NotFound."""
        order = await self._changes.get(order_id_of(return_id))
        return order, return_of(order, return_id)

    async def of_order(self, order_id: str) -> tuple[Return, ...]:
        """Return the returns of an order, the oldest first; raises NotFound."""
        return (await self._changes.get(order_id)).life.returns

    async def nodes_for(self, order_id: str, units: Sequence[tuple[str, int]]) -> list[NodeChoice]:
        """Return where units (line id, quantity) of an order had best come back to; raises NotFound, IllegalState."""
        order = await self._changes.get(order_id)
        policy = (await self._policies.current()).policy
        return await self._nodes(order, units, policy, await self._reference.current_with_prices())

    async def authorise(
        self,
        order_id: str,
        new: NewReturn,
        *,
        node_id: str | None = None,
        exchange: NewExchange | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Announce a return; to `node_id`, or to the best node. Raises NotFound, InvalidInput, IllegalState."""
        before = None if replay is None else await self._orders.recall_revision(replay, order_id)
        if before is not None:
            return before
        order = await self._changes.get(order_id)
        stored, view = await self._policies.current(), await self._reference.current_with_prices()
        if node_id is not None and node_id not in view.network.index:
            message = f"there is no node {node_id!r}; {nearest(node_id, view.network.index)}"
            raise InvalidInput(Fault(path="$.node_id", message=message))
        units = [(line.line_id, line.quantity) for line in new.lines]
        node = (await self._nodes(order, units, stored.policy, view, node_id))[0]
        known = Authorising(stored=stored, node=node, sku_classes=view.catalog.classes)
        wanted = new if exchange is None else await self._with_exchange(order, new, exchange, known, view)
        return await self._done(order_id, lambda seen, at: authorised(seen, wanted, known, at), replay)

    async def take_without_receipt(
        self, new: NewReturnWithoutReceipt, *, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Announce a return of which no order is known, once for each key; raises InvalidInput, IllegalState."""
        order_id = f"ord_{new_token(12) if replay is None else replay.digest[:24]}"
        stored, view = await self._policies.current(), await self._reference.current()
        captured, life = without_receipt(new, order_id, stored, view, self._clock.now())
        kept = await self._orders.capture(captured, life=life, replay=replay)
        if not kept.replayed:
            await self._effects.settle(order_id)
        return kept

    async def approve(self, return_id: str, by: str, reason: str = "", replay: Replay | None = None) -> Outcome[Order]:
        """Approve a return that waits for it; raises NotFound, IllegalState."""
        return await self._step(return_id, lambda order, at: approved(order, return_id, by, reason, at), replay)

    async def reject(self, return_id: str, by: str, reason: str = "", replay: Replay | None = None) -> Outcome[Order]:
        """Refuse a return that waits for approval; raises NotFound, IllegalState."""
        return await self._step(return_id, lambda order, at: rejected(order, return_id, by, reason, at), replay)

    async def receive(self, return_id: str, new: NewReceipt, replay: Replay | None = None) -> Outcome[Order]:
        """Write down what has come; raises NotFound, InvalidInput, IllegalState."""
        policy, view = (await self._policies.current()).policy, await self._reference.current()
        known = Receiving(
            policy=policy,
            skus=view.catalog.content.keys() - view.catalog.kits,
            node_ids=view.network.index.keys(),
            sku_classes=view.catalog.classes,
        )
        return await self._step(return_id, lambda order, at: received(order, return_id, new, known, at), replay)

    async def inspect(self, return_id: str, new: NewInspection, replay: Replay | None = None) -> Outcome[Order]:
        """Write down what becomes of units; raises NotFound, InvalidInput, IllegalState."""
        return await self._step(return_id, lambda order, at: inspected(order, return_id, new, at), replay)

    async def refurbish(self, return_id: str, new: NewRefurbishment, replay: Replay | None = None) -> Outcome[Order]:
        """Write down which units can be sold again, or are scrapped after all; raises as `inspect`, IllegalState."""
        return await self._step(return_id, lambda order, at: refurbished(order, return_id, new, at), replay)

    async def cancel(self, return_id: str, by: str, reason: str = "", replay: Replay | None = None) -> Outcome[Order]:
        """Let a return not take place; raises NotFound, IllegalState once something has come."""
        _, found = await self.get(return_id)
        ships = False
        if found.exchange_order_id:
            try:
                ships = not (await self._changes.get(found.exchange_order_id)).is_cancelled
            except NotFound:
                ships = False

        def rule(order: Order, at: datetime) -> Revision | None:
            return cancelled(order, return_id, by, reason, at, exchange_ships=ships)

        return await self._step(return_id, rule, replay)

    async def close(self, return_id: str, by: str, reason: str = "", replay: Replay | None = None) -> Outcome[Order]:
        """Wait for nothing more of a return; raises NotFound, IllegalState."""
        return await self._step(return_id, lambda order, at: closed(order, return_id, by, reason, at), replay)

    async def _with_exchange(
        self, order: Order, new: NewReturn, exchange: NewExchange, known: Authorising, view: View
    ) -> NewReturn:
        """Return what is asked for with what is agreed on for it, if it can be announced at all."""
        at = self._clock.now()
        announced = authorised(order, new, known, at)
        if announced.refusal is not None:
            return new
        due, made = ReturnState(known.stored.policy.exchange_at), announced.to.life.returns[-1]
        return replace(new, instead=await self._terms.agreed(order, made, exchange, due, view, at))

    async def _step(self, return_id: str, rule: Rule, replay: Replay | None) -> Outcome[Order]:
        return await self._done(order_id_of(return_id), rule, replay)

    async def _done(self, order_id: str, rule: Rule, replay: Replay | None) -> Outcome[Order]:
        """Change an order and do what it asks for; the answer is the order as changed, so that it is the same again."""
        changed = await self._changes.change(order_id, rule, replay)
        if not changed.replayed:
            await self._effects.settle(order_id)
        return changed

    async def _nodes(
        self,
        order: Order,
        units: Sequence[tuple[str, int]],
        policy: ReturnPolicy,
        view: View,
        node_id: str | None = None,
    ) -> list[NodeChoice]:
        skus = {line.line_id: line.sku for line in order.demand}
        asked = [(skus[line_id], quantity) for line_id, quantity in units if line_id in skus]
        stock = await self._stock.read(sorted({sku for sku, _ in asked}))
        return best_nodes(view, stock, policy, to_route(order).destination, asked, node_id)
