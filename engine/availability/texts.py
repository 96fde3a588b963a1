"""The JSON of lines, kept until what it was made of is another: most that is asked of a page is as it was a moment ago.

Stock itself is never kept: it is read for each answer, and a line is written anew unless the cells of its products are
what they were, byte for byte; as they count the events of each position, that says so of supplies and dated demand too.
Lines with quotas, which move with the clock, are always written anew. Not here: how a line is written (answer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.availability.reference import View
from engine.catalog.model import Content
from engine.inventory.model import StockView

MOST_BYTES = 2**25
"""The lines that were asked for longest ago are forgotten beyond so many bytes."""
Asked = tuple[object, ...]
"""What is asked of each line, beside its SKU: days and nodes. Only lines with quotas differ by channel."""


class Texts:
    """The lines of one view, of one day at every node; another view or day begins anew."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._local_day: NDArray[np.int64] | None = None
        self._node_ids: tuple[str, ...] = ()
        self._known: dict[tuple[Asked, str], tuple[bytes, bytes]] = {}
        self._bytes = 0

    def of(
        self,
        contents: Sequence[tuple[str, Content]],
        asked: Asked,
        stock: StockView,
        view: View,
        local_day: NDArray[np.int64],
    ) -> Lines:
        """Return the lines of SKUs, those that are known with their text."""
        if self._view is not view or self._node_ids != stock.node_ids or not self._is_same_day(local_day):
            self._view, self._node_ids, self._local_day = view, stock.node_ids, local_day
            self._known, self._bytes = {}, 0
        made = _cells_of(contents, stock)
        known = self._known
        texts = []
        for (sku, _), of in zip(contents, made, strict=True):
            entry = None if of is None else known.get((asked, sku))
            texts.append(entry[1] if entry is not None and entry[0] == of else None)
        return Lines(contents, texts, lambda new: self._keep(known, asked, contents, made, new))

    def _keep(
        self,
        known: dict[tuple[Asked, str], tuple[bytes, bytes]],
        asked: Asked,
        contents: Sequence[tuple[str, Content]],
        made: Sequence[bytes | None],
        new: Iterable[tuple[int, bytes]],
    ) -> None:
        if self._known is not known:  # begun anew since these lines were asked for
            return
        for place, text in new:
            of, key = made[place], (asked, contents[place][0])
            if of is not None:
                before = known.pop(key, None)
                self._bytes += len(of) + len(text) - (0 if before is None else len(before[0]) + len(before[1]))
                known[key] = of, text
        while self._bytes > MOST_BYTES:
            cells, text = known.pop(next(iter(known)))
            self._bytes -= len(cells) + len(text)

    def _is_same_day(self, local_day: NDArray[np.int64]) -> bool:
        if self._local_day is local_day:
            return True
        is_same = self._local_day is not None and np.array_equal(self._local_day, local_day)
        self._local_day = local_day if is_same else self._local_day
        return is_same


class Lines:
    """The lines of one answer: `texts` has None where one has to be written; `written` takes what was."""

    def __init__(
        self,
        contents: Sequence[tuple[str, Content]],
        texts: list[bytes | None],
        keep: Callable[[list[tuple[int, bytes]]], None],
    ) -> None:
        self.texts = texts
        self.missing = [place for place, text in enumerate(texts) if text is None]
        self.contents = [contents[place] for place in self.missing]
        self._keep = keep

    def written(self, texts: Sequence[bytes]) -> list[bytes]:
        """Return the texts of all lines, those of `missing` being these, and keep them."""
        new = list(zip(self.missing, texts, strict=True))
        self._keep(new)
        for place, text in new:
            self.texts[place] = text
        return [text for text in self.texts if text is not None]


def _cells_of(contents: Sequence[tuple[str, Content]], stock: StockView) -> list[bytes | None]:
    """Return the cells that each line is made of; None where it has quotas."""
    row_of = {sku: row for row, sku in enumerate(stock.skus)}
    limited = {row for row, _ in stock.quotas}
    found: list[bytes | None] = []
    for _, content in contents:
        rows = [row_of[sku] for sku, _ in content.components]
        if limited and not limited.isdisjoint(rows):
            found.append(None)
        else:
            found.append(stock.cells[rows[0] if len(rows) == 1 else rows].tobytes())
    return found
