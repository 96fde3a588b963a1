"""Reading the stock of many SKUs in pieces, so that neither the store nor the event loop works on it for long at once.

A routing run may ask for ten thousand SKUs at two hundred nodes: 64 MB, which one call would have everybody else wait
for. Each SKU is as it was at one instant; not all of them at the same. Not here: reading (the stores).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from engine.inventory.model import KINDS, StockView
from engine.inventory.store import InventoryStore

SKUS_AT_ONCE = 400
T = TypeVar("T")


async def read_in_pieces(inventory: InventoryStore, skus: Sequence[str]) -> StockView:
    """Return the stock of `skus`, of each as it is when its piece is read; raises what `InventoryStore.read` raises."""
    if len(skus) <= SKUS_AT_ONCE:
        return await inventory.read(skus)
    starts = range(0, len(skus), SKUS_AT_ONCE)
    views = [await inventory.read(skus[start : start + SKUS_AT_ONCE]) for start in starts]
    widest = max((view.node_ids for view in views), key=len)
    if any(view.node_ids != widest[: len(view.node_ids)] for view in views):
        return await inventory.read(skus)  # their slots are not the same: of several partitions, or of replaced data
    return await asyncio.to_thread(_joined, views, widest)


def _joined(views: Sequence[StockView], node_ids: tuple[str, ...]) -> StockView:
    """Return one view of all SKUs; its epoch is the earliest, since a view may be newer than that, never older."""
    first = np.cumsum([0, *(len(view.skus) for view in views)]).tolist()
    cells = np.zeros((first[-1], len(node_ids), KINDS), np.uint32)
    for at, view in zip(first, views, strict=False):
        cells[at : at + len(view.skus), : len(view.node_ids)] = view.cells
    cells.flags.writeable = False
    return StockView(
        epoch=min(view.epoch for view in views),
        node_ids=node_ids,
        skus=tuple(sku for view in views for sku in view.skus),
        cells=cells,
        schedule=_moved([view.schedule for view in views], first),
        supplies=_moved([view.supplies for view in views], first),
        pegs=_moved([view.pegs for view in views], first),
        quotas=_moved([view.quotas for view in views], first),
    )


def _moved(parts: Sequence[Mapping[tuple[int, int], T]], first: Sequence[int]) -> dict[tuple[int, int], T]:
    """Return what all parts have by (SKU index, slot), with the index in all SKUs."""
    return {
        (at + row, slot): value for at, part in zip(first, parts, strict=False) for (row, slot), value in part.items()
    }
