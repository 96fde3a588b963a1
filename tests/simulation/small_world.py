"""A world that can be worked out by hand, and what a simulation of it told.

Two nodes in the middle of the United States, one service that takes two days, every day a working day. A parcel costs
500 cents to carry near a node and 900 far away; 100 for the parcel and 20 for each unit at the DC, 200 and 50 at the
shop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from engine.catalog.document import CatalogDocument
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.scenarios.orders import OrderTable, ReturnTable
from engine.scenarios.story import DAY_SECONDS, Story, StoryPolicy, World
from engine.simulation.facts import DayFacts, Ledger, NodeDayFacts, OrderFacts, ParcelFacts, WindowFacts, columns
from engine.simulation.simulator import simulate

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = 3600
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PRICES = {"cup": 1000, "plate": 700}


def network(**changes: Any) -> NetworkDocument:
    """Return the network, with other nodes or policy if said so."""
    common = {"time_zone": "UTC", "calendar": "all", "cut_off": "15:00"}
    dc = {"node_id": "dc", "kind": "dc", "latitude": 40.0, "longitude": -95.0, "parcel_cost_cents": 100}
    shop = {"node_id": "shop", "kind": "store", "latitude": 40.0, "longitude": -85.0, "parcel_cost_cents": 200}
    rates = [
        {"zone": zone, "max_weight_g": 10_000, "cost_cents": cents, "transit_days": 2}
        for zone, cents in (("near", 500), ("far", 900))
    ]
    document: dict[str, Any] = {
        "nodes": [{**dc, "unit_cost_cents": 20, **common}, {**shop, "unit_cost_cents": 50, **common}],
        "calendars": [{"calendar": "all", "working_days": EVERY_DAY}],
        "zones": [{"zone": "near", "max_km": 300}, {"zone": "far"}],
        "services": [
            {"service": "ground", "carrier": "c", "service_level": "standard", "calendar": "all", "rates": rates}
        ],
        "policy": {"split_cost_cents": 75},
    }
    return NetworkDocument.model_validate({**document, **changes})


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Orders by hand: (seconds since the story's start, lines, (latitude, longitude)), and recorded returns."""

    placed: Sequence[tuple[int, Mapping[str, int], tuple[float, float]]]
    back: Sequence[tuple[int, str, int]] = ()
    need_by_days: int = -1
    skus: tuple[str, ...] = tuple(PRICES)
    channels: tuple[str, ...] = ("web",)

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of a day, the same in each replication."""
        here = [(key, *each) for key, each in enumerate(self.placed) if each[0] // DAY_SECONDS == day]
        lines = [list(each[2].items()) for each in here]
        count = len(here)
        return OrderTable(
            key=np.array([each[0] for each in here], np.int64),
            placed_s=np.array([each[1] for each in here], np.int64),
            latitude=np.array([each[3][0] for each in here], float),
            longitude=np.array([each[3][1] for each in here], float),
            place=np.full(count, -1),
            channel=np.zeros(count, np.int64),
            need_by_days=np.full(count, self.need_by_days),
            first_line=np.concatenate([[0], np.cumsum([len(of_order) for of_order in lines])]).astype(np.int64),
            sku=np.array([self.skus.index(sku) for of_order in lines for sku, _ in of_order], np.int64),
            quantity=np.array([units for of_order in lines for _, units in of_order], np.int64),
            skus=self.skus,
            channels=self.channels,
        )

    def returns(self, day: int) -> ReturnTable | None:
        """Return what comes back on a day."""
        if not self.back:
            return None
        here = [each for each in self.back if each[0] // DAY_SECONDS == day]
        return ReturnTable(
            returned_s=np.array([at for at, _, _ in here], np.int64),
            sku=np.array([self.skus.index(sku) for _, sku, _ in here], np.int64),
            quantity=np.array([units for _, _, units in here], np.int64),
            skus=self.skus,
        )


AT_DC, AT_SHOP = (40.0, -95.0), (40.0, -85.0)


def story(demand: Any, stock: Mapping[tuple[str, str], int] | None = None, **fields: Any) -> Story:
    """Return a story of four days; `stock` by (node, SKU), 100 of everything everywhere if not said."""
    counts = stock or {(node, sku): 100 for node in ("dc", "shop") for sku in PRICES}
    products = [
        {"sku": sku, "weight_g": 500, "price_cents": cents, "cost_cents": cents // 2} for sku, cents in PRICES.items()
    ]
    world = World(
        network=fields.pop("network", None) or network(),
        catalog=CatalogDocument.model_validate({"products": products}),
        positions=[PositionCount(node_id=n, sku=s, on_hand=units) for (n, s), units in counts.items()],
        supplies=fields.pop("supplies", ()),
    )
    settled = {"days": 4, "warm_up_days": 0, "replications": 1, **fields}
    return Story(name="by hand", about="", seed=1, start=MONDAY, time_zone="UTC", world=world, demand=demand, **settled)


@dataclass
class Told:
    """Keeps all that a simulation tells."""

    order_chunks: list[OrderFacts] = field(default_factory=list)
    parcel_chunks: list[ParcelFacts] = field(default_factory=list)
    days: list[DayFacts] = field(default_factory=list)
    nodes: list[NodeDayFacts] = field(default_factory=list)
    windows: list[WindowFacts] = field(default_factory=list)
    ledger: Ledger | None = None

    def orders(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        """Keep orders."""
        self.order_chunks.append(orders)
        self.parcel_chunks.append(parcels)

    def day(self, day: DayFacts, nodes: NodeDayFacts, windows: WindowFacts) -> None:
        """Keep a day."""
        self.days.append(day)
        self.nodes.append(nodes)
        self.windows.append(windows)

    @property
    def by_key(self) -> dict[int, dict[str, Any]]:
        """Rows of orders by key, each with the rows of its `parcels` under `sent`."""
        found: dict[int, dict[str, Any]] = {}
        for orders, parcels in zip(self.order_chunks, self.parcel_chunks, strict=True):
            sent = rows(parcels)
            for number, row in enumerate(rows(orders)):
                found[row["key"]] = {**row, "sent": [each for each in sent if each["order"] == number]}
        return found

    def digest(self) -> list[tuple[str, bytes]]:
        """Return everything as bytes, in the order in which it was told."""
        tables = [*self.order_chunks, *self.parcel_chunks, *self.days, *self.nodes, *self.windows]
        return [(name, column.tobytes()) for table in tables for name, column in columns(table).items()]


def rows(facts: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of facts."""
    named = {name: column.tolist() for name, column in columns(facts).items()}
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def told_by(of: Story, policy: StoryPolicy | None = None, replication: int = 0) -> Told:
    """Simulate a story and return what it told."""
    told = Told()
    told.ledger = simulate(of, policy or StoryPolicy(name="allot"), replication, told)
    return told
