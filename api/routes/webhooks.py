"""Webhooks over HTTP: who is sent which events, and what came of it."""

from __future__ import annotations

from datetime import datetime

from api.endpoint import Answer, Call, Endpoint
from api.schemas import webhooks as wire
from api.schemas.fields import Nothing
from engine.bootstrap import Engine
from engine.clock import instant_of
from engine.errors import NotFound, Refused, Unavailable
from engine.webhooks.model import Delivery, Webhook
from engine.webhooks.service import WebhookService


async def create_webhook(call: Call[wire.NewWebhook, None]) -> Answer:
    """Have events sent to a URL from now on, signed as Standard Webhooks has it.

    The answer shows the `secret`, and nothing else ever does. Only https URLs with public addresses are taken.
    """
    body = call.body
    outcome = await _service(call.engine).create(body.url, body.types or (), body.in_flight, call.replay)
    webhook_id, config, secret = outcome.value
    reply = wire.NewWebhookReply(
        webhook_id=webhook_id,
        url=config.url,
        types=list(config.types),
        in_flight=config.in_flight,
        created_at=config.created_at,
        secret=secret,
    )
    return Answer(value=reply, status=201, is_replayed=outcome.replayed)


async def list_webhooks(call: Call[None, wire.WebhooksQuery]) -> Answer:
    """Webhooks in the order of their creation, without their secrets."""
    found, has_more = await _service(call.engine).page(call.query.limit, call.query.starting_after)
    return Answer(value=wire.WebhooksReply(data=[_shown(webhook) for webhook in found], has_more=has_more))


async def get_webhook(call: Call[None, None]) -> Answer:
    """A webhook: whether it is sent events, and since when it fails."""
    return Answer(value=_shown(await _service(call.engine).get(call.path["webhook_id"])))


async def delete_webhook(call: Call[None, None]) -> Answer:
    """Send nothing more to a webhook, and forget it."""
    webhook_id = call.path["webhook_id"]
    await _service(call.engine).delete(webhook_id)
    return Answer(value=wire.WebhookStateReply(webhook_id=webhook_id, state="deleted"))


async def rotate_webhook_secret(call: Call[wire.Rotation, None]) -> Answer:
    """Give a webhook its next secret; for `grace_seconds` requests are signed by both, so that none is refused."""
    webhook_id = call.path["webhook_id"]
    outcome = await _service(call.engine).rotate(webhook_id, call.body.grace_seconds, call.replay)
    secret, until = outcome.value
    reply = wire.SecretReply(webhook_id=webhook_id, secret=secret, previous_secret_until=until)
    return Answer(value=reply, is_replayed=outcome.replayed)


async def enable_webhook(call: Call[Nothing, None]) -> Answer:
    """Send to a webhook again, at once, beginning with the event that it did not take."""
    webhook_id = call.path["webhook_id"]
    outcome = await _service(call.engine).enable(webhook_id, call.replay)
    return Answer(value=wire.WebhookStateReply(webhook_id=webhook_id, state="active"), is_replayed=outcome.replayed)


async def ping_webhook(call: Call[Nothing, None]) -> Answer:
    """Send an event `webhook.ping` now, and tell what came of it; nothing else changes."""
    return Answer(value=_delivery(await _service(call.engine).ping(call.path["webhook_id"])))


async def list_deliveries(call: Call[None, None]) -> Answer:
    """The last 100 requests to a webhook, newest first."""
    found = await _service(call.engine).deliveries(call.path["webhook_id"])
    return Answer(value=wire.DeliveriesReply(data=[_delivery(each) for each in found], has_more=False))


def _service(engine: Engine) -> WebhookService:
    if engine.webhooks is None:
        raise Unavailable("there are no webhooks where everything is in memory")
    return engine.webhooks


def _shown(webhook: Webhook) -> wire.WebhookReply:
    return wire.WebhookReply(
        webhook_id=webhook.webhook_id,
        url=webhook.config.url,
        types=list(webhook.config.types),
        in_flight=webhook.config.in_flight,
        created_at=webhook.config.created_at,
        state=webhook.state.value,
        why=webhook.why or None,
        failing_since=_instant(webhook.failing_since_ms),
        next_try_at=_instant(webhook.next_try_ms) if webhook.state.value == "active" else None,
        missed_at=_instant(webhook.missed_ms),
        previous_secret_until=_instant(webhook.old_until_ms),
    )


def _delivery(delivery: Delivery) -> wire.DeliveryReply:
    return wire.DeliveryReply(
        event_id=delivery.event_id,
        type=delivery.type,
        at=delivery.at,
        attempt=delivery.attempt,
        duration_ms=delivery.duration_ms,
        is_taken=delivery.is_taken,
        status=delivery.status,
        error=delivery.error,
        answer=delivery.answer,
    )


def _instant(ms: int) -> datetime | None:
    return instant_of(ms) if ms else None


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/webhooks",
        summary="Have events sent to a URL",
        handler=create_webhook,
        body=wire.NewWebhook,
        reply=wire.NewWebhookReply,
        scope="webhooks:write",
        status=201,
        refusals=(Refused,),
        is_keyed=True,
        example={"url": "https://example.com/allot", "types": ["order.*", "reservation.expired"]},
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks",
        summary="List webhooks",
        handler=list_webhooks,
        query=wire.WebhooksQuery,
        reply=wire.WebhooksReply,
        scope="webhooks:read",
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks/{webhook_id}",
        summary="Show a webhook",
        handler=get_webhook,
        reply=wire.WebhookReply,
        scope="webhooks:read",
        refusals=(NotFound,),
    ),
    Endpoint(
        method="DELETE",
        path="/v1/webhooks/{webhook_id}",
        summary="Delete a webhook",
        handler=delete_webhook,
        reply=wire.WebhookStateReply,
        scope="webhooks:write",
        refusals=(NotFound,),
    ),
    Endpoint(
        method="POST",
        path="/v1/webhooks/{webhook_id}/rotate-secret",
        summary="Give a webhook a new secret",
        handler=rotate_webhook_secret,
        body=wire.Rotation,
        reply=wire.SecretReply,
        scope="webhooks:write",
        refusals=(NotFound,),
        is_keyed=True,
        is_body_optional=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/webhooks/{webhook_id}/enable",
        summary="Send to a webhook again",
        handler=enable_webhook,
        body=Nothing,
        reply=wire.WebhookStateReply,
        scope="webhooks:write",
        refusals=(NotFound,),
        is_keyed=True,
        is_body_optional=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/webhooks/{webhook_id}/ping",
        summary="Try a webhook out",
        handler=ping_webhook,
        body=Nothing,
        reply=wire.DeliveryReply,
        scope="webhooks:write",
        refusals=(NotFound,),
        is_body_optional=True,
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks/{webhook_id}/deliveries",
        summary="List the last requests to a webhook",
        handler=list_deliveries,
        reply=wire.DeliveriesReply,
        scope="webhooks:read",
        refusals=(NotFound,),
    ),
)
