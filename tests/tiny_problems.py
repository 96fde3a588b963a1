"""Problem folders drawn at random, small enough for the brute force; tests import it as `tiny_problems`.

Everything of the contract is drawn: zones and rates or lanes, due dates, capacities, parcel limits, line splits, and
the corners (nothing in stock, a capacity of 0, costs of 0, services with gaps, heavier parcels that cost less).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyProblem:
    """One problem as rows by table; None is a blank."""

    settings: dict[str, Any]
    tables: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)

    def write(self, folder: Path, shuffle: Random | None = None) -> Path:
        """Write the problem into a new folder, rows and columns shuffled if so asked."""
        folder.mkdir(parents=True)
        settings = list(self.settings.items())
        if shuffle:
            shuffle.shuffle(settings)
        (folder / "problem.json").write_text(json.dumps(dict(settings)))
        for name, rows in self.tables.items():
            columns, order = list(self.columns[name]), list(rows)
            if shuffle:
                shuffle.shuffle(columns)
                shuffle.shuffle(order)
            lines = [",".join(columns)]
            lines += [",".join("" if row[c] is None else str(row[c]) for c in columns) for row in order]
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
        return folder


_COLUMNS = {
    "nodes": "node_id kind latitude longitude parcel_cost_cents unit_cost_cents capacity_units capacity_parcels "
    "priority",
    "products": "sku weight_g",
    "stock": "node_id sku available",
    "orders": "order_id latitude longitude due_days max_nodes",
    "order_lines": "order_id sku quantity",
    "zones": "zone max_km",
    "rates": "service zone max_weight_g cost_cents transit_days",
    "lanes": "node_id order_id service cost_cents transit_days",
    "pins": "order_id sku node_id",
    "current_plan": "order_id sku quantity node_id service",
}


def tiny_problem(
    seed: int, *, split: bool | None = None, most_orders: int = 4, most_lines: int = 4, scale: int = 1
) -> TinyProblem:
    """Return the problem of a seed; quantities and stock are multiples of `scale`."""
    draw = Random(seed)
    if split is None:
        split = draw.random() < 0.15
    by_lane = draw.random() < 0.4
    free = draw.random() < 0.08
    node_ids = draw.sample(["A", "B", "C", "D"], draw.randint(1, 2 if split else 4))
    skus = draw.sample(["s", "t", "u", "v", "w"], draw.randint(1, 5))

    def cents(most: int = 12) -> int:
        return 0 if free else 10 * draw.randint(0, most) + draw.choice([0, 0, 3])

    def maybe(value: Any, share: float = 0.4) -> Any:
        return value if draw.random() < share else None

    blank = by_lane and draw.random() < 0.5

    def place() -> Row:
        here: Row = {"latitude": draw.choice([0, 1, -2.5, 45]), "longitude": draw.choice([0, 1, 2, 3.25, 179])}
        return {"latitude": None, "longitude": None} if blank or (by_lane and draw.random() < 0.2) else here

    tight = draw.random() < 0.5
    nodes = [
        {
            "node_id": node_id,
            "kind": draw.choice(["dc", "store", None]),
            **place(),
            "parcel_cost_cents": cents(),
            "unit_cost_cents": cents(2),
            "capacity_units": maybe(draw.randint(0, 6) * scale, 0.4 if tight else 0.1),
            "capacity_parcels": maybe(draw.randint(0, 3), 0.4 if tight else 0.1),
            "priority": maybe(draw.randint(0, 3)),
        }
        for node_id in node_ids
    ]
    orders, lines = [], []
    due = draw.random() < 0.5
    limited = draw.random() < 0.3
    twins = draw.random() < 0.1
    basket = [(sku, draw.randint(1, 3) * scale) for sku in draw.sample(skus, draw.randint(1, min(3, len(skus))))]
    home = place()
    for number in range(draw.choice([0, 1, 1, 2, 2, 3, 3, 4]) if not split else draw.choice([0, 1, 1, 2])):
        if number >= most_orders:
            break
        order_id = f"o{number}"
        orders.append(
            {
                "order_id": order_id,
                **(home if twins else place()),
                "due_days": draw.randint(0, 4) if due and draw.random() < 0.7 else None,
                "max_nodes": maybe(draw.randint(0, 3)) if limited else None,
            }
        )
        most = min(len(skus), 2 if split else most_lines if number == 0 else 3)
        chosen = (
            basket
            if twins and not split
            else [
                (sku, draw.randint(1, 2 if split else 3) * scale)
                for sku in draw.sample(skus, draw.choice([0, *range(1, most + 1), most]))
            ]
        )
        lines += [{"order_id": order_id, "sku": sku, "quantity": quantity} for sku, quantity in chosen]
    plenty = draw.choice([0, 2, 4, 4, 8])
    stock = [
        {"node_id": node_id, "sku": sku, "available": draw.randint(0, plenty) * scale}
        for node_id in node_ids
        for sku in skus
        if draw.random() < 0.8
    ]
    settings: Row = {
        "version": 1,
        "backorder_cost_cents_per_unit": 0 if free and draw.random() < 0.5 else 5 * draw.randint(0, 60),
        "split_cost_cents": draw.choice([0, cents()]),
        "late_day_cost_cents": draw.choice([None, 0, cents()]),
        "line_split": "allowed" if split else "never",
        "max_nodes_per_order": draw.choice([None, None, None, 0, 1, 2]),
        "max_distance_km": draw.choice([None, None, 120, 400]),
    }
    if scale > 1:
        settings["backorder_cost_cents_per_unit"] //= 10
    tables: dict[str, list[Row]] = {"nodes": nodes, "stock": stock, "orders": orders, "order_lines": lines}
    if by_lane:
        tables["lanes"] = [
            {
                "node_id": node["node_id"],
                "order_id": order["order_id"],
                "service": service,
                "cost_cents": cents(30),
                "transit_days": draw.randint(0, 6),
            }
            for node in nodes
            for order in orders
            for service in draw.sample(["air", "ground", "sea"], draw.choice([0, 1, 1, 2, 3]))
        ]
    if not by_lane or draw.random() < 0.3:
        tables["products"] = [{"sku": sku, "weight_g": draw.choice([0, 1, 2, 5])} for sku in skus]
        limits: list[int | None] = draw.choice([[None], [0, None], [112, 230, None], [112, 230], [0, 300]])
        tables["zones"] = [{"zone": f"z{n}", "max_km": km} for n, km in enumerate(limits)]
        tables["rates"] = [
            {
                "service": service,
                "zone": f"z{n}",
                "max_weight_g": grams * scale,
                "cost_cents": cents(30),
                "transit_days": draw.randint(0, 6),
            }
            for n in range(len(limits))
            for service in draw.sample(["air", "ground"], draw.choice([0, 1, 2, 2]))
            for grams in draw.sample([0, 2, 4, 9, 30, 200], draw.randint(1, 4))
        ]
    return TinyProblem(settings=settings, tables=tables, columns={name: _COLUMNS[name].split() for name in tables})


def with_earlier(problem: TinyProblem, seed: int, *, pins: float = 0.3) -> TinyProblem:
    """Return a problem with lines pinned, and an earlier plan of it, which is older than the problem in places.

    The plan has lines at one node, in several rows, backordered, at a node that has gone, and lines that have gone.
    """
    draw = Random(-7 - 3 * seed)
    lines, node_ids = problem.tables["order_lines"], [node["node_id"] for node in problem.tables["nodes"]]
    keys = [{"order_id": line["order_id"], "sku": line["sku"]} for line in lines]
    pinned = [{**key, "node_id": draw.choice(node_ids)} for key in keys if draw.random() < pins]
    before: list[Row] = []
    for key in keys:
        somewhere = draw.sample([*node_ids, None, "gone"], 2)
        chosen = draw.choice([[], [draw.choice(node_ids)], [draw.choice(node_ids)], somewhere[:1], somewhere])
        before += [{**key, "quantity": draw.randint(1, 9), "node_id": n, "service": n and "van"} for n in chosen]
    before += [{"order_id": "gone", "sku": sku, "quantity": 1, "node_id": node_ids[0]} for sku in ("s", "gone")]
    tables, columns = {**problem.tables}, {**problem.columns, "pins": _COLUMNS["pins"].split()}
    if pinned or draw.random() < 0.5:
        tables["pins"] = pinned
    if draw.random() < 0.9:
        tables["current_plan"] = [{"service": None, **row} for row in before]
        columns["current_plan"] = draw.choice([_COLUMNS["current_plan"].split(), ["order_id", "sku", "node_id"]])
    settings = {**problem.settings, "move_cost_cents": draw.choice([0, 1, 7, 40, 100, 400])}
    return TinyProblem(settings=settings, tables=tables, columns=columns)


def long_problem(seed: int, *, split: bool = False) -> TinyProblem:
    """Return a problem whose first order has 9 to 40 lines: too many for the brute force, not for the checker."""
    draw, like = Random(-1 - seed), tiny_problem(seed)
    length = draw.choice([9, 10, 11, 12, 15, 40])
    skus = [f"s{number:02}" for number in range(length + 3)]
    tables = dict(like.tables)
    tables["stock"] = [
        {"node_id": node["node_id"], "sku": sku, "available": draw.randint(0, 5)}
        for node in tables["nodes"]
        for sku in skus
        if draw.random() < 0.7
    ]
    tables["order_lines"] = [
        {"order_id": order["order_id"], "sku": sku, "quantity": draw.randint(1, 3)}
        for number, order in enumerate(tables["orders"])
        for sku in draw.sample(skus, draw.randint(1, length) if number else length)
    ]
    if "products" in tables:
        tables["products"] = [{"sku": sku, "weight_g": draw.choice([0, 1, 2, 3])} for sku in skus]
    settings = {**like.settings, "line_split": "allowed" if split else "never"}
    return TinyProblem(settings=settings, tables=tables, columns=like.columns)


def rows(**columns: list[Any]) -> list[Row]:
    """Return columns as rows; what is not a list of its own length is repeated."""
    length = max((len(values) for values in columns.values()), default=0)
    return [{name: values[at % len(values)] for name, values in columns.items()} for at in range(length)]


def by_hand(settings: dict[str, Any], **tables: list[Row]) -> TinyProblem:
    """Return a problem written down row by row; columns that are not named are blank, or 0 where there is no blank."""
    zero = {"parcel_cost_cents": 0, "unit_cost_cents": 0, "transit_days": 1, "weight_g": 0, "cost_cents": 0}
    columns = {name: _COLUMNS[name].split() for name in tables}
    filled = {
        name: [{column: row.get(column, zero.get(column)) for column in columns[name]} for row in found]
        for name, found in tables.items()
    }
    return TinyProblem(settings={"version": 1, **settings}, tables=filled, columns=columns)
