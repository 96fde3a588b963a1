"""Patterns as arrays to draw from: cumulative shares, places, products with the steps they are ordered in.

Here: the compiled form, and every fault that needs the network or the catalog to be found. Not here: the draws
(generated.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import get_args

import numpy as np

from engine.catalog.document import CatalogDocument
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.network.document import NetworkDocument, Weekday
from engine.scenarios.orders import Floats, Integers
from engine.scenarios.patterns import PatternsDocument
from engine.scenarios.place_shares import Places, places_of

HOURS = 24
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """Patterns ready to be drawn from; `…_edges` are cumulative shares that begin with 0 and end with 1.

    `orders_per_day` (7,) and `hour_edges` (7, 25) go by weekday from Monday on. `line_counts` and `quantities` are
    values, their edges beside them; `need_by_days` ends with −1, for the share of orders without a date.
    """

    orders_per_day: Floats
    is_exact: bool
    variation: float
    hour_edges: Floats
    skus: tuple[str, ...]
    sku_edges: Floats
    least: Integers
    step: Integers
    line_counts: Integers
    line_edges: Floats
    quantities: Integers
    quantity_edges: Floats
    together: float
    theme_skus: int
    channels: tuple[str, ...]
    channel_edges: Floats
    need_by_days: Integers
    need_by_edges: Floats
    places: Places
    place_edges: Floats


def compile_patterns(
    document: PatternsDocument, network: NetworkDocument, catalog: CatalogDocument, folder: Path = Path()
) -> Patterns:
    """Return a document ready to be drawn from; raises InvalidInput with every fault, paths from `$`.

    A file of places is read from `folder`.
    """
    faults: list[Fault] = []
    shares = _products(document, catalog, faults)
    places = places_of(document, network, folder, faults)
    if faults:
        raise InvalidInput(faults)
    steps = {product.sku: (product.min_quantity, product.quantity_step) for product in catalog.products}
    hours = (1.0,) * HOURS if document.hours is None else document.hours
    undated = max(0.0, 1.0 - sum(document.need_by_days.values()))
    return Patterns(
        orders_per_day=np.array([document.orders_per_day * document.weekdays.get(day, 1.0) for day in _WEEKDAYS]),
        is_exact=document.counts == "exact",
        variation=document.variation,
        hour_edges=np.stack([_edges(document.weekday_hours.get(day, hours)) for day in _WEEKDAYS]),
        skus=tuple(shares),
        sku_edges=_edges(shares.values()),
        least=np.array([steps.get(sku, (1, 1))[0] for sku in shares], np.int64),
        step=np.array([steps.get(sku, (1, 1))[1] for sku in shares], np.int64),
        line_counts=np.array(list(document.lines), np.int64),
        line_edges=_edges(document.lines.values()),
        quantities=np.array(list(document.quantities), np.int64),
        quantity_edges=_edges(document.quantities.values()),
        together=document.together,
        theme_skus=document.theme_skus,
        channels=tuple(document.channels),
        channel_edges=_edges(document.channels.values()),
        need_by_days=np.array([*document.need_by_days, -1], np.int64),
        need_by_edges=_edges([*document.need_by_days.values(), undated]),
        places=places,
        place_edges=_edges(places.share.tolist()),
    )


def _edges(shares: Iterable[float]) -> Floats:
    """Return cumulative shares from 0 to exactly 1; what comes after the last share above 0 is never drawn."""
    edges = np.concatenate([[0.0], np.cumsum(list(shares))])
    return np.where(edges >= edges[-1], 1.0, edges / edges[-1])


def _products(document: PatternsDocument, catalog: CatalogDocument, faults: list[Fault]) -> Mapping[str, float]:
    """Return the share of each SKU; without a list, ranks are drawn by the names, so that their order means nothing."""
    if document.products is not None:
        known = [*(product.sku for product in catalog.products), *(kit.sku for kit in catalog.kits)]
        of_catalog = frozenset(known)
        faults += [
            Fault(path=f"$.products.{sku}", message=f"{sku!r} is not in the catalog; {nearest(sku, known)}")
            for sku in document.products
            if sku not in of_catalog
        ]
        return document.products
    names = [product.sku for product in catalog.products]
    by_chance = sorted(names, key=lambda sku: (blake2b(sku.encode(), digest_size=8).digest(), sku))
    rank = {sku: place for place, sku in enumerate(by_chance, 1)}
    return {sku: rank[sku] ** -document.popularity for sku in names}
