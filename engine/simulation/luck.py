"""The luck of one replication: a draw for each cause and key, the same whoever asks, and when."""

from __future__ import annotations

from numpy.typing import ArrayLike

from engine.scenarios.story import Story
from engine.scenarios.streams import Floats, joined, uniforms


class Luck:
    """Draws numbers in [0, 1) by the seed of a story and a replication."""

    def __init__(self, story: Story, replication: int) -> None:
        self._seed, self._replication = story.seed, replication

    def of(self, cause: str, key: int, *parts: int) -> float:
        """Return the draw of one key, or of a part of it, or of a part of that."""
        for part in parts:
            key = int(joined([key], [part])[0])
        return float(self.of_each(cause, [key])[0])

    def of_each(self, cause: str, keys: ArrayLike) -> Floats:
        """Return the draw of each key."""
        return uniforms(self._seed, self._replication, cause, keys)
