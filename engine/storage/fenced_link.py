"""A connection whose replies are withheld until a replica has the writes on its disk: group commit by WAITAOF.

What one turn of the loop has gathered leaves as one batch with one fence behind it. The server answers nothing else on
this connection meanwhile, so what is sent while a batch is out waits for its end and leaves as the next batch. A fence
is three commands:

    SET       a write of our own: WAITAOF waits for the last write of its connection, and an answer that is replayed
              was written by another one
    WAIT      until a replica has it in memory: a replica says what it has on disk before it syncs what it has just got,
              so the next question is the one that finds it there (and not the report of once a second)
    WAITAOF   until it is on disk here and at the replica

Not here: which commands need it (replicated.py), and whether the server can do it at all (durability.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis

from engine.counts import COUNTS
from engine.errors import Unavailable
from engine.storage.address import Address
from engine.storage.link import Link, pack

_SHARE_OF_DEADLINE = 0.15
"""Of WAIT, and of WAITAOF. A call may wait for the batch before its own, and both must end before its deadline.

A server that is idle looks at the time ten times a second, so each of the four may take 0.1 s longer.
"""
_FENCE_COMMANDS = 3


class FencedLink(Link):
    """A Link whose calls fail with Unavailable unless `replicas` of them have acknowledged in time, though they ran."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: Address,
        deadline_seconds: float,
        *,
        replicas: int,
        fence_key: str,
    ) -> None:
        super().__init__(loop, address, deadline_seconds)
        self._replicas = replicas
        self._fence_key = fence_key
        self._wait_seconds = deadline_seconds * _SHARE_OF_DEADLINE
        self._fence: bytes | None = None
        self._marker: asyncio.Future[Any] | None = None
        self._withheld: list[tuple[asyncio.Future[Any], Any]] = []
        self._answers: list[Any] = []

    def begin_fencing(self) -> None:
        """Put a fence behind every batch from now on; what signs the connection in needs none."""
        milliseconds = max(1, round(self._wait_seconds * 1000))
        self._fence = b"".join(
            [
                pack(["SET", self._fence_key, ""]),
                pack(["WAIT", self._replicas, milliseconds]),
                pack(["WAITAOF", 1, self._replicas, milliseconds]),
            ]
        )

    def break_off(self, reason: str) -> None:
        """Fail every call in flight, those whose replies are withheld too."""
        withheld, self._withheld = self._withheld, []
        self._fail(withheld, f"The connection to the store at {self._address} broke: {reason}.")
        super().break_off(reason)

    def data_received(self, data: bytes) -> None:
        """Keep the replies of the batch that is out, and settle them all when its fence has answered."""
        self._reader.feed(data)
        since = self._loop.time() + self._deadline_seconds
        try:
            while (reply := self._reader.gets()) is not False:
                if not self._pending:
                    self.break_off(f"it sent a reply nobody asked for: {reply!r:.80}")
                    return
                due, future = self._pending.popleft()
                if future is self._marker:
                    self._answers.append(reply)
                    if len(self._answers) == _FENCE_COMMANDS:
                        self._settle()
                    continue
                COUNTS.store_seconds.add(since - due)
                if self._marker is not None:
                    self._withheld.append((future, reply))
                elif not future.done():
                    future.set_result(reply)
        except hiredis.HiredisError as error:
            self.break_off(f"it does not speak the Redis protocol ({error})")

    def _flush(self) -> None:
        """Send the batch and its fence, unless another batch is out."""
        if self._marker is not None or not self._outgoing:
            return
        if self._fence is not None:
            # Cancelled from the start: nobody waits for it, and a connection that breaks leaves it alone.
            self._marker = self._loop.create_future()
            self._marker.cancel()
            oldest_deadline = self._pending[-len(self._outgoing)][0]
            self._pending.extend([(oldest_deadline, self._marker)] * _FENCE_COMMANDS)
            self._outgoing.append(self._fence)
        super()._flush()

    def _settle(self) -> None:
        """Hand out the withheld replies, or fail their calls; then send what has gathered meanwhile."""
        self._marker = None
        withheld, self._withheld = self._withheld, []
        answers, self._answers = self._answers, []
        missing = self._missing(answers)
        if missing is None:
            for future, reply in withheld:
                if not future.done():
                    future.set_result(reply)
        else:
            self._fail(withheld, missing)
        self._flush()

    def _missing(self, answers: list[Any]) -> str | None:
        """Return what the answers to a fence lack, None if the batch is where it has to be."""
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                return f"The store at {self._address} cannot say whether a replica has the write: {answer}."
        on_own_disk, at_replicas = answers[-1]
        seconds = 2 * self._wait_seconds
        if at_replicas < self._replicas:
            return (
                f"{at_replicas} of {self._replicas} replicas of the store at {self._address} had the write on disk "
                f"within {seconds:g} s."
            )
        if on_own_disk < 1:
            return f"The store at {self._address} had not synced the write within {seconds:g} s."
        return None

    def _fail(self, withheld: list[tuple[asyncio.Future[Any], Any]], reason: str) -> None:
        """Fail calls whose replies were withheld; one that the server refused stays refused."""
        for future, reply in withheld:
            if future.done():
                continue
            if isinstance(reply, hiredis.ReplyError):
                future.set_result(reply)
            else:
                future.set_exception(Unavailable(f"{reason} The call may or may not have run."))
