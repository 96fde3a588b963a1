"""Where webhooks are kept: one hash each, changed by the functions of lua/webhooks.lua."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from engine.inventory.model import Outcome, Replay
from engine.inventory.redis_records import kept_reply, record_of
from engine.storage.client import Part, StoreClient
from engine.storage.functions import REPLAY, library
from engine.storage.keys import Keys
from engine.webhooks.model import Config, Delivery, Webhook, WebhookState

LIBRARY = library("webhooks", 1, [REPLAY, files("engine.webhooks") / "lua" / "webhooks.lua"])
_encode = msgspec.json.Encoder().encode
_config = msgspec.json.Decoder(Config).decode
_delivery = msgspec.json.Decoder(Delivery).decode
_ids = msgspec.json.Decoder(tuple[str, ...]).decode
_pack = msgspec.msgpack.Encoder().encode
_FIELDS = (
    *("config", "generation", "old_until", "state", "why", "cursor", "delivered", "failing_since", "attempts"),
    *("next_try", "missed"),
)


class WebhookStore:
    """The webhooks of one tenant; needs `LIBRARY` loaded."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys, self._all = client, keys, keys.named("webhooks")

    async def master_key(self) -> bytes:
        """Return the key that secrets are made of, where none is set: one of chance, kept for good."""
        name = self._keys.named("webhook_key")
        found = await self._client.call("GET", name)
        if found is None:
            await self._client.call("SET", name, secrets.token_hex(32), "NX")
            found = await self._client.call("GET", name)
        return bytes(found)

    async def recall(self, replay: Replay) -> str | None:
        """Return what was replied under an idempotency key, None if it is new; raises IdempotencyConflict."""
        kept = await kept_reply(self._client, self._keys, replay)
        return None if kept is None else kept.decode()

    async def create(
        self, webhook_id: str, config: Config, cursor: str, most: int, replay: Replay | None
    ) -> Outcome[Config | None]:
        """Keep a webhook; None if there are `most` already."""
        args = (webhook_id, _encode(config), cursor, most)
        replayed, reply = await self._once("allot_create_webhook_v1", replay, *args)
        return Outcome(value=config_of(reply), replayed=replayed)

    async def rotate(
        self, webhook_id: str, old_until_ms: int, replay: Replay | None
    ) -> Outcome[tuple[int, int] | None]:
        """Give a webhook its next secret; return its number and until when (ms) the last one is good; None: no such."""
        replayed, reply = await self._once("allot_rotate_webhook_v1", replay, webhook_id, old_until_ms)
        if reply == "missing":
            return Outcome(value=None, replayed=replayed)
        generation, until = reply.split()
        return Outcome(value=(int(generation), int(until)), replayed=replayed)

    async def enable(self, webhook_id: str, replay: Replay | None) -> Outcome[bool]:
        """Send to a webhook again; False if there is none such."""
        replayed, reply = await self._once("allot_enable_webhook_v1", replay, webhook_id)
        return Outcome(value=reply == "active", replayed=replayed)

    async def delete(self, webhook_id: str) -> bool:
        """Forget a webhook; False if there is none such."""
        return bool(await self._client.fcall("allot_delete_webhook_v1", [self._all], [webhook_id]))

    async def get(self, webhook_id: str) -> Webhook | None:
        """Return a webhook, None if there is none such."""
        key = self._keys.named("webhook", webhook_id)
        return _webhook(webhook_id, await self._client.call("HMGET", key, *_FIELDS))

    async def page(self, limit: int, after: str | None) -> list[Webhook]:
        """Return webhooks as they were created, after one of them."""
        begin = "-inf"
        if after is not None:
            score = await self._client.call("ZSCORE", self._all, after)
            if score is None:
                return []
            begin = f"({int(float(score))}"
        ids = await self._client.call("ZRANGE", self._all, begin, "+inf", "BYSCORE", "LIMIT", 0, limit)
        names = [each.decode() for each in ids]
        commands = [("HMGET", self._keys.named("webhook", name), *_FIELDS) for name in names]
        rows = await self._client.pipeline(commands)
        found = (_webhook(name, row) for name, row in zip(names, rows, strict=True))
        return [webhook for webhook in found if webhook is not None]

    async def deliveries(self, webhook_id: str) -> list[Delivery]:
        """Return the last deliveries to a webhook, newest first."""
        rows = await self._client.call("LRANGE", self._keys.named("webhook_deliveries", webhook_id), 0, -1)
        return [_delivery(row) for row in rows]

    async def note(
        self,
        webhook: Webhook,
        deliveries: Sequence[Delivery],
        fields: Mapping[str, Part] = MappingProxyType({}),
        *,
        is_ping: bool = False,
    ) -> bool:
        """Note deliveries, and fields that come of them; False if the webhook is not as it was read, and keeps them."""
        seen = "" if is_ping else f"{webhook.cursor}\n{_encode(webhook.delivered).decode()}"
        rows = _pack([_encode(delivery).decode() for delivery in deliveries])
        named = [part for pair in fields.items() for part in pair]
        args = [webhook.webhook_id, rows, seen, *named]
        return bool(await self._client.fcall("allot_note_webhook_v1", [self._all], args))

    async def _once(self, function: str, replay: Replay | None, *args: Part) -> tuple[bool, str]:
        record, fingerprint = record_of(self._keys, replay)
        replayed, reply = await self._client.fcall(function, [record, self._all], [fingerprint, *args])
        return bool(replayed), reply.decode()


def config_of(reply: str) -> Config | None:
    """Return the config in the reply to a creation, None if it was refused."""
    _, _, config = reply.partition("\n")
    return _config(config) if config else None


def _webhook(webhook_id: str, row: Sequence[Any]) -> Webhook | None:
    if row[0] is None:
        return None
    config, generation, old_until, state, why, cursor, delivered, failing_since, attempts, next_try, missed = row
    return Webhook(
        webhook_id=webhook_id,
        config=_config(config),
        generation=int(generation),
        old_until_ms=int(old_until),
        state=WebhookState(state.decode()),
        why=why.decode(),
        cursor=cursor.decode(),
        delivered=_ids(delivered),
        failing_since_ms=int(failing_since),
        attempts=int(attempts),
        next_try_ms=int(next_try),
        missed_ms=int(missed),
    )
