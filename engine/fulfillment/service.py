"""Fulfillment as use cases: an order is released to its nodes, and each shipment picked, packed, shipped, delivered.

Every step is a rule (releasing.py, picking.py, packing.py, shipping.py, carrying.py) that changes the order at once,
with what is to be done elsewhere; that is done next, by this process or the sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from engine.availability.reference import Reference, View
from engine.errors import Unavailable
from engine.events.actor import actor
from engine.fulfillment.arriving import arrived, parted
from engine.fulfillment.carrying import Loss, delivered, lost
from engine.fulfillment.cartons import proposed, weighed
from engine.fulfillment.packing import NewCarton, labels_asked, packed
from engine.fulfillment.picking import picked
from engine.fulfillment.releasing import recalled, released
from engine.fulfillment.shipments import order_id_of, shipment_of
from engine.fulfillment.shipping import Handover, shipped
from engine.fulfillment.tracking import Tracked, Tracking
from engine.inventory.model import Outcome, Replay
from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import Effects
from engine.orders.facts.shipments import Shipment, ShipmentState
from engine.orders.model import Order
from engine.orders.released import place_of
from engine.orders.revising import Revision
from engine.orders.store import OrderStore

_HANDED_OVER_BY_HAND = frozenset({"pickup"})
"""Service levels whose parcels no carrier takes."""
_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidCarton:
    """A carton as a node says it: what it leaves out is worked out."""

    carton: str | None = None
    lines: tuple[tuple[str, int], ...] | None = None
    weight_g: int | None = None


class FulfillmentService:
    """Takes orders from their allocation to their delivery."""

    def __init__(
        self,
        store: OrderStore,
        changes: OrderChanges,
        effects: Effects,
        reference: Reference,
        tracking: Tracking,
    ) -> None:
        self._store, self._changes, self._effects = store, changes, effects
        self._reference, self._tracking = reference, tracking

    async def release(
        self,
        order_id: str,
        *,
        node_id: str | None = None,
        until: date | None = None,
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Give what an order has allocated to its nodes. Raises NotFound, IllegalState if there is nothing to give."""
        return await self._changes.change(
            order_id, lambda order, at: released(order, at, by or actor(), node_id=node_id, until=until), replay
        )

    async def find(self, shipment_id: str) -> tuple[Order, Shipment]:
        """Return a shipment with its order; raises NotFound."""
        order = await self._store.get(order_id_of(shipment_id))
        return order, shipment_of(order, shipment_id)

    async def work(
        self, node_id: str, state: ShipmentState | None, limit: int, after: str | None = None
    ) -> tuple[list[tuple[Order, Shipment]], bool]:
        """Return shipments that a node has with it, what leaves first first, behind one; and whether there are more."""
        place, found = "", list[tuple[Order, Shipment]]()
        if after is not None:
            order, last = await self.find(after)
            place = place_of(last.ship_on.toordinal(), order.order_id)
            later = order.life.shipments[order.life.shipments.index(last) + 1 :]
            found += [(order, each) for each in later if _is_there(each, node_id, state)]
        while len(found) <= limit:
            places = await self._store.node_work(node_id, _PAGE, after=place)
            for each in places:
                order = await self._store.get(each.split(" ", 1)[1])
                found += [(order, one) for one in order.life.shipments if _is_there(one, node_id, state)]
            if len(places) < _PAGE:
                break
            place = places[-1]
        return found[:limit], len(found) > limit

    async def pick(
        self, shipment_id: str, *, wave_id: str = "", by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Note that a node begins to pick a shipment. Raises NotFound, IllegalState."""
        return await self._change(
            shipment_id, lambda order, at: picked(order, shipment_id, at, by or actor(), wave_id), replay
        )

    async def receive_at_hub(
        self,
        shipment_id: str,
        node_id: str,
        lines: Sequence[tuple[str, int]] | None = None,
        *,
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Note what of a node has come to a shipment's hub. Raises NotFound, InvalidInput, IllegalState."""
        return await self._change(
            shipment_id, lambda order, at: arrived(order, shipment_id, node_id, lines, at, by or actor()), replay
        )

    async def part(self, shipment_id: str, *, by: str | None = None, replay: Replay | None = None) -> Outcome[Order]:
        """Make what is still to come to a hub a shipment of its own. Raises NotFound, IllegalState."""
        return await self._change(shipment_id, lambda order, at: parted(order, shipment_id, at, by or actor()), replay)

    async def proposed_cartons(self, shipment_id: str) -> list[NewCarton]:
        """Return the cartons of the network that a shipment goes into; raises NotFound."""
        _, shipment = await self.find(shipment_id)
        view = await self._reference.current()
        return proposed(shipment, view.catalog, view.network.freight)

    async def pack(
        self,
        shipment_id: str,
        cartons: Sequence[SaidCarton] | None = None,
        *,
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Note into which cartons a shipment was packed, as proposed if none are named, and buy their labels.

        Raises NotFound, InvalidInput for cartons that do not hold what is in it, IllegalState.
        """
        view = await self._reference.current()

        def rule(order: Order, at: datetime) -> Revision:
            shipment = shipment_of(order, shipment_id)
            if cartons is None:
                new = proposed(shipment, view.catalog, view.network.freight)
            else:
                said = [(each.carton, each.lines, each.weight_g) for each in cartons]
                new = weighed(shipment, view.network.document, view.catalog, said)
            needs_label = needs_number(view, shipment)
            return packed(order, shipment_id, new, at, by or actor(), needs_label=needs_label)

        return await self._change(shipment_id, rule, replay)

    async def ask_for_label(self, shipment_id: str, *, replay: Replay | None = None) -> Outcome[Order]:
        """Buy the labels of a packed shipment once more, after a problem. Raises NotFound, IllegalState."""
        return await self._change(shipment_id, lambda order, at: labels_asked(order, shipment_id, at, actor()), replay)

    async def ship(
        self,
        shipment_id: str,
        *,
        carrier: str = "",
        tracking_number: str = "",
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Note that a shipment has left its node: its units leave stock. Raises NotFound, IllegalState."""
        _, shipment = await self.find(shipment_id)
        if tracking_number:
            await self._tracking.put(tracking_number, Tracked(subject=shipment_id))
        handover = Handover(
            carrier=carrier,
            tracking_number=tracking_number,
            needs_number=needs_number(await self._reference.current(), shipment),
        )
        return await self._change(
            shipment_id,
            lambda order, at: shipped(order, shipment_id, handover, at, by or actor()),
            replay,
        )

    async def deliver(
        self,
        shipment_id: str,
        *,
        at: datetime | None = None,
        proof: str = "",
        by: str | None = None,
        replay: Replay | None = None,
    ) -> Outcome[Order]:
        """Note that a shipment has arrived, with its proof. Raises NotFound, IllegalState."""
        return await self._change(
            shipment_id,
            lambda order, now: delivered(order, shipment_id, at or now, proof, by or actor()),
            replay,
        )

    async def lose(
        self, shipment_id: str, loss: Loss, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Note that a shipment, or cartons of it, do not arrive, or arrive broken; and have them sent again or not.

        Raises NotFound, InvalidInput for unknown cartons, IllegalState.
        """
        return await self._change(shipment_id, lambda order, _: lost(order, shipment_id, loss, by or actor()), replay)

    async def recall(
        self, shipment_id: str, reason: str, *, by: str | None = None, replay: Replay | None = None
    ) -> Outcome[Order]:
        """Take a shipment back from its node before it leaves. Raises NotFound, IllegalState."""
        return await self._change(
            shipment_id, lambda order, _: recalled(order, shipment_id, reason, by or actor()), replay
        )

    async def _change(self, shipment_id: str, rule: Rule, replay: Replay | None) -> Outcome[Order]:
        """Change the order of a shipment, and do at once what that asks for; what cannot be done now is done later."""
        order_id = order_id_of(shipment_id)
        changed = await self._changes.change(order_id, rule, replay)
        if changed.value.life.effects and not changed.replayed:
            with suppress(Unavailable):  # the change is made; the sweeper does what it asks for
                await self._effects.settle(order_id)
        return changed


def needs_number(view: View, shipment: Shipment) -> bool:
    """Say whether a shipment is handed to a carrier, which takes nothing without a tracking number."""
    levels = {each.service: each.service_level for each in view.network.document.services}
    level = levels.get(shipment.service)
    return level is not None and level not in _HANDED_OVER_BY_HAND


def _is_there(shipment: Shipment, node_id: str, state: ShipmentState | None) -> bool:
    return shipment.is_with_node and node_id in shipment.node_ids and state in {None, shipment.state}
