"""The web shop (Chen 2015, Online Retail, UCI repository 352) as a story: recorded orders, returns, a world for them.

Here: what is written. Real are orders, returns, products, names and prices; the data name countries only, so that the
place of each order is ours, and so are weights, the warehouse and its carrier, all in `_world`. Not here: which rows
count (online_retail_files.py).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from engine.errors import Fault, InvalidInput
from engine.integrations.online_retail_files import Invoice, Product, Shop, read_shop
from engine.integrations.online_retail_places import PLACES
from engine.routing.folder_writer import refuse_occupied


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """How much was written, and of how many days."""

    orders: int
    returns: int
    days: int


def import_online_retail(source: Path, folder: Path, from_on: date | None, days: int | None) -> Imported:
    """Turn the data set in `source` into a story in `folder`, of so many days from a day on (None: all).

    Raises InvalidInput naming file, line, column, value and remedy; then nothing is written.
    """
    if days is not None and days < 1:
        raise InvalidInput(Fault(path="--days", message=f"{days} is not valid; give 1 or more"))
    refuse_occupied(folder)
    shop = read_shop(source, from_on, days)
    first = from_on or shop.orders[0].placed_at.date()
    last = max([shop.orders[-1].placed_at, *(back.returned_at for back in shop.returns)]).date()
    days = days or (last - first).days + 1
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "orders.csv.gz", _ORDERS, _order_rows(shop.orders))
    returned = ((back.returned_at.isoformat(timespec="minutes"), back.sku, back.quantity) for back in shop.returns)
    _write_csv(folder / "returns.csv", ("returned_at", "sku", "quantity"), returned)
    _write_csv(folder / "daily.csv", ("day", "orders", "units", "returned_units"), _daily(shop, first, days))
    for name, document in _world(shop).items():
        (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "story.yaml").write_text(_STORY.format(first=first, days=days), encoding="utf-8")
    return Imported(orders=len(shop.orders), returns=len(shop.returns), days=days)


_ORDERS = ("order_id", "placed_at", "channel", "latitude", "longitude", "sku", "quantity")
_STORY = """\
version: 1
name: A web shop as it was
about: Recorded orders and returns of a UK giftware shop (Chen 2015, CC BY 4.0); its warehouse and carrier are invented.
start: {first}
days: {days}
time_zone: Europe/London
network: .
orders: orders.csv.gz
returns: returns.csv
"""


def _order_rows(orders: Iterable[Invoice]) -> Iterable[tuple[object, ...]]:
    for order in orders:
        latitude, longitude = _place(order)
        for sku, quantity in sorted(order.lines.items()):
            placed_at = order.placed_at.isoformat(timespec="minutes")
            yield order.invoice, placed_at, "web", latitude, longitude, sku, quantity


def _place(order: Invoice) -> tuple[float, float]:
    """Return a town of the order's country, by its people and the customer's number: a customer stays where he is."""
    towns = PLACES.get(order.country, PLACES["United Kingdom"])
    digest = blake2b((order.customer or order.invoice).encode(), digest_size=8).digest()
    at = int.from_bytes(digest) / 2**64 * sum(people for *_, people in towns)
    for latitude, longitude, people in towns:
        at -= people
        if at < 0:
            return latitude, longitude
    return towns[0][:2]


def _daily(shop: Shop, first: date, days: int) -> Iterable[tuple[object, ...]]:
    """Yield what was ordered and came back on each day."""
    orders, units, back = Counter[date](), Counter[date](), Counter[date]()
    for order in shop.orders:
        orders[order.placed_at.date()] += 1
        units[order.placed_at.date()] += sum(order.lines.values())
    for each in shop.returns:
        back[each.returned_at.date()] += each.quantity
    for number in range(days):
        day = first + timedelta(days=number)
        yield day, orders[day], units[day], back[day]


def _world(shop: Shop) -> dict[str, Any]:
    """Return a warehouse in the middle of England that has all that is ordered, and a carrier: all of it ours."""
    units = Counter[str]()
    for order in shop.orders:
        units.update(order.lines)
    rates = [
        {"zone": zone, "max_weight_g": most, "cost_cents": cents, "transit_days": transit_days}
        for zone, times, transit_days in (("britain", 1, 1), ("europe", 3, 4), ("world", 6, 8))
        for most, cents in ((2_000, 300 * times), (20_000, 700 * times), (10**9, 5_000 * times))
    ]
    trading = ["mon", "tue", "wed", "thu", "fri", "sun"]  # the data have no order on a Saturday
    return {
        "network": {
            "name": "A web shop in the United Kingdom",
            "currency": "GBP",
            "nodes": [
                {
                    "node_id": "warehouse",
                    "kind": "dc",
                    "latitude": 52.6,
                    "longitude": -1.1,
                    "time_zone": "Europe/London",
                    "calendar": "trading",
                    "parcel_cost_cents": 100,
                    "unit_cost_cents": 5,
                }
            ],
            "calendars": [{"calendar": "trading", "working_days": trading}],
            "zones": [
                {"zone": "britain", "max_km": 700.0},
                {"zone": "europe", "max_km": 4000.0},
                {"zone": "world"},
            ],
            "services": [
                {
                    "service": "parcel",
                    "carrier": "post",
                    "service_level": "standard",
                    "calendar": "trading",
                    "rates": rates,
                }
            ],
        },
        "catalog": {"products": [_product(product) for product in shop.products]},
        "positions": {
            "positions": [{"node_id": "warehouse", "sku": sku, "on_hand": units[sku]} for sku in sorted(units)]
        },
    }


def _product(product: Product) -> dict[str, Any]:
    """Return a product with the shop's name and usual price; it weighs 160 g × pounds^0.6, in whole tens, as we say."""
    weight_g = max(10, round(16 * max(product.price, 0.1) ** 0.6) * 10)
    named = {"name": product.name} if product.name else {}
    return {"sku": product.sku, **named, "weight_g": weight_g, "price_cents": round(product.price * 100)}


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table; packed bytes are the same whenever it is written."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    body = text.getvalue().encode()
    path.write_bytes(gzip.compress(body, mtime=0) if path.suffix == ".gz" else body)
