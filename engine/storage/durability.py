"""Whether a server's settings keep what the durability mode promises; readiness asks this."""

from __future__ import annotations

from engine.errors import StoreReplyError
from engine.storage.client import StoreClient
from engine.storage.embedded import Durability

_WANTED = {"appendonly": "yes", "appendfsync": "always"}


async def broken_promises(client: StoreClient, durability: Durability) -> list[str]:
    """Return one sentence for each setting that does not match the mode; empty when the store is as promised.

    A server that lets nobody read its settings (some managed ones) is itself such a sentence. Raises Unavailable.
    """
    wanted = _WANTED if durability == "standard" else {}
    names = ["maxmemory-policy", *wanted]
    try:
        reply = await client.call("CONFIG", "GET", *names)
    except StoreReplyError as error:
        return [f"The store's settings cannot be read, so nothing is known about its durability: {error}"]
    found = {reply[i].decode(): reply[i + 1].decode() for i in range(0, len(reply), 2)}
    sentences = [
        f"{name} is {found.get(name)!r}, but durability {durability!r} needs {value!r}."
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if found.get("maxmemory-policy") != "noeviction":
        sentences.append(
            f"maxmemory-policy is {found.get('maxmemory-policy')!r}, so stock may be evicted: use 'noeviction'."
        )
    return sentences
