"""Channel quotas over HTTP: what of a position a channel may count on."""

from __future__ import annotations

from api.endpoint import Answer, Call, Endpoint, NoQuery
from api.routes.inventory import LARGE, quota_reply
from api.schemas import quotas as wire
from engine.inventory.quotas import PositionQuotas, Quota


async def put_quotas(call: Call[wire.QuotasBody, NoQuery]) -> Answer:
    """Replaces the channel quotas of the positions named, all or nothing; an empty list removes those of a position.

    What a channel has not used of its quota is not available to others. Open reservations of the channel count as
    used, until they are consumed, cancelled or expire.
    """
    positions = [
        PositionQuotas(
            node_id=position.node_id,
            sku=position.sku,
            quotas=tuple(
                Quota(
                    channel=body.channel,
                    reserve=body.reserve,
                    share=body.share,
                    overflow=body.overflow,
                    release_at=body.release_at,
                )
                for body in position.quotas
            ),
        )
        for position in call.body.positions
    ]
    put = await call.engine.inventory.put_quotas(positions)
    shown = [
        wire.PositionQuotasReply(node_id=one.node_id, sku=one.sku, quotas=[quota_reply(quota) for quota in one.quotas])
        for one in put
    ]
    return Answer(value=wire.QuotasReply(positions=shown))


ENDPOINTS = (
    Endpoint(
        method="PUT",
        path="/v1/inventory/quotas",
        summary="Set channel quotas",
        handler=put_quotas,
        body=wire.QuotasBody,
        reply=wire.QuotasReply,
        scope="inventory:write",
        max_body_bytes=LARGE,
        example={
            "positions": [
                {
                    "node_id": "chicago-dc",
                    "sku": "TEA-50",
                    "quotas": [
                        {"channel": "web", "reserve": 10},
                        {"channel": "marketplace", "share": 20, "overflow": False},
                    ],
                }
            ]
        },
    ),
)
