"""Whether a server really keeps what the durability mode promises; readiness asks this, again and again.

Settings are compared first. When they are right, the server itself is asked with WAITAOF whether the last write is on
disk: a file that was just turned on, or a replica without one, has the right settings around it and keeps nothing.

Not here: making a write wait (fenced_link.py), and the function libraries (functions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.errors import StoreReplyError
from engine.storage.client import StoreClient

Durability = Literal["memory", "standard", "replicated"]

PROBE_MILLISECONDS = 500
"""How long a write may take to reach the disks before the mode counts as not kept."""

_SYNCED = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
_WANTED: Mapping[Durability, Mapping[str, str]] = {"memory": {}, "standard": _SYNCED, "replicated": _SYNCED}
_REPLICAS: Mapping[Durability, int] = {"memory": 0, "standard": 0, "replicated": 1}


async def broken_promises(client: StoreClient, durability: Durability, *, probe_key: str = "allot:probe") -> list[str]:
    """Return one sentence for each thing that does not match the mode; empty when the store is as promised.

    `probe_key` is written to see how soon a write gets to the disks, if the settings are right and it has to get there.
    A server that lets nobody read its settings (some managed ones) is itself such a sentence. Raises Unavailable.
    """
    wanted = _WANTED[durability]
    names = ["maxmemory-policy", *wanted]
    try:
        settings, replication, persistence = await client.pipeline(
            [("CONFIG", "GET", *names), ("INFO", "replication"), ("INFO", "persistence")]
        )
    except StoreReplyError as error:
        return [f"The store's settings cannot be read, so nothing is known about its durability: {error}"]
    found = {settings[i].decode(): settings[i + 1].decode() for i in range(0, len(settings), 2)}
    sentences = [
        *_wrong_settings(found, durability),
        *_wrong_role(_fields(replication), _REPLICAS[durability]),
        *_wrong_file(_fields(persistence), durability),
    ]
    if not sentences and wanted:
        sentences += await _not_on_disk(client, _REPLICAS[durability], probe_key)
    return sentences


def _wrong_settings(found: Mapping[str, str], durability: Durability) -> list[str]:
    sentences = [
        f"{name} is {found.get(name)!r}, but durability {durability!r} needs {value!r}."
        for name, value in _WANTED[durability].items()
        if found.get(name) != value
    ]
    if found.get("maxmemory-policy") != "noeviction":
        sentences.append(
            f"maxmemory-policy is {found.get('maxmemory-policy')!r}, so stock may be evicted: use 'noeviction'."
        )
    return sentences


def _wrong_role(replication: Mapping[str, str], replicas: int) -> list[str]:
    """Say whether it takes writes at all, and whether the replicas that must have them are there."""
    if replication.get("role") != "master":
        return ["The store is a replica, which takes no writes: let ALLOT_REDIS_URL name its primary."]
    online = sum(
        "state=online" in value.split(",")
        for name, value in replication.items()
        if name.startswith("slave") and name[5:].isdigit()
    )
    if online < replicas:
        return [f"{online} replicas are connected, but durability 'replicated' needs {replicas}: start one."]
    return []


def _wrong_file(persistence: Mapping[str, str], durability: Durability) -> list[str]:
    if durability != "memory" and persistence.get("aof_last_write_status", "ok") != "ok":
        return ["The last write to the append-only file failed: see the store's log and the room on its disk."]
    return []


async def _not_on_disk(client: StoreClient, replicas: int, probe_key: str) -> list[str]:
    """Ask the server whether what is written now gets to the disks soon: its own, and those of replicas."""
    try:
        # Why there is a WAIT between them: fenced_link.py.
        _, _, (own, others) = await client.pipeline(
            [
                ("SET", probe_key, ""),
                ("WAIT", replicas, PROBE_MILLISECONDS // 2),
                ("WAITAOF", 1, replicas, PROBE_MILLISECONDS // 2),
            ]
        )
    except StoreReplyError as error:
        return [f"The store cannot say whether its writes are on disk: {error}"]
    sentences = []
    if own < 1:
        sentences.append(f"The store has not synced its append-only file within {PROBE_MILLISECONDS} ms.")
    if others < replicas:
        sentences.append(
            f"{others} of {replicas} replicas have the last write on disk within {PROBE_MILLISECONDS} ms: "
            "each needs 'appendonly yes' and 'appendfsync always', and must keep up."
        )
    return sentences


def _fields(info: bytes) -> dict[str, str]:
    """Return the fields of an INFO reply."""
    pairs = (line.partition(":") for line in info.decode().splitlines() if ":" in line)
    return {name: value for name, _, value in pairs}
