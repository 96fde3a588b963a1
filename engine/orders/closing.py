"""Switching nodes off and on again, and taking away from those that are off what they hold.

From the moment a node is switched off it gets nothing new: its stock is not there for promises, reservations and runs,
as they learn with the network. Then the orders that it has to ship are opened there, one after another, as if it had
refused them, and go elsewhere with the next run. What slips in while that goes on, from a run that had begun before, is
found when it is looked again. Not here: what becomes of one order (rejecting.py), when it is looked (api/sweeper.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex

import msgspec

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.errors import Fault, IllegalState, InvalidInput, NotFound
from engine.events.actor import acting_as, actor
from engine.faults import nearest
from engine.network.closures import NAME, closed_document, closed_ids
from engine.orders.rejecting import NewRejection
from engine.orders.steering import RejectionKind
from engine.orders.steering_service import OrderSteering
from engine.orders.store import OrderStore
from engine.routing.run_model import RunRequest
from engine.routing.runs import RoutingRuns
from engine.storage.documents import Document, DocumentStore

COLLECTION = "node_closures"
PAGE, _AT_ONCE = 500, 50
MOST_NAMED = 100
"""Orders that a closure names, of those that are to be picked up there."""
_LATE = timedelta(minutes=1)
"""By how much clocks of partitions may differ: orders of so long ago are looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A node that was switched off: why, by whom, and what became of the orders it had to ship.

    `opened_orders` are open again, `left_orders` could not be, as units of them have left. `pickup_orders` are to be
    picked up there, and go nowhere before people have asked their customers: `pickup_order_ids` are the first of them.
    It is `drained` once all were looked at; with `reroute` a run of all open orders follows then, `run_id`. It is over
    at `reopened_at`.
    """

    closure_id: str
    node_id: str
    reason: str
    by: str
    closed_at: datetime
    reroute: bool = False
    opened_orders: int = 0
    left_orders: int = 0
    pickup_orders: int = 0
    pickup_order_ids: tuple[str, ...] = ()
    drained: bool = False
    run_id: str | None = None
    reopened_at: datetime | None = None


_decode, _encode = msgspec.json.Decoder(Closure).decode, msgspec.json.Encoder().encode


class NodeClosures:
    """The nodes of a tenant that are switched off."""

    def __init__(
        self,
        documents: DocumentStore,
        orders: OrderStore,
        steering: OrderSteering,
        runs: RoutingRuns,
        reference: Reference,
        clock: Clock,
    ) -> None:
        self._documents, self._orders, self._steering, self._runs = documents, orders, steering, runs
        self._reference, self._clock = reference, clock
        self._looked_ms: dict[str, float] = {}

    async def close(self, node_id: str, reason: str, *, by: str | None = None, reroute: bool = False) -> Closure:
        """Switch a node off from now on; one that is off stays so, under its first closure.

        Raises NotFound without a network, InvalidInput for a node that it does not have.
        """
        known = (await self._reference.current()).network.index
        if node_id not in known:
            raise InvalidInput(Fault(path="node_id", message=f"unknown node {node_id!r}; {nearest(node_id, known)}"))
        closure = await self.find(node_id)
        if closure is None or closure.reopened_at is not None:
            now = self._clock.now()
            closure = Closure(
                closure_id=f"clo_{token_hex(16)}",
                node_id=node_id,
                reason=reason,
                by=by or actor(),
                closed_at=now,
                reroute=reroute,
            )
            await self._keep(closure)
        elif reroute and not closure.reroute:
            closure = replace(closure, reroute=True)
            await self._keep(closure)
        await self._publish()
        return closure

    async def reopen(self, node_id: str) -> Closure:
        """Switch a node on again. Raises NotFound for a node that there never was, IllegalState if it was never off."""
        closure = await self.find(node_id)
        if closure is None:
            if node_id not in (await self._reference.current()).network.index:
                raise NotFound(f"There is no node {node_id!r}.")
            raise IllegalState(f"Node {node_id!r} is on, and was never off.")
        if closure.reopened_at is None:
            closure = replace(closure, reopened_at=self._clock.now())
            await self._keep(closure)
        await self._publish()
        return closure

    async def find(self, node_id: str) -> Closure | None:
        """Return the last closure of a node, perhaps over; None if there was none."""
        found = await self._documents.find(COLLECTION, node_id)
        return None if found is None else _decode(found.body)

    async def all(self) -> list[Closure]:
        """Return the last closure of every node that had any, by node id."""
        names = sorted(await self._documents.names(COLLECTION))
        found = await asyncio.gather(*map(self.find, names))
        return [each for each in found if each is not None]

    async def tend(self) -> bool:
        """Take away what nodes hold that are off, and route it where that is wanted; say whether anything was done.

        To be done by one process at a time, again and again; nothing is harmed if two do.
        """
        off = [each for each in await self.all() if each.reopened_at is None]
        if {each.node_id for each in off} != await self._published():
            await self._publish()
        before = [await self.drain(each) for each in off]
        return any(before)

    async def drain(self, closure: Closure, progress: Callable[[Closure], None] | None = None) -> bool:
        """Open the orders that a node has to ship, from where it was looked last; say whether there were any.

        A process that has not looked yet begins with the closure, if what was before it is drained.
        """
        margin = _LATE.total_seconds() * 1000
        since = closure.closed_at.timestamp() * 1000 - margin if closure.drained else 0.0
        at = self._looked_ms.get(closure.closure_id, since)
        first, has_more, node_id = closure, True, closure.node_id
        while has_more:
            page = await self._orders.allocated(PAGE, after_ms=at)
            has_more = len(page) >= PAGE
            for start in range(0, len(page), _AT_ONCE):
                some = [order_id for order_id, _ in page[start : start + _AT_ONCE]]
                opened, left = await self._open(node_id, some, closure.reason)
                closure = replace(
                    closure,
                    opened_orders=closure.opened_orders + opened,
                    left_orders=closure.left_orders + (0 if closure.drained else left),
                )
            at = page[-1][1] if page else at
            if progress is not None:
                progress(closure)
        self._looked_ms[closure.closure_id] = max(0.0, min(at, self._clock.now().timestamp() * 1000) - margin)
        opened_any = closure.opened_orders > first.opened_orders
        is_to_run = closure.reroute and (closure.run_id is None or opened_any)
        if first.drained and not opened_any and not is_to_run:
            return False
        waiting = await self._to_be_picked_up(node_id)
        closure = replace(
            closure, drained=True, pickup_orders=len(waiting), pickup_order_ids=tuple(waiting[:MOST_NAMED])
        )
        if is_to_run:
            with acting_as(closure.closure_id):
                run = await self._runs.start(RunRequest())
            closure = replace(closure, run_id=run.value.run_id)
        await self._keep_looked(closure)
        return opened_any

    async def _to_be_picked_up(self, node_id: str) -> list[str]:
        """Return the open orders that are to be picked up at a node, in the order of their capture."""
        return [order.order_id for order in await self._orders.open_orders() if order.pickup_node_id == node_id]

    async def _open(self, node_id: str, order_ids: Sequence[str], reason: str) -> tuple[int, int]:
        """Return how many orders were opened at a node, and how many could not be as units have left."""
        orders = await asyncio.gather(*map(self._orders.get, order_ids))
        here = [
            order.order_id
            for order in orders
            if not order.is_cancelled and any(node_id in row.node_ids for row in order.allocation)
        ]
        new = NewRejection(node_id=node_id, reason=reason, kind=RejectionKind.CLOSED)
        found = await asyncio.gather(
            *(self._steering.reject(order_id, new) for order_id in here), return_exceptions=True
        )
        for each in found:
            if isinstance(each, BaseException) and not isinstance(each, IllegalState):
                raise each
        left = sum(isinstance(each, IllegalState) for each in found)
        return len(found) - left, left

    async def _keep_looked(self, closure: Closure) -> None:
        """Keep what a look at the orders has found, with what people say of the closure at the same time."""
        seen = await self._documents.find(COLLECTION, closure.node_id)
        if seen is None or _decode(seen.body).closure_id != closure.closure_id:
            return
        before = seen.version
        while seen is not None:
            version = await self._documents.add(COLLECTION, closure.node_id, _encode(_with_said(closure, seen)))
            if version == before + 1:
                return
            seen, before = await self._documents.find(COLLECTION, closure.node_id, version - 1), version  # came between

    async def _keep(self, closure: Closure) -> None:
        await self._documents.add(COLLECTION, closure.node_id, _encode(closure))

    async def _published(self) -> frozenset[str]:
        found = await self._documents.get(NAME)
        return closed_ids(None if found is None else found.body)

    async def _publish(self) -> None:
        """Say to every server which nodes are off; each looks at the network again with its next request."""
        off = {each.node_id for each in await self.all() if each.reopened_at is None}
        await self._documents.put(NAME, closed_document(off))


def _with_said(closure: Closure, seen: Document) -> Closure:
    """Return a closure as it was looked at, with what was said of it; another one that has begun stays as it is.

    A run that was asked for while it was looked at follows the next time.
    """
    latest = _decode(seen.body)
    if latest.closure_id != closure.closure_id:
        return latest
    return replace(closure, reroute=closure.reroute or latest.reroute, reopened_at=latest.reopened_at)
