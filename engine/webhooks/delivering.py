"""Sending events to webhooks until they are taken: at least once, and in order unless several are in flight.

Of several servers the one that has the lease sends. What was taken is noted after each answer, so a server that dies
sends again only what it had not noted. An event that is not taken is tried again after longer and longer pauses; what
comes after it waits. After three days the webhook is disabled, and an event says so.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from engine.errors import AllotError, CursorExpired
from engine.feed.model import Event, Page, Wanted, wanted
from engine.storage.leases import Leases
from engine.webhooks.model import DAYS_OF_TRYING, Delivery, Webhook, WebhookState
from engine.webhooks.sending import Sender
from engine.webhooks.service import MOST_WEBHOOKS, WebhookService

log = logging.getLogger("allot.webhooks")

PAUSES_SECONDS = (5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""After so many failures in a row; the last one for all further."""
LEASE, LEASE_SECONDS = "webhooks", 20.0
_EVENTS_AT_ONCE = 50
_GONE = 410
_JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Events that come next for a webhook, and those after its cursor that it took already."""

    webhook: Webhook
    page: Page
    left: Sequence[Event]


class Deliveries:
    """The sending of one process."""

    def __init__(self, service: WebhookService, leases: Leases) -> None:
        self._service, self._leases = service, leases
        self._owner = secrets.token_hex(8)
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._has_lease = False

    async def step(self) -> bool:
        """Begin to send to each webhook that has something to come, if it is ours to do; does not wait for that."""
        self._forget_done()
        self._has_lease = await self._leases.take(LEASE, self._owner, LEASE_SECONDS)
        if not self._has_lease:
            await self._cancel()
            return False
        now_ms = self._now_ms()
        for webhook in await self._service.store.page(MOST_WEBHOOKS, None):
            is_due = webhook.state is WebhookState.ACTIVE and webhook.next_try_ms <= now_ms
            if is_due and webhook.webhook_id not in self._sending:
                sending = asyncio.create_task(self._send(webhook))
                self._sending[webhook.webhook_id] = sending
        return False

    async def settle(self) -> None:
        """Wait until nothing is being sent."""
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        self._forget_done()

    async def stop(self) -> None:
        """Stop sending, and let another server do it; what was not noted as taken is sent again."""
        if self._sending:
            await self._cancel()
        if self._has_lease:
            with suppress(AllotError):  # then it runs out by itself
                await self._leases.release(LEASE, self._owner)

    async def _cancel(self) -> None:
        for task in self._sending.values():
            task.cancel()
        await self.settle()

    def _forget_done(self) -> None:
        self._sending = {name: task for name, task in self._sending.items() if not task.done()}

    def _now_ms(self) -> int:
        return round(self._service.clock.now().timestamp() * 1000)

    async def _send(self, webhook: Webhook) -> None:
        """Send what there is to a webhook, until all is taken or something is not."""
        try:
            # A webhook without anything to come needs no connection.
            batch = await self._next(webhook)
            if batch is None:
                return
            async with Sender(self._service.targets, await self._service.tls()) as sender:
                while batch is not None:
                    after = await self._send_batch(sender, batch)
                    batch = None if after is None else await self._next(after)
        except AllotError as error:
            log.warning("sending to webhook %s does not work now, trying again: %s", webhook.webhook_id, error)
        except Exception:
            log.exception("sending to webhook %s failed, trying again", webhook.webhook_id)

    async def _next(self, webhook: Webhook) -> _Batch | None:
        """Return what comes next for a webhook; moves its cursor over what it does not want, and what is gone."""
        kinds = wanted(webhook.config.types, "types")
        while True:
            try:
                page = await self._service.feed.page(webhook.cursor, limit=_EVENTS_AT_ONCE, wanted=kinds, is_ours=True)
            except CursorExpired:
                moved_on = await self._over_what_is_gone(webhook)
                if moved_on is None:
                    return None
                webhook = moved_on
                continue
            left = [event for event in page.events if event.id not in webhook.delivered]
            if left:
                return _Batch(webhook=webhook, page=page, left=left)
            moved = page.next_cursor != webhook.cursor
            if moved:
                after = msgspec.structs.replace(webhook, cursor=page.next_cursor, delivered=())
                if not await self._service.store.note(webhook, (), {"cursor": after.cursor, "delivered": "[]"}):
                    return None
                webhook = after
            if not page.has_more:
                return None

    async def _over_what_is_gone(self, webhook: Webhook) -> Webhook | None:
        """Put a webhook before the oldest events that are kept, and tell of it; None if it is not ours to do."""
        feed = self._service.feed
        log.warning("webhook %s has missed events that are no longer kept", webhook.webhook_id)
        detail = "events that it did not take in time are no longer kept; it goes on with the oldest that are"
        await feed.tell_webhook(webhook.webhook_id, "missed", detail)
        oldest = (await feed.page(None, limit=0, wanted=Wanted())).next_cursor
        # The cursor moves now, and not when something is taken: a receiver that is down has missed them once.
        is_noted = await self._service.store.note(webhook, (), {"cursor": oldest, "missed": self._now_ms()})
        return msgspec.structs.replace(webhook, cursor=oldest) if is_noted else None

    async def _send_batch(self, sender: Sender, batch: _Batch) -> Webhook | None:
        """Send events, so many at once as may be; return the webhook after it took all, None if it did not."""
        webhook, service = batch.webhook, self._service
        width = webhook.config.in_flight
        for start in range(0, len(batch.left), width):
            events = batch.left[start : start + width]
            attempt = webhook.attempts + 1
            sent = await asyncio.gather(*(service.send(sender, webhook, each, attempt=attempt) for each in events))
            taken = tuple(each.event_id for each in sent if each.is_taken)
            is_last = start + width >= len(batch.left) and len(taken) == len(events)
            after = msgspec.structs.replace(
                webhook,
                cursor=batch.page.next_cursor if is_last else webhook.cursor,
                delivered=() if is_last else (*webhook.delivered, *taken),
            )
            refused = [each for each in sent if not each.is_taken]
            after = self._after_failure(after, refused) if refused else _sound(after)
            is_noted = await service.store.note(webhook, sent, _fields(after))
            if is_noted and refused:
                await self._tell_if_disabled(after)
            if refused or not is_noted:
                return None
            webhook = after
        return webhook

    def _after_failure(self, webhook: Webhook, refused: Sequence[Delivery]) -> Webhook:
        """Return a webhook with a pause behind its failures; disabled after three days of them, or if it is gone."""
        now_ms, attempts = self._now_ms(), webhook.attempts + 1
        since = webhook.failing_since_ms or now_ms
        pause = PAUSES_SECONDS[min(attempts, len(PAUSES_SECONDS)) - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)
        pause = max(pause, *(each.retry_after_seconds or 0 for each in refused), 0)
        why = ""
        if any(each.status == _GONE for each in refused):
            why = "it answered 410, that it is gone"
        elif now_ms - since >= timedelta(days=DAYS_OF_TRYING) / timedelta(milliseconds=1):
            why = f"it has taken nothing for {DAYS_OF_TRYING} days"
        return msgspec.structs.replace(
            webhook,
            failing_since_ms=since,
            attempts=attempts,
            next_try_ms=now_ms + round(1000 * pause),
            state=WebhookState.DISABLED if why else webhook.state,
            why=why,
        )

    async def _tell_if_disabled(self, webhook: Webhook) -> None:
        if webhook.state is WebhookState.DISABLED:
            log.warning("webhook %s is disabled: %s", webhook.webhook_id, webhook.why)
            await self._service.feed.tell_webhook(webhook.webhook_id, "disabled", webhook.why)


def _sound(webhook: Webhook) -> Webhook:
    return msgspec.structs.replace(webhook, failing_since_ms=0, attempts=0, next_try_ms=0)


def _fields(webhook: Webhook) -> dict[str, str | int]:
    return {
        "cursor": webhook.cursor,
        "delivered": msgspec.json.encode(webhook.delivered).decode(),
        "failing_since": webhook.failing_since_ms,
        "attempts": webhook.attempts,
        "next_try": webhook.next_try_ms,
        "state": webhook.state.value,
        "why": webhook.why,
    }
