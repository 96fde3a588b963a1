"""What is worked out of a network once, for as long as it is there: a process may serve many, one for each tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from engine.network.model import Network

Made = TypeVar("Made")


def of_network(make: Callable[[Network], Made]) -> Callable[[Network], Made]:
    """Call `make`, whose result must not refer to the network itself, once for each network."""
    known = WeakKeyDictionary[Network, Made]()

    def made(network: Network) -> Made:
        found = known.get(network)
        if found is None:
            found = known[network] = make(network)
        return found

    return made
