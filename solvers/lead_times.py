"""What is known of shipments when they are ordered, and how long they took; and the groups to which they belong.

Here: arrays, subsets as of a day, and the codes of groups. Not here: what is learned from them (`date_fit.py`), ids
and dates (`engine/calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from solvers.pooling import Floats, Integers

UNKNOWN = -1
LANE = ("node", "service", "zone")
"""The fields that make a lane."""
WEEK = 7
MOST_BINS = 32
LEAST_IN_BIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Shipments as they are known when they are ordered, one entry each.

    `node`, `service` and `zone` are codes ≥ 0, or -1 for one that history does not have. `ordered_day` counts days, the
    time of day as a fraction; its whole part modulo 7 is the weekday. `has_time` is false where only the date is known.
    `distance_km` and `weight_g` are NaN where unknown.
    """

    node: Integers
    service: Integers
    zone: Integers
    ordered_day: Floats
    has_time: NDArray[np.bool_]
    distance_km: Floats
    weight_g: Floats

    def __len__(self) -> int:
        """Return how many shipments there are."""
        return len(self.node)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Ordered:
        """Return some of the shipments, by index or mask."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Shipments and the whole calendar days each took; one that is still `open` took more than its `days`."""

    ordered: Ordered
    days: Floats
    open: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return how many shipments there are."""
        return len(self.days)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> History:
        """Return some of the shipments, by index or mask."""
        return History(ordered=self.ordered.take(rows), days=self.days[rows], open=self.open[rows])

    def as_of(self, day: int) -> History:
        """Return what was known when a day began: earlier orders, those not delivered before that day as open."""
        before = self.take(self.ordered.ordered_day < day)
        age = day - 1 - np.floor(before.ordered.ordered_day)
        still_open = before.days > age
        return History(ordered=before.ordered, days=np.minimum(before.days, age), open=before.open | still_open)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Where the bins of distance and weight end, by quantiles of the history; empty for a column without values."""

    distance_km: Floats
    weight_g: Floats

    @staticmethod
    def of(ordered: Ordered) -> Edges:
        """Return bins of about equal size, fewer when there are few shipments."""
        return Edges(distance_km=equal_bins(ordered.distance_km), weight_g=equal_bins(ordered.weight_g))

    def codes(self, ordered: Ordered) -> dict[str, Integers]:
        """Return the code of every field that can make a group, each ≥ 0 or -1 where history has no such value."""
        hour = np.floor((ordered.ordered_day % 1) * 24 + 1e-9).astype(np.int64)
        return {
            "node": ordered.node,
            "service": ordered.service,
            "zone": ordered.zone,
            "weekday": np.floor(ordered.ordered_day).astype(np.int64) % WEEK,
            "hour": np.where(ordered.has_time, hour, 24),
            "distance": in_bins(ordered.distance_km, self.distance_km),
            "weight": in_bins(ordered.weight_g, self.weight_g),
        }


def equal_bins(value: Floats) -> Floats:
    """Return the inner ends of bins of about equal size; none where there are too few values."""
    known = value[~np.isnan(value)]
    bins = min(MOST_BINS, len(known) // LEAST_IN_BIN)
    if bins < 2:
        return np.empty(0)
    return np.unique(np.quantile(known, np.arange(1, bins) / bins))


def in_bins(value: Floats, ends: Floats) -> Integers:
    """Return each value's bin; unknown values have the one after the last."""
    return np.where(np.isnan(value), len(ends) + 1, np.searchsorted(ends, value, side="left")).astype(np.int64)


RADIX = {"weekday": WEEK, "hour": 25, "distance": MOST_BINS + 1, "weight": MOST_BINS + 1, "level": MOST_BINS + 1}
_MANY = 1 << 20
MOST_SPARSE = 8
"""Values over a range of so many times their number are not counted but sorted."""


def keys_of(codes: dict[str, Integers], names: tuple[str, ...]) -> Integers:
    """Return one integer per shipment for its combination of fields, -1 where any of them is unknown."""
    key, unknown = np.zeros(len(codes["node"]), np.int64), np.zeros(len(codes["node"]), bool)
    for name in names:
        key = key * RADIX.get(name, _MANY) + codes[name]
        unknown |= codes[name] < 0
    return np.where(unknown, UNKNOWN, key)


def groups_of(codes: dict[str, Integers], names: tuple[str, ...]) -> tuple[Integers, Integers]:
    """Return the sorted keys of the combinations of fields that there are, and which of them each shipment has."""
    place = np.zeros(len(codes["node"]), np.int64)
    for name in names:
        code = codes[name] + 1
        place = in_order(place * (int(code.max(initial=0)) + 1) + code)
    first = np.zeros(int(place.max(initial=-1)) + 1, np.int64)
    first[place[::-1]] = np.arange(len(place))[::-1]
    return keys_of({name: code[first] for name, code in codes.items()}, names), place


def in_order(value: Integers) -> Integers:
    """Return the rank of each value ≥ 0 among the values that there are, from 0 on."""
    least, most = int(value.min(initial=0)), int(value.max(initial=0))
    if most - least > MOST_SPARSE * len(value) + 1_000:
        return np.unique(value, return_inverse=True)[1].astype(np.int64)
    there = np.zeros(most - least + 1, np.int64)
    there[value - least] = 1
    return np.asarray(np.cumsum(there)[value - least] - 1)


def parts_of(keys: Integers, names: tuple[str, ...]) -> list[Integers]:
    """Return the codes of each field that were combined into known keys: `keys_of` backwards."""
    parts: list[Integers] = []
    for name in reversed(names):
        keys, part = np.divmod(keys, RADIX.get(name, _MANY))
        parts.insert(0, part)
    return parts
