"""What an installation chooses about where solves run."""

from __future__ import annotations

from dataclasses import dataclass

FROM_ORDERS = 20_000
"""Batches that go to a cluster unless somebody says otherwise: where two workers took as long as one core, by
`allot bench dispatch` (benchmarks/RESULTS.md). Smaller ones are slower on Ray."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """How to come by Ray workers, and what they may do."""

    workers: int = 2
    address: str | None = None
    """Of a cluster that is there; None: one of our own on this machine, on loopback only."""
    from_orders: int = 0
    """Smaller batches never touch Ray."""
    object_store_mb: int = 1024
    """Of our own cluster: shared memory for what its workers are sent."""
    start_seconds: float = 60.0
    """How long to wait for workers that do not come."""
    part_seconds: float = 600.0
    """A worker that takes longer for one part is taken for dead."""
    retries: int = 3
    """How often a part is given to another worker before it is done here."""


def ray_options(*, workers: int, address: str | None, from_orders: int | None) -> RayOptions | None:
    """Return how to use Ray; None is not at all: without a cluster or a word from when on, threads do as well."""
    if address is None and from_orders is None:
        return None
    least = FROM_ORDERS if from_orders is None else from_orders
    return RayOptions(workers=workers, address=address, from_orders=least)
