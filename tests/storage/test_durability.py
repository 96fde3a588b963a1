from __future__ import annotations

from pathlib import Path

from engine.storage.client import MultiplexedClient, connect
from engine.storage.durability import broken_promises
from engine.storage.embedded import ensure_server


async def test_the_embedded_server_keeps_what_each_mode_promises(client: MultiplexedClient, data_dir: Path) -> None:
    assert await broken_promises(client, "memory") == []
    server = ensure_server(data_dir, "standard")
    standard = connect(str(server.socket_path))
    assert await broken_promises(standard, "standard") == []
    await standard.close()
    server.stop()


async def test_each_setting_that_breaks_the_promise_is_named(data_dir: Path) -> None:
    """Catches a readiness that believes its configuration: everysec loses a second of orders, eviction loses stock."""
    server = ensure_server(data_dir, "standard")
    client = connect(str(server.socket_path))
    await client.call("CONFIG", "SET", "appendfsync", "everysec")
    await client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    fsync, eviction = await broken_promises(client, "standard")
    assert fsync == "appendfsync is 'everysec', but durability 'standard' needs 'always'."
    assert "allkeys-lru" in eviction
    await client.close()
    server.stop()


async def test_settings_that_cannot_be_read_are_not_taken_for_good(
    client: MultiplexedClient, store_address: str
) -> None:
    await client.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-config")
    reader = connect(f"unix://reader:pw@{store_address}")
    (sentence,) = await broken_promises(reader, "memory")
    assert "cannot be read" in sentence
    await client.call("ACL", "DELUSER", "reader")
    await reader.close()
