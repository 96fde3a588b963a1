"""One open connection to the store: what is written in one turn of the loop leaves together, replies come in order.

Not here: opening it, and what replies mean (client.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis

from engine.counts import COUNTS
from engine.errors import Unavailable
from engine.storage.address import Address

Part = str | bytes | int


class Link(asyncio.Protocol):
    """One open connection: replies come in the order of the commands, so a queue of futures is all it needs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: Address, deadline_seconds: float) -> None:
        self._loop = loop
        self._address = address
        self._deadline_seconds = deadline_seconds
        self._reader = hiredis.Reader(replyError=hiredis.ReplyError)
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._pending: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._broken: str | None = None

    def usable(self) -> bool:
        """Say whether commands can be sent from the running loop."""
        return self._broken is None and self._loop is asyncio.get_running_loop()

    def send(self, packed: bytes) -> asyncio.Future[Any]:
        """Queue a packed command for the end of this turn of the loop; the future gives its raw reply."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(packed)
        self._pending.append((self._loop.time() + self._deadline_seconds, future))
        if self._timer is None:
            self._timer = self._loop.call_later(self._deadline_seconds, self._look_at_the_time)
        return future

    def break_off(self, reason: str) -> None:
        """Fail every call in flight and drop the connection; it is never used again."""
        if self._broken is not None:
            return
        self._broken = reason
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        error = f"The connection to the store at {self._address} broke: {reason}. The call may or may not have run."
        while self._pending:
            _, future = self._pending.popleft()
            if not future.done():
                future.set_exception(Unavailable(error))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Resolve the futures whose replies are complete, oldest first."""
        self._reader.feed(data)
        pending, gets = self._pending, self._reader.gets
        since = self._loop.time() + self._deadline_seconds
        try:
            while (reply := gets()) is not False:
                if not pending:
                    self.break_off(f"it sent a reply nobody asked for: {reply!r:.80}")
                    return
                due, future = pending.popleft()
                COUNTS.store_seconds.add(since - due)
                if not future.done():
                    future.set_result(reply)
        except hiredis.HiredisError as error:
            self.break_off(f"it does not speak the Redis protocol ({error})")

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what was in flight."""
        COUNTS.store_breaks += self._broken is None
        self.break_off(str(exc) if exc else "the server closed it")

    def _flush(self) -> None:
        """Write what this turn of the loop has gathered."""
        if self._broken is None and self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _look_at_the_time(self) -> None:
        """Break off when the oldest call is overdue: those behind it on the same connection are no better off.

        A loop that was blocked reads what has arrived meanwhile before it runs its timers, so it judges fairly.
        """
        self._timer = None
        if not self._pending:
            return
        left = self._pending[0][0] - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_at_the_time)
        else:
            COUNTS.store_breaks += 1
            self.break_off(f"no reply within {self._deadline_seconds:g} s")


def pack(parts: Sequence[Part]) -> bytes:
    """Return a command as it goes over the wire."""
    packed: bytes = hiredis.pack_command(tuple(parts))  # type: ignore[arg-type]  # its stub knows one part only
    return packed
