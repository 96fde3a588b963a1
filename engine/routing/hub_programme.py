"""The best way to ship one order with a parcel that a hub packs: a programme over sets of its lines, for every stop.

With w(S) the least that any node takes to bring the lines S by then, q(S) the least for S in any parts, and c(S) what
the hub takes to pack and ship S, the best over one stop is

    min over S of  min over O ⊂ S of (own(O) + q(S \\ O)) + c(S) + direct(all \\ S)

where direct(R) is the least for the lines R by parcels of other nodes, or waiting. Exact, but for this: a node may
appear twice among the parcels that are not the hub's, or the parts; so what is found is a bound from below, and `best`
merges what is of one node. Not here: what parcels cost (hub_tables.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.routing.hub_offers import OWN, HubOffers
from engine.routing.hub_tables import NEVER_CENTS, Parcels
from solvers.problem import IntArray


class Part(NamedTuple):
    """Lines (as a mask) that a leg brings to a hub, or (`OWN`) that it has itself; `node` has them."""

    leg: int
    node: int
    mask: int


class Direct(NamedTuple):
    """Lines (as a mask) that a node ships itself; `row` is its place among the order's candidates."""

    row: int
    mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPattern:
    """How an order goes over a hub; lines in no mask wait."""

    stop: int
    parts: tuple[Part, ...]
    direct: tuple[Direct, ...]

    @property
    def mask(self) -> int:
        """The lines that the hub packs."""
        return sum(part.mask for part in self.parts)

    @property
    def served(self) -> int:
        """The lines that do not wait."""
        return self.mask | sum(each.mask for each in self.direct)


class Prices(NamedTuple):
    """Costs of all parcels and parts in one unit of money, by set of lines, as in `Parcels`."""

    direct: IntArray
    onward: IntArray
    part: IntArray
    short: IntArray
    split: int


class Stop(NamedTuple):
    """The parts that are there by a moment, and what they come to; `by` (masks,) names the cheapest leg's part."""

    sent: IntArray
    by: IntArray
    gathered: IntArray
    own: IntArray | None
    own_part: int
    packed: IntArray


def least(parcels: Parcels, offers: HubOffers, prices: Prices) -> int:
    """Return a lower bound of all ways to ship the order over some hub; `NEVER_CENTS` or more if there is none."""
    found = _found(parcels, offers, prices)
    return min((value for value, *_ in found), default=NEVER_CENTS)


def best(parcels: Parcels, offers: HubOffers, prices: Prices) -> HubPattern | None:
    """Return the cheapest way over a hub, None if there is none."""
    found = _found(parcels, offers, prices)
    value, stop, mask, rest, made = min(found, key=lambda each: each[:2], default=(NEVER_CENTS, 0, 0, None, None))
    if value >= NEVER_CENTS or rest is None or made is None:
        return None
    return HubPattern(
        stop=stop,
        parts=_parts(parcels, made, mask),
        direct=direct_parcels(rest, prices, len(made.packed) - 1 ^ mask),
    )


class Rest(NamedTuple):
    """The least for every set of lines without a hub, by how many parcels it may be; with one table, by any number.

    `parcel` (masks,) is the cheapest of each set with the split it pays for, `row` its candidate.
    """

    tables: list[IntArray]
    parcel: IntArray
    row: IntArray
    limited: bool


def _found(parcels: Parcels, offers: HubOffers, prices: Prices) -> list[tuple[int, int, int, Rest, Stop]]:
    """Return the best of every stop: value, stop, what the hub packs, the direct rest, and the parts."""
    found = list[tuple[int, int, int, Rest, Stop]]()
    if parcels.most < 1:
        return found
    moment = np.where(parcels.leg == OWN, -1, offers.legs.moment[np.maximum(parcels.leg, 0)])
    for hub in np.unique(parcels.part_hub[parcels.leg != OWN]).tolist():
        rest: Rest | None = None
        for stop in np.flatnonzero(offers.stop_hub == hub).tolist():
            there = (parcels.part_hub == hub) & (parcels.leg != OWN) & (moment <= offers.stop_moment[stop])
            onward = prices.onward[stop]
            if not there.any() or onward.min() >= NEVER_CENTS:
                continue
            made = _gathered(parcels, prices, np.flatnonzero(there), hub, packs_own=bool(offers.packs_own[stop]))
            if rest is None:
                rest = rest_of(prices, parcels.node != hub, parcels.most - 1)
            total = np.minimum(made.packed, NEVER_CENTS) + onward + rest.tables[-1][::-1]
            mask = int(np.argmin(total[1:])) + 1
            if total[mask] < NEVER_CENTS:
                found.append((int(total[mask]), stop, mask, rest, made))
    return found


def _gathered(parcels: Parcels, prices: Prices, there: IntArray, hub: int, *, packs_own: bool) -> Stop:
    """Return what the parts that are there by a stop come to, for every set of lines."""
    place = np.argmin(prices.part[there], axis=0)
    sent, by = prices.part[there][place, np.arange(prices.part.shape[1])], there[place]
    gathered = least_in_parts(sent, np.where(np.arange(len(sent)) > 0, sent, 0))
    own_part = np.flatnonzero((parcels.part_hub == hub) & (parcels.leg == OWN)) if packs_own else np.zeros(0, np.int64)
    packed, own = gathered.copy(), None
    if len(own_part):
        own = prices.part[own_part[0]]
        whole, inner, starts = own_pairs(len(sent))
        packed = np.minimum(packed[1:], np.minimum.reduceat(own[inner] + gathered[whole ^ inner], starts))
        packed = np.concatenate([[NEVER_CENTS], packed])
    packed[0] = NEVER_CENTS
    return Stop(sent, by, gathered, own, int(own_part[0]) if len(own_part) else -1, packed)


def rest_of(prices: Prices, may: NDArray[np.bool_], most: int) -> Rest:
    """Return the least for every set of lines by parcels of candidates that `may`, at most so many parcels."""
    masks = len(prices.short)
    lines, direct = masks.bit_length() - 1, prices.direct[may]
    if not len(direct):
        return Rest([prices.short], np.full(masks, NEVER_CENTS, np.int64), np.zeros(masks, np.int64), True)
    row = np.argmin(direct, axis=0)
    parcel = np.minimum(direct[row, np.arange(masks)] + prices.split, NEVER_CENTS)
    row = np.flatnonzero(may)[row]
    if most >= lines:
        alone = 1 << np.arange(lines)
        parts = parcel.copy()
        parts[alone] = np.minimum(parts[alone], prices.short[alone])
        return Rest([least_in_parts(parts, prices.short)], parcel, row, False)
    tables = [prices.short]
    for _ in range(most):
        found, below = prices.short.copy(), tables[-1]
        for mask in range(1, masks):
            sets, low = with_lowest(mask), mask & -mask
            waits = int(prices.short[low] + found[mask ^ low])
            found[mask] = min(waits, int((parcel[sets] + below[mask ^ sets]).min()))
        tables.append(found)
    return Rest(tables, parcel, row, True)


def least_in_parts(part: IntArray, known: IntArray) -> IntArray:
    """Return the least for every set of lines in any parts; `known` are costs of some way for each, 0 for none."""
    whole, low, starts = low_pairs(len(part))
    found = known
    while True:
        better = np.minimum(found[1:], np.minimum.reduceat(part[low] + found[whole ^ low], starts))
        if np.array_equal(better, found[1:]):
            return found
        found = np.concatenate([found[:1], better])


def _parts(parcels: Parcels, made: Stop, mask: int) -> tuple[Part, ...]:
    """Return the parts of a set of lines, one for each leg."""
    own = 0
    if made.own is not None:
        inner = proper_subsets(mask)[::-1]  # of ways that cost the same, the one that sends less
        own = int(inner[np.argmin(made.own[inner] + made.gathered[mask ^ inner])])
    found: dict[int, int] = {made.own_part: own} if own else {}
    left = mask ^ own
    while left:
        parts = with_lowest(left)
        part = int(parts[np.argmin(made.sent[parts] + made.gathered[left ^ parts])])
        place = int(made.by[part])
        found[place] = found.get(place, 0) | part
        left ^= part
    return tuple(
        Part(int(parcels.leg[place]), int(parcels.part_node[place]), lines) for place, lines in sorted(found.items())
    )


def direct_parcels(rest: Rest, prices: Prices, mask: int) -> tuple[Direct, ...]:
    """Return the parcels that ship a set of lines without the hub, those of one node as one."""
    level, found = len(rest.tables) - 1, dict[int, int]()
    while mask:
        low, table = mask & -mask, rest.tables[level]
        if table[mask] == prices.short[low] + table[mask ^ low]:
            mask ^= low
            continue
        below, parts = rest.tables[level - rest.limited], with_lowest(mask)
        part = int(parts[np.argmin(rest.parcel[parts] + below[mask ^ parts])])
        row = int(rest.row[part])
        found[row] = found.get(row, 0) | part
        mask, level = mask ^ part, level - rest.limited
    return tuple(Direct(row, lines) for row, lines in sorted(found.items()))


@cache
def with_lowest(mask: int) -> IntArray:
    """Return the subsets of a mask that have its lowest line."""
    every: IntArray = np.arange(mask + 1, dtype=np.int64)
    found: IntArray = every[(every & ~mask == 0) & (every & mask & -mask > 0)]
    return found


@cache
def low_pairs(masks: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return all pairs of a mask from 1 on and a subset with its lowest line, and where those of each mask begin."""
    return _pairs([with_lowest(mask) for mask in range(1, masks)])


def _pairs(inner: list[IntArray]) -> tuple[IntArray, IntArray, IntArray]:
    counts = [len(each) for each in inner]
    whole: IntArray = np.repeat(np.arange(1, len(inner) + 1, dtype=np.int64), counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    return whole, np.concatenate(inner), starts


@cache
def proper_subsets(mask: int) -> IntArray:
    """Return the subsets of a mask but itself."""
    every: IntArray = np.arange(mask, dtype=np.int64)
    found: IntArray = every[every & ~mask == 0]
    return found


@cache
def own_pairs(masks: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return all pairs of a mask from 1 on and a proper subset, and where the pairs of each mask begin."""
    return _pairs([proper_subsets(mask) for mask in range(1, masks)])
