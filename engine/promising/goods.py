"""An order as freight: handling classes, pieces and cartons of its lines, in the form of the kernels.

Here: what of a line goes into cartons and what travels as it is; where many units of a product are arranged as one
block. Not here: how pieces are placed (solvers/cartons.py), what a carton costs (solvers/promise_freight.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations

import numpy as np

from engine.availability.reference import View
from engine.catalog.model import Catalog
from engine.network.freight import Freight
from engine.promising.request import Asked
from solvers.cartons import BOX_GRAMS, BOX_TARE, join_masks, pack_masks
from solvers.problem import IntArray
from solvers.promise_freight import Goods, plain_goods

Group = tuple[int, ...]
Pack = Callable[[Sequence[Group]], Goods]
Piece = tuple[int, int, int, int]
"""Edges, descending, and grams."""
Size = tuple[int, int, int]
Closed = tuple[int, int, int, int, int, int]
"""A row of `Goods.cartons`."""

PLAIN_GOODS = plain_goods()
MOST_APART = 6
"""Units of a product in a line that are placed one by one; more are arranged as blocks."""
MOST_PIECES = 40
"""Units of a whole order that are placed one by one."""
_OWN_BOX = -1
_UNKNOWN = (0, 0, 0)


class Packer:
    """The lines of one order as freight."""

    def __init__(self, asked: Asked, catalog: Catalog, freight: Freight) -> None:
        lines = [(line.quantity, content) for line, content in zip(asked.lines, asked.contents, strict=True)]
        self._lines, self._catalog, self._freight = lines, catalog, freight
        self._area, self._whole = asked.terms.area, asked.terms.whole
        units = sum([quantity * each for quantity, content in lines for _, each in content.components])
        self._apart = MOST_APART if units <= MOST_PIECES else 1
        self._bits: list[int] = []
        if freight.bits and catalog.handling:
            bits = [freight.bits_of(catalog.handling.get(line.sku, ())) for line in asked.lines]
            self._bits = bits if any(bits) else []
        self._is_boxed = asked.place is not None and (
            len(freight.box_ids) > 0
            or (freight.is_sized and bool(catalog.sizes))
            or (bool(catalog.ship_alone) and any(p in catalog.ship_alone for _, c in lines for p, _ in c.components))
        )

    def goods(self, groups: Sequence[Group]) -> Goods:
        """Return the goods of an order whose lines are these groups of lines."""
        goods = self.unpacked(groups)
        if not self._is_boxed:
            return goods
        starts, cartons, packaging = self._cartons(groups)
        return goods._replace(carton_start=starts, cartons=cartons, packaging=packaging)

    def unpacked(self, groups: Sequence[Group]) -> Goods:
        """Return the same without cartons."""
        goods = PLAIN_GOODS._replace(area=self._area, plain=not (self._is_boxed or self._area.shape[1]))
        if self._bits:
            goods = goods._replace(handling=np.array([self._union(group) for group in groups], dtype=np.int64))
        if self._whole:
            goods = goods._replace(whole=np.array(list(self._whole_masks(groups)), dtype=np.int64))
        return goods

    def _union(self, group: Group) -> int:
        union = 0
        for line in group:
            union |= self._bits[line]
        return union

    def _whole_masks(self, groups: Sequence[Group]) -> Iterator[int]:
        """Yield each set as a mask; with a bit that no mask has if one of its lines is in no group."""
        of_line = {line: place for place, group in enumerate(groups) for line in group}
        for lines in self._whole:
            mask = 0
            for line in lines:
                mask |= 1 << of_line.get(line, len(groups))
            yield mask

    def _cartons(self, groups: Sequence[Group]) -> tuple[IntArray, IntArray, IntArray]:
        line_of: list[int] = []
        pieces: list[Piece] = []
        closed_line: list[int] = []
        closed: list[Closed] = []
        loose = np.zeros((len(groups), 5), dtype=np.int64)
        for place, group in enumerate(groups):
            for line in group:
                quantity, content = self._lines[line]
                for sku, each in content.components:
                    for kind in self._parts(sku, quantity * each, loose[place]):
                        if len(kind) == 4:
                            line_of.append(place)
                            pieces.append(kind)
                        else:
                            closed_line.append(place)
                            closed.append(kind)
        sealed = np.array(closed, dtype=np.int64).reshape(-1, 6)
        of_sealed = np.array(closed_line, dtype=np.int64)
        if not self._freight.box_ids:
            return join_masks(loose, of_sealed, sealed, len(groups))
        table = np.array(pieces, dtype=np.int64).reshape(-1, 4)
        return pack_masks(
            np.array(line_of, dtype=np.int64),
            table,
            self._freight.boxes,
            of_sealed,
            sealed,
            len(groups),
        )

    def _parts(self, sku: str, quantity: int, loose: IntArray) -> Iterable[Piece | Closed]:
        """Return what so many units of a product are: pieces to be packed, and rows that travel as they are.

        Without cartons, what is not alone is added to `loose` (5,) instead.
        """
        grams, size = self._catalog.content[sku].weight_g, self._catalog.sizes.get(sku, _UNKNOWN)
        volume, girth = size[0] * size[1] * size[2], size[0] + 2 * (size[1] + size[2])
        is_alone = sku in self._catalog.ship_alone
        if not is_alone and not self._freight.box_ids:
            loose[:3] += (quantity, quantity * grams, quantity * volume)
            loose[3], loose[4] = max(loose[3], size[0]), max(loose[4], girth)
            return ()
        box = None if is_alone else self._roomiest(size, grams)
        if box is None:
            return ((quantity, grams, volume, size[0], girth, _OWN_BOX),)
        if quantity <= self._apart and volume:
            return ((*size, grams),) * quantity
        return self._blocks(quantity, grams, size, box)

    def _blocks(self, quantity: int, grams: int, size: Size, box: int) -> Iterator[Piece | Closed]:
        """Yield cartons full of a product, and the rest: as pieces if they are few, else as a block."""
        edges = self._freight.box_rows[box]
        most, counts, turned = _grid(size, grams, edges, quantity)
        full = (quantity - 1) // most
        if full:
            weight_g = most * grams + edges[BOX_TARE]
            yield full, weight_g, edges[0] * edges[1] * edges[2], edges[0], edges[0] + 2 * (edges[1] + edges[2]), box
        rest = quantity - full * most
        if rest <= self._apart and size[0]:
            yield from ((*size, grams) for _ in range(rest))
        else:
            yield _block(rest, counts, turned, rest * grams)

    def _roomiest(self, size: Size, grams: int) -> int | None:
        """Return the largest carton that takes a unit, or None; of unknown size, the one that holds most grams."""
        rows = self._freight.box_rows
        if size[0] == 0:
            box = max(range(len(rows)), key=lambda i: (rows[i][BOX_GRAMS], -i))
            return box if grams <= rows[box][BOX_GRAMS] else None
        for box in range(len(rows) - 1, -1, -1):
            x, y, z, most_g = rows[box][: BOX_GRAMS + 1]
            if grams <= most_g and size[0] <= x and size[1] <= y and size[2] <= z:
                return box
        return None


def packer_of(asked: Asked, view: View) -> tuple[Goods, Pack]:
    """Return the lines of an order as goods not yet packed, and what turns them, in groups, into packed ones.

    Packing many lines takes milliseconds, and may be left to a thread.
    """
    catalog, freight, terms = view.catalog, view.network.freight, asked.terms
    is_plain = terms.area.shape[1] == 0 and not (terms.whole or freight.is_sized or catalog.ship_alone)
    if is_plain and not (freight.bits and catalog.handling):
        return PLAIN_GOODS, plain
    packer = Packer(asked, catalog, freight)
    return packer.unpacked([(line,) for line in range(len(asked.lines))]), packer.goods


def copied_pack(pack: Pack, origin: Sequence[int]) -> Pack:
    """Return what packs an order, with the surcharges of services that are copies; `origin` says of which."""
    if pack is plain:
        return pack

    def packed(groups: Sequence[Group]) -> Goods:
        goods = pack(groups)
        if not goods.area.shape[1]:
            return goods
        # Another layout in memory would be another type, for which every kernel is compiled once more.
        return goods._replace(area=np.ascontiguousarray(goods.area[:, list(origin)]))

    return packed


def plain(_: Sequence[Group]) -> Goods:
    """Return the goods of every order for which only weight counts."""
    return PLAIN_GOODS


def _grid(
    size: tuple[int, int, int], grams: int, box: Sequence[int], quantity: int
) -> tuple[int, tuple[int, int, int], tuple[int, int, int]]:
    """Return how many units fit into a carton in rows, the counts along its edges, and the unit's edges along them."""
    most = quantity if grams == 0 else min(quantity, box[BOX_GRAMS] // grams)
    if size[0] == 0:
        return most, (1, 1, most), size
    best = max(
        (((box[0] // x, box[1] // y, box[2] // z), (x, y, z)) for x, y, z in permutations(size)),
        key=lambda found: found[0][0] * found[0][1] * found[0][2],
    )
    return min(most, best[0][0] * best[0][1] * best[0][2]), *best


def _block(units: int, counts: tuple[int, int, int], turned: tuple[int, int, int], grams: int) -> Piece:
    """Return the block of so many units: rows along the first edge, rows side by side, layers of those."""
    along = min(units, counts[0])
    beside = min(-(-units // along), counts[1])
    layers = -(-units // (along * beside))
    longest, middle, shortest = sorted((along * turned[0], beside * turned[1], layers * turned[2]), reverse=True)
    return longest, middle, shortest, grams
