"""A cluster of three primaries that a test starts, with partitions placed on different ones.

with StoreCluster(tmp_path) as cluster: ClusterClient(cluster.url)
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from engine.storage.cluster import SLOTS, slot_of
from engine.storage.keys import Keys
from tests.store_servers import StoreServer, until

PRIMARIES = 3
PARTITIONS = 4
_TENANTS = 400
_START_SECONDS = 30.0


class StoreCluster:
    """Three primaries; partition p of each tenant of `tenants` lies on primary p modulo three."""

    def __init__(self, folder: Path) -> None:
        self.servers = [_server(folder / f"primary-{number}") for number in range(PRIMARIES)]
        self._owner = [slot * PRIMARIES // SLOTS for slot in range(SLOTS)]
        self._stack = ExitStack()
        self.tenants: Iterator[str] = itertools.chain(self._placed())

    @property
    def url(self) -> str:
        """Return the address of one of them."""
        return self.servers[0].url

    def __enter__(self) -> StoreCluster:
        for server in self.servers:
            self._stack.enter_context(server)
        for number, server in enumerate(self.servers):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for first, last in self._ranges(number):
                server.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
        for server in self.servers[1:]:
            bus = int(server.ask("CONFIG", "GET", "cluster-port")[1])
            self.servers[0].ask("CLUSTER", "MEET", "127.0.0.1", server.port, bus)
        for server in self.servers:
            until(lambda server=server: self._is_ready(server), _START_SECONDS)  # type: ignore[misc]
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def give_slot(self, slot: int, number: int) -> None:
        """Move an empty slot to another primary."""
        name = self.servers[number].ask("CLUSTER", "MYID")
        for server in (self.servers[number], *self.servers):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", name)
        self._owner[slot] = number

    def owner_of(self, key: str) -> int:
        """Return the number of the primary that has a key."""
        return self._owner[slot_of(key)]

    def _placed(self) -> list[str]:
        """Place the partitions of tenants by name, leaving out those whose slot is taken for another primary."""
        placed: dict[int, int] = {}
        tenants = []
        for number in range(_TENANTS):
            tenant = f"cluster-{number}"
            wanted = {slot_of(Keys(tenant, each).stock_epoch): each % PRIMARIES for each in range(PARTITIONS)}
            if len(wanted) == PARTITIONS and all(placed.get(slot, owner) == owner for slot, owner in wanted.items()):
                placed |= wanted
                tenants.append(tenant)
        for slot, owner in placed.items():
            self._owner[slot] = owner
        return tenants

    def _ranges(self, number: int) -> list[tuple[int, int]]:
        """Return the runs of slots that a primary has."""
        found = []
        for owner, slots in itertools.groupby(range(SLOTS), key=lambda slot: self._owner[slot]):
            of_run = list(slots)
            if owner == number:
                found.append((of_run[0], of_run[-1]))
        return found

    @staticmethod
    def _is_ready(server: StoreServer) -> bool:
        info = server.ask("CLUSTER", "INFO")
        return b"cluster_state:ok" in info and b"cluster_known_nodes:3" in info


def _server(folder: Path) -> StoreServer:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bus = probe.getsockname()[1]
    return StoreServer(
        folder, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", str(bus)
    )
