"""The trial of power loss: sell under load, then cut the append-only file back to what was synced at some moment.

`kill -9` proves nothing here, since the page cache survives it. What survives a power cut is what the disk was told to
keep, so the length of the file at the last completed fdatasync is taken from the system calls (strace), or else from
WAITAOF: after each acknowledgement, is what is in the file synced at once?
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from store_servers import StoreServer

from engine.errors import NotFound
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.storage.client import MultiplexedClient, connect
from engine.storage.functions import ensure
from engine.storage.keys import Keys

KEYS = Keys("power")
TODAY = {"berlin": 738_000}
STRACE = ("strace", "-f", "-ttt", "-T", "-qq", "-e", "trace=openat,write,writev,fdatasync,fsync,close,ftruncate", "-o")
FILE = "appendonly.aof.1.incr.aof"
LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
RETURNED = re.compile(r"\) += (\d+)[^\"]*$")
TAKEN = re.compile(r"<(\d+\.\d+)>$")


@dataclass(slots=True, kw_only=True)
class Synced:
    """The length of the file that the disk was told to keep, as it grew."""

    at_seconds: list[float] = field(default_factory=list)
    bytes_kept: list[int] = field(default_factory=list)

    def note(self, at_seconds: float, length: int) -> None:
        self.at_seconds.append(at_seconds)
        self.bytes_kept.append(length)

    def at(self, moment: float) -> int:
        """Return the length kept at a moment (seconds since 1970)."""
        index = bisect_right(self.at_seconds, moment) - 1
        return self.bytes_kept[index] if index >= 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of selling: who was told what when, and what the disk kept when."""

    acknowledged: list[tuple[float, str]]
    synced: Synced
    folder: Path


async def sell_with_strace(
    make: Callable[..., StoreServer], folder: Path, fsync: str, *, seconds: float, sellers: int = 4
) -> Day:
    """Sell for a while on a server whose system calls are written down, kill it, and return the day."""
    trace = folder / "trace.txt"
    options = ("--appendonly", "yes", "--appendfsync", fsync)
    server = make(*options, folder=folder / "data", wrapper=(*STRACE, str(trace)))
    client, store = await _open(server)
    acknowledged: list[tuple[float, str]] = []
    end = time.time() + seconds

    async def sell(number: int) -> None:
        step = 0
        while time.time() < end:
            step += 1
            await _hold(store, f"{number}-{step}")
            acknowledged.append((time.time(), f"{number}-{step}"))

    await asyncio.gather(*(sell(number) for number in range(sellers)))
    await client.close()
    server.kill()
    return Day(acknowledged=acknowledged, synced=synced_by_trace(trace.read_text()), folder=folder / "data")


async def sell_with_waitaof(make: Callable[..., StoreServer], folder: Path, fsync: str, *, seconds: float) -> Day:
    """Sell one by one, and after each acknowledgement ask whether all that is in the file is synced already."""
    server = make("--appendonly", "yes", "--appendfsync", fsync, folder=folder / "data")
    client, store = await _open(server)
    file = folder / "data" / "appendonlydir" / FILE
    await client.pipeline([("PING",), ("WAITAOF", 1, 0, 5000)])
    synced = Synced()
    synced.note(0.0, file.stat().st_size)
    acknowledged: list[tuple[float, str]] = []
    end, step = time.time() + seconds, 0
    while time.time() < end:
        step += 1
        await _hold(store, str(step))
        acknowledged.append((time.time(), str(step)))
        length = file.stat().st_size
        # In a transaction it does not wait, so it says what is so now, right after the acknowledgement.
        *_, ((is_synced, _),) = await client.pipeline([("MULTI",), ("WAITAOF", 1, 0, 0), ("EXEC",)])
        if is_synced:
            synced.note(acknowledged[-1][0], length)
    await client.close()
    server.kill()
    return Day(acknowledged=acknowledged, synced=synced, folder=folder / "data")


async def lost_at(day: Day, moment: float, make: Callable[..., StoreServer], folder: Path) -> tuple[int, int]:
    """Let the power fail at a moment: return how many holds were acknowledged by then, and how many are gone."""
    shutil.copytree(day.folder, folder)
    with (folder / "appendonlydir" / FILE).open("r+b") as file:
        file.truncate(day.synced.at(moment))
    server = make("--appendonly", "yes", folder=folder)
    client = connect(server.url)
    store = RedisInventoryStore(client, KEYS)
    promised = [name for at, name in day.acknowledged if at <= moment]

    async def is_gone(name: str) -> bool:
        try:
            await store.get_reservation(name)
        except NotFound:
            return True
        return False

    gone = sum(await asyncio.gather(*(is_gone(name) for name in promised)))
    await client.close()
    server.kill()
    shutil.rmtree(folder)
    return len(promised), gone


def synced_by_trace(text: str) -> Synced:
    """Return how the append-only file was synced, by the system calls of all threads.

    A sync keeps what had been written when it began, from when it ended.
    """
    synced, descriptor, length = Synced(), "none", 0
    begun: dict[str, tuple[str, int]] = {}
    for line in text.splitlines():
        found = LINE.match(line)
        if found is None:
            continue
        thread, at, call = found[1], float(found[2]), found[3]
        length_at_begin = length
        if call.endswith("<unfinished ...>"):
            begun[thread] = (call.removesuffix("<unfinished ...>").rstrip(), length)
            continue
        if call.startswith("<... "):
            start, length_at_begin = begun.pop(thread, ("", length))
            call = start + call.partition("resumed>")[2]
        elif taken := TAKEN.search(call):
            at += float(taken[1])
        returned = RETURNED.search(call)
        if returned is None:
            continue
        name, _, arguments = call.partition("(")
        value, is_ours = int(returned[1]), re.match(rf"{descriptor}\b", arguments) is not None
        if name == "openat" and FILE in arguments and "O_WRONLY" in arguments:
            descriptor = str(value)
        elif name in {"write", "writev"} and is_ours:
            length += value
        elif name in {"fdatasync", "fsync"} and is_ours and value == 0:
            synced.note(at, length_at_begin)
    return synced


async def _open(server: StoreServer) -> tuple[MultiplexedClient, RedisInventoryStore]:
    client = connect(server.url)
    await ensure(client, [LIBRARY])
    store = RedisInventoryStore(client, KEYS)
    await store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=1_000_000)])
    return client, store


async def _hold(store: RedisInventoryStore, name: str) -> None:
    line = HoldLine(sku="mug", quantity=1, node_id="berlin")
    await store.hold(Hold(reservation_id=name, lines=(line,)), today=TODAY)
