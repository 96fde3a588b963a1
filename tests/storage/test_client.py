from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvloop

from engine.errors import IncompatibleStore, StoreReplyError, Unavailable
from engine.storage.address import Address
from engine.storage.client import MultiplexedClient, check_version, connect
from engine.storage.embedded import ensure_server
from engine.storage.keys import Keys

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HELLO = b"*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n"


@asynccontextmanager
async def proxy(path: Path, handler: Handler) -> AsyncIterator[str]:
    """Listen on a socket where a network that misbehaves stands between client and server."""
    handling = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        handling.add(task)
        with suppress(ConnectionError):
            await handler(reader, writer)
        await hang_up(writer)
        handling.discard(task)

    listening = await asyncio.start_unix_server(handle, path)
    try:
        yield str(path)
    finally:
        listening.close()
        if handling:
            await asyncio.wait(handling, timeout=5)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_replies_reach_their_own_callers_under_load(client: MultiplexedClient, keys: Keys) -> None:
    """Catches a queue of futures that is not in the order of the writes, e.g. a call that is queued after its write."""

    async def caller(number: int) -> None:
        for step in range(20):
            text = f"{number}:{step}"
            assert await client.call("ECHO", text) == text.encode()
            if step % 7 == 0:
                assert await client.pipeline([("ECHO", text), ("ECHO", "x"), ("ECHO", step)]) == [
                    text.encode(),
                    b"x",
                    str(step).encode(),
                ]

    await asyncio.gather(*(caller(number) for number in range(100)))


async def test_binary_text_and_numbers_go_through_unchanged(client: MultiplexedClient, keys: Keys) -> None:
    await client.call("SET", keys.named("a"), bytes(range(256)))
    await client.call("SET", keys.named("b"), "naïve ✓")
    await client.call("SET", keys.named("c"), 2**53)
    values = await client.call("MGET", keys.named("a"), keys.named("b"), keys.named("c"), keys.named("d"))
    assert values == [bytes(range(256)), "naïve ✓".encode(), b"9007199254740992", None]


async def test_a_large_reply_arrives_whole(client: MultiplexedClient, keys: Keys) -> None:
    body = b"x" * 5_000_000
    await client.call("SET", keys.named("large"), body)
    assert await client.call("GET", keys.named("large")) == body
    await client.call("DEL", keys.named("large"))


async def test_an_error_reply_fails_its_own_call_only(client: MultiplexedClient, keys: Keys) -> None:
    good, bad = await asyncio.gather(client.call("PING"), client.call("NO-SUCH-COMMAND"), return_exceptions=True)
    assert good == b"PONG"
    assert isinstance(bad, StoreReplyError)
    with pytest.raises(StoreReplyError, match="NO-SUCH-COMMAND"):
        await client.pipeline([("SET", keys.named("after"), 1), ("NO-SUCH-COMMAND",)])
    assert await client.call("GET", keys.named("after")) == b"1"


async def test_a_caller_that_gives_up_does_not_shift_the_replies_of_others(client: MultiplexedClient) -> None:
    """Catches a cancelled call that is taken out of the queue although its reply still comes."""
    given_up = asyncio.ensure_future(client.call("ECHO", "given up"))
    others = [asyncio.ensure_future(client.call("ECHO", n)) for n in range(10)]
    await asyncio.sleep(0)
    given_up.cancel()
    assert await asyncio.gather(*others) == [str(n).encode() for n in range(10)]


async def test_a_first_caller_that_gives_up_leaves_the_connection_to_the_others(store_address: str) -> None:
    """Catches a connection attempt that is cancelled together with the caller who began it."""
    client = connect(store_address)
    first = asyncio.ensure_future(client.call("PING"))
    second = asyncio.ensure_future(client.call("PING"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == b"PONG"
    await client.close()


async def test_nobody_listening_is_a_clear_error_that_names_address_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"No store answers at unix://.*none\.sock: .*ALLOT_REDIS_URL"):
        await connect(str(tmp_path / "none.sock")).call("PING")
    with pytest.raises(Unavailable, match=r"redis://127\.0\.0\.1:1: .*Start the server"):
        await connect("redis://:secret@127.0.0.1:1").call("PING")


async def test_a_broken_connection_fails_every_call_in_flight_and_the_next_call_connects(
    client: MultiplexedClient, store_address: str
) -> None:
    """Catches a client that leaves some callers of a broken connection waiting until their deadline."""
    me = await client.call("CLIENT", "ID")
    waiting = [asyncio.ensure_future(client.call("BLPOP", "nothing-comes", 0)) for _ in range(20)]
    await asyncio.sleep(0.05)
    other = connect(store_address)
    await other.call("CLIENT", "KILL", "ID", me)
    failures = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 2)
    assert all(isinstance(failure, Unavailable) for failure in failures)
    assert await client.call("PING") == b"PONG"
    await other.close()


async def test_a_command_whose_reply_is_lost_is_not_sent_again(
    store_address: str, client: MultiplexedClient, keys: Keys, tmp_path: Path
) -> None:
    """Catches a client that repeats a command after a reset: the counter would be 2, stock would go out twice."""

    async def cut_after_the_command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream = await asyncio.open_unix_connection(store_address)
        for is_last in (False, True):
            upstream.write(await reader.read(65536))
            reply = await upstream_reader.read(65536)
            if not is_last:
                writer.write(reply)
        await hang_up(upstream)

    async with proxy(tmp_path / "p.sock", cut_after_the_command) as address:
        cut = connect(address)
        with pytest.raises(Unavailable, match="may or may not have run"):
            await cut.call("INCR", keys.named("counter"))
        await cut.close()
    assert await client.call("GET", keys.named("counter")) == b"1"


async def test_a_black_hole_ends_every_call_at_its_deadline_and_the_next_call_recovers(
    store_address: str, tmp_path: Path
) -> None:
    """Catches a missing deadline (the test would hang) and a client that keeps using the dead connection."""
    connections = 0

    async def swallow_the_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        upstream_reader, upstream = await asyncio.open_unix_connection(store_address)
        is_black_hole, passed = connections == 1, 0
        while data := await reader.read(65536):
            if is_black_hole and passed:
                continue
            passed += 1
            upstream.write(data)
            writer.write(await upstream_reader.read(65536))
        await hang_up(upstream)

    async with proxy(tmp_path / "p.sock", swallow_the_first) as address:
        client = connect(address, deadline_seconds=0.5)
        began = time.monotonic()
        failures = await asyncio.gather(*(client.call("PING") for _ in range(10)), return_exceptions=True)
        assert all(isinstance(failure, Unavailable) for failure in failures)
        assert time.monotonic() - began < 4  # ten deadlines one after another would be 5
        assert await client.call("PING") == b"PONG"
        await client.close()


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_blocked_event_loop_is_not_taken_for_a_silent_server(
    store_address: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Catches a deadline judged before the replies that came while the loop was blocked are read."""

    async def block() -> bytes:
        client = connect(store_address, deadline_seconds=0.1)
        await client.call("PING")
        call = asyncio.ensure_future(client.call("ECHO", "here"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251  # this is the point
        reply: bytes = await call
        await client.close()
        return reply

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(block()) == b"here"


async def test_garbage_instead_of_a_reply_breaks_the_connection_clearly(tmp_path: Path) -> None:
    async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with proxy(tmp_path / "p.sock", speak_http) as address:
        with pytest.raises(Unavailable, match="does not speak the Redis protocol"):
            await connect(address).call("PING")


async def test_a_server_that_is_loading_is_unavailable_not_broken(tmp_path: Path) -> None:
    async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(HELLO)
        await reader.read(65536)
        writer.write(b"-LOADING the dataset is being loaded\r\n")
        await writer.drain()

    async with proxy(tmp_path / "p.sock", loading) as address:
        client = connect(address)
        with pytest.raises(Unavailable, match="LOADING"):
            await client.call("PING")
        await client.close()


@pytest.mark.parametrize(("server", "version"), [("redis", "7.2.0"), ("redis", "8.4.1"), ("valkey", "8.0.0")])
def test_a_server_that_is_new_enough_is_taken(server: str, version: str) -> None:
    check_version(server, version, Address(host="h"))


@pytest.mark.parametrize(("server", "version"), [("redis", "7.0.15"), ("redis", "6.2.1"), ("valkey", "7.2.5")])
def test_a_server_that_is_too_old_is_refused_with_what_is_needed(server: str, version: str) -> None:
    with pytest.raises(IncompatibleStore, match=rf"{server} {version}.*Redis 7\.2 or later"):
        check_version(server, version, Address(host="h"))


async def test_credentials_and_database_are_used_and_wrong_ones_refused(data_dir: Path) -> None:
    server = ensure_server(data_dir, "memory")
    admin = connect(str(server.socket_path))
    await admin.call("CONFIG", "SET", "requirepass", "s3cret")
    signed_in = connect(f"unix://:s3cret@{server.socket_path}")
    assert await signed_in.call("PING") == b"PONG"
    for wrong in (f"unix://:nope@{server.socket_path}", str(server.socket_path)):
        with pytest.raises(Unavailable, match="credentials"):
            await connect(wrong).call("PING")
    await admin.call("CONFIG", "SET", "requirepass", "")
    await admin.close()
    await signed_in.close()
    server.stop()


def test_one_client_serves_one_event_loop_after_another(store_address: str) -> None:
    """Catches a client that goes on writing to the connection of a loop that is closed."""
    client = connect(store_address)

    async def ping() -> bytes:
        reply: bytes = await client.call("PING")
        await client.close()
        return reply

    assert asyncio.run(ping()) == b"PONG"
    assert asyncio.run(ping()) == b"PONG"
