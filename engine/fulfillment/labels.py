"""Buying the labels of a packed shipment, and giving back those that it does not need any more.

Handlers of effects: they ask the carrier under a key that follows from the effect, and return the rule that writes
down what came of it. Not here: when labels are asked for (packing.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import msgspec

from engine.availability.reference import Reference
from engine.errors import Refused
from engine.events.actor import actor
from engine.fulfillment.addresses import Address, address_of_node
from engine.fulfillment.carriers import BoughtLabel, Carriers, WantedLabel
from engine.fulfillment.shipments import shipment_of, with_shipment
from engine.fulfillment.tracking import Tracked, Tracking
from engine.network.document import NetworkDocument
from engine.orders.changing import Rule
from engine.orders.effecting import without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.shipments import Carton, Shipment, ShipmentState
from engine.orders.model import Note, Order
from engine.orders.released import voids
from engine.orders.revising import Revision, revision_of

Addressed = Callable[[Order], Awaitable[Address]]
"""Finds where an order goes, by what may be read of its customer."""


class Labels:
    """Buys labels from carriers and gives them back."""

    def __init__(self, carriers: Carriers, reference: Reference, tracking: Tracking, addressed: Addressed) -> None:
        self._carriers, self._reference, self._tracking, self._addressed = carriers, reference, tracking, addressed

    async def buy(self, order: Order, effect: Effect) -> Rule:
        """Do `carrier.label`: buy a label for each carton of a shipment; raises Unavailable to be asked later."""
        shipment = shipment_of(order, effect.subject)
        if shipment.state is not ShipmentState.PACKED:
            return _done(effect, "label_not_needed", shipment)
        try:
            bought = [await self._bought(order, shipment, carton, effect) for carton in shipment.cartons]
        except Refused as refusal:
            return _refused(effect, str(refusal))
        for carton, label in zip(shipment.cartons, bought, strict=True):
            tracked = Tracked(subject=shipment.shipment_id, carton_id=carton.carton_id)
            await self._tracking.put(label.tracking_number, tracked)
        return _labelled(effect, shipment, bought)

    async def void(self, _: Order, effect: Effect) -> Rule:
        """Do `carrier.void`: give a label back; one that the carrier does not take back is lost money, and told so."""
        try:
            await self._carriers.void(effect.subject)
        except Refused as refusal:
            return _noted(
                effect, Note(event="label_not_voided", by=actor(), reason=str(refusal), subject=effect.subject)
            )
        return _noted(effect, Note(event="label_voided", by=actor(), subject=effect.subject))

    async def _bought(self, order: Order, shipment: Shipment, carton: Carton, effect: Effect) -> BoughtLabel:
        network = (await self._reference.current()).network.document
        return await self._carriers.buy(
            WantedLabel(
                key=f"{effect.effect_id}:{carton.carton_id}",
                carrier=carrier_of(network, shipment.service),
                service=shipment.service,
                sender=_sender(network, shipment.node_id),
                recipient=await self._addressed(order),
                weight_g=carton.weight_g,
                length_mm=carton.length_mm,
                width_mm=carton.width_mm,
                height_mm=carton.height_mm,
                reference=order.order_id,
            )
        )


def carrier_of(network: NetworkDocument, service: str) -> str:
    """Return the carrier of a service, as the network names it; the service itself if the network has it no more."""
    return next((each.carrier for each in network.services if each.service == service), service)


def _sender(network: NetworkDocument, node_id: str) -> Address:
    node = next((each for each in network.nodes if each.node_id == node_id), None)
    return Address(name=node_id) if node is None else address_of_node(node)


def _labelled(effect: Effect, packed: Shipment, bought: list[BoughtLabel]) -> Rule:
    cartons = tuple(
        msgspec.structs.replace(
            carton, tracking_number=label.tracking_number, label_cents=label.cents, label_url=label.url
        )
        for carton, label in zip(packed.cartons, bought, strict=True)
    )

    def rule(order: Order, _: datetime) -> Revision:
        shipment = shipment_of(order, packed.shipment_id)
        with_labels = msgspec.structs.replace(
            shipment, cartons=cartons, carrier=bought[0].carrier, tracking_number=bought[0].tracking_number, problem=""
        )
        note = Note(
            event="label_bought",
            by=actor(),
            subject=shipment.shipment_id,
            node_id=shipment.node_id,
            reason=bought[0].tracking_number,
            amount_cents=sum(label.cents for label in bought),
        )
        if shipment.state is not ShipmentState.PACKED or shipment.cartons != packed.cartons:
            life = without_effect(order.life, effect.effect_id)  # unpacked while the labels were bought
            life = msgspec.structs.replace(life, effects=(*life.effects, *voids(with_labels)))
            return revision_of(order, replace(order, life=life), note)
        to = with_shipment(order, with_labels)
        return revision_of(order, replace(to, life=without_effect(to.life, effect.effect_id)), note)

    return rule


def _refused(effect: Effect, why: str) -> Rule:
    """Return the rule by which people learn why a shipment has no label; they may ask again once that is mended."""

    def rule(order: Order, _: datetime) -> Revision:
        shipment = shipment_of(order, effect.subject)
        to = with_shipment(order, msgspec.structs.replace(shipment, problem=why[:200]))
        note = Note(event="label_refused", by=actor(), subject=effect.subject, reason=why[:200])
        return revision_of(order, replace(to, life=without_effect(to.life, effect.effect_id)), note)

    return rule


def _done(effect: Effect, event: str, shipment: Shipment) -> Rule:
    return _noted(effect, Note(event=event, by=actor(), subject=shipment.shipment_id, node_id=shipment.node_id))


def _noted(effect: Effect, note: Note) -> Rule:
    """Return the rule that takes an effect away and says what came of it."""

    def rule(order: Order, _: datetime) -> Revision:
        return revision_of(order, replace(order, life=without_effect(order.life, effect.effect_id)), note)

    return rule
