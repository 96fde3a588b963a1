"""Builds this folder's data from its sources: `python scenarios/real/us-omnichannel/build.py SOURCE`.

SOURCE holds `us_geo/` (ZIP centroids, USPS prices) and `online_retail/` (the web shop's lines and SKUs). The same
sources give the same bytes. Not needed at run time; README.md says what is real and what is paired by us.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import holidays
import numpy as np
import tariff
from baskets import Shop, read_shop, variants, weight_g
from places import Area, Place, place_nodes, read_prefixes, read_zip_codes, time_zone
from stocking import Position, draw_positions, parcel_capacity

from engine.catalog.checks import parse_catalog
from engine.network.checks import parse_network
from engine.routing.folder_writer import ProblemTables, write_problem_folder
from engine.routing.settings import ProblemSettings

HERE = Path(__file__).parent
SEED = 20111122
COMPRESS_ABOVE_BYTES = 300_000
EXPEDITED_SHARE = 0.1
EXPEDITED_DUE_DAYS = 3
HEAVIEST_EXPEDITED_G = 31_000
CLOSED_YEARS = range(2025, 2031)
CUT_OFFS = {"dc": ("15:00", "16:00", "17:00"), "store": ("12:00", "13:00", "14:00")}


def main(source: Path) -> None:
    """Write every file of this folder that is data."""
    shop = read_shop(source)
    prefixes, zip_codes = read_prefixes(source), read_zip_codes(source)
    places = place_nodes(prefixes)
    streams = np.random.SeedSequence(SEED).spawn(3)
    weights = {sku: weight_g(name, shop.prices[sku]) for sku, name in shop.names.items()}
    network = network_document(source, np.random.default_rng(streams[0]), places, prefixes, len(shop.baskets))
    catalog = catalog_document(shop, weights)
    orders_rng = np.random.default_rng(streams[2])
    homes = draw_homes(orders_rng, zip_codes, len(shop.baskets))
    orders = order_bodies(orders_rng, shop, weights, homes)
    positions = draw_positions(np.random.default_rng(streams[1]), places, shop.baskets, homes)
    parse_network(json.dumps(network).encode(), "network.json")
    parse_catalog(json.dumps(catalog).encode(), "catalog.json")
    write_document("network.json", network)
    write_document("catalog.json", catalog)
    write_document("positions.json", {"positions": [position_body(position) for position in positions]})
    write_document("orders.json", {"orders": orders})
    shutil.rmtree(HERE / "problem", ignore_errors=True)
    write_problem_folder(
        HERE / "problem",
        problem_tables(network, catalog, positions, orders),
        compress_above_bytes=COMPRESS_ABOVE_BYTES,
    )
    counts = shop.counts | {
        "nodes": len(places),
        "products": len(shop.names),
        "order lines": sum(len(order["lines"]) for order in orders),
        "units": sum(line["quantity"] for order in orders for line in order["lines"]),
        "orders above 70 lb": sum(
            sum(weights[sku] * quantity for sku, quantity in basket.lines.items()) > 31_751 for basket in shop.baskets
        ),
        "expedited orders": sum(order.get("service_level") == "expedited" for order in orders),
        "positions": len(positions),
        "units available": sum(position.on_hand - position.safety_stock for position in positions),
    }
    sys.stdout.write("".join(f"{name}: {count}\n" for name, count in counts.items()))


def network_document(
    source: Path, rng: np.random.Generator, places: list[Place], prefixes: list[Area], orders: int
) -> dict[str, Any]:
    """Return the network: nodes with costs and capacities (ours), zones, rate cards, calendars, ZIP centroids."""
    by_people = sorted(places, key=lambda place: (place.kind, -place.people))
    priority = {place.node_id: rank + 1 for rank, place in enumerate(by_people)}
    people = sum(place.people for place in places if place.kind == "dc")
    nodes = []
    for place in places:
        is_dc = place.kind == "dc"
        nodes.append(
            {
                "node_id": place.node_id,
                "kind": place.kind,
                "name": f"{'DC' if is_dc else 'Store'} {place.area.city}, {place.area.state}",
                "latitude": place.area.latitude,
                "longitude": place.area.longitude,
                "time_zone": time_zone(place.area),
                "calendar": ("dc-six-days" if rng.random() < 0.5 else "dc-weekdays") if is_dc else "store",
                "cut_off": str(rng.choice(CUT_OFFS[place.kind])),
                "processing_days": 0 if is_dc else int(rng.random() < 0.4),
                "parcel_cost_cents": int(rng.integers(160, 261) if is_dc else rng.integers(320, 481)),
                "unit_cost_cents": int(rng.integers(4, 9) if is_dc else rng.integers(12, 26)),
                "capacity_parcels": parcel_capacity(rng, place, people, orders),
                "priority": priority[place.node_id],
            }
        )
    return {
        "name": "us-omnichannel",
        "currency": "USD",
        "nodes": nodes,
        "groups": [
            {"group": f"{kind}s", "node_ids": [place.node_id for place in places if place.kind == kind]}
            for kind in ("dc", "store")
        ],
        "calendars": calendars(),
        "zones": tariff.zones(),
        "services": tariff.services(source),
        "policy": {"split_cost_cents": 50, "backorder_cost_cents_per_unit": 3000, "line_split": "never"},
        "postal_codes": [
            {
                "country": "US",
                "postal_code": area.code,
                "latitude": area.latitude,
                "longitude": area.longitude,
                "time_zone": time_zone(area),
            }
            for area in prefixes
        ],
    }


def calendars() -> list[dict[str, Any]]:
    """Return the calendars: centres and carriers keep the US holidays, stores close on three days a year."""
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    return [
        {"calendar": "dc-weekdays", "working_days": weekdays, "country": "US"},
        {"calendar": "dc-six-days", "working_days": [*weekdays, "sat"], "country": "US"},
        {
            "calendar": "store",
            "working_days": [*weekdays, "sat", "sun"],
            "holidays": [day.isoformat() for day in store_holidays()],
        },
        {"calendar": "usps", "working_days": [*weekdays, "sat"], "country": "US"},
        {"calendar": "freight", "working_days": weekdays, "country": "US"},
    ]


def store_holidays() -> list[date]:
    """Return New Year's Day, Thanksgiving and Christmas Day of the years covered."""
    named = holidays.country_holidays("US", years=CLOSED_YEARS)
    closed = ("New Year's Day", "Thanksgiving Day", "Christmas Day")
    return sorted(day for day, name in named.items() if name in closed)


def catalog_document(shop: Shop, weights: dict[str, int]) -> dict[str, Any]:
    """Return the catalog: the goods of the day's baskets, and other colours of the same article as substitutes."""
    return {
        "products": [
            {"sku": sku, "name": shop.names[sku] or sku, "weight_g": weights[sku]} for sku in sorted(shop.names)
        ],
        "substitutes": [
            {"sku": sku, "substitutes": others} for sku, others in sorted(variants(list(shop.names)).items())
        ],
    }


def draw_homes(rng: np.random.Generator, zip_codes: list[Area], count: int) -> list[Area]:
    """Draw the ZIP codes that orders go to, by population."""
    people = np.array([area.population for area in zip_codes], dtype=np.float64)
    return [zip_codes[at] for at in rng.choice(len(zip_codes), count, p=people / people.sum()).tolist()]


def order_bodies(
    rng: np.random.Generator, shop: Shop, weights: dict[str, int], homes: list[Area]
) -> list[dict[str, Any]]:
    """Return one `POST /v1/orders` body per basket; some light ones are expedited."""
    bodies = []
    for basket, area in zip(shop.baskets, homes, strict=True):
        weight = sum(weights[sku] * quantity for sku, quantity in basket.lines.items())
        body: dict[str, Any] = {
            "order_id": f"ord_{basket.invoice}",
            "channel": "web",
            "destination": {
                "latitude": area.latitude,
                "longitude": area.longitude,
                "postal_code": area.code,
                "country": "US",
            },
            "lines": [
                {"line_id": str(number), "sku": sku, "quantity": quantity}
                for number, (sku, quantity) in enumerate(basket.lines.items(), start=1)
            ],
        }
        if rng.random() < EXPEDITED_SHARE and weight <= HEAVIEST_EXPEDITED_G:
            body["service_level"] = "expedited"
        bodies.append(body)
    return bodies


def position_body(position: Position) -> dict[str, Any]:
    """Return one entry of `PUT /v1/inventory/positions`."""
    return {
        "node_id": position.node_id,
        "sku": position.sku,
        "on_hand": position.on_hand,
        "safety_stock": position.safety_stock,
    }


def problem_tables(
    network: dict[str, Any], catalog: dict[str, Any], positions: list[Position], orders: list[dict[str, Any]]
) -> ProblemTables:
    """Return the same day as a problem folder; an expedited order is due in EXPEDITED_DUE_DAYS days."""
    nodes, policy = network["nodes"], network["policy"]
    names = ("node_id", "kind", "latitude", "longitude", "parcel_cost_cents", "unit_cost_cents", "capacity_parcels")
    rates = [(service["service"], rate) for service in network["services"] for rate in service["rates"]]
    lines = [(order["order_id"], line) for order in orders for line in order["lines"]]
    return ProblemTables(
        settings=ProblemSettings(
            version=1, name="us-omnichannel, the web shop's November 2011 as one day", currency="USD", **policy
        ),
        nodes={name: [node[name] for node in nodes] for name in (*names, "priority")}
        | {"capacity_units": [None] * len(nodes)},
        products={name: [product[name] for product in catalog["products"]] for name in ("sku", "weight_g")},
        stock={
            "node_id": [position.node_id for position in positions],
            "sku": [position.sku for position in positions],
            "available": [position.on_hand - position.safety_stock for position in positions],
        },
        orders={
            "order_id": [order["order_id"] for order in orders],
            "latitude": [order["destination"]["latitude"] for order in orders],
            "longitude": [order["destination"]["longitude"] for order in orders],
            "due_days": [EXPEDITED_DUE_DAYS if "service_level" in order else None for order in orders],
        },
        order_lines={
            "order_id": [order_id for order_id, _ in lines],
            "sku": [line["sku"] for _, line in lines],
            "quantity": [line["quantity"] for _, line in lines],
        },
        zones={name: [zone[name] for zone in network["zones"]] for name in ("zone", "max_km")},
        rates={"service": [service for service, _ in rates]}
        | {name: [rate[name] for _, rate in rates] for name in ("zone", "max_weight_g", "cost_cents", "transit_days")},
    )


def write_document(name: str, document: dict[str, Any]) -> None:
    """Write a document with one list entry a line, as `.json.gz` above COMPRESS_ABOVE_BYTES."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value)
            parts.append(f"{json.dumps(key)}: [\n{rows}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    body = ("{\n" + ",\n".join(parts) + "\n}\n").encode()
    for old in (HERE / name, HERE / f"{name}.gz"):
        old.unlink(missing_ok=True)
    if len(body) > COMPRESS_ABOVE_BYTES:
        (HERE / f"{name}.gz").write_bytes(gzip.compress(body, compresslevel=9, mtime=0))
    else:
        (HERE / name).write_bytes(body)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python scenarios/real/us-omnichannel/build.py SOURCE")
    main(Path(sys.argv[1]))
