"""What open reservations add up to, position by position: what the stock book must have booked.

Not here: reading the reservations, and comparing (redis_reconcile.py).
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

_DATED_AT, _FAR = 5, 2
"""A line of another partition, which books it as a part, see lua/parts.lua."""


class CountedReservation(msgspec.Struct, frozen=True):
    """What matters of a part of a reservation as kept, see lua/parts.lua, or of a reservation.

    `holder` is whose open holds it counts among, `crosses` says that it has parts in other partitions.
    """

    state: str
    lines: list[list[Any]]
    channel: str | bool | None = None
    holder: str | None = None
    crosses: bool = False


_STATES = ("held", "confirmed", "consumed", "cancelled", "expired", "forestalled")
_HEAD = struct.Struct(">Bd")
_part = msgspec.msgpack.Decoder(CountedReservation).decode
_kept = msgspec.msgpack.Decoder(list[Any]).decode


def counted_part(packed: bytes) -> CountedReservation:
    """Return a part of a reservation as kept, see lua/parts.lua."""
    return _part(packed)


def counted_reservation(record: bytes) -> CountedReservation:
    """Return a reservation as kept, see lua/reservations.lua."""
    number, _ = _HEAD.unpack_from(record)
    lines, _, _, channel, _, others = _kept(record[_HEAD.size :])
    others = others or {}
    return CountedReservation(
        state=_STATES[number - 1],
        lines=lines,
        channel=channel,
        holder=others.get("holder"),
        crosses="parts" in others,
    )


def dated_skus(kept: CountedReservation) -> set[str]:
    """Return the SKUs of the dated lines of a reservation, or of a part of one, that keeps them."""
    if kept.state not in {"held", "confirmed"}:
        return set()
    return {line[0] for line in kept.lines if len(line) > _DATED_AT and line[_DATED_AT] == 1}


@dataclass(slots=True, kw_only=True)
class Tally:
    """What reservations add up to: units by (SKU, node) and kind, and of dated demand by (SKU, node, day, supply).

    `used` are all of them by (SKU, node, channel).
    """

    reservations: int = 0
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    confirmed: Counter[tuple[str, str]] = field(default_factory=Counter)
    dated: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)
    used: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, kept: CountedReservation) -> None:
        """Count a reservation, if it keeps anything."""
        if kept.state not in {"held", "confirmed"}:
            return
        self.reservations += 1
        self.add_units(kept)

    def add_units(self, kept: CountedReservation) -> None:
        """Count the units of a reservation, or of the part of one that is at home in another partition."""
        if kept.state not in {"held", "confirmed"}:
            return
        undated = self.held if kept.state == "held" else self.confirmed
        for sku, node_id, quantity, ship_on, *placed in kept.lines:
            _, is_dated, *pegged = placed or (0, 0)
            if is_dated == _FAR:
                continue
            if kept.channel:
                self.used[sku, node_id, str(kept.channel)] += quantity
            if is_dated:
                self.dated[sku, node_id, ship_on, pegged[0] if pegged else ""] += quantity
            else:
                undated[sku, node_id] += quantity
