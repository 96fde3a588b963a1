"""The drawn story of the benchmark of simulations: days of orders over a network of any size, and stock for them.

Not here: measuring (simulation.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
from msgspec import structs

from benchmarks.rush.world import CHANNEL, build_world
from engine.catalog.document import CatalogDocument
from engine.scenarios.orders import OrderTable, ReturnTable
from engine.scenarios.story import DAY_SECONDS, Story, StoryPolicy, World

START = datetime(2026, 11, 23, tzinfo=UTC)
SUPPLY = 1.5
"""Units in stock over those that are ordered."""
PRICE_CENTS = 2500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SameDays:
    """The same orders every day, under other keys; every replication has the same."""

    table: OrderTable

    def orders(self, replication: int, day: int) -> OrderTable:  # noqa: ARG002 - all are alike
        """Return the orders of a day."""
        table = self.table
        return replace(table, key=table.key + day * len(table), placed_s=table.placed_s + day * DAY_SECONDS)

    def returns(self, day: int) -> ReturnTable | None:
        """Return None: nothing comes back."""

    @property
    def skus(self) -> Sequence[str]:
        """Every product."""
        return self.table.skus

    @property
    def channels(self) -> Sequence[str]:
        """The one that orders come from."""
        return self.table.channels


def drawn_story(*, orders: int, nodes: int, skus: int, window_minutes: int, days: int, seed: int) -> Story:
    """Return so many days of so many orders each, under one policy with windows."""
    world = build_world(
        orders=orders, windows=1, nodes=nodes, skus=skus, supply=SUPPLY, carts=0, seed=seed, today=date(2026, 11, 23)
    )
    products = [
        product.model_dump(exclude_unset=True) | {"price_cents": PRICE_CENTS} for product in world.catalog.products
    ]
    names = tuple(product["sku"] for product in products)
    number = {sku: i for i, sku in enumerate(names)}
    placed = world.windows[0]
    lines = [(number[line.sku], line.quantity) for order in placed for line in order.lines]
    table = OrderTable(
        key=np.arange(orders),
        placed_s=np.arange(orders) * DAY_SECONDS // orders,
        latitude=np.array([order.destination.latitude for order in placed], float),
        longitude=np.array([order.destination.longitude for order in placed], float),
        place=np.full(orders, -1),
        channel=np.zeros(orders, np.int64),
        need_by_days=np.full(orders, -1),
        first_line=np.concatenate([[0], np.cumsum([len(order.lines) for order in placed])]),
        sku=np.array([sku for sku, _ in lines]),
        quantity=np.array([quantity for _, quantity in lines]),
        skus=names,
        channels=(CHANNEL,),
    )
    stock = tuple(structs.replace(position, on_hand=position.units * days) for position in world.positions)
    return Story(
        name="drawn days",
        about="",
        seed=seed,
        start=START,
        time_zone="UTC",
        days=days,
        warm_up_days=0,
        replications=1,
        world=World(
            network=world.network, catalog=CatalogDocument.model_validate({"products": products}), positions=stock
        ),
        demand=SameDays(table=table),
        policies=(StoryPolicy(name="windows", window_minutes=window_minutes),),
    )
