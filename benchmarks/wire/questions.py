"""What is asked of both sides: orders of three lines over the generated business of promise_world.py.

The stock that is held is apart from the stock that is asked for, so that no run finds less than the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from benchmarks.promise_world import SKUS, load, order, sku_of
from engine.inventory.model import PositionCount
from engine.promising.model import PromiseRequest
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

NODES, BODIES, HELD_SKUS = 60, 2_000, 300
_PLENTY = 10**8


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sent to one side, in turn, and the status it answers."""

    path: str
    bodies: list[str]
    status: int
    is_keyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of ours and of the yardstick, and how many times its rate ours has to reach."""

    mine: Asked
    plain: Asked
    least_ratio: float


async def put_world(client: StoreClient, tenant: str) -> None:
    """Put the business into the store, and plenty of what is held."""
    world = await load(client, Keys(tenant), NODES, np.random.default_rng(7))
    counts = [
        PositionCount(node_id=f"node-{node:03d}", sku=sku_of(sku), on_hand=_PLENTY)
        for sku in range(HELD_SKUS)
        for node in range(5)
    ]
    await world.inventory.put_positions(counts)


def questions() -> tuple[Question, ...]:
    """Return the three questions, with bodies drawn by a fixed seed."""
    rng = np.random.default_rng(11)
    asked = [rng.choice(np.arange(HELD_SKUS, SKUS), 3, replace=False).tolist() for _ in range(BODIES)]
    held = [rng.choice(HELD_SKUS, 3, replace=False).tolist() for _ in range(BODIES)]
    orders = [_shop_order(number, skus) for number, skus in enumerate(asked)]
    look, hold = Asked(path="/look", bodies=orders, status=200), Asked(path="/hold", bodies=orders, status=201)
    availability = [_json({"lines": [{"sku": sku_of(sku), "quantity": 1} for sku in skus]}) for skus in asked]
    holds = [
        _json({"lines": [{"sku": sku_of(sku), "quantity": 1, "node_id": f"node-{sku % 5:03d}"} for sku in skus]})
        for skus in held
    ]
    promises = [_json(_checkout(order(rng, 3))) for _ in range(BODIES)]
    return (
        Question(mine=Asked(path="/v1/availability", bodies=availability, status=200), plain=look, least_ratio=3.0),
        Question(
            mine=Asked(path="/v1/reservations", bodies=holds, status=201, is_keyed=True), plain=hold, least_ratio=2.5
        ),
        Question(mine=Asked(path="/v1/promises", bodies=promises, status=200), plain=look, least_ratio=0.8),
    )


def _checkout(wanted: PromiseRequest) -> dict[str, object]:
    """Return a request of a promise as a checkout writes it: only what it asks for."""
    place = wanted.destination
    assert place is not None
    return {
        "destination": {"latitude": place.latitude, "longitude": place.longitude},
        "lines": [
            {"line_id": str(at), "sku": it.sku, "quantity": it.quantity} for at, it in enumerate(wanted.lines, 1)
        ],
    }


def _shop_order(number: int, skus: list[int]) -> str:
    """Return an order of some 680 bytes."""
    return _json(
        {
            "order_id": f"web-2026-{number:07d}",
            "channel": "web",
            "customer": {"customer_id": f"c-{number:06d}", "name": "Ada Lovelace", "email": "ada.lovelace@example.org"},
            "destination": {
                "street": "12 St James's Square",
                "city": "Philadelphia",
                "postal_code": "19106",
                "country": "US",
                "latitude": 39.9489,
                "longitude": -75.15,
            },
            "lines": [
                {
                    "line_id": str(at),
                    "sku": sku_of(sku),
                    "name": f"Enamel mug with lid, red, 35 cl, no. {sku}",
                    "quantity": 1,
                    "price_cents": 1490,
                }
                for at, sku in enumerate(skus, 1)
            ],
        }
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
