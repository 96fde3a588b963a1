"""What every test may ask for: one real store for the whole run, and a key space of its own in it.

    def test_…(keys: Keys, client: StoreClient): …

`store_server`   session: an embedded server (durability memory) that the whole run shares
`store_address`  per file: its socket path, for those who connect by themselves; it is emptied after the file
`store_cluster`  session: a cluster of three primaries, started if a test asks for it
`client`         per test: a client of it, closed afterwards
`tenant`         per test: a tenant name that no other test uses, so nothing needs to be flushed
`keys`           per test: the key names of that tenant
`reached`        per test: notes what was reached, for the report of `make soak` (faults/report.py)
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from faults.report import pytest_terminal_summary, reached

from engine.storage.address import parse_address
from engine.storage.client import MultiplexedClient, connect
from engine.storage.direct import DirectLink
from engine.storage.embedded import EmbeddedServer, ensure_server
from engine.storage.keys import Keys
from tests.cluster_servers import StoreCluster

__all__ = ["pytest_terminal_summary", "reached"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    server = ensure_server(tmp_path_factory.mktemp("store"), "memory")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def store_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreCluster]:
    with StoreCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def store_address(store_server: EmbeddedServer) -> Iterator[str]:
    """Whoever reconciles looks at all keys of a store: those that earlier files left took it longer than its own."""
    address = str(store_server.socket_path)
    yield address
    with DirectLink(parse_address(address)) as link:
        link.ask("FLUSHDB")


@pytest_asyncio.fixture
async def client(store_address: str) -> AsyncIterator[MultiplexedClient]:
    connected = connect(store_address)
    yield connected
    await connected.close()


@pytest.fixture
def tenant() -> str:
    return f"test-{next(_numbers)}"


@pytest.fixture
def keys(tenant: str) -> Keys:
    return Keys(tenant)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
