"""The label by which a customer sends units back: bought from the carrier under the effect's id, once.

Not here: who pays for it (the return policy), carriers (engine/fulfillment).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.availability.reference import Reference
from engine.errors import Refused
from engine.fulfillment.addresses import address_of_node
from engine.fulfillment.carriers import BoughtLabel, Carriers, WantedLabel
from engine.fulfillment.labels import Addressed
from engine.fulfillment.tracking import Tracked, Tracking
from engine.orders.changing import Rule
from engine.orders.facts.effects import Effect
from engine.orders.facts.returns import LabelPaidBy, Return
from engine.orders.model import Note, Order
from engine.orders.revising import Revision, revision_of
from engine.returns.steps import label_payer, return_of, void_of, with_return

_BY = "returns"


class ReturnLabels:
    """Buys the labels of returns."""

    def __init__(self, carriers: Carriers, reference: Reference, tracking: Tracking, addressed: Addressed) -> None:
        self._carriers, self._reference, self._tracking, self._addressed = carriers, reference, tracking, addressed

    async def buy(self, order: Order, effect: Effect) -> Rule:
        """Do `carrier.return_label`; raises Unavailable to be asked later. Without a label people see the problem."""
        found = return_of(order, effect.subject)
        network = (await self._reference.current()).network
        place = network.index.get(found.node_id)
        if place is None:
            return _refused(effect, f"The network has no node {found.node_id!r} any more.")
        wanted = WantedLabel(
            key=effect.effect_id,
            carrier=found.carrier,
            service=found.service,
            sender=await self._addressed(order),
            recipient=address_of_node(network.document.nodes[place]),
            weight_g=found.weight_g,
            reference=found.return_id,
        )
        try:
            bought = await self._carriers.buy(wanted)
        except Refused as refusal:
            return _refused(effect, str(refusal))
        await self._tracking.put(bought.tracking_number, Tracked(subject=found.return_id))
        return _labelled(effect, bought)


def _labelled(effect: Effect, bought: BoughtLabel) -> Rule:
    """Return the rule that writes a label down; one for a return that is over by now is given back."""

    def rule(order: Order, at: datetime) -> Revision:
        found = return_of(order, effect.subject)
        note = Note(
            event="return_label_bought",
            by=_BY,
            subject=found.return_id,
            node_id=found.node_id,
            reason=bought.tracking_number,
            amount_cents=bought.cents,
        )
        labelled = _with(found, bought)
        voids = (void_of(labelled, at),) if found.is_over else ()
        return revision_of(order, with_return(order, labelled, *voids, without=(effect.effect_id,)), note)

    return rule


def _with(found: Return, bought: BoughtLabel) -> Return:
    pays = label_payer(found.lines) is LabelPaidBy.CUSTOMER
    return msgspec.structs.replace(
        found,
        carrier=bought.carrier,
        tracking_number=bought.tracking_number,
        label_cents=bought.cents,
        label_fee_cents=bought.cents if pays else 0,
        label_url=bought.url,
        problem="",
    )


def _refused(effect: Effect, why: str) -> Rule:
    """Return the rule by which people learn why a return has no label; the customer may send it without."""

    def rule(order: Order, _: datetime) -> Revision:
        changed = msgspec.structs.replace(return_of(order, effect.subject), problem=why[:200])
        note = Note(event="return_label_refused", by=_BY, subject=effect.subject, reason=why[:200])
        return revision_of(order, with_return(order, changed, without=(effect.effect_id,)), note)

    return rule
