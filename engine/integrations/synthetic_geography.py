"""Where synthetic nodes stand and synthetic customers live: metropolitan clusters and a rural rest.

Here: clusters, node places, kinds and costs, destinations. Not here: stock, capacities (they follow demand).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.integrations.geography import Floats

LATITUDES = (27.0, 47.5)
LONGITUDES = (-122.0, -72.0)
RURAL_SHARE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class KindProfile:
    """What distinguishes a kind of node: cost ranges in cents, its share of stock, how wide its range is."""

    parcel_cost_cents: tuple[int, int]
    unit_cost_cents: tuple[int, int]
    stock_weight: float
    assortment_weight: float
    priority: int | None


PROFILES: dict[str, KindProfile] = {
    "dc": KindProfile(
        parcel_cost_cents=(120, 260),
        unit_cost_cents=(20, 50),
        stock_weight=8.0,
        assortment_weight=3.0,
        priority=1,
    ),
    "third_party": KindProfile(
        parcel_cost_cents=(220, 340),
        unit_cost_cents=(35, 70),
        stock_weight=4.0,
        assortment_weight=2.0,
        priority=2,
    ),
    "store": KindProfile(
        parcel_cost_cents=(300, 560),
        unit_cost_cents=(60, 140),
        stock_weight=1.0,
        assortment_weight=1.0,
        priority=3,
    ),
    "vendor": KindProfile(
        parcel_cost_cents=(420, 700),
        unit_cost_cents=(0, 40),
        stock_weight=3.0,
        assortment_weight=0.5,
        priority=None,
    ),
}
DEFAULT_KINDS: dict[str, float] = {"dc": 0.2, "store": 0.75, "vendor": 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Metropolitan areas: centres in degrees, spread in degrees, share of the population (sums to 1)."""

    latitude: Floats
    longitude: Floats
    spread: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Nodes by index: kind, position in degrees, costs in cents."""

    kinds: list[str]
    latitude: Floats
    longitude: Floats
    parcel_cost_cents: NDArray[np.int64]
    unit_cost_cents: NDArray[np.int64]


def draw_clusters(rng: np.random.Generator, nodes: int) -> Clusters:
    """Draw metropolitan areas, more of them for more nodes, with Zipf-like populations."""
    count = int(min(150, max(4, round(2.5 * np.sqrt(nodes)))))
    weight = 1.0 / (np.arange(count) + 2.0)
    return Clusters(
        latitude=rng.uniform(*LATITUDES, count),
        longitude=rng.uniform(*LONGITUDES, count),
        spread=rng.uniform(0.15, 0.55, count),
        weight=weight / weight.sum(),
    )


def draw_positions(rng: np.random.Generator, clusters: Clusters, count: int, rural: float) -> tuple[Floats, Floats]:
    """Draw `count` places (latitude, longitude; four decimals): clustered, but for a `rural` share."""
    home = rng.choice(len(clusters.weight), count, p=clusters.weight)
    latitude = clusters.latitude[home] + clusters.spread[home] * rng.standard_normal(count)
    longitude = clusters.longitude[home] + clusters.spread[home] * rng.standard_normal(count)
    is_rural = rng.random(count) < rural
    latitude = np.where(is_rural, rng.uniform(*LATITUDES, count), latitude)
    longitude = np.where(is_rural, rng.uniform(*LONGITUDES, count), longitude)
    latitude = np.round(np.clip(latitude, 24.0, 49.5), 4).astype(np.float64)
    longitude = np.round(np.clip(longitude, -125.0, -67.0), 4).astype(np.float64)
    return latitude, longitude


def draw_places(rng: np.random.Generator, clusters: Clusters, count: int, kinds: dict[str, float]) -> Places:
    """Draw `count` nodes with kinds in the given proportions (at least one of the first kind)."""
    latitude, longitude = draw_positions(rng, clusters, count, rural=0.05)
    assigned = _apportion(count, kinds)
    profiles = [PROFILES[kind] for kind in assigned]
    return Places(
        kinds=assigned,
        latitude=latitude,
        longitude=longitude,
        parcel_cost_cents=_draw_costs(rng, [profile.parcel_cost_cents for profile in profiles]),
        unit_cost_cents=_draw_costs(rng, [profile.unit_cost_cents for profile in profiles]),
    )


def _apportion(count: int, kinds: dict[str, float]) -> list[str]:
    """Turn proportions into `count` kinds by largest remainders, in the order of `kinds`."""
    total = sum(kinds.values())
    exact = [count * share / total for share in kinds.values()]
    whole = [int(amount) for amount in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: whole[index] - exact[index])
    for index in by_remainder[: count - sum(whole)]:
        whole[index] += 1
    return [kind for kind, amount in zip(kinds, whole, strict=True) for _ in range(amount)]


def _draw_costs(rng: np.random.Generator, ranges: list[tuple[int, int]]) -> NDArray[np.int64]:
    lowest, highest = np.array(ranges, dtype=np.int64).T
    costs: NDArray[np.int64] = rng.integers(lowest, highest, endpoint=True)
    return costs
