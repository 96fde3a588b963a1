"""Posting notices to a service of the shop, signed as Standard Webhooks has it; not here: events (delivering.py)."""

from __future__ import annotations

import asyncio
import ssl

from engine.clock import Clock
from engine.errors import Unavailable
from engine.webhooks.sending import Sender
from engine.webhooks.signing import headers
from engine.webhooks.targets import Targets


class NoticePoster:
    """Posts to one URL, signed by one secret (`whsec_…`)."""

    def __init__(self, url: str, secret: str, targets: Targets, clock: Clock) -> None:
        self._url, self._secret, self._targets, self._clock = url, secret, targets, clock
        self._tls: ssl.SSLContext | None = None

    async def post(self, notice_id: str, body: bytes) -> None:
        """Post a notice; raises Unavailable if it was not taken, which tells nothing of what the answer says."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        async with Sender(self._targets, self._tls) as sender:
            sent = await sender.send(self._url, headers([self._secret], notice_id, self._clock.now(), body), body)
        if sent.status is None or not 200 <= sent.status < 300:
            why = f"answers {sent.status}" if sent.status is not None else "does not answer"
            raise Unavailable(f"The service that notices are posted to {why}.")
