"""Use cases of webhooks: make, list, turn the secret, try out, forget. Not here: sending events (delivering.py)."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from engine.clock import Clock, instant_of
from engine.errors import Fault, InvalidInput, NotFound, Refused
from engine.feed.model import Event, Wanted, WebhookData, wanted
from engine.feed.service import NOW, EventFeed
from engine.inventory.model import Outcome, Replay
from engine.webhooks.model import Config, Delivery, Webhook
from engine.webhooks.sending import Sender
from engine.webhooks.signing import headers, secret_of
from engine.webhooks.store import WebhookStore, config_of
from engine.webhooks.targets import TargetRefused, Targets, TargetUnknown

MOST_WEBHOOKS = 100
PING_SECONDS = 4.0
_encode = msgspec.json.Encoder().encode


class WebhookService:
    """The webhooks of one tenant."""

    def __init__(
        self, store: WebhookStore, feed: EventFeed, targets: Targets, clock: Clock, tenant: str, key: bytes | None
    ) -> None:
        self.store, self.feed, self.targets, self.clock = store, feed, targets, clock
        self._tenant, self._key = tenant, key
        self._tls: ssl.SSLContext | None = None

    async def create(
        self, url: str, types: Sequence[str], in_flight: int, replay: Replay | None
    ) -> Outcome[tuple[str, Config, str]]:
        """Make a webhook that is sent what happens from now on; return its id, what it is, and its secret.

        Raises InvalidInput for a URL that nothing may be sent to, and for unknown types; Refused if there are too many.
        """
        webhook_id = f"whk_{secrets.token_hex(12) if replay is None else replay.digest[:24]}"
        reply = None if replay is None else await self.store.recall(replay)
        if reply is None:
            wanted(types, "$.types")
            await self._check(url)
            page = await self.feed.page(NOW, limit=1, wanted=Wanted())
            config = Config(url=url, types=tuple(types), in_flight=in_flight, created_at=self.clock.now())
            outcome = await self.store.create(webhook_id, config, page.next_cursor, MOST_WEBHOOKS, replay)
        else:
            outcome = Outcome(value=config_of(reply), replayed=True)
        if outcome.value is None:
            error = Refused(f"There are {MOST_WEBHOOKS} webhooks, and there may not be more. Delete one.")
            error.replayed = outcome.replayed
            raise error
        secret = secret_of(await self._master(), self._tenant, webhook_id, 1)
        return Outcome(value=(webhook_id, outcome.value, secret), replayed=outcome.replayed)

    async def get(self, webhook_id: str) -> Webhook:
        """Return a webhook; raises NotFound."""
        found = await self.store.get(webhook_id)
        if found is None:
            raise unknown(webhook_id)
        return found

    async def page(self, limit: int, after: str | None) -> tuple[list[Webhook], bool]:
        """Return webhooks as they were created, and whether there are more."""
        found = await self.store.page(limit + 1, after)
        return found[:limit], len(found) > limit

    async def delete(self, webhook_id: str) -> None:
        """Forget a webhook; raises NotFound."""
        if not await self.store.delete(webhook_id):
            raise unknown(webhook_id)

    async def rotate(self, webhook_id: str, grace_seconds: int, replay: Replay | None) -> Outcome[tuple[str, datetime]]:
        """Give a webhook its next secret; until the time returned, requests are signed by the last one too."""
        until = self.clock.now() + timedelta(seconds=grace_seconds)
        outcome = await self.store.rotate(webhook_id, round(until.timestamp() * 1000), replay)
        if outcome.value is None:
            raise unknown(webhook_id, replayed=outcome.replayed)
        generation, until_ms = outcome.value
        secret = secret_of(await self._master(), self._tenant, webhook_id, generation)
        return Outcome(value=(secret, instant_of(until_ms)), replayed=outcome.replayed)

    async def enable(self, webhook_id: str, replay: Replay | None) -> Outcome[None]:
        """Send to a webhook again, from the event on that it did not take; raises NotFound."""
        outcome = await self.store.enable(webhook_id, replay)
        if not outcome.value:
            raise unknown(webhook_id, replayed=outcome.replayed)
        return Outcome(value=None, replayed=outcome.replayed)

    async def deliveries(self, webhook_id: str) -> list[Delivery]:
        """Return the last deliveries to a webhook, newest first; raises NotFound."""
        await self.get(webhook_id)
        return await self.store.deliveries(webhook_id)

    async def ping(self, webhook_id: str) -> Delivery:
        """Send an event `webhook.ping` to a webhook, and tell what came of it; raises NotFound."""
        webhook = await self.get(webhook_id)
        data = WebhookData(webhook_id=webhook_id, detail="a test; nothing has happened")
        event = Event(id=f"evt_ping{secrets.token_hex(8)}", type="webhook.ping", time=self.clock.now(), data=data)
        async with Sender(self.targets, await self.tls(), PING_SECONDS) as sender:
            delivery = await self.send(sender, webhook, event, attempt=1)
        await self.store.note(webhook, [delivery], is_ping=True)
        return delivery

    async def send(self, sender: Sender, webhook: Webhook, event: Event, *, attempt: int) -> Delivery:
        """Send an event to a webhook, signed by its secret, and by the last one while that is good too."""
        now, body = self.clock.now(), _encode(event)
        generations = [webhook.generation]
        if now.timestamp() * 1000 < webhook.old_until_ms:
            generations.append(webhook.generation - 1)
        key = await self._master()
        signers = [secret_of(key, self._tenant, webhook.webhook_id, each) for each in generations]
        sent = await sender.send(webhook.config.url, headers(signers, event.id, now, body), body)
        return Delivery(
            event_id=event.id,
            type=event.type,
            at=now,
            attempt=attempt,
            duration_ms=sent.duration_ms,
            status=sent.status,
            error=sent.error,
            answer=sent.answer,
            retry_after_seconds=sent.retry_after_seconds,
        )

    async def tls(self) -> ssl.SSLContext:
        """Return what connections are secured with; made once, since that takes long."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    async def _check(self, url: str) -> None:
        try:
            await self.targets.check(url)
        except TargetUnknown:
            return  # a name may come later; until then deliveries say so
        except TargetRefused as error:
            message = f"nothing can be sent to {url[:100]!r}: {error}"
            raise InvalidInput(Fault(path="$.url", message=message)) from None

    async def _master(self) -> bytes:
        if self._key is None:
            self._key = await self.store.master_key()
        return self._key


def unknown(webhook_id: str, *, replayed: bool = False) -> NotFound:
    """Return the error of a webhook that there is not."""
    error = NotFound(f"There is no webhook {webhook_id!r}.")
    error.replayed = replayed
    return error
