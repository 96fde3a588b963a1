"""Laws of promises in random worlds that use every rule at once: cartons, surcharges, handling, kits, quantities.

More stock never makes an order later or dearer; the components of a cost sum to its total; every option can be reserved
at once if nobody else acts. Where substitutes are taken or the policy refuses options, more stock may well change what
is offered: an order is not compared with another one.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from engine.inventory.model import Hold
from engine.promising.model import Destination, Promise

SKUS = ("cup", "saucer", "spoon", "tray", "set")
CLASSES = ("hazmat", "cold_chain", "fragile")


def some(rng: np.random.Generator, share: float = 0.3) -> list[str]:
    return [name for name in CLASSES if rng.random() < share]


def furnish(rng: np.random.Generator, network: Any, catalog: Any) -> None:
    """Give the world random rules of every kind."""
    for product in catalog["products"][:4]:
        if rng.random() < 0.8:
            edges = rng.integers(20, 300, 3).tolist()
            product |= dict(zip(("length_mm", "width_mm", "height_mm"), edges, strict=True))
        product |= {
            "weight_g": int(rng.integers(50, 900)),
            "handling_classes": some(rng),
            "ship_alone": bool(rng.random() < 0.2),
            "made_to_order_days": int(rng.choice([0, 0, 0, 2])),
            "min_quantity": int(rng.choice([1, 1, 1, 2])),
            "price_cents": int(rng.integers(500, 5000)),
            "cost_cents": int(rng.integers(100, 2000)),
        }
    catalog["kits"][0]["ships_split"] = bool(rng.random() < 0.5)
    for node in network["nodes"]:
        node |= {"refuses": some(rng, 0.15), "processing_days": int(rng.integers(0, 2))}
        node |= {"parcel_cost_cents": int(rng.integers(0, 400)), "unit_cost_cents": int(rng.integers(0, 40))}
    for service in network["services"]:
        service |= {
            "refuses": some(rng, 0.2),
            "dim_divisor": int(rng.integers(200, 6000)) if rng.random() < 0.6 else None,
            "fuel_basis_points": int(rng.integers(0, 3000)),
            "residential_cents": int(rng.integers(0, 500)),
            "oversize": {"longest_mm": int(rng.integers(100, 400)), "cents": 700} if rng.random() < 0.5 else None,
            "remote_areas": [{"country": "US", "postal_prefixes": ["19"], "cents": int(rng.integers(0, 300))}],
        }
    if rng.random() < 0.7:
        network["cartons"] = [
            dict(zip(("length_mm", "width_mm", "height_mm"), rng.integers(80, 500, 3).tolist(), strict=True))
            | {"carton": f"c{i}", "max_weight_g": int(rng.integers(900, 4000)), "tare_weight_g": 40 * i}
            | {"cost_cents": int(rng.integers(0, 90))}
            for i in range(3)
        ]
    network["policy"] = {"split_cost_cents": int(rng.integers(0, 200)), "unprofitable": "flag", "min_margin_cents": 0}


def check_sums(promise: Promise) -> None:
    for option in promise.options:
        total: dict[str, int] = msgspec.to_builtins(option.cost)
        assert sum(total.values()) == option.total_cost_cents
        parcels = [msgspec.to_builtins(parcel.cost) for parcel in option.shipments]
        for name, cents in total.items():
            assert name == "split_cents" or cents == sum(parcel.get(name, 0) for parcel in parcels)
        if option.margin:
            margin = option.margin
            assert margin.margin_cents == margin.price_cents - margin.cost_cents - option.total_cost_cents


def best(promise: Promise) -> tuple[int, Any, int]:
    """Least cost, earliest date, fewest parcels of any option."""
    options = promise.options
    return (
        min(option.total_cost_cents for option in options),
        min(option.promised_on for option in options),
        min(len(option.shipments) for option in options),
    )


@pytest.mark.parametrize("seed", range(60))
async def test_more_stock_is_never_later_or_dearer_and_components_sum_up(
    world: Any, network: Any, catalog: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    furnish(rng, network, catalog)
    await world.put_network(network)
    await world.put_catalog(catalog)
    stock = {(n, s): int(rng.integers(0, 6)) for n in ("a", "b", "shop") for s in SKUS[:4]}
    await world.stock(*((node, sku, units) for (node, sku), units in stock.items()))
    await world.supply("a", str(rng.choice(SKUS[:4])), int(rng.integers(1, 9)), int(rng.integers(1, 6)))
    lines = [(str(sku), int(rng.integers(1, 4))) for sku in rng.choice(SKUS, int(rng.integers(1, 4)), replace=False)]
    to = Destination(postal_code="19003", country="US", residential=bool(rng.random() < 0.5))
    before: Promise | None = None
    for _ in range(6):
        promise = await world.promise(*lines, to=to)
        check_sums(promise)
        if before is not None and not before.unavailable:
            assert not promise.unavailable
            assert all(now <= then for now, then in zip(best(promise), best(before), strict=True))
        before = promise
        key = list(stock)[int(rng.integers(len(stock)))]
        stock[key] += int(rng.integers(1, 5))
        await world.stock((*key, stock[key]))


@pytest.mark.parametrize("seed", range(40))
async def test_every_option_can_be_reserved_at_once(world: Any, network: Any, catalog: Any, seed: int) -> None:
    rng = np.random.default_rng(500 + seed)
    furnish(rng, network, catalog)
    catalog["substitutes"] = [{"sku": "cup", "substitutes": ["tray", "set"]}, {"sku": "set", "substitutes": ["spoon"]}]
    await world.put_network(network)
    await world.put_catalog(catalog)
    await world.stock(*((n, s, int(rng.integers(0, 6))) for n in ("a", "b", "shop") for s in SKUS[:4]))
    await world.supply("a", str(rng.choice(SKUS[:4])), int(rng.integers(1, 9)), int(rng.integers(1, 6)))
    lines = [(str(sku), int(rng.integers(1, 4))) for sku in rng.choice(SKUS, int(rng.integers(1, 4)), replace=False)]
    today = dict.fromkeys(("a", "b", "shop"), world.clock.now().date().toordinal())
    promise = await world.promise(*lines, substitutes=True)
    for option in promise.options:
        held = await world.service.promised_hold(promise.promise_id, option.option_id)
        await world.inventory.hold(Hold(reservation_id=option.option_id, lines=held.lines), today=today)
        await world.inventory.cancel(option.option_id)
