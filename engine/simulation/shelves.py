"""What really lies on the shelves, where that is not what was counted.

Counts are wrong from the beginning of a story, by `Operations.inaccurate_share`; a node finds out when it picks. Not
here: the counts (the inventory), what becomes of a short pick (releasing.py).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from engine.bootstrap import Engine
from engine.inventory.model import MAX_UNITS
from engine.scenarios.story import Story
from engine.simulation.luck import Luck
from engine.simulation.world import on_hand


class Shelves:
    """Knows by how much positions are wrong, and what is being picked of them."""

    def __init__(self, story: Story, luck: Luck) -> None:
        self._wrong = _wrong_counts(story, luck)
        self._taken = Counter[tuple[str, str]]()

    async def missing(self, engine: Engine, sku: str, node_id: str, quantity: int) -> int:
        """Return how many units of a pick are not there."""
        wrong = self._wrong.get((sku, node_id), 0)
        if wrong >= 0:
            return 0
        there = (await on_hand(engine, sku, node_id) or 0) + wrong - self._taken[sku, node_id]
        return min(quantity, max(0, quantity - there))

    def take(self, sku: str, node_id: str, units: int) -> None:
        """Note units that are being picked, or with a negative number those that left or were put back."""
        self._taken[sku, node_id] += units
        if not self._taken[sku, node_id]:
            del self._taken[sku, node_id]

    def put_right(self, sku: str, node_id: str, units: int) -> None:
        """Note units that were counted and not there, and are counted no more."""
        wrong = self._wrong.get((sku, node_id), 0)
        if wrong < 0:
            self._wrong[sku, node_id] = min(0, wrong + units)


def _wrong_counts(story: Story, luck: Luck) -> dict[tuple[str, str], int]:
    """Return by SKU and node how many units more there are than counted, where it is not none."""
    share, mean = story.operations.inaccurate_share, story.operations.inaccurate_units
    positions = [each for each in story.world.positions if 0 < each.units < MAX_UNITS]
    if share <= 0 or not positions:
        return {}
    keys = np.arange(len(positions))
    wrong, size, side = (luck.of_each(f"counts: {name}", keys) for name in ("wrong", "size", "side"))
    stays = 1 - 1 / max(mean, 1.0)
    units = np.ones(len(positions), np.int64)
    if stays > 0:
        units += np.floor(np.log1p(-size) / np.log(stays)).astype(np.int64)
    signed = np.where(side < 0.5, -units, units)
    return {
        (positions[i].sku, positions[i].node_id): max(int(signed[i]), -positions[i].units)
        for i in np.flatnonzero(wrong < share).tolist()
    }
