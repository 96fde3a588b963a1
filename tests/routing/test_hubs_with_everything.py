"""Runs over hubs beside all else that runs know: every plan passes its checks, and is committed at once.

Catches whatever the look at hubs forgets: room of other days, what orders hold, kits, priorities, rules, refusals.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from engine.catalog.document import CatalogDocument
from engine.errors import InsufficientStock
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.rejecting import NewRejection
from engine.orders.steering_service import OrderSteering
from engine.routing.run_model import Run, RunRequest

if TYPE_CHECKING:
    from conftest import World

TODAY, NODES, SKUS = date(2026, 11, 20), "abcd", ("MUG", "TEA", "POT", "CAN")
ORDERS = 5


def network(draw: Random) -> dict[str, Any]:
    """Return a network of four nodes, two of them hubs, with room for little."""
    services = [
        {
            "service": service,
            "service_level": level,
            "carrier": "c",
            "calendar": "daily",
            "rates": [
                {"zone": zone, "max_weight_g": 20_000, "cost_cents": cents, "transit_days": days}
                for zone, cents, days in rates
            ],
        }
        for service, level, rates in (
            ("ground", "standard", (("near", 400, 1), ("far", 800, 3))),
            ("air", "expedited", (("near", 900, 1), ("far", 1500, 1))),
        )
    ]
    nodes: list[dict[str, Any]] = [
        {
            "node_id": node_id,
            "kind": "dc",
            "calendar": "daily",
            "cut_off": draw.choice(("09:00", "15:00")),
            "time_zone": "America/New_York",
            "latitude": draw.choice((40.7, 30.0)),
            "longitude": -74.0,
            "capacity_units": draw.choice((None, 2, 8)),
            "capacity_parcels": draw.choice((None, 1, 3)),
        }
        | ({"hub": {"processing_days": draw.choice((0, 1))}} if node_id in "ab" else {})
        for node_id in NODES
    ]
    transfer = {"calendar": "daily", "arrives_at": "13:00", "kg_cost_cents": 33}
    return {
        "nodes": nodes,
        "calendars": [{"calendar": "daily", "working_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
        "services": services,
        "transfers": [
            transfer | {"from_node_id": n, "to_node_id": hub, "transit_days": draw.choice((0, 1, 2))}
            for hub in "ab"
            for n in NODES
            if n != hub
        ],
        "policy": {
            "backorder_cost_cents_per_unit": 2500,
            "split_cost_cents": 50,
            "late_day_cost_cents": draw.choice((None, 70)),
            "move_cost_cents": draw.choice((0, 130)),
            "max_nodes_per_order": draw.choice((None, 2)),
        },
    }


async def capture(world: World, draw: Random, number: int) -> None:
    """Capture an order, perhaps with what it holds on this day or that."""
    skus = draw.sample((*SKUS, "SET"), 2)
    lines = {sku: draw.choice((1, 2)) for sku in skus if sku not in ("MUG", "CAN") or "SET" not in skus}
    terms: dict[str, Any] = {"priority": draw.choice((0, 0, 3))}
    terms["need_by"] = draw.choice((None, None, TODAY + timedelta(3)))
    if "SET" not in lines and draw.random() < 0.4:
        held = tuple(
            HoldLine(
                sku=sku, quantity=units, node_id=draw.choice(NODES), ship_on=TODAY + timedelta(draw.choice((0, 2)))
            )
            for sku, units in lines.items()
        )
        hold = Hold(reservation_id=f"r{number}", lines=held, promised_on=TODAY + timedelta(draw.choice((1, 3, 5))))
        with suppress(InsufficientStock):
            await world.stock.hold(hold, today=dict.fromkeys(NODES, TODAY.toordinal()))
            terms["reservation_id"] = f"r{number}"
    await world.order(f"o{number}", lines, **terms)


def check(run: Run) -> None:
    """Check that all of a run was committed at once, under its bound."""
    assert (run.status, run.summary["moved_orders"]) == ("committed", 0), run
    bound = run.summary["lower_bound_cents"]
    assert bound is None or bound <= run.summary["total_cost_cents"], run.summary


@pytest.mark.parametrize("seed", range(8))
async def test_plans_with_hubs_hold_beside_everything_else(world: World, seed: int) -> None:
    draw = Random(seed)
    await world.networks.put(NetworkDocument.model_validate(network(draw)))
    kit = {"sku": "SET", "components": [{"sku": "MUG", "quantity": 1}, {"sku": "CAN", "quantity": 1}]}
    products = [{"sku": sku, "weight_g": draw.choice((400, 777))} for sku in SKUS]
    await world.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": [kit]}))
    for node_id in NODES:
        await world.count(**{node_id: {sku: draw.choice((0, 1, 6)) for sku in SKUS}})
    for number in range(ORDERS):
        await capture(world, draw, number)
    barred = {"when": {"channels": ["web"]}, "forbidden_node_ids": ["d"], "relaxed_cost_cents_per_unit": 40}
    rules = [barred, {"preferred_node_ids": ["b"], "preference_cost_cents_per_unit": 90}]
    check(
        await world.route_under(
            ship_complete=draw.random() < 0.5, rules=rules, split_cost_cents=50, backorder_cost_cents_per_unit=2500
        )
    )
    steering = OrderSteering(OrderChanges(world.book, world.clock), world.reference, most_rejections=9)
    for number in range(ORDERS):
        order = await world.book.get(f"o{number}")
        nodes = sorted({node_id for row in order.allocation for node_id in row.node_ids})
        if nodes and draw.random() < 0.6:
            await steering.reject(order.order_id, NewRejection(node_id=draw.choice(nodes), reason="no time"))
    check(await world.runs().execute(RunRequest()))
