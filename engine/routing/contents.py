"""What is in an order's parcels, as far as it prices them: weight by volume, boxes, and what is oversize by itself.

The solver adds up weights and prices parcels by their sum. So a product weighs what its volume counts for, by the
divisor that most services have; a parcel heavier than a box goes in several; and where one product is oversize for a
service, every parcel of its order is. A service for which volume counts for less is not held to its heaviest step by
that, but to each line as it counts itself. Not here: cartons as they are packed, and what they cost
(engine/promising/goods.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from engine.availability.reference import View
from engine.network.model import Network
from engine.routing.model import OpenOrder, OrderLine
from solvers.promise_freight import DIM_DIVISOR, GIRTH_MM, HEAVIEST_G, LONGEST_MM

_UNKNOWN = (0, 0, 0)


class Boxing(NamedTuple):
    """How the parcels of an order are boxed: at most `box_g` grams in a box (0: all in one).

    `oversize` are the services for which a box is, whatever it weighs; `is_own`, that boxes are those of products, of
    which that says all.
    """

    box_g: int = 0
    oversize: tuple[int, ...] = ()
    is_own: bool = False


NO_BOXING = Boxing()


class Contents:
    """The products of a view, each looked at once."""

    def __init__(self, view: View) -> None:
        self._catalog, self._freight = view.catalog, view.network.freight
        counted = Counter(self._freight.service[:, DIM_DIVISOR].tolist())
        self._divisor = max(counted, key=lambda divisor: (counted[divisor], divisor), default=0)
        boxes = self._freight.box_rows
        self._edges = [box[:3] for box in boxes]
        self._box_g = max((box[3] for box in boxes), default=0)
        self._of_sku: dict[str, Boxing] = {}
        self._is_divided = view.network.policy.line_split == "allowed"
        divisors = self._freight.service[:, DIM_DIVISOR].tolist()
        self.light = {
            v: (divisor, _heaviest_step(view.network, v))
            for v, divisor in enumerate(divisors)
            if self._divisor and self._catalog.sizes and (divisor == 0 or divisor > self._divisor)
        }
        """The services for which volume counts for less, their divisors, and the grams of their last steps."""
        self._is_plain = not boxes and not self._catalog.ship_alone and not self._catalog.sizes

    def counted_g(self, sku: str) -> int:
        """Return the grams that a unit counts for."""
        return self._by_volume(sku, self._divisor)

    def too_heavy(self, order: OpenOrder) -> set[int]:
        """Return the services for which volume counts for less that do not carry some line, as they count."""
        return {
            v
            for v, (divisor, most_g) in self.light.items()
            if any(self._in_one(line) * self._by_volume(line.sku, divisor) > most_g for line in order.lines)
        }

    def _in_one(self, line: OrderLine) -> int:
        """Return how many units of a line are in one box at least."""
        return 1 if self._edges or self._is_divided or line.sku in self._catalog.ship_alone else line.quantity

    def _by_volume(self, sku: str, divisor: int) -> int:
        grams = self._catalog.content[sku].weight_g
        if not divisor:
            return grams
        longest, middle, shortest = self._catalog.sizes.get(sku, _UNKNOWN)
        return max(grams, -(-longest * middle * shortest // divisor))

    def boxing_of(self, order: OpenOrder) -> Boxing:
        """Return how an order is boxed."""
        if self._is_plain:
            return NO_BOXING
        found = [self._boxing(line.sku) for line in order.lines]
        own = [each.box_g for each in found if each.box_g]
        oversize = sorted({v for each in found for v in each.oversize})
        return Boxing(box_g=max(own, default=self._box_g), oversize=tuple(oversize), is_own=bool(own))

    def heaviest_g(self, orders: Sequence[OpenOrder]) -> int:
        """Return what the heaviest order counts for; 0 where none is in several boxes."""
        if self._is_plain:
            return 0
        return max((sum(line.quantity * self.counted_g(line.sku) for line in o.lines) for o in orders), default=0)

    def _boxing(self, sku: str) -> Boxing:
        """Return the box of a product's own, if it travels in one, and for which services it is oversize then."""
        if sku not in self._of_sku:
            size, grams = self._catalog.sizes.get(sku, _UNKNOWN), self._catalog.content[sku].weight_g
            alone = sku in self._catalog.ship_alone or (bool(self._edges) and not self._fits(size, grams))
            is_bare = alone or not self._edges
            self._of_sku[sku] = Boxing(
                box_g=max(self.counted_g(sku), 1) if alone else 0,
                oversize=self._oversize(size, grams if alone else 0) if is_bare else (),
            )
        return self._of_sku[sku]

    def _fits(self, size: tuple[int, int, int], grams: int) -> bool:
        return grams <= self._box_g and any(
            all(edge <= most for edge, most in zip(size, box, strict=True)) for box in self._edges
        )

    def _oversize(self, size: tuple[int, int, int], grams: int) -> tuple[int, ...]:
        girth = size[0] + 2 * (size[1] + size[2])
        return tuple(
            v
            for v, rule in enumerate(self._freight.service.tolist())
            if size[0] > rule[LONGEST_MM] or girth > rule[GIRTH_MM] or grams > rule[HEAVIEST_G]
        )


def _heaviest_step(network: Network, service: int) -> int:
    zones, rates = len(network.zones), network.rates
    first, last = int(rates.offsets[service * zones]), int(rates.offsets[(service + 1) * zones])
    return int(rates.max_weight_g[first:last].max(initial=0))
