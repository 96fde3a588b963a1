"""Waves over HTTP: shipments that a node picks together."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.schemas import waves as wire
from engine.errors import IllegalState, NotFound
from engine.fulfillment.waves import WantedWave


async def create_wave(call: Call[wire.WaveBody, NoQuery]) -> Answer:
    """Begins to pick released shipments of a node together, those that leave first; with that it has accepted them."""
    body = call.body
    wanted = WantedWave(
        node_id=body.node_id,
        services=tuple(body.services or ()),
        until=body.until,
        most_shipments=body.most_shipments,
    )
    made = await call.engine.waves.create(wanted, by=body.by, replay=call.replay)
    wave = made.value
    shown = wire.CreatedWave(
        wave_id=wave.wave_id,
        node_id=wave.node_id,
        created_at=wave.created_at,
        by=wave.by,
        shipment_ids=list(wave.shipment_ids),
    )
    return Answer(value=shown, status=201, is_replayed=made.replayed)


async def get_wave(call: Call[None, NoQuery]) -> Answer:
    """How far its shipments are, and the pick list: each product once, with the shipments that it is for."""
    found = await call.engine.waves.get(call.path["wave_id"])
    wave = found.wave
    shown = wire.Wave(
        wave_id=wave.wave_id,
        node_id=wave.node_id,
        created_at=wave.created_at,
        by=wave.by,
        shipments=[
            wire.WaveShipment(
                shipment_id=shipment.shipment_id,
                order_id=order.order_id,
                state=shipment.state.value,
                service=shipment.service,
                ship_on=shipment.ship_on,
            )
            for order, shipment in found.shipments
        ],
        pick_list=[
            wire.PickLine(
                sku=line.sku,
                quantity=line.quantity,
                shipments=[
                    wire.PickedFor(shipment_id=shipment_id, line_id=line_id, quantity=units)
                    for shipment_id, line_id, units in line.shipments
                ],
            )
            for line in found.pick_list
        ],
    )
    return Answer(value=shown)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/waves",
        summary="Begin a wave",
        handler=create_wave,
        body=wire.WaveBody,
        reply=wire.CreatedWave,
        scope="waves:write",
        status=201,
        refusals=(IllegalState,),
        is_keyed=True,
        example={"node_id": "chicago-dc", "services": ["ground"], "most_shipments": 12},
    ),
    Endpoint(
        method="GET",
        path="/v1/waves/{wave_id}",
        summary="Get a wave and its pick list",
        handler=get_wave,
        reply=wire.Wave,
        scope="waves:read",
        refusals=(NotFound,),
        path_examples={"wave_id": "wav_1"},
    ),
)
