"""Recomputes what is reserved of every position from the reservations themselves, while the store is in use.

A position whose last event is the same before and after all reservations were read has not moved meanwhile, so what
they add up to is what it must have booked; the others are looked at again. A repair is made only if the position has
not moved since. Not here: adding up (tally.py), what is found (drift.py), the repair itself (lua/repair.lua), open
holds (redis_open_holds.py), deadlines and the index of dated lines (redis_indexes.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.events.actor import actor
from engine.inventory.drift import Drift, Reconciliation
from engine.inventory.model import CONFIRMED, EVENT, HELD, StockView
from engine.inventory.redis_indexes import IndexCheck
from engine.inventory.redis_open_holds import OpenHoldsCheck
from engine.inventory.redis_reads import StockReads
from engine.inventory.seen_keys import SeenKeys
from engine.inventory.tally import Tally, counted_part, counted_reservation
from engine.storage.client import StoreClient
from engine.storage.keys import Keys

ROUNDS = 3
"""How often the reservations are read again for positions that moved."""
_AT_ONCE = 1000
_REPAIRS_AT_ONCE = 500
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Reconciler:
    """Compares, and repairs if asked to, the positions and reservations of one tenant and partition."""

    def __init__(self, client: StoreClient, keys: Keys) -> None:
        self._client, self._keys = client, keys
        self._reads = StockReads(client, keys)

    async def reconcile(self, *, repair: bool = False) -> Reconciliation:
        """Return where positions and reservations disagree; with `repair`, set positions to what these add up to."""
        drifts: list[Drift] = []
        pending: NDArray[np.bool_] | None = None
        indexes = IndexCheck(self._client, self._keys)
        opens = OpenHoldsCheck(self._client, self._keys, self._reads)
        await opens.begin()
        before = await self._reads.snapshot()
        for turn in range(ROUNDS):
            tally = await (self.tally() if turn else self.tally(indexes, opens))
            after = await self._reads.refresh(before)
            settled, moved = _settled(before, after, pending)
            places = _Places(after)
            found = [entry for entry in _drifts(after, tally, places) if settled[places.of(entry.sku, entry.node_id)]]
            drifts += await self._repaired(after, places, found, tally) if repair else found
            if not turn:
                open_holds = await opens.drifts(repair=repair)
            before, pending = after, moved
            if not moved.any():
                break
        async for keys in self._keys_of(self._keys.named("dated", "")):
            await indexes.note_index(keys)
        return Reconciliation(
            reservations=tally.reservations,
            positions=int(np.count_nonzero(after.cells[:, :, EVENT])),
            drifts=tuple(
                sorted(drifts, key=lambda entry: (entry.sku, entry.node_id, entry.quantity, entry.day or date.min))
            ),
            lost_deadlines=tuple(await indexes.lost_deadlines(repair=repair)),
            unsettled=int(np.count_nonzero(moved)),
            open_holds=tuple(open_holds or ()),
            dated_index=tuple(await indexes.drifts(repair=repair)),
            are_open_holds_judged=open_holds is not None,
        )

    async def tally(self, indexes: IndexCheck | None = None, opens: OpenHoldsCheck | None = None) -> Tally:
        """Read every reservation once, in small steps, and return what they add up to; checks see them on the way."""
        tally = Tally()
        async for records in self._all(self._keys.reservation("")):
            found = [(name, counted_reservation(packed)) for name, packed in records]
            for _, kept in found:
                tally.add(kept)
            if indexes is not None:
                await indexes.note(found)
            if opens is not None:
                await opens.note(found)
        async for records in self._all(self._keys.part("")):
            parts = [(name, counted_part(packed)) for name, packed in records]
            for _, kept in parts:
                tally.add_units(kept)
            if indexes is not None:
                await indexes.note(parts, are_parts=True)
        return tally

    async def _all(self, prefix: str) -> AsyncIterator[list[tuple[str, bytes]]]:
        """Yield what the keys of a prefix hold, each once, with what stands behind the prefix."""
        async for keys in self._keys_of(prefix):
            found = zip(keys, await self._client.call("MGET", *keys), strict=True)
            yield [(key.decode().removeprefix(prefix), packed) for key, packed in found if packed is not None]

    async def _keys_of(self, prefix: str) -> AsyncIterator[list[bytes]]:
        """Yield the keys of a prefix, each once."""
        seen = SeenKeys()
        cursor, pattern = b"0", f"{_escaped(prefix)}*"
        while True:
            cursor, found = await self._client.call("SCAN", cursor, "MATCH", pattern, "COUNT", _AT_ONCE)
            fresh = seen.fresh(found) if found else []
            if fresh:
                yield fresh
            if cursor == b"0":
                return

    async def _repaired(self, view: StockView, places: _Places, found: Sequence[Drift], tally: Tally) -> list[Drift]:
        """Repair what was found, position by position, and return it with what became of it."""
        by_place: dict[tuple[str, str], list[Drift]] = {}
        for entry in found:
            by_place.setdefault((entry.sku, entry.node_id), []).append(entry)
        wrong, result = list(by_place), list[Drift]()
        for start in range(0, len(wrong), _REPAIRS_AT_ONCE):
            chunk = wrong[start : start + _REPAIRS_AT_ONCE]
            rows = [
                (
                    *place,
                    int(view.cells[places.of(*place)][EVENT]),
                    tally.held[place],
                    tally.confirmed[place],
                    [
                        (entry.day.toordinal(), entry.reserved, entry.supply_id or "")
                        for entry in by_place[place]
                        if entry.day
                    ],
                    {
                        quota.channel: tally.used[*place, quota.channel]
                        for quota in view.quotas.get(places.of(*place), ())
                    },
                )
                for place in chunk
            ]
            done = await self._repair(rows)
            for place, is_done in zip(chunk, done, strict=True):
                result += [replace(entry, is_repaired=bool(is_done)) for entry in by_place[place]]
        return result

    async def _repair(self, rows: Sequence[Any]) -> list[int]:
        reply = await self._client.fcall("allot_repair_v1", [self._keys.deadlines], [actor(), _pack((list(rows), []))])
        done, _ = _unpack(reply)
        return list(done)


def _settled(
    before: StockView, after: StockView, pending: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, in the shape of `after`, the positions that did not move between the views, and those that did.

    Only `pending` ones (of an earlier round, in the shape of `before`) are looked at, if given; new ones always.
    """
    events = np.zeros(after.cells.shape[:2], dtype=np.uint32)
    looked_at = np.ones(after.cells.shape[:2], dtype=np.bool_)
    row_of = {sku: row for row, sku in enumerate(after.skus)}
    rows = np.array([row_of[sku] for sku in before.skus if sku in row_of], dtype=np.int64)
    width = min(before.cells.shape[1], after.cells.shape[1])
    if len(rows) == len(before.skus) and before.node_ids[:width] == after.node_ids[:width]:
        events[rows, :width] = before.cells[:, :width, EVENT]
        if pending is not None:
            looked_at[rows, :width] = pending[:, :width]
    same = events == after.cells[:, :, EVENT]
    return looked_at & same, looked_at & ~same


class _Places:
    """Where the positions of a view stand in it."""

    def __init__(self, view: StockView) -> None:
        self._row_of = {sku: row for row, sku in enumerate(view.skus)}
        self._slot_of = {node_id: slot for slot, node_id in enumerate(view.node_ids)}

    def has(self, sku: str, node_id: str) -> bool:
        """Say whether a position is in the view."""
        return sku in self._row_of and node_id in self._slot_of

    def of(self, sku: str, node_id: str) -> tuple[int, int]:
        """Return the row and slot of a position that is in the view."""
        return self._row_of[sku], self._slot_of[node_id]


def _drifts(view: StockView, tally: Tally, places: _Places) -> Iterator[Drift]:
    """Yield every disagreement between a view and a tally, settled or not."""
    for name, kind, reserved in (("held", HELD, tally.held), ("confirmed", CONFIRMED, tally.confirmed)):
        expected = np.zeros(view.cells.shape[:2], dtype=np.int64)
        for (sku, node_id), units in reserved.items():
            if places.has(sku, node_id):
                expected[places.of(sku, node_id)] = units
        for row, slot in np.argwhere(view.cells[:, :, kind] != expected).tolist():
            booked, right = int(view.cells[row, slot, kind]), int(expected[row, slot])
            sku, node_id = view.skus[row], view.node_ids[slot]
            yield Drift(sku=sku, node_id=node_id, quantity=name, day=None, booked=booked, reserved=right)
    for (row, slot), quotas in view.quotas.items():
        sku, node_id = view.skus[row], view.node_ids[slot]
        for quota in quotas:
            right = tally.used[sku, node_id, quota.channel]
            if quota.used != right:
                yield Drift(
                    sku=sku,
                    node_id=node_id,
                    quantity="used",
                    day=None,
                    booked=quota.used,
                    reserved=right,
                    channel=quota.channel,
                )
    booked_days = _booked_days(view)
    for sku, node_id, day, supply_id in sorted({*booked_days, *tally.dated}):
        key = (sku, node_id, day, supply_id)
        booked, right = booked_days[key], tally.dated[key]
        if booked != right and places.has(sku, node_id):
            at = date.fromordinal(day)
            yield Drift(
                sku=sku,
                node_id=node_id,
                quantity="dated",
                day=at,
                booked=booked,
                reserved=right,
                supply_id=supply_id or None,
            )


def _booked_days(view: StockView) -> Counter[tuple[str, str, int, str]]:
    """Return the dated demand of a view by (SKU, node, day, supply it is pegged to or blank)."""
    booked: Counter[tuple[str, str, int, str]] = Counter()
    for (row, slot), schedule in view.schedule.items():
        for day, delta in schedule:
            booked[view.skus[row], view.node_ids[slot], day, ""] -= min(delta, 0)
    for (row, slot), pegs in view.pegs.items():
        for day, units, supply_id in pegs:
            place = (view.skus[row], view.node_ids[slot], day)
            booked[*place, supply_id] += units
            booked[*place, ""] -= units
    return +booked


def _escaped(text: str) -> str:
    """Return text as SCAN MATCH takes it literally."""
    return "".join(f"\\{mark}" if mark in "*?[]\\^-" else mark for mark in text)
