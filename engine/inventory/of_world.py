"""What is worked out of a network and a catalog once, for as long as that network is the one of some tenant.

A process may serve many tenants: a cache of so many entries would work everything out anew for each request of the
tenant that is one too many, and keep networks that are gone. Not here: what is worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import ref

from engine.catalog.model import Catalog
from engine.network.model import Network

Made = TypeVar("Made")


class OfWorld(Generic[Made]):
    """Calls `make` once for each network and its latest catalog; a network that is gone takes its entry with it."""

    __slots__ = ("_kept", "_make")

    def __init__(self, make: Callable[[Network, Catalog], Made]) -> None:
        self._make = make
        self._kept: dict[int, tuple[ref[Network], Catalog, Made]] = {}

    def __call__(self, network: Network, catalog: Catalog) -> Made:
        """Return what `make` returns, which must not refer to the network itself."""
        name = id(network)
        entry = self._kept.get(name)
        if entry is not None and entry[1] is catalog and entry[0]() is network:
            return entry[2]
        made = self._make(network, catalog)
        self._kept[name] = ref(network, lambda _: self._kept.pop(name, None)), catalog, made
        return made
