"""The generated business of the benchmarks of promises: nodes over the United States, rate cards, products, live stock.

Here: what is loaded into the store, and orders to ask for. Not here: what is measured (promise.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from engine.availability.reference import Reference
from engine.calibration.learned import LearnedDocument
from engine.calibration.service import LeadTimeService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SystemClock
from engine.inventory.model import PositionCount, Supply
from engine.inventory.redis_store import LIBRARY as INVENTORY
from engine.inventory.redis_store import RedisInventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.promising.model import Destination, PromiseRequest, WantedLine
from engine.storage.client import StoreClient
from engine.storage.documents import LIBRARY as DOCUMENTS
from engine.storage.documents import RedisDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys

SKUS = 2_000
POSTAL_CODES = 800
SERVICES = (
    ("ground", "standard", 700, 1.0),
    ("two_day", "expedited", 1500, 0.5),
    ("morning", "next_day", 2600, 0.25),
    ("overnight", "next_day", 3500, 0.0),
)
"""(name, service level, cents of the first step, days of transit per zone)."""
_ZONE_KM = (80, 240, 480, 960, 1600, 2250, 2900, None)
_ZONES_OF_TIME = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
_WEIGHT_STEPS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was loaded for one number of nodes."""

    nodes: int
    network: NetworkDocument
    reference: Reference
    lead_times: LeadTimeService
    inventory: RedisInventoryStore
    networks: NetworkService
    catalogs: CatalogService


def order(rng: np.random.Generator, lines: int) -> PromiseRequest:
    """Return an order of different SKUs, somewhere in the United States."""
    skus = rng.choice(SKUS, lines, replace=False)
    return PromiseRequest(
        destination=Destination(latitude=float(rng.uniform(28, 47)), longitude=float(rng.uniform(-122, -74))),
        lines=tuple(WantedLine(sku=sku_of(sku), quantity=int(rng.integers(1, 4))) for sku in skus),
    )


def sku_of(number: int) -> str:
    """Return the name of a SKU."""
    return f"sku-{number:05d}"


async def load(client: StoreClient, keys: Keys, nodes: int, rng: np.random.Generator) -> World:
    """Put a network of so many nodes, the catalog and stock into the store.

    Every SKU is at a third of the nodes, and has a supply under way at one in ten of these.
    """
    await ensure(client, (DOCUMENTS, INVENTORY))
    documents, inventory = RedisDocumentStore(client, keys), RedisInventoryStore(client, keys)
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    network = _network(nodes, rng)
    await networks.put(network)
    products = [{"sku": sku_of(number), "weight_g": int(rng.integers(100, 4000))} for number in range(SKUS)]
    await catalogs.put(CatalogDocument.model_validate({"products": products}))
    today = SystemClock().now().date()
    for product in products:
        sku, held_at = str(product["sku"]), rng.choice(nodes, nodes // 3, replace=False)
        counts = [
            PositionCount(node_id=_node_id(n), sku=sku, on_hand=int(rng.integers(0, 12))) for n in held_at.tolist()
        ]
        supplies = [
            Supply(
                supply_id="po",
                node_id=_node_id(n),
                sku=sku,
                quantity=int(rng.integers(1, 20)),
                expected_on=today + timedelta(days=int(rng.integers(1, 20))),
            )
            for n in held_at[: max(1, nodes // 30)].tolist()
        ]
        await inventory.put_positions(counts)
        await inventory.put_supplies(supplies, today={s.node_id: today.toordinal() for s in supplies})
    lead_times = LeadTimeService(documents)
    return World(
        nodes=nodes,
        network=network,
        reference=Reference(documents, networks, catalogs, lead_times),
        lead_times=lead_times,
        inventory=inventory,
        networks=networks,
        catalogs=catalogs,
    )


def learned(document: NetworkDocument, rng: np.random.Generator) -> LearnedDocument:
    """Return lead times of every lane, with effects of weekday, hour, distance and weight."""
    ids = {
        "node": [node.node_id for node in document.nodes],
        "service": [entry.service for entry in document.services],
        "zone": [entry.zone for entry in document.zones],
    }
    bins: dict[str, list[float]] = {
        "distance_km": [100.0 * i for i in range(1, 31)],
        "weight_g": [250.0 * i for i in range(1, 31)],
        "location_days": [0.5 * i for i in range(1, 20)],
    }
    sizes = {"weekday": 7, "hour": 24, "distance": 31, "weight": 31, "level": 20}

    def groups(fields: tuple[str, ...], figures: int) -> list[list[object]]:
        values: list[Iterable[object]] = [ids[name] if name in ids else range(sizes[name]) for name in fields]
        return [[*key, *rng.uniform(0, 0.3, figures).tolist()] for key in itertools.product(*values)]

    places = [("service",), ("node",), ("zone",), ("node", "service"), ("service", "zone"), ("node", "service", "zone")]
    fields = [*places, ("weekday",), ("distance",), ("weight",), ("hour",), ("service", "weekday")]
    levels = np.linspace(0.01, 0.99, 26)
    content = {
        "version": 1,
        "shipments": 10**5,
        "levels": levels.tolist(),
        "center_days": 1.0,
        "scale_days": 0.5,
        "spread_ratio": 0.8,
        "bins": bins,
        "location": [{"fields": names, "unseen_variance": 0.1, "groups": groups(names, 2)} for names in fields],
        "scale": [{"fields": names, "groups": groups(names, 1)} for names in (*fields, ("level",))],
        "shapes": [np.linspace(-1.5, 2.0, 26).tolist()],
    }
    return LearnedDocument.model_validate(content)


async def use_every_rule(world: World, rng: np.random.Generator) -> None:
    """Give the products sizes, values and handling classes, and the network cartons, surcharges and a least margin."""
    view = await world.reference.current()
    network, catalog = view.network.document.model_dump(by_alias=True), view.catalog.document.model_dump(by_alias=True)
    for product in catalog["products"]:
        product |= dict(zip(("length_mm", "width_mm", "height_mm"), rng.integers(30, 350, 3).tolist(), strict=True))
        product |= {"price_cents": int(rng.integers(900, 9000)), "cost_cents": int(rng.integers(100, 900))}
        product["handling_classes"] = ["hazmat"] if rng.random() < 0.05 else []
    for service in network["services"]:
        service |= {"dim_divisor": 5000, "fuel_basis_points": 1850, "residential_cents": 300}
        service["oversize"] = {"longest_mm": 700, "cents": 1500}
    network["services"][-1]["refuses"] = ["hazmat"]
    network["cartons"] = [
        {"carton": f"c{i}", "length_mm": 150 * i, "width_mm": 110 * i, "height_mm": 80 * i, "max_weight_g": 6000 * i}
        for i in range(1, 6)
    ]
    network["policy"] |= {"unprofitable": "flag", "min_margin_cents": 0}
    await world.networks.put(NetworkDocument.model_validate(network))
    await world.catalogs.put(CatalogDocument.model_validate(catalog))


def _node_id(number: int) -> str:
    return f"node-{number:03d}"


def _network(nodes: int, rng: np.random.Generator) -> NetworkDocument:
    """Return nodes over the United States, one in six a warehouse, with four services, and postal codes in a grid."""
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    document = {
        "nodes": [_node(number, number < nodes // 6, rng) for number in range(nodes)],
        "calendars": [
            {"calendar": "weekdays", "working_days": weekdays, "country": "US"},
            {"calendar": "carrier", "working_days": [*weekdays, "sat"], "country": "US"},
            {"calendar": "shop", "working_days": [*weekdays, "sat", "sun"]},
        ],
        "zones": [{"zone": f"z{i}", "max_km": km} for i, km in enumerate(_ZONE_KM)],
        "services": [_service(*service) for service in SERVICES],
        "policy": {"split_cost_cents": 100},
        "postal_codes": [
            {"country": "US", "postal_code": f"{number:03d}", "latitude": 28 + number // 40, "longitude": place}
            for number in range(POSTAL_CODES)
            for place in [-122 + 1.2 * (number % 40)]
        ],
    }
    return NetworkDocument.model_validate(document)


def _node(number: int, is_warehouse: bool, rng: np.random.Generator) -> dict[str, object]:
    longitude = float(rng.uniform(-122, -74))
    return {
        "node_id": _node_id(number),
        "kind": "dc" if is_warehouse else "store",
        "latitude": float(rng.uniform(28, 47)),
        "longitude": longitude,
        "time_zone": _ZONES_OF_TIME[min(3, int((-74 - longitude) // 12))],
        "calendar": "weekdays" if is_warehouse else "shop",
        "cut_off": f"{int(rng.integers(12, 18)):02d}:00",
        "processing_days": int(rng.integers(0, 2)),
        "parcel_cost_cents": int(rng.integers(100, 400)),
        "unit_cost_cents": int(rng.integers(10, 60)),
    }


def _service(name: str, level: str, base: int, speed: float) -> dict[str, object]:
    rates = [
        {
            "zone": f"z{zone}",
            "max_weight_g": (step + 1) * 450,
            "cost_cents": base + zone * base // 10 + step * base // 20,
            "transit_days": 1 + int(zone * speed),
        }
        for zone in range(len(_ZONE_KM))
        for step in range(_WEIGHT_STEPS)
    ]
    return {"service": name, "carrier": "acme", "service_level": level, "calendar": "carrier", "rates": rates}
