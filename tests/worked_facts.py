"""Facts worked by hand, and a small story around them; the figures are in the docstrings of what uses them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.catalog.document import CatalogDocument, ProductDocument
from engine.network.document import NetworkDocument
from engine.scenarios.orders import OrderTable, ReturnTable
from engine.scenarios.story import Story, StoryPolicy, World
from engine.simulation.facts import (
    DayFacts,
    Ending,
    Ledger,
    Names,
    NodeDayFacts,
    OrderFacts,
    ParcelFacts,
    WindowFacts,
    gathered,
)

DAY, HOUR = 86_400, 3_600
NAMES = Names(nodes=("east", "west"), services=("ground", "air"), zones=("near", "far"), channels=("web",))
PLAIN: dict[str, Any] = {
    "placed_s": 10 * HOUR,
    "latitude": 40.0,
    "longitude": -75.0,
    "channel": 0,
    "ending": Ending.DELIVERED,
    "lines": 1,
    "units": 2,
    "lines_shipped": 1,
    "units_shipped": 2,
    "units_cancelled": 0,
    "units_backordered": 0,
    "units_returned": 0,
    "revenue_cents": 5_000,
    "lost_cents": 0,
    "charged_cents": 300,
    "refund_cents": 0,
    "promised_day": 3,
    "expected_day": 2,
    "promised_parcels": 1,
    "promised_cost_cents": 900,
    "parcels": 1,
    "rejections": 0,
    "reroutes": 0,
    "routed_s": 11 * HOUR,
    "shipped_s": 16 * HOUR,
    "delivered_s": 2 * DAY + 12 * HOUR,
    "delivered_day": 2,
    "cost_cents": 900,
}
PARCEL: dict[str, Any] = {
    "order": 0,
    "node": 0,
    "service": 0,
    "zone": 0,
    "distance_m": 100_000,
    "units": 2,
    "weight_g": 1_000,
    "routed_s": 11 * HOUR,
    "due_day": 0,
    "shipped_s": 16 * HOUR,
    "promised_day": 3,
    "delivered_s": 2 * DAY + 12 * HOUR,
    "delivered_day": 2,
    "shipping_cents": 600,
    "handling_cents": 200,
    "units_cents": 80,
    "packaging_cents": 20,
}
LOST: dict[str, Any] = {
    "lines_shipped": 0,
    "units_shipped": 0,
    "revenue_cents": 0,
    "charged_cents": 0,
    "promised_day": -1,
    "expected_day": -1,
    "promised_cost_cents": -1,
    "parcels": 0,
    "routed_s": -1,
    "shipped_s": -1,
    "delivered_s": -1,
    "delivered_day": -1,
    "cost_cents": 0,
}


def orders(*rows: dict[str, Any]) -> OrderFacts:
    """Return orders: plain ones but for what a row says."""
    return gathered(OrderFacts, [{"key": key, **PLAIN, **row} for key, row in enumerate(rows)])


def parcels(*rows: dict[str, Any]) -> ParcelFacts:
    """Return parcels: plain ones but for what a row says."""
    return gathered(ParcelFacts, [{**PARCEL, **row} for row in rows])


def node_day(day: int, node: int, **said: int) -> dict[str, int]:
    """Return a row of a node and day at which nothing happened but for what is said."""
    nothing = {"units": 0, "parcels": 0, "backlog_units": 0, "backlog_parcels": 0, "refused": 0}
    return {"day": day, "node": node, **nothing, **said}


def day(number: int, nodes: list[dict[str, int]], windows: list[dict[str, int]] = ()) -> tuple[Any, Any, Any]:  # type: ignore[assignment]
    """Return the facts of a day: ten positions, of which one is empty."""
    row = {"day": number, "positions": 10, "stocked_out": 1, "units_on_hand": 50, "open_orders": 0, "waiting_units": 0}
    return gathered(DayFacts, [row]), gathered(NodeDayFacts, nodes), gathered(WindowFacts, list(windows))


LEDGER = Ledger(
    start_units=500,
    received_units=0,
    found_units=0,
    restocked_units=0,
    scrapped_units=0,
    shipped_units=10,
    lost_units=0,
    end_units=490,
    end_value_cents=98_000,
    orders=4,
    revenue_cents=5_000,
    charged_cents=300,
    refund_cents=0,
    cost_cents=900,
)


class NoDemand:
    """Nobody orders anything."""

    skus = ("mug",)

    def orders(self, replication: int, day: int) -> OrderTable:
        raise NotImplementedError

    def returns(self, day: int) -> ReturnTable | None:
        return None


def story(**said: Any) -> Story:
    """Return a story of five days with two nodes and one product of 20.00 that costs 8.00."""
    network = NetworkDocument.model_validate(NETWORK)
    catalog = CatalogDocument(products=(ProductDocument(sku="mug", weight_g=400, price_cents=2_000, cost_cents=800),))
    fields: dict[str, Any] = {
        "name": "By hand",
        "about": "Figures that one can check on paper.",
        "seed": 7,
        "start": datetime(2026, 3, 2, 5, tzinfo=UTC),
        "time_zone": "America/New_York",
        "days": 5,
        "warm_up_days": 0,
        "drain_days": 0,
        "replications": 1,
        "world": World(network=network, catalog=catalog),
        "demand": NoDemand(),
        "policies": (StoryPolicy(name="allot"),),
        "inputs": {"by-hand.yaml": "ab" * 32},
        "sha256": "cd" * 32,
    }
    return Story(**{**fields, **said})


_WHEN = {"time_zone": "UTC", "calendar": "all"}
NETWORK: dict[str, Any] = {
    "nodes": [
        {"node_id": node_id, "kind": kind, "latitude": latitude, "longitude": longitude, **_WHEN}
        for node_id, kind, latitude, longitude in (("east", "dc", 40.0, -74.0), ("west", "store", 34.0, -118.0))
    ],
    "calendars": [{"calendar": "all", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
    "zones": [{"zone": "near", "max_km": 500}, {"zone": "far"}],
    "services": [
        {
            "service": "ground",
            "carrier": "c",
            "service_level": "standard",
            "calendar": "all",
            "rates": [{"zone": "near", "max_weight_g": 10_000, "cost_cents": 600, "transit_days": 2}],
        }
    ],
}
