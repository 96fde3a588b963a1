"""Shipments over HTTP: a node pulls its work, and says how far it is; carriers and people say the rest."""

from __future__ import annotations

import msgspec

from api.endpoint import Answer, Call, Endpoint, Handler, NoQuery
from api.routes.shown_shipments import shown_shipment
from api.schemas import shipments as wire
from api.schemas.fields import Nothing
from api.schemas.order_steering import LineUnits
from engine.errors import IllegalState, NotFound
from engine.fulfillment.carrying import Loss, Remedy
from engine.fulfillment.service import SaidCarton
from engine.fulfillment.shipments import shipment_of
from engine.inventory.model import Outcome
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order

_PATH = "/v1/shipments/{shipment_id:path}"
_EXAMPLE = {"shipment_id": "shp_ord_1-1"}


async def list_shipments(call: Call[None, wire.ShipmentQuery]) -> Answer:
    """What a node has to pick, pack and hand over: what leaves first first. This is how a node pulls its work.

    The webhook feed pushes the same (`order.released`).
    """
    query = call.query
    state = None if query.state is None else ShipmentState(query.state)
    found, has_more = await call.engine.fulfillment.work(query.node_id, state, query.limit, query.starting_after)
    data = [shown_shipment(order, shipment) for order, shipment in found]
    return Answer(value=wire.ShipmentPage(data=data, has_more=has_more))


async def get_shipment(call: Call[None, NoQuery]) -> Answer:
    """A shipment, its cartons, and what the carrier has said of it."""
    order, shipment = await call.engine.fulfillment.find(call.path["shipment_id"])
    return Answer(value=shown_shipment(order, shipment))


async def get_cartons(call: Call[None, NoQuery]) -> Answer:
    """Into which of the network's cartons it goes, and what these weigh; as it is packed if the node says nothing."""
    found = await call.engine.fulfillment.proposed_cartons(call.path["shipment_id"])
    data = [
        wire.ProposedCarton(
            carton=each.carton or None,
            weight_g=each.weight_g,
            lines=[LineUnits(line_id=line_id, quantity=units) for line_id, units in each.lines],
        )
        for each in found
    ]
    return Answer(value=wire.ProposedCartons(data=data))


async def pick_shipment(call: Call[wire.PickBody, NoQuery]) -> Answer:
    """The node begins to pick it; with that it has accepted it. What it does not find it says as a short pick."""
    name, body = call.path["shipment_id"], call.body
    return _answer(name, await call.engine.fulfillment.pick(name, by=body.by, replay=call.replay))


async def receive_at_hub(call: Call[wire.HubReceiptBody, NoQuery]) -> Answer:
    """Units of a node have come to the shipment's hub, all that it sends or some. What is still awaited is told.

    From then on it is packed once all has come, or parted.
    """
    name, body = call.path["shipment_id"], call.body
    lines = None if body.lines is None else [(line.line_id, line.quantity) for line in body.lines]
    found = await call.engine.fulfillment.receive_at_hub(name, body.node_id, lines, by=body.by, replay=call.replay)
    return _answer(name, found)


async def part_shipment(call: Call[wire.PickBody, NoQuery]) -> Answer:
    """What is still to come to its hub becomes a shipment of its own, so that what is there can leave."""
    name, body = call.path["shipment_id"], call.body
    return _answer(name, await call.engine.fulfillment.part(name, by=body.by, replay=call.replay))


async def pack_shipment(call: Call[wire.PackBody, NoQuery]) -> Answer:
    """All of it is in cartons; their labels are bought next, and are there moments later. Again packs it anew."""
    name, body = call.path["shipment_id"], call.body
    cartons = None if body.cartons is None else [_said(carton) for carton in body.cartons]
    return _answer(name, await call.engine.fulfillment.pack(name, cartons, by=body.by, replay=call.replay))


async def label_shipment(call: Call[Nothing, NoQuery]) -> Answer:
    """Asks the carrier for its labels once more, when what stood in the way of them is mended."""
    name = call.path["shipment_id"]
    return _answer(name, await call.engine.fulfillment.ask_for_label(name, replay=call.replay))


async def ship_shipment(call: Call[wire.ShipBody, NoQuery]) -> Answer:
    """It leaves the node: its units leave stock in the same step, and what it is worth is captured next."""
    name, body = call.path["shipment_id"], call.body
    found = await call.engine.fulfillment.ship(
        name,
        carrier=body.carrier or "",
        tracking_number=body.tracking_number or "",
        by=body.by,
        replay=call.replay,
    )
    return _answer(name, found)


async def deliver_shipment(call: Call[wire.DeliverBody, NoQuery]) -> Answer:
    """It has arrived, with the proof of it."""
    name, body = call.path["shipment_id"], call.body
    found = await call.engine.fulfillment.deliver(
        name, at=body.at, proof=body.proof or "", by=body.by, replay=call.replay
    )
    return _answer(name, found)


async def lose_shipment(call: Call[wire.LossBody, NoQuery]) -> Answer:
    """It, or some of its cartons, will not arrive, or arrived broken: the units are routed anew, or cancelled.

    Cartons that are lost become a shipment of their own; the others go on.
    """
    name, body = call.path["shipment_id"], call.body
    loss = Loss(
        reason=body.reason,
        remedy=Remedy(body.remedy),
        is_damaged=body.kind == "damaged",
        carton_ids=tuple(body.carton_ids or ()),
    )
    return _answer(name, await call.engine.fulfillment.lose(name, loss, by=body.by, replay=call.replay))


async def recall_shipment(call: Call[wire.RecallBody, NoQuery]) -> Answer:
    """Takes it back from the node before it leaves; its units stay allocated there, and may be released again."""
    name, body = call.path["shipment_id"], call.body
    return _answer(name, await call.engine.fulfillment.recall(name, body.reason, by=body.by, replay=call.replay))


def _said(body: wire.CartonBody) -> SaidCarton:
    lines = None if body.lines is None else tuple((line.line_id, line.quantity) for line in body.lines)
    return SaidCarton(carton=body.carton, lines=lines, weight_g=body.weight_g)


def _answer(shipment_id: str, found: Outcome[Order]) -> Answer:
    shipment = shipment_of(found.value, shipment_id)
    return Answer(value=shown_shipment(found.value, shipment), is_replayed=found.replayed)


def _said_of_shipment(
    last: str, summary: str, handler: Handler, body: type[msgspec.Struct], example: object = None
) -> Endpoint:
    """Return an endpoint by which something is said of a shipment, under a key; it answers the shipment then."""
    return Endpoint(
        method="POST",
        path=f"{_PATH}/{last}",
        summary=summary,
        handler=handler,
        body=body,
        is_body_optional=body not in {wire.LossBody, wire.RecallBody, wire.HubReceiptBody},
        reply=wire.ReleasedShipment,
        scope="shipments:write",
        refusals=(NotFound, IllegalState),
        is_keyed=True,
        path_examples=_EXAMPLE,
        example=example,
    )


def _looked_at(last: str, summary: str, handler: Handler, reply: type[msgspec.Struct]) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"{_PATH}{last}",
        summary=summary,
        handler=handler,
        reply=reply,
        scope="shipments:read",
        refusals=(NotFound,),
        path_examples=_EXAMPLE,
    )


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/shipments",
        summary="List the shipments of a node",
        handler=list_shipments,
        query=wire.ShipmentQuery,
        reply=wire.ShipmentPage,
        scope="shipments:read",
        refusals=(NotFound,),
    ),
    _said_of_shipment("pick", "Begin to pick a shipment", pick_shipment, wire.PickBody, {"by": "anna"}),
    _said_of_shipment(
        "hub-receipts",
        "Receive units of a shipment at its hub",
        receive_at_hub,
        wire.HubReceiptBody,
        {"node_id": "newark-store", "lines": [{"line_id": "2", "quantity": 1}]},
    ),
    _said_of_shipment("part", "Part a shipment at its hub", part_shipment, wire.PickBody, {"by": "anna"}),
    _said_of_shipment(
        "pack",
        "Pack a shipment",
        pack_shipment,
        wire.PackBody,
        {"cartons": [{"lines": [{"line_id": "1", "quantity": 2}], "weight_g": 1100}]},
    ),
    _said_of_shipment("label", "Ask for the labels of a shipment again", label_shipment, Nothing),
    _said_of_shipment("ship", "Ship a shipment", ship_shipment, wire.ShipBody, {"by": "anna"}),
    _said_of_shipment(
        "deliver", "Deliver a shipment", deliver_shipment, wire.DeliverBody, {"proof": "signed: B. Smith"}
    ),
    _said_of_shipment(
        "lose",
        "Report a shipment lost or damaged",
        lose_shipment,
        wire.LossBody,
        {"reason": "crushed on the belt", "kind": "damaged", "remedy": "send_again"},
    ),
    _said_of_shipment(
        "recall", "Recall a shipment", recall_shipment, wire.RecallBody, {"reason": "the customer has moved"}
    ),
    _looked_at("/cartons", "Propose cartons for a shipment", get_cartons, wire.ProposedCartons),
    _looked_at("", "Get a shipment", get_shipment, wire.ReleasedShipment),
)
