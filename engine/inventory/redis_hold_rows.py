"""Holds and their lines as the functions of lua/ take them: one by one as rows, many as columns.

Not here: sending them (redis_holds.py, redis_store.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1

import msgspec

from engine.inventory.buffers import Kept
from engine.inventory.model import Hold, HoldLine
from engine.storage.client import Part

Filled = tuple[list[int], list[int], dict[tuple[str, str], int], list[int], list[int], dict[str, int]]
"""Columns of holds as far as they are filled: plain, last lines, places, lines, units, and the days at nodes."""
_pack = msgspec.msgpack.Encoder().encode


def line_rows(lines: Iterable[HoldLine]) -> list[tuple[object, ...]]:
    """Return lines as lua/holding.lua takes them."""
    rows: list[tuple[object, ...]] = []
    for line in lines:
        day = line.ship_on.toordinal() if line.ship_on else 0
        row = (line.sku, line.node_id, line.quantity, day)
        rows.append(row if line.supply_id is None else (*row, 0, 0, line.supply_id))
    return rows


def by_sku(buffers: Kept) -> dict[str, dict[str, int]]:
    """Return buffers as lua/atp.lua takes them."""
    nested: dict[str, dict[str, int]] = {}
    for (sku, node_id), units in buffers.items():
        nested.setdefault(sku, {})[node_id] = units
    return nested


def hold_row(hold: Hold) -> tuple[object, ...]:
    """Return a hold as lua/holding.lua takes it."""
    lines = line_rows(hold.lines)
    row = (hold.reservation_id, round(hold.ttl_seconds * 1000), lines, _hash(_pack(lines)), *_terms(hold))
    if hold.limit is None and hold.promised is None:
        return row
    limit = (False, 0) if hold.limit is None else (hold.limit.holder, hold.limit.most)
    return (*row, *limit) if hold.promised is None else (*row, *limit, hold.promised)


def holds_message(holds: Sequence[Hold], today: Mapping[str, int], buffers: Kept | None) -> list[Part]:
    """Return holds as lua/holds.lua takes them: their columns, and what each reservation keeps in its record."""
    filled: Filled = ([], [], {}, [], [], {})
    fill(filled, holds, today)
    return [columns_of(filled, holds, buffers), *map(record_of, holds)]


def fill(filled: Filled, holds: Sequence[Hold], today: Mapping[str, int]) -> None:
    """Add the lines of holds to columns."""
    plain, last_lines, places, of_lines, units, days = filled
    for hold in holds:
        is_plain = 1
        for line in hold.lines:
            day = days[line.node_id] = today[line.node_id]
            of_lines.append(places.setdefault((line.sku, line.node_id), len(places) + 1))
            units.append(line.quantity)
            if line.supply_id is not None or (line.ship_on is not None and line.ship_on.toordinal() > day):
                is_plain = 0
        plain.append(is_plain)
        last_lines.append(len(units))


def columns_of(filled: Filled, holds: Sequence[Hold], buffers: Kept | None) -> bytes:
    """Return the columns of holds, packed; all were checked by the same documents."""
    plain, last_lines, places, of_lines, units, days = filled
    limits = [hold.limit for hold in holds]
    has_limits = any(limits)
    columns = (
        [hold.reservation_id for hold in holds],
        [round(hold.ttl_seconds * 1000) for hold in holds],
        plain,
        last_lines,
        of_lines,
        units,
        [sku for sku, _ in places],
        [node_id for _, node_id in places],
        days,
        by_sku(buffers) if buffers else False,
        has_limits and [limit.holder if limit else False for limit in limits],
        has_limits and [limit.most if limit else 0 for limit in limits],
        False if (as_of := holds[0].as_of) is None else as_of,
    )
    return _pack(columns)


def record_of(hold: Hold) -> bytes:
    """Return what the record of a reservation keeps of its hold, see lua/reservations.lua."""
    lines = _pack(line_rows(hold.lines))
    others = {} if hold.limit is None else {"holder": hold.limit.holder}
    if hold.promised is not None:
        others["promised"] = hold.promised
    return _pack((msgspec.Raw(lines), _hash(lines), *_terms(hold), others or False))


def _terms(hold: Hold) -> tuple[object, object, int]:
    return (
        False if hold.reference is None else hold.reference,
        False if hold.channel is None else hold.channel,
        0 if hold.promised_on is None else hold.promised_on.toordinal(),
    )


def _hash(lines: bytes) -> str:
    return sha1(lines, usedforsecurity=False).hexdigest()
