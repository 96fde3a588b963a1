"""What synthetic customers order: Zipf popularity, correlated baskets, quantities, due dates.

Here: products and the orders' lines as arrays. Not here: where the customers live, what is in stock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.integrations.geography import Floats

Integers = NDArray[np.int64]

SINGLE_LINE_SHARE = 0.48
SAME_THEME_SHARE = 0.6
SKUS_PER_THEME = 25
ZIPF_EXPONENT = 0.9
QUANTITY_SHARES = (0.85, 0.11, 0.03, 0.01)
DUE_DAYS = (1, 2, 3, 4, 5, 7)
DUE_SHARES = (0.06, 0.24, 0.30, 0.20, 0.12, 0.08)
TOP_UP_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Assortment:
    """Products by index: share of demand (sums to 1), theme (products bought together), weight in grams."""

    popularity: Floats
    theme: Integers
    weight_g: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Order lines sorted by (order, sku), unique, by index; `due_days` per order, −1 where there is none."""

    order: Integers
    sku: Integers
    quantity: Integers
    due_days: Integers


def draw_assortment(rng: np.random.Generator, skus: int) -> Assortment:
    """Draw `skus` products; neighbours in index share a theme, popularity is spread over the themes."""
    rank = rng.permutation(skus)
    popularity = 1.0 / (rank + 1.0) ** ZIPF_EXPONENT
    weight = np.exp(np.log(450.0) + 0.95 * rng.standard_normal(skus))
    return Assortment(
        popularity=popularity / popularity.sum(),
        theme=np.arange(skus, dtype=np.int64) // SKUS_PER_THEME,
        weight_g=(np.round(np.clip(weight, 20, 15_000) / 10) * 10).astype(np.int64),
    )


def draw_demand(rng: np.random.Generator, assortment: Assortment, orders: int, max_lines: int) -> Demand:
    """Draw the baskets of `orders` orders of 1 … `max_lines` different SKUs each (fewer if there are no more).

    The first line follows the popularity of all products; each later one stays in the first one's theme with
    probability SAME_THEME_SHARE. Half of the orders, give or take one, have a due date.
    """
    wanted = np.minimum(_draw_line_counts(rng, orders, max_lines), len(assortment.popularity))
    edges = np.concatenate([[0.0], np.cumsum(assortment.popularity)])
    edges /= edges[-1]
    anchor = _draw_skus(rng, edges, np.zeros(orders, np.int64), np.full(orders, len(edges) - 1))
    theme_from = assortment.theme[anchor] * SKUS_PER_THEME
    theme_to = np.minimum(theme_from + SKUS_PER_THEME, len(edges) - 1)
    skus = len(assortment.popularity)
    lines = np.arange(orders, dtype=np.int64) * skus + anchor  # (order, sku) packed into one number
    for _ in range(TOP_UP_ROUNDS):
        missing = wanted - np.bincount(lines // skus, minlength=orders)
        order = np.repeat(np.arange(orders), np.maximum(missing, 0))
        if not len(order):
            break
        same_theme = rng.random(len(order)) < SAME_THEME_SHARE
        drawn = _draw_skus(
            rng,
            edges,
            np.where(same_theme, theme_from[order], 0),
            np.where(same_theme, theme_to[order], len(edges) - 1),
        )
        lines = sorted_unique(np.concatenate([lines, order * skus + drawn]))
    shares = np.cumsum(QUANTITY_SHARES)
    return Demand(
        order=lines // skus,
        sku=lines % skus,
        quantity=1 + np.searchsorted(shares[:-1], rng.random(len(lines)), side="right"),
        due_days=_draw_due_days(rng, orders),
    )


def sorted_unique(values: Integers) -> Integers:
    """Return the distinct values in order; numpy's own hashes first, which is slow for millions."""
    ordered: Integers = np.sort(values)
    is_first: NDArray[np.bool_] = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    return ordered[is_first]


def _draw_line_counts(rng: np.random.Generator, orders: int, max_lines: int) -> Integers:
    if max_lines == 1:
        return np.ones(orders, np.int64)
    decay = max(0.5, 1.0 - 2.0 / max_lines)
    tail = decay ** np.arange(max_lines - 1)
    shares = np.concatenate([[SINGLE_LINE_SHARE], (1.0 - SINGLE_LINE_SHARE) * tail / tail.sum()])
    return 1 + np.searchsorted(np.cumsum(shares)[:-1], rng.random(orders), side="right")


def _draw_skus(rng: np.random.Generator, edges: Floats, first: Integers, last: Integers) -> Integers:
    """Draw one SKU per row by popularity among the indices first ≤ sku < last."""
    point = edges[first] + rng.random(len(first)) * (edges[last] - edges[first])
    return np.clip(np.searchsorted(edges, point, side="right") - 1, first, last - 1)


def _draw_due_days(rng: np.random.Generator, orders: int) -> Integers:
    due = np.array(DUE_DAYS)[np.searchsorted(np.cumsum(DUE_SHARES)[:-1], rng.random(orders), side="right")]
    due[rng.permutation(orders)[: orders // 2]] = -1
    return due
