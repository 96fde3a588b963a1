"""Whatever the router writes for a problem folder, the checker confirms: two programs, one contract.

The folders are small and random, and mix everything the contract has: lanes or zones, due dates with and without late
costs, capacities, limits on parcels and distances, lines that may be split, orders of more than ten lines, pins, moves.
Seeded bug this catches: any rule that one side reads differently (it found a distance limit ignored beside lanes).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Files = dict[str, str | bytes]
NODES = ("A", "B", "C")
SERVICES = ("air", "van")


def table(header: str, rows: Sequence[Sequence[object]]) -> str:
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join([header, *lines, ""])


def random_folder(seed: int) -> Files:
    """Return a random problem folder; every third allows split lines, every third has orders of 10 to 13 lines."""
    dice = random.Random(seed)
    split, long = seed % 3 == 1, seed % 3 == 2

    def maybe(value: int) -> int | None:
        return value if dice.random() < 0.5 else None

    nodes = NODES[: dice.randint(1, 3)]
    skus = [f"s{number:02}" for number in range(13 if long else 3)]
    orders = [f"O{number}" for number in range(dice.randint(1, 3))]
    rings: list[list[tuple[str, int | None]]] = [
        [("near", 150), ("far", None)],
        [("near", 50), ("far", 250)],
        [("all", None)],
    ]
    zones = dice.choice(rings)
    steps = {(s, zone, dice.choice([1, 2, 4, 9, 30, 90])) for s in SERVICES for zone, _ in zones for _ in range(3)}
    settings = {
        "version": 1,
        "backorder_cost_cents_per_unit": dice.randrange(0, 400, 5),
        "split_cost_cents": dice.randrange(0, 100, 10),
        "late_day_cost_cents": maybe(dice.randrange(0, 90, 10)),
        "line_split": "allowed" if split else "never",
        "max_nodes_per_order": maybe(dice.randint(0, 2)),
        "max_distance_km": maybe(dice.choice([120, 230])),
    }
    files: Files = {
        "problem.json": json.dumps(settings),
        "nodes.csv": table(
            "node_id,kind,latitude,longitude,parcel_cost_cents,unit_cost_cents,capacity_units,capacity_parcels,priority",
            [
                (
                    *(node, "dc", 0, dice.randint(0, 3), dice.randrange(0, 120, 10), dice.randrange(0, 20, 5)),
                    *(maybe(dice.randint(0, 9)), maybe(dice.randint(0, 3)), maybe(dice.randint(1, 5))),
                )
                for node in nodes
            ],
        ),
        "products.csv": table("sku,weight_g", [(sku, dice.randint(0, 3)) for sku in skus]),
        "stock.csv": table(
            "node_id,sku,available", [(n, s, dice.randint(0, 4)) for n in nodes for s in skus if dice.random() < 0.8]
        ),
        "orders.csv": table(
            "order_id,latitude,longitude,due_days,max_nodes",
            [(o, 0, dice.randint(0, 3), maybe(dice.randint(0, 4)), maybe(dice.randint(0, 3))) for o in orders],
        ),
        "order_lines.csv": table(
            "order_id,sku,quantity",
            [
                (order, sku, dice.randint(1, 3))
                for order in orders
                for sku in dice.sample(skus, dice.randint(10, 13) if long else dice.randint(1, 3))
            ],
        ),
        "zones.csv": table("zone,max_km", zones),
        "rates.csv": table(
            "service,zone,max_weight_g,cost_cents,transit_days",
            [(*step, dice.randrange(0, 120, 10), dice.randint(1, 4)) for step in sorted(steps)],
        ),
    }
    if dice.random() < 0.4:
        files["lanes.csv"] = table(
            "node_id,order_id,service,cost_cents,transit_days",
            [
                (node, order, service, dice.randrange(0, 120, 10), dice.randint(1, 4))
                for node in nodes
                for order in orders
                for service in SERVICES
                if dice.random() < 0.7
            ],
        )
    if seed % 2:
        files |= earlier_decisions(dice, settings, str(files["order_lines.csv"]), nodes)
    return files


def earlier_decisions(dice: random.Random, settings: dict[str, object], lines: str, nodes: Sequence[str]) -> Files:
    """Return pins and an earlier plan of the lines of order_lines.csv, and settings with what a move costs."""
    keys = [tuple(line.split(",")[:2]) for line in lines.splitlines()[1:]]
    places = [*nodes, None, "gone"]
    return {
        "problem.json": json.dumps({**settings, "move_cost_cents": dice.choice([0, 3, 40, 250])}),
        "pins.csv": table("order_id,sku,node_id", [(*key, dice.choice(nodes)) for key in keys if dice.random() < 0.25]),
        "current_plan.csv": table(
            "order_id,sku,node_id",
            [(*key, place) for key in keys for place in dice.sample(places, dice.choice([0, 1, 1, 1, 2]))],
        ),
    }


@pytest.mark.parametrize("seed", range(24))
def test_the_checker_confirms_what_every_method_writes(
    write: Callable[[Files], Path], tmp_path: Path, seed: int
) -> None:
    from engine.routing.route_folder import Options, route_folder
    from engine.verification.verify import verify
    from solvers.params import Method

    folder = write(random_folder(seed))
    for method in Method:
        out = tmp_path / method.value
        route_folder(folder, out, Options(method=method, deterministic=True))
        verdict = verify(folder, out)
        assert [check for check in verdict.checks if check.state == "failed"] == [], method
