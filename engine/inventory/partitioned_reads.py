"""Reading stock from several partitions into one view, consistent within each partition.

Each partition numbers its nodes by itself, so columns are put side by side by name: in the order in which this process
has met them. The epoch is the sum of those of the partitions read: each only grows, so it moves with every change.
Not here: reading one partition (redis_reads.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.inventory.model import KINDS, StockView, Supply
from engine.inventory.partition import Partition
from engine.inventory.partitions import Partitions
from engine.inventory.quotas import Quota


class PartitionedView(StockView, frozen=True, kw_only=True, eq=False):
    """A view of several partitions, with the view of each, by which it is refreshed."""

    parts: tuple[StockView, ...]


class PartitionedReads:
    """Reads of all partitions of a tenant."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._all = partitions
        self._hashing = Partitions(number=len(partitions))
        self._columns: dict[str, int] = {}

    async def read(self, skus: Sequence[str]) -> StockView:
        """Return the stock of `skus`, in their order; one round trip to each partition that has some of them."""
        shares = self._hashing.split(skus, skus)
        asked = [self._all[each].store.read([sku for _, sku in share]) for each, share in shares.items()]
        return self._joined(tuple(skus), await asyncio.gather(*asked))

    async def snapshot(self) -> StockView:
        """Return the stock of every SKU, sorted; each partition's at one instant."""
        parts = await asyncio.gather(*(each.store.snapshot() for each in self._all))
        return self._joined(_sorted_skus(parts), parts)

    async def refresh(self, view: StockView) -> StockView:
        """Return the stock of every SKU now, from an earlier snapshot."""
        if not isinstance(view, PartitionedView) or len(view.parts) != len(self._all):
            return await self.snapshot()
        pairs = zip(self._all, view.parts, strict=True)
        parts = await asyncio.gather(*(each.store.refresh(part) for each, part in pairs))
        if all(new is old for new, old in zip(parts, view.parts, strict=True)):
            return view
        return self._joined(_sorted_skus(parts), parts)

    def _joined(self, skus: tuple[str, ...], parts: Sequence[StockView]) -> PartitionedView:
        """Return one view of the parts, with rows in the order of `skus`."""
        for part in parts:
            for node_id in part.node_ids:
                self._columns.setdefault(node_id, len(self._columns))
        row_of = {sku: row for row, sku in enumerate(skus)}
        cells: NDArray[np.uint32] = np.zeros((len(skus), len(self._columns), KINDS), dtype=np.uint32)
        schedule: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        supplies: dict[tuple[int, int], tuple[Supply, ...]] = {}
        pegs: dict[tuple[int, int], tuple[tuple[int, int, str], ...]] = {}
        quotas: dict[tuple[int, int], tuple[Quota, ...]] = {}
        for part in parts:
            rows = [row_of[sku] for sku in part.skus]
            columns = [self._columns[node_id] for node_id in part.node_ids]
            if rows and columns:
                cells[np.ix_(rows, columns)] = part.cells
            schedule |= {(rows[i], columns[j]): moves for (i, j), moves in part.schedule.items()}
            supplies |= {(rows[i], columns[j]): found for (i, j), found in part.supplies.items()}
            pegs |= {(rows[i], columns[j]): found for (i, j), found in part.pegs.items()}
            quotas |= {(rows[i], columns[j]): found for (i, j), found in part.quotas.items()}
        cells.flags.writeable = False
        return PartitionedView(
            epoch=sum(part.epoch for part in parts),
            node_ids=tuple(self._columns),
            skus=skus,
            cells=cells,
            schedule=schedule,
            supplies=supplies,
            pegs=pegs,
            quotas=quotas,
            parts=tuple(parts),
        )


def _sorted_skus(parts: Sequence[StockView]) -> tuple[str, ...]:
    return tuple(sorted(sku for part in parts for sku in part.skus))
