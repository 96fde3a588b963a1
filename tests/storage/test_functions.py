from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.errors import IdempotencyConflict, IncompatibleStore, StoreReplyError, Unavailable
from engine.storage.client import MultiplexedClient, StoreClient, connect
from engine.storage.functions import REPLAY, Library, ensure, library
from engine.storage.keys import Keys

COUNT = """
register_once('allot_count_v1', function(keys, args)
  if args[1] == 'refuse' then return redis.error_reply('ERR refused') end
  return tostring(redis.call('INCRBY', keys[1], args[1]))
end)
"""


@pytest.fixture
def counting(tmp_path: Path) -> Library:
    (tmp_path / "count.lua").write_text(COUNT)
    return library("counting", 1, [REPLAY, tmp_path / "count.lua"])


def versioned(
    tmp_path: Path, major: int, answer: int, *, revision: int = 1, compatible_from: int | None = None
) -> Library:
    """A library of one function that says which build answers."""
    source = tmp_path / "answer.lua"
    source.write_text(f"redis.register_function('allot_answer_v{major}', function() return {answer} end)")
    return library("answering", major, [source], revision=revision, compatible_from=compatible_from)


@pytest.fixture
async def client(store_address: str) -> AsyncIterator[MultiplexedClient]:
    connected = connect(store_address)
    yield connected
    for name in ("allot_answering_v1", "allot_answering_v2", "allot_counting_v1"):
        await asyncio.gather(connected.call("FUNCTION", "DELETE", name), return_exceptions=True)
    await connected.close()


async def count(client: StoreClient, keys: Keys, record: str, fingerprint: str, step: str = "1") -> tuple[bool, int]:
    replayed, reply = await client.fcall("allot_count_v1", [record, keys.named("count")], [fingerprint, step])
    return bool(replayed), int(reply)


async def test_a_key_that_comes_back_gets_the_stored_reply_and_no_second_effect(
    client: StoreClient, keys: Keys, counting: Library
) -> None:
    """Catches a record that is looked up but never stored: the second reply would be 2."""
    await ensure(client, [counting])
    record = keys.replay("digest")
    assert await count(client, keys, record, "body") == (False, 1)
    assert await count(client, keys, record, "body") == (True, 1)
    assert await client.call("GET", keys.named("count")) == b"1"
    assert 86300 < await client.call("TTL", record) <= 86400


async def test_a_key_sent_many_times_at_once_has_one_effect(
    client: StoreClient, store_address: str, keys: Keys, counting: Library
) -> None:
    """Catches a record that is checked in one call and stored in another: several would count."""
    await ensure(client, [counting])
    clients = [connect(store_address) for _ in range(4)]
    calls = [count(each, keys, keys.replay("digest"), "body") for each in clients for _ in range(25)]
    replies = await asyncio.gather(*calls)
    assert sorted(replies) == [(False, 1)] + [(True, 1)] * 99
    for each in clients:
        await each.close()


async def test_a_key_that_comes_back_with_another_body_is_a_conflict_and_changes_nothing(
    client: StoreClient, keys: Keys, counting: Library
) -> None:
    await ensure(client, [counting])
    await count(client, keys, keys.replay("digest"), "body")
    with pytest.raises(IdempotencyConflict):
        await count(client, keys, keys.replay("digest"), "another body")
    assert await client.call("GET", keys.named("count")) == b"1"


async def test_a_call_without_a_key_is_never_remembered(client: StoreClient, keys: Keys, counting: Library) -> None:
    await ensure(client, [counting])
    assert await count(client, keys, keys.no_replay, "") == (False, 1)
    assert await count(client, keys, keys.no_replay, "") == (False, 2)
    assert await client.call("EXISTS", keys.no_replay) == 0


async def test_an_error_is_not_remembered(client: StoreClient, keys: Keys, counting: Library) -> None:
    """Catches a record stored for a failure: the retry would fail for a day."""
    await ensure(client, [counting])
    with pytest.raises(StoreReplyError):
        await count(client, keys, keys.replay("digest"), "body", "refuse")
    assert await count(client, keys, keys.replay("digest"), "body") == (False, 1)


async def test_a_library_is_loaded_once_and_a_changed_build_replaces_it(client: StoreClient, tmp_path: Path) -> None:
    await ensure(client, [versioned(tmp_path, 1, 10)])
    assert await client.fcall("allot_answer_v1", [], []) == 10
    await ensure(client, [versioned(tmp_path, 1, 11)])
    assert await client.fcall("allot_answer_v1", [], []) == 11


async def test_an_older_build_leaves_a_newer_one_of_the_same_major_alone(client: StoreClient, tmp_path: Path) -> None:
    """Catches an unconditional FUNCTION LOAD REPLACE: old and new processes would take turns."""
    await ensure(client, [versioned(tmp_path, 1, 12, revision=2)])
    await ensure(client, [versioned(tmp_path, 1, 10, revision=1)])
    assert await client.fcall("allot_answer_v1", [], []) == 12


async def test_two_majors_serve_side_by_side_during_a_rolling_upgrade(client: StoreClient, tmp_path: Path) -> None:
    await ensure(client, [versioned(tmp_path, 1, 10)])
    await ensure(client, [versioned(tmp_path, 2, 20, compatible_from=1)])
    await ensure(client, [versioned(tmp_path, 1, 10)])
    assert await client.fcall("allot_answer_v1", [], []) == 10
    assert await client.fcall("allot_answer_v2", [], []) == 20


async def test_a_newer_major_that_we_must_not_work_beside_is_refused_loudly(
    client: StoreClient, tmp_path: Path
) -> None:
    await ensure(client, [versioned(tmp_path, 2, 20)])
    with pytest.raises(IncompatibleStore, match=r"answering v2.*Upgrade this process"):
        await ensure(client, [versioned(tmp_path, 1, 10)])
    with pytest.raises(StoreReplyError):
        await client.fcall("allot_answer_v1", [], [])


async def test_a_library_that_is_not_ours_is_not_overwritten(client: StoreClient, tmp_path: Path) -> None:
    foreign = "#!lua name=allot_answering_v1\nredis.register_function('foreign', function() return 1 end)"
    await client.call("FUNCTION", "LOAD", foreign)
    with pytest.raises(IncompatibleStore, match="did not write"):
        await ensure(client, [versioned(tmp_path, 1, 10)])
    assert await client.fcall("foreign", [], []) == 1


async def test_functions_that_the_server_lost_are_loaded_again_by_the_next_call(
    client: StoreClient, keys: Keys, counting: Library
) -> None:
    """Catches a client that loads only at start: every call after FUNCTION FLUSH would fail until a restart."""
    await ensure(client, [counting])
    await client.call("FUNCTION", "DELETE", "allot_counting_v1")
    assert await count(client, keys, keys.no_replay, "") == (False, 1)


async def test_a_function_that_returns_no_string_is_a_fault_of_ours(
    client: StoreClient, keys: Keys, tmp_path: Path
) -> None:
    (tmp_path / "wrong.lua").write_text("register_once('allot_count_v1', function() return 1 end)")
    await ensure(client, [library("counting", 1, [REPLAY, tmp_path / "wrong.lua"], revision=9)])
    with pytest.raises(StoreReplyError, match="must return one string"):
        await client.fcall("allot_count_v1", [keys.no_replay], [""])


async def test_ensure_without_a_server_is_unavailable(tmp_path: Path, counting: Library) -> None:
    with pytest.raises(Unavailable):
        await ensure(connect(str(tmp_path / "none.sock")), [counting])
