"""The StoreClient of a cluster of several primaries: one multiplexed connection to each, chosen by the slot of the key.

Commands that leave together go to the primaries of their slots; those of one slot stay together and in order. MULTI
goes with the next key, all else without a key with the last. A primary that has not got a slot has not run the command,
so it is sent on to where it points. Not here: what one server is asked (client.py), and where slots lie.
"""

from __future__ import annotations

import asyncio
import re
from binascii import crc_hqx
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import StoreReplyError, Unavailable
from engine.storage.address import Address, parse_address
from engine.storage.client import MultiplexedClient, Part, StoreClient
from engine.storage.functions import Library, ensure

SLOTS = 16_384
_TRIES = 5
_REDIRECT = re.compile(r"\b(MOVED|ASK) \d+ (?P<host>\S*):(?P<port>\d+)")
_ESCAPED = re.compile(r"\\(.)")
_KEY_AT = {"FCALL": 3, "FCALL_RO": 3, "SCAN": 3}
"""Where the key stands in a command, if it is not the first argument; a pattern to scan by holds the hash tag too."""
_KEYLESS = frozenset(
    ["MULTI", "EXEC", "PING", "ECHO", "TIME", "INFO", "CONFIG", "FUNCTION", "CLUSTER", "WAIT", "WAITAOF", "HELLO"]
)


def slot_of(key: str) -> int:
    """Return the hash slot of a key: of what stands in its first braces, else of all of it."""
    start = key.find("{")
    end = key.find("}", start + 1)
    tag = key[start + 1 : end] if start >= 0 and end > start + 1 else key
    return crc_hqx(tag.encode(), 0) % SLOTS


async def is_cluster(client: StoreClient) -> bool:
    """Say whether a server is one of a cluster."""
    return b"cluster_enabled:1" in await client.call("INFO", "cluster")


class ClusterClient:
    """The StoreClient of a cluster, found by the address of any of its servers."""

    def __init__(self, url: str, *, deadline_seconds: float = 5.0) -> None:
        self._seed = parse_address(url)
        self._deadline_seconds = deadline_seconds
        self._nodes: dict[Address, MultiplexedClient] = {}
        self._ranges: list[tuple[int, int, Address]] = []
        self._libraries: Sequence[Library] = ()
        self._prepared: set[Address] = set()
        self._is_stale = True

    async def call(self, *parts: Part) -> Any:
        """Run one command where its key is; without a key, on the first primary."""
        return await self._run(key_of(parts), lambda node: node.call(*parts), parts)

    async def pipeline(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Run independent commands, those of each slot in one round trip; all are sent, then an error is raised."""
        by_slot: dict[int, list[int]] = {}
        for index, key in enumerate(_keys(commands)):
            by_slot.setdefault(slot_of(key), []).append(index)
        groups = [[commands[index] for index in indices] for indices in by_slot.values()]
        asked = [self._pipeline_of_slot(key_of_all(group), group) for group in groups]
        replies: list[Any] = [None] * len(commands)
        for indices, found in zip(by_slot.values(), await asyncio.gather(*asked), strict=True):
            for index, reply in zip(indices, found, strict=True):
                replies[index] = reply
        return replies

    async def fcall(self, function: str, keys: Sequence[str], args: Sequence[Part]) -> Any:
        """Call a function where its keys are."""
        command = ("FCALL", function, len(keys), *keys, *args)
        return await self._run(keys[0], lambda node: node.fcall(function, keys, args), command)

    def on_missing_function(self, reload: Callable[[], Awaitable[None]]) -> None:
        """Do nothing: each primary loads its own again, see `prepare`."""

    async def prepare(self, libraries: Sequence[Library]) -> None:
        """Load function libraries on every primary, and on each that joins; raises IncompatibleStore as `ensure`."""
        self._libraries = libraries
        for node in await self.primaries():
            await ensure(node, libraries)

    async def primaries(self) -> list[MultiplexedClient]:
        """Return a client of each primary that has slots."""
        await self._refresh_if_stale()
        return [await self._node(address) for address in dict.fromkeys(address for *_, address in self._ranges)]

    async def primary_of(self, key: str) -> MultiplexedClient:
        """Return the client of the primary that has a key."""
        await self._refresh_if_stale()
        slot = slot_of(key)
        for first, last, address in self._ranges:
            if first <= slot <= last:
                return await self._node(address)
        self._is_stale = True
        raise Unavailable(f"No primary of the cluster at {self._seed} has slot {slot}. Assign it, then try again.")

    async def places_of(self, keys: Sequence[str]) -> list[tuple[MultiplexedClient, str]]:
        """Return the primaries that have some of these keys, each once, with one of them."""
        found = {await self.primary_of(key): key for key in keys}
        return list(found.items())

    async def close(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            await node.close()

    async def _pipeline_of_slot(self, key: str, commands: Sequence[Sequence[Part]]) -> list[Any]:
        found: list[Any] = await self._run(key, lambda node: node.pipeline(commands), None)
        return found

    async def _run(
        self, key: str, send: Callable[[MultiplexedClient], Awaitable[Any]], command: Sequence[Part] | None
    ) -> Any:
        """Send to the primary of a key, and on to where it points, but for a pipeline (no command) if it says ASK."""
        node = await self.primary_of(key)
        for _ in range(_TRIES):
            try:
                return await send(node)
            except Unavailable:
                self._is_stale = True  # another primary may have taken over by the next call
                raise
            except StoreReplyError as error:
                redirect = _REDIRECT.search(str(error))
                if redirect is None:
                    raise
            target = replace(self._seed, host=redirect["host"] or self._seed.host, port=int(redirect["port"]))
            if redirect[1] == "ASK":
                if command is None:
                    break
                return (await (await self._node(target)).pipeline([("ASKING",), command]))[1]
            self._is_stale = True
            node = await self.primary_of(key)
        raise Unavailable(f"The cluster at {self._seed} is moving the slot of {key!r}. Try again.")

    async def _node(self, address: Address) -> MultiplexedClient:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = MultiplexedClient(address, deadline_seconds=self._deadline_seconds)
        if self._libraries and address not in self._prepared:
            self._prepared.add(address)
            await ensure(node, self._libraries)
        return node

    async def _refresh_if_stale(self) -> None:
        """Ask any server that answers where the slots are."""
        if not self._is_stale:
            return
        failure: Exception | None = None
        for address in dict.fromkeys([*self._nodes, self._seed]):
            try:
                client = self._nodes.setdefault(
                    address, MultiplexedClient(address, deadline_seconds=self._deadline_seconds)
                )
                ranges = await client.call("CLUSTER", "SLOTS")
            except (Unavailable, StoreReplyError) as error:
                failure = error
                continue
            self._ranges = [(first, last, self._address(primary, address)) for first, last, primary, *_ in ranges]
            self._is_stale = False
            return
        raise failure or Unavailable(f"No server of the cluster at {self._seed} answers. {self._seed.remedy}")

    def _address(self, primary: Sequence[Any], asked: Address) -> Address:
        host = primary[0].decode() if primary[0] else ""
        return replace(self._seed, host=host or asked.host, port=int(primary[1]), database=0)


def key_of(parts: Sequence[Part]) -> str:
    """Return the key of a command, '' if it has none."""
    name = str(parts[0]).upper()
    at = _KEY_AT.get(name, 1)
    if name in _KEYLESS or len(parts) <= at:
        return ""
    key = parts[at]
    text = key.decode() if isinstance(key, bytes) else str(key)
    return _ESCAPED.sub(r"\1", text) if name == "SCAN" else text


def key_of_all(commands: Sequence[Sequence[Part]]) -> str:
    """Return a key of commands that have the same slot, '' if none has one."""
    return next((key for parts in commands if (key := key_of(parts))), "")


def _keys(commands: Sequence[Sequence[Part]]) -> list[str]:
    """Return a key for each command: its own, or that of the command which it goes with."""
    keys = [key_of(parts) for parts in commands]
    following = ""
    for index in reversed(range(len(keys))):
        following = keys[index] or following
        if str(commands[index][0]).upper() == "MULTI":
            keys[index] = following
    last = key_of_all(commands)
    for index, key in enumerate(keys):
        last = keys[index] = key or last
    return keys
