"""From packed strings to a StockView; the layout of a cell group is 8 big-endian u32, see lua/cells.lua."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import numpy as np

from engine.inventory.model import KINDS, StockView, Supply
from engine.inventory.quotas import QuotaEntry, quotas_by_place
from engine.inventory.replies import pegs_of, supplies_of

T = TypeVar("T")
Cells = np.ndarray[tuple[int, ...], np.dtype[np.uint32]]
BYTES_PER_NODE = KINDS * 4

Place = tuple[int, int]
"""(SKU index, slot)."""

Entry = tuple[int, int, int, str]
"""(slot, day ordinal, delta, supply_id); dated demand has a negative delta, and an id if it is pegged to a supply."""

Peg = tuple[int, int, str]
"""(day ordinal, units, supply_id) of dated demand that waits for a supply."""

_entries = msgspec.msgpack.Decoder(list[Entry])
_quotas = msgspec.msgpack.Decoder(list[QuotaEntry])
_NONE: Mapping[int, Any] = MappingProxyType({})


def fill_cells(cells: Cells, stock: Sequence[bytes | None]) -> bool:
    """Fill cells, of shape (SKUs, nodes, kinds), from one packed string or None per SKU; False if one is too long."""
    width = cells.shape[1] * BYTES_PER_NODE
    rows = [packed or b"" for packed in stock]
    widths = set(map(len, rows))
    if widths - {width}:
        if max(widths) > width:
            return False
        rows = [packed.ljust(width, b"\0") for packed in rows]
    cells[...] = np.frombuffer(b"".join(rows), dtype=">u4").reshape(cells.shape)
    return True


def view_of(
    *,
    epoch: int,
    node_ids: tuple[str, ...],
    skus: tuple[str, ...],
    cells: Cells,
    schedules: Mapping[int, bytes],
    quotas: Mapping[int, bytes] = _NONE,
) -> StockView:
    """Return the view of cells, and of the packed schedules and quotas by SKU index."""
    return make_view(
        epoch=epoch,
        node_ids=node_ids,
        skus=skus,
        cells=cells,
        entries={i: _entries.decode(packed) for i, packed in schedules.items()},
        quotas={i: _quotas.decode(packed) for i, packed in quotas.items()},
    )


def make_view(
    *,
    epoch: int,
    node_ids: tuple[str, ...],
    skus: tuple[str, ...],
    cells: Cells,
    entries: Mapping[int, Sequence[Entry]],
    quotas: Mapping[int, Sequence[QuotaEntry]] = _NONE,
) -> StockView:
    """Return the view of a cell array, and the schedule and quota entries by SKU index."""
    cells.flags.writeable = False
    found: dict[Place, list[tuple[int, int, str]]] = {}
    schedule: dict[Place, tuple[tuple[int, int], ...]] = {}
    for i, of_sku in entries.items():
        for slot, day, delta, supply_id in of_sku:
            place = (i, slot)
            if place in found:
                found[place].append((day, delta, supply_id))
                schedule[place] = tuple(sorted((*schedule[place], (day, delta))))
            else:
                found[place] = [(day, delta, supply_id)]
                schedule[place] = ((day, delta),)

    def supplies_at(place: Place) -> tuple[Supply, ...]:
        return supplies_of(skus[place[0]], node_ids[place[1]], found[place])

    return StockView(
        epoch=epoch,
        node_ids=node_ids,
        skus=skus,
        cells=cells,
        schedule=schedule,
        supplies=_WhenAsked(found, supplies_at),
        pegs=_WhenAsked(found, lambda place: pegs_of(found[place])),
        quotas=quotas_by_place(quotas),
    )


class _WhenAsked(Mapping[Place, tuple[T, ...]]):
    """What is made of the entries of each place, where it is anything; made when it is first asked for.

    Availability and promises read schedules only, and would spend half of their time on the names of supplies.
    """

    def __init__(self, places: Collection[Place], make: Callable[[Place], tuple[T, ...]]) -> None:
        self._places = places
        self._make = make
        self._made: dict[Place, tuple[T, ...]] | None = None

    def __getitem__(self, place: Place) -> tuple[T, ...]:
        if self._made is not None:
            return self._made[place]
        made = self._make(place) if place in self._places else ()
        if not made:
            raise KeyError(place)
        return made

    def __iter__(self) -> Iterator[Place]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[Place, tuple[T, ...]]:
        if self._made is None:
            self._made = {place: made for place in self._places if (made := self._make(place))}
        return self._made


def with_quotas(view: StockView, quotas: Mapping[int, bytes | None]) -> StockView:
    """Return the view with the packed quotas of some SKU indices (None: there are none) in place of what it had."""
    kept = {place: found for place, found in view.quotas.items() if place[0] not in quotas}
    fresh = quotas_by_place({row: _quotas.decode(packed) for row, packed in quotas.items() if packed is not None})
    return msgspec.structs.replace(view, quotas=kept | fresh)


def scheduled_of(
    sku: str, node_id: str, found: Sequence[tuple[int, int, str]]
) -> tuple[tuple[tuple[int, int], ...], tuple[Supply, ...], tuple[Peg, ...]]:
    """Return the (day, delta) of (day, delta, supply_id) entries of one cell, by day, and its supplies and pegs."""
    return tuple(sorted((day, delta) for day, delta, _ in found)), supplies_of(sku, node_id, found), pegs_of(found)
