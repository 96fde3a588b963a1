"""Routing runs of random batches on a real store, solved on Ray workers, for tests that kill these meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from engine.catalog.document import CatalogDocument
from engine.dispatch.dispatcher import Dispatcher
from engine.dispatch.ray import Fleet, Session
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest, RunStatus
from engine.storage.client import StoreClient
from engine.storage.keys import Keys
from solvers.prices import Map
from tests.dispatch.processes import Killer
from tests.routing.conftest import network
from tests.routing.redis_desk import desk

NODES, SKUS = 8, 40


class On(Dispatcher):
    """Sends every solve to a fleet that is there."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.fleet, self.done_here = fleet, 0

    @contextmanager
    def spread(self, *_: Any, **__: Any) -> Iterator[Map]:
        session = Session(self.fleet)
        yield session
        self.done_here += session.done_here
        session.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What a run leaves behind of a batch: cost, bound, the allocation of each order, and its seconds."""

    left: tuple[int, int | None, tuple[Any, ...]]
    seconds: float
    commits: list[int]
    """How often each order was committed."""


async def routed(
    client: StoreClient, tenant: str, seed: int, orders: int, fleet: Fleet, killer: Killer | None = None
) -> Routed:
    """Capture the orders of a seed in a key space of its own, and route them in one run, beside the killer."""
    here = desk(client, Keys(tenant), lease_seconds=15, dispatcher=On(fleet))
    dice = Random(seed)
    document = network()
    node = document["nodes"][1]
    document["nodes"] = [
        {**node, "node_id": f"n{n}", "latitude": dice.uniform(30, 45), "longitude": dice.uniform(-120, -75)}
        for n in range(NODES)
    ]
    await here.networks.put(NetworkDocument.model_validate(document))
    products = [{"sku": f"s{s:02}", "weight_g": dice.randint(100, 4000)} for s in range(SKUS)]
    await here.catalogs.put(CatalogDocument.model_validate({"products": products}))
    names = [product["sku"] for product in products]
    wanted = [sorted(dice.sample(names, dice.choice([1, 1, 2, 3]))) for _ in range(orders)]
    asked = np.bincount([names.index(sku) for skus in wanted for sku in skus], minlength=SKUS)
    counts = [
        PositionCount(node_id=f"n{n}", sku=sku, on_hand=int(asked[s] * dice.uniform(0.0, 0.5)))
        for n in range(NODES)
        for s, sku in enumerate(names)
    ]
    await here.stock.put_positions(counts)
    new = [
        NewOrder(
            order_id=f"o{number:05}",
            channel="web",
            destination=Destination(latitude=dice.uniform(30, 45), longitude=dice.uniform(-120, -75)),
            lines=tuple(NewLine(sku=sku, quantity=dice.randint(1, 2)) for sku in skus),
        )
        for number, skus in enumerate(wanted)
    ]
    await here.orders.capture_many(new)
    began = time.perf_counter()
    with killer or nullcontext():
        run = await here.runs.execute(RunRequest())
    seconds = time.perf_counter() - began
    assert run.status == RunStatus.COMMITTED, run.failure
    found = [await here.orders.get(order.order_id or "") for order in new]
    histories = [await here.orders.history(order.order_id) for order in found]
    return Routed(
        left=(
            run.summary["total_cost_cents"],
            run.summary["lower_bound_cents"],
            tuple((order.order_id, order.allocation) for order in found),
        ),
        seconds=seconds,
        commits=[sum(entry.run_id == run.run_id for entry in entries) for entries in histories],
    )
