"""The client of durability `replicated`: what may write waits for a replica's disk, what only reads does not.

Three connections, each made on first use: writes (FencedLink), reads, and probes (readiness asks WAITAOF itself, which
must keep neither of the others waiting).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from engine.storage.address import parse_address
from engine.storage.client import MultiplexedClient, Part

REPLICAS = 1
"""How many replicas must have a write on their disk before it is acknowledged."""

_READS = frozenset(
    ["GET", "MGET", "EXISTS", "HGET", "HMGET", "HGETALL", "SMEMBERS", "ZRANGE", "LRANGE", "XRANGE", "XREVRANGE"]
) | frozenset(["FCALL_RO", "PING", "ECHO", "TIME", "INFO", "SCAN", "ZMSCORE", "MULTI", "EXEC"])
_READING_SUBCOMMANDS = frozenset([("CONFIG", "GET"), ("FUNCTION", "LIST")])
_RECORD = ":replay:"


def connect_replicated(url_or_socket: str, *, fence_key: str, deadline_seconds: float = 5.0) -> ReplicatedClient:
    """Return a client that acknowledges a write once a replica has it on disk; raises InvalidInput as `connect`.

    `fence_key` (Keys.fence) is written behind every batch of writes.
    """
    return ReplicatedClient(url_or_socket, fence_key=fence_key, deadline_seconds=deadline_seconds)


class ReplicatedClient:
    """The StoreClient of a primary with replicas; a command it does not know to be a read is taken for a write."""

    def __init__(self, url_or_socket: str, *, fence_key: str, deadline_seconds: float) -> None:
        address = parse_address(url_or_socket)
        self._writes = MultiplexedClient(
            address, deadline_seconds=deadline_seconds, replicas=REPLICAS, fence_key=fence_key
        )
        self._reads = MultiplexedClient(address, deadline_seconds=deadline_seconds)
        self._probes = MultiplexedClient(address, deadline_seconds=deadline_seconds)

    async def call(self, *parts: Part) -> Any:
        """Run one command; raises Unavailable (also if it ran and no replica has it in time), StoreReplyError."""
        return await self._lane([parts]).call(*parts)

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run independent commands in one round trip."""
        return await self._lane(commands).pipeline(commands)

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function, as a write."""
        return await self._writes.fcall(function, keys, args)

    def on_missing_function(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Let `reload` run when the server has lost a function."""
        self._writes.on_missing_function(reload)

    async def close(self) -> None:
        """Close the connections."""
        for lane in (self._writes, self._reads, self._probes):
            await lane.close()

    def _lane(self, commands: Sequence[Sequence[Part]]) -> MultiplexedClient:
        """Return the connection for commands that leave together."""
        if any(parts[0] == "WAITAOF" for parts in commands):
            return self._probes
        return self._reads if all(is_read(parts) for parts in commands) else self._writes


def is_read(parts: Sequence[Part]) -> bool:
    """Say whether a command is known to change nothing, and to answer nothing that must be on a replica's disk.

    An idempotency record is such an answer: who is told that a change was made takes it for acknowledged.
    """
    is_known = parts[0] in _READS or tuple(parts[:2]) in _READING_SUBCOMMANDS
    return is_known and not any(isinstance(part, str) and _RECORD in part for part in parts)
