"""Changes of demand: more or less of it, overall or of some SKUs, channels, regions and days, and orders on top.

Orders are left out, or come twice, by draws of their own keys: those that a change does not touch stay as they were,
and a higher factor has all orders of a lower one. Not here: the demand that is changed (demand.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.integrations.geography import great_circle_km
from engine.scenarios.demand import DemandWithPool
from engine.scenarios.order_tables import Flags, in_time, order_of_line, rows, starts, together, with_lines
from engine.scenarios.orders import Floats, Integers, OrderTable, ReturnTable
from engine.scenarios.story import DAY_SECONDS
from engine.scenarios.streams import joined, uniforms

_HOUR_SECONDS = 3600
_NO_SIGN = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Destinations: those whose postal code begins so, and those within a radius of coordinates."""

    country: str | None = None
    postal_prefixes: tuple[str, ...] = ("",)
    latitude: float | None = None
    longitude: float | None = None
    radius_km: float = 0.0

    def holds(self, table: OrderTable) -> Flags:
        """Return which orders go there."""
        inside = np.zeros(len(table), bool)
        if self.country is not None:
            named = [
                country == self.country and code.strip().upper().startswith(self.postal_prefixes)
                for country, code in table.postal_codes
            ]
            inside |= np.array([*named, False])[table.place]  # −1, no postal code, is the last
        if self.latitude is not None and self.longitude is not None:
            centre = np.array(self.latitude), np.array(self.longitude)
            inside |= great_circle_km(*centre, table.latitude, table.longitude) <= self.radius_km
        return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDemand:
    """Demand times `factor` from an instant until before another (None: the end), of what is named; None is all.

    With `skus`, lines of them are left out, or come again as orders of their own; other lines of their orders stay.
    """

    factor: float
    from_s: int = 0
    to_s: int | None = None
    skus: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    region: Region | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrders:
    """So many orders on top, evenly from an instant until before another, like those there are of what is named.

    With `skus`, they have the lines of them only.
    """

    orders: int
    from_s: int
    to_s: int
    skus: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    region: Region | None = None


DemandChange = ScaleDemand | AddOrders


def changed_demand(demand: DemandWithPool, changes: Sequence[DemandChange], seed: int) -> DemandWithPool:
    """Return a demand with changes made one after another; raises InvalidInput for what can never be ordered.

    Paths are `$[n]`, n the place among the changes.
    """
    faults = [
        Fault(path=f"$[{number}].{name}", message=message)
        for number, change in enumerate(changes)
        for name, message in _faults(change, demand)
    ]
    if faults:
        raise InvalidInput(faults)
    return _ChangedDemand(demand, changes, seed) if changes else demand


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A change, its place among the changes from 1 on, and what its draws are named by."""

    change: DemandChange
    place: int
    cause: str

    @property
    def salt(self) -> int:
        """A number that tells the keys of its orders from those of other changes."""
        return int.from_bytes(blake2b(self.cause.encode(), digest_size=8).digest()) >> 1


class _ChangedDemand:
    """Demand with changes."""

    def __init__(self, demand: DemandWithPool, changes: Sequence[DemandChange], seed: int) -> None:
        self._demand, self._seed = demand, seed
        self._changes = _named(changes)
        self._like = lru_cache(maxsize=len(changes))(self._orders_like)

    def orders(self, replication: int, day: int) -> OrderTable:
        """Return the orders of one day."""
        table = self._demand.orders(replication, day)
        for named in self._changes:
            if isinstance(named.change, ScaleDemand):
                table = self._scaled(table, named.change, named, replication)
            else:
                table = self._with_more(table, named.change, named, replication, day)
        return table

    def returns(self, day: int) -> ReturnTable | None:
        """Return the recorded returns of one day, which no change of demand changes."""
        return self._demand.returns(day)

    def pool(self, replication: int) -> OrderTable:
        """Return what the unchanged demand gives."""
        return self._demand.pool(replication)

    @property
    def skus(self) -> Sequence[str]:
        """Every SKU that may be ordered."""
        return self._demand.skus

    @property
    def channels(self) -> Sequence[str]:
        """Every channel that orders may come from."""
        return self._demand.channels

    def _scaled(self, table: OrderTable, change: ScaleDemand, named: _Named, replication: int) -> OrderTable:
        now = table.placed_s >= change.from_s
        if change.to_s is not None:
            now &= table.placed_s < change.to_s
        order = order_of_line(table)
        lines = _lines_of(table, change) & now[order]
        part = with_lines(table, lines)
        times = np.floor(change.factor) + (self._uniform(replication, named.cause, part.key) < change.factor % 1)
        gone = np.zeros(len(table), bool)
        gone[np.unique(order[lines])[times == 0]] = True
        kept = with_lines(table, ~(lines & gone[order]))
        more = np.maximum(times - 1, 0).astype(np.int64)
        again = np.repeat(np.arange(len(part)), more)
        if not len(again):
            return kept
        number = np.arange(len(again)) - np.repeat(starts(more)[:-1], more)
        key = joined(joined(part.key[again], named.salt), number) & _NO_SIGN
        ids = part.order_ids
        copies = replace(
            rows(part, again),
            key=key,
            placed_s=self._same_hour(
                part.placed_s[again], change, self._uniform(replication, f"{named.cause} at", key)
            ),
            order_ids=None
            if ids is None
            else tuple(f"{ids[r]}+{named.place}.{n}" for r, n in zip(again.tolist(), number.tolist(), strict=True)),
        )
        return together([kept, copies])

    def _same_hour(self, placed_s: Integers, change: ScaleDemand, uniform: Floats) -> Integers:
        """Return instants of the same hours, within the time of the change."""
        begin = placed_s - placed_s % _HOUR_SECONDS
        end = begin + _HOUR_SECONDS if change.to_s is None else np.minimum(begin + _HOUR_SECONDS, change.to_s)
        begin = np.maximum(begin, change.from_s)
        instants: Integers = begin + np.floor(uniform * (end - begin)).astype(np.int64)
        return instants

    def _with_more(self, table: OrderTable, change: AddOrders, named: _Named, replication: int, day: int) -> OrderTable:
        numbers = np.arange(change.orders)
        share = self._uniform(replication, f"{named.cause} at", numbers)
        placed_s = change.from_s + np.floor(share * (change.to_s - change.from_s)).astype(np.int64)
        today = np.flatnonzero(placed_s // DAY_SECONDS == day)
        if not len(today):
            return table
        like = self._like(named, replication)
        picked = np.floor(self._uniform(replication, f"{named.cause} like", today) * len(like)).astype(np.int64)
        added = replace(
            rows(like, picked),
            key=joined(named.salt, today) & _NO_SIGN,
            placed_s=placed_s[today],
            order_ids=None if like.order_ids is None else tuple(f"+{named.place}.{n}" for n in today.tolist()),
        )
        return together([table, in_time(added)])

    def _orders_like(self, named: _Named, replication: int) -> OrderTable:
        """Return what orders that are added are taken from."""
        pool = self._demand.pool(replication)
        like = with_lines(pool, _lines_of(pool, named.change))
        if not len(like):
            raise InvalidInput(Fault(path=f"$[{named.place - 1}]", message=_NOTHING_LIKE_IT))
        return like

    def _uniform(self, replication: int, cause: str, keys: Integers) -> Floats:
        return uniforms(self._seed, replication, cause, keys)


_NOTHING_LIKE_IT = "no order has such SKUs, channel and region to be added like it; name others"


def _lines_of(table: OrderTable, change: DemandChange) -> Flags:
    """Return which lines a change is about, whenever they are ordered."""
    orders = np.ones(len(table), bool)
    if change.channels is not None:
        orders &= np.array([name in change.channels for name in table.channels], bool)[table.channel]
    if change.region is not None:
        orders &= change.region.holds(table)
    lines = orders[order_of_line(table)]
    if change.skus is not None:
        lines &= np.array([sku in change.skus for sku in table.skus], bool)[table.sku]
    return lines


def _named(changes: Sequence[DemandChange]) -> list[_Named]:
    """Name each change by what it is about, and by how many before it are about the same.

    Not by factor, number or time: so a story with another factor, or an hour later, meets the same luck.
    """
    seen: Counter[str] = Counter()
    found = []
    for place, change in enumerate(changes, 1):
        about = [sorted(names) if names is not None else None for names in (change.skus, change.channels)]
        cause = f"demand.{type(change).__name__} {about} {change.region}"
        seen[cause] += 1
        found.append(_Named(change=change, place=place, cause=f"{cause} {seen[cause]}"))
    return found


def _faults(change: DemandChange, demand: DemandWithPool) -> Iterator[tuple[str, str]]:
    """Yield the key and what is wrong with it for each fault of a change."""
    for name, wanted, known in (("skus", change.skus, demand.skus), ("channels", change.channels, demand.channels)):
        for value in sorted((wanted or frozenset()) - frozenset(known)):
            yield name, f"{value!r} is never ordered; {nearest(value, known)}"
    if isinstance(change, AddOrders) and not _lines_of(demand.pool(0), change).any():
        yield "orders", _NOTHING_LIKE_IT
