"""The world of the experiment of Ma (2023): random baskets, cities by population, stock by closest node.

Parameters are those of the paper (after Jasin & Sinha 2015); places are ours: the largest postal cities of the
contiguous United States with their population of 2010 (census; coordinates GeoNames, CC BY 4.0), and ten towns with
large fulfillment centers. The paper counts metropolitan areas.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from solvers.bidprices import FluidProblem
from solvers.problem import FloatArray, IntArray

BoolArray = NDArray[np.bool_]

PARCEL_COST = 8.759
UNIT_COST, UNIT_COST_PER_MILE = 0.423, 0.000541
EARTH_RADIUS_MILES = 6371.0088 / 1.609344
SAFETY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The size of a network: places, SKUs, the longest order, baskets of each size, periods and how much is carried."""

    name: str
    nodes: int
    cities: int
    skus: int
    longest: int
    baskets: int
    periods: int
    carried: float


SMALL = Setting(name="small", nodes=5, cities=10, skus=20, longest=5, baskets=5, periods=10_000, carried=0.75)
LARGE = Setting(
    name="large, half carried", nodes=10, cities=99, skus=100, longest=10, baskets=10, periods=100_000, carried=0.5
)
SPARSE = Setting(
    name="large, a quarter carried",
    nodes=10,
    cities=99,
    skus=100,
    longest=10,
    baskets=10,
    periods=100_000,
    carried=0.25,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One drawn instance. Classes are (basket, city); the class of an empty order is -1.

    fluid    expected orders of the whole horizon, and the stock to begin with
    chance   (classes,) the probability that the order of a period is of the class; the rest are empty
    closest  (lines,) the closest node that carries the line's SKU, whether or not it has some left; nodes if none
    """

    setting: Setting
    fluid: FluidProblem
    chance: FloatArray
    closest: IntArray

    def arrivals(self, draw: np.random.Generator) -> IntArray:
        """Return the class of the order of each period, (periods,), -1 for an empty one."""
        edges = np.cumsum(self.chance)
        found = np.searchsorted(edges, draw.random(self.setting.periods), side="right")
        return np.where(found < len(edges), found, -1)

    def left_to_come(self, periods: int, stock: IntArray) -> FluidProblem:
        """Return the fluid problem of what is still to come in so many periods, on what stock is left."""
        f = self.fluid
        return FluidProblem(
            expected=self.chance * periods, period=f.period, line_start=f.line_start, line_sku=f.line_sku,
            quantity=f.quantity, parcel_cost=f.parcel_cost, line_cost=f.line_cost, available=stock[None].astype(float),
        )  # fmt: skip


def draw_world(setting: Setting, seed: int) -> World:
    """Draw baskets, their chances, what each node carries, and the stock that the rule of the paper gives it."""
    draw = np.random.default_rng(seed)
    miles, share_of_city = _places(setting)
    baskets, chance_of_basket = _baskets(setting, draw)
    carries = draw.random((setting.skus, setting.nodes)) < setting.carried
    unit_cost = UNIT_COST + UNIT_COST_PER_MILE * miles
    refused = 2 * unit_cost.max(axis=1, keepdims=True)
    unit_cost = np.hstack([unit_cost, refused])
    line_sku = np.concatenate([np.tile(basket, setting.cities) for basket in baskets])
    sizes = np.repeat([len(basket) for basket in baskets], setting.cities)
    city = np.tile(np.arange(setting.cities), len(baskets))
    city_of_line = np.repeat(city, sizes)
    able = np.hstack([carries, np.ones((setting.skus, 1), bool)])[line_sku]
    chance = np.outer(chance_of_basket, share_of_city).ravel()
    distance = np.where(carries[line_sku], miles[city_of_line], np.inf)
    closest = np.where(carries[line_sku].any(axis=1), distance.argmin(axis=1), setting.nodes)
    demand = np.zeros((setting.skus, setting.nodes + 1))
    np.add.at(demand, (line_sku, closest), np.repeat(chance, sizes))
    demand = demand[:, :-1]
    stock = np.rint(setting.periods * demand + SAFETY * np.sqrt(setting.periods * demand * (1 - demand)))
    fluid = FluidProblem(
        expected=chance * setting.periods,
        period=np.zeros(len(chance), np.int64),
        line_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        line_sku=line_sku,
        quantity=np.ones(len(line_sku)),
        parcel_cost=np.tile(np.append(np.full(setting.nodes, PARCEL_COST), 2 * PARCEL_COST), (len(chance), 1)),
        line_cost=np.where(able, unit_cost[city_of_line], np.inf),
        available=stock[None],
    )
    return World(setting=setting, fluid=fluid, chance=chance, closest=closest)


def _baskets(setting: Setting, draw: np.random.Generator) -> tuple[list[IntArray], FloatArray]:
    """Return baskets of every size from 1, and the probability of each; what is left is the empty order's."""
    by_size = draw.random(setting.longest + 1)
    by_size /= by_size.sum()
    baskets: list[IntArray] = []
    chances: list[FloatArray] = []
    for size in range(1, setting.longest + 1):
        weight = draw.random(setting.baskets)
        chances.append(by_size[size] * weight / weight.sum())
        baskets += [np.sort(draw.permutation(setting.skus)[:size]) for _ in range(setting.baskets)]
    return baskets, np.concatenate(chances)


def _places(setting: Setting) -> tuple[FloatArray, FloatArray]:
    """Return (cities, nodes) great-circle miles, and each city's share of the population."""
    cities, nodes = _rows("cities.csv")[: setting.cities], _rows("nodes.csv")[: setting.nodes]
    here, there = _radians(cities)[:, None], _radians(nodes)[None]
    half = np.sin((there - here) / 2) ** 2
    square = half[..., 0] + np.cos(here[..., 0]) * np.cos(there[..., 0]) * half[..., 1]
    people = np.array([float(row["population"]) for row in cities])
    return 2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(square)), people / people.sum()


def _rows(name: str) -> list[dict[str, str]]:
    with (files("benchmarks.ma2023") / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _radians(rows: list[dict[str, str]]) -> FloatArray:
    return np.radians([(float(row["latitude"]), float(row["longitude"])) for row in rows])
