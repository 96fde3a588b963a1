"""What a parcel of a promise costs to carry, and whether a service may carry it: the one definition.

Here: rates by weight and volume, carton by carton, surcharges, fuel, handling classes. Not here: which cartons a parcel
needs (cartons.py), what the node costs, days (promise_parcels.py). Money is whole cents, weights grams, lengths
millimetres, volumes cubic millimetres; sets of handling classes are bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.kernels import inner
from solvers.problem import IntArray

BoolArray = NDArray[np.bool_]

DIM_DIVISOR, FUEL, LONGEST_MM, GIRTH_MM, HEAVIEST_G, OVERSIZE_CENTS, BARS = range(7)
"""Columns of `Rules.service`: mm³ that count as a gram (0: volume does not count), fuel in basis points, the longest
edge, length plus girth and weight of a carton above which it is oversize, what that costs, the handling classes that
the service does not carry."""

COUNT, WEIGHT_G, VOLUME_MM3, LONGEST, GIRTH, BOX = range(6)
"""Columns of `Goods.cartons`: how many alike, and weight, volume, longest edge, length plus girth and kind of each."""

RESIDENTIAL_CENTS, REMOTE_CENTS = 0, 1
"""Rows of `Goods.area`."""

NO_LIMIT = 2**60


class Rules(NamedTuple):
    """What a network says beside rates: `node_bars` (nodes,), classes a node does not handle; `service` (services, 7).

    If `plain`, no service adds anything to its rates.
    """

    node_bars: IntArray
    service: IntArray
    plain: bool


class Cards(NamedTuple):
    """What nodes and services cost; the weight steps of (service × `zones` + zone) are compressed rows."""

    parcel_cost: IntArray
    unit_cost: IntArray
    serves: BoolArray
    offset: IntArray
    max_weight_g: IntArray
    cost: IntArray
    transit_days: IntArray
    zones: int
    rules: Rules


class Goods(NamedTuple):
    """What an order's lines are as freight; each array is empty where nothing of the kind is there.

    `handling` (lines,) are classes; `whole` are masks of lines that are served together or not at all; `area`
    (2, services) is what each carton to this destination costs more; `cartons` (rows, 6) of mask m are
    `carton_start[m]:carton_start[m + 1]`, without them a parcel is one carton of its weight and no volume; `packaging`
    (masks,) is what they cost. If `plain`, rates are all there is to pay.
    """

    handling: IntArray
    whole: IntArray
    area: IntArray
    carton_start: IntArray
    cartons: IntArray
    packaging: IntArray
    plain: bool


class Bill(NamedTuple):
    """What one parcel costs beside the node's cost; `transit_days` is -1 if the service cannot carry it."""

    rate: int
    residential: int
    remote: int
    oversize: int
    fuel: int
    packaging: int
    transit_days: int


def plain_rules(nodes: int, services: int) -> Rules:
    """Return the rules of a network that has none."""
    return Rules(np.zeros(nodes, dtype=np.int64), np.zeros((services, 7), dtype=np.int64), True)


def plain_goods() -> Goods:
    """Return the goods of an order for which only weight counts."""
    none, table = np.zeros(0, dtype=np.int64), np.zeros((0, 6), dtype=np.int64)
    return Goods(none, none, np.zeros((2, 0), dtype=np.int64), none, table, none, True)


@njit(cache=True, nogil=True)
def mask_unions(bits: IntArray, masks: int) -> IntArray:
    """Return the union of the bits of the lines of every mask; `bits` may be empty."""
    unions = np.zeros(masks, dtype=np.int64)
    for line in range(bits.shape[0]):
        bit = 1 << line
        for rest in range(bit):
            unions[bit | rest] = unions[rest] | bits[line]
    return unions


@inner
def is_torn(mask: int, whole: IntArray) -> bool:
    """Say whether a mask has some, but not all, lines of a set that must stay whole."""
    torn = False
    for lines in whole:
        torn = torn or (mask & lines != 0 and mask & lines != lines)
    return torn


@njit(cache=True, nogil=True, inline="always")
def rate_step(cards: Cards, cell: int, weight_g: int) -> int:
    """Return the lightest weight step that carries a weight, -1 if none does."""
    low, high = cards.offset[cell], cards.offset[cell + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if cards.max_weight_g[middle] >= weight_g:
            high = middle
        else:
            low = middle + 1
    return low if low < end else -1


@njit(cache=True, nogil=True, inline="always")
def carriage(cards: Cards, goods: Goods, service: int, zone: int, mask: int, weight_g: int) -> Bill:
    """Return what a service takes for a parcel: each carton its rate and surcharges, and fuel on their sum.

    The weight that counts is the larger of the carton's own and its volume by the service's divisor, rounded up. Fuel
    is rounded half up, once for the parcel. The slowest carton says how many days it takes.
    """
    rule = cards.rules.service[service]
    boxed = goods.carton_start.shape[0] > 0
    first, last = (goods.carton_start[mask], goods.carton_start[mask + 1]) if boxed else (0, 1)
    rate, oversize, cartons, transit_days = 0, 0, 0, 0
    for at in range(first, last):
        count, grams, longest, girth = 1, weight_g, 0, 0
        counted = grams
        if boxed:
            count, grams = goods.cartons[at, COUNT], goods.cartons[at, WEIGHT_G]
            longest, girth = goods.cartons[at, LONGEST], goods.cartons[at, GIRTH]
            counted = grams
            if rule[DIM_DIVISOR] > 0:
                counted = max(grams, -(-goods.cartons[at, VOLUME_MM3] // rule[DIM_DIVISOR]))
        step = rate_step(cards, service * cards.zones + zone, counted)
        if step < 0:
            return Bill(0, 0, 0, 0, 0, 0, -1)
        rate += count * cards.cost[step]
        cartons += count
        transit_days = max(transit_days, cards.transit_days[step])
        if longest > rule[LONGEST_MM] or girth > rule[GIRTH_MM] or grams > rule[HEAVIEST_G]:
            oversize += count * rule[OVERSIZE_CENTS]
    residential, remote = 0, 0
    if goods.area.shape[1] > 0:
        residential = cartons * goods.area[RESIDENTIAL_CENTS, service]
        remote = cartons * goods.area[REMOTE_CENTS, service]
    base = rate + residential + remote + oversize
    # Whole and rest apart, as their product with the basis points might not fit into 64 bits.
    fuel = base // 10_000 * rule[FUEL] + (base % 10_000 * rule[FUEL] + 5_000) // 10_000
    packaging = goods.packaging[mask] if boxed else 0
    return Bill(rate, residential, remote, oversize, fuel, packaging, transit_days)
