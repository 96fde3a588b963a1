"""Realistic synthetic problem folders of any size: `allot generate`.

Here: the recipe, its checks and the tables. Its parts: `synthetic_geography` (places), `synthetic_demand` (baskets),
`synthetic_stock` (scarcity and capacities), `synthetic_rates` (zones and price steps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.errors import Fault, InvalidInput
from engine.integrations.synthetic_demand import Integers, draw_assortment, draw_demand
from engine.integrations.synthetic_geography import (
    DEFAULT_KINDS,
    PROFILES,
    RURAL_SHARE,
    draw_clusters,
    draw_places,
    draw_positions,
)
from engine.integrations.synthetic_rates import rate_columns, zone_columns
from engine.integrations.synthetic_stock import draw_capacities, draw_stock
from engine.routing.folder_writer import (
    ProblemTables,
    refuse_occupied,
    write_problem_folder,
)
from engine.routing.settings import ProblemSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What to generate; the same recipe gives the same bytes.

    `kinds` maps node kinds to proportions. `supply` is stock over demand of a SKU (4 is contested, 2.5 tight, 8
    milder). `late_day_cost_cents` None makes due dates hard. Raises InvalidInput naming every value out of range.
    """

    orders: int
    nodes: int
    skus: int
    seed: int
    kinds: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_KINDS))
    nodes_per_sku: float = 6.5
    supply: float = 4.0
    max_lines: int = 6
    split_cost_cents: int = 75
    backorder_cost_cents_per_unit: int = 6000
    late_day_cost_cents: int | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        faults = [
            Fault(path=f"--{name.replace('_', '-')}", message=f"{value} is not in {lowest} … {highest}")
            for name, value, lowest, highest in (
                ("orders", self.orders, 1, 10_000_000),
                ("nodes", self.nodes, 1, 10_000),
                ("skus", self.skus, 1, 1_000_000),
                ("seed", self.seed, 0, 2**63 - 1),
                ("nodes_per_sku", self.nodes_per_sku, 1, 1000),
                ("supply", self.supply, 0.01, 1000),
                ("max_lines", self.max_lines, 1, 100),
                ("split_cost_cents", self.split_cost_cents, 0, 1_000_000),
                ("backorder_cost_cents_per_unit", self.backorder_cost_cents_per_unit, 0, 1_000_000),
                ("late_day_cost_cents", self.late_day_cost_cents or 0, 0, 1_000_000),
            )
            if not lowest <= value <= highest
        ]
        faults += [
            Fault(path="--kinds", message=f"unknown kind {kind!r}; known are {', '.join(PROFILES)}")
            for kind in self.kinds
            if kind not in PROFILES
        ]
        shares = list(self.kinds.values())
        if not all(np.isfinite(share) and share >= 0 for share in shares) or sum(shares) <= 0:
            faults.append(Fault(path="--kinds", message=f"{shares} are no proportions; give e.g. dc=1,store=4"))
        if faults:
            raise InvalidInput(faults)


def parse_kinds(text: str) -> dict[str, float]:
    """Read `dc=1,store=4` as proportions of node kinds; raises InvalidInput naming the piece that is odd."""
    kinds: dict[str, float] = {}
    for piece in text.split(","):
        kind, _, share = piece.partition("=")
        try:
            kinds[kind.strip()] = float(share)
        except ValueError:
            fault = Fault(path="--kinds", message=f"{piece!r} is not KIND=SHARE; give e.g. dc=1,store=4")
            raise InvalidInput(fault) from None
    return kinds


def generate(recipe: Recipe, folder: Path) -> ProblemTables:
    """Write the problem folder of `recipe` into `folder` (absent or empty) and return its tables."""
    refuse_occupied(folder)
    tables = build_tables(recipe)
    write_problem_folder(folder, tables)
    return tables


def build_tables(recipe: Recipe) -> ProblemTables:
    """Build the tables of `recipe` without writing them; pure but for the seeded generator it makes."""
    geography, baskets, supplies, limits = (
        np.random.default_rng(child) for child in np.random.SeedSequence(recipe.seed).spawn(4)
    )
    clusters = draw_clusters(geography, recipe.nodes)
    places = draw_places(geography, clusters, recipe.nodes, recipe.kinds)
    latitude, longitude = draw_positions(geography, clusters, recipe.orders, RURAL_SHARE)
    assortment = draw_assortment(baskets, recipe.skus)
    demand = draw_demand(baskets, assortment, recipe.orders, recipe.max_lines)
    stock = draw_stock(supplies, places, assortment, demand, nodes_per_sku=recipe.nodes_per_sku, supply=recipe.supply)
    capacities = draw_capacities(limits, places, stock, demand, latitude, longitude)
    node_ids = _identifiers("N", recipe.nodes)
    skus = _identifiers("S", recipe.skus)
    order_ids = _identifiers("O", recipe.orders)
    return ProblemTables(
        settings=ProblemSettings(
            version=1,
            name=f"synthetic {recipe.orders} x {recipe.nodes} x {recipe.skus}, seed {recipe.seed}",
            split_cost_cents=recipe.split_cost_cents,
            backorder_cost_cents_per_unit=recipe.backorder_cost_cents_per_unit,
            late_day_cost_cents=recipe.late_day_cost_cents,
        ),
        nodes={
            "node_id": node_ids,
            "kind": places.kinds,
            "latitude": places.latitude,
            "longitude": places.longitude,
            "parcel_cost_cents": places.parcel_cost_cents,
            "unit_cost_cents": places.unit_cost_cents,
            "capacity_units": _blank_negative(capacities.units),
            "capacity_parcels": _blank_negative(capacities.parcels),
            "priority": [PROFILES[kind].priority for kind in places.kinds],
        },
        products={"sku": skus, "weight_g": assortment.weight_g},
        stock={
            "node_id": _pick(node_ids, stock.node),
            "sku": _pick(skus, stock.sku),
            "available": stock.available,
        },
        orders={
            "order_id": order_ids,
            "latitude": latitude,
            "longitude": longitude,
            "due_days": _blank_negative(demand.due_days),
        },
        order_lines={
            "order_id": _pick(order_ids, demand.order),
            "sku": _pick(skus, demand.sku),
            "quantity": demand.quantity,
        },
        zones=zone_columns(),
        rates=rate_columns(),
    )


def _identifiers(letter: str, count: int) -> list[str]:
    width = len(str(count))
    return [f"{letter}{number:0{width}d}" for number in range(1, count + 1)]


def _pick(names: Sequence[str], indices: Integers) -> list[str]:
    return [names[index] for index in indices.tolist()]


def _blank_negative(values: Integers) -> list[int | None]:
    return [None if value < 0 else value for value in values.tolist()]
