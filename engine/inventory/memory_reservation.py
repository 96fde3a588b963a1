"""A reservation as the in-memory store keeps it, and its lines: made, shown in a reply, and divided.

The same as lua/reservations.lua and lua/part.lua. Not here: taking and giving back units (memory_store.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from engine.inventory.memory_stock import Line
from engine.inventory.model import CONFIRMED, HELD, Hold, HoldLine
from engine.inventory.replies import Reply

FIELD_OF = {"held": HELD, "confirmed": CONFIRMED}
"""The cell kind of the undated units of an open reservation, by its state."""


@dataclass(slots=True, kw_only=True)
class KeptReservation:
    """A reservation as kept; `forgotten_at` (milliseconds) is set once it is over, `order_id` once it is an order's.

    `made_in` is the event that it was made in, `holder` who it counts for while it is held, `dated_skus` those of which
    it had dated lines when it was made.
    """

    state: str
    expires: int
    lines: tuple[Line, ...]
    asked: tuple[HoldLine, ...] = ()
    reference: str | None = None
    channel: str | None = None
    promised_on: date | None = None
    promised: str | None = None
    consumed: bool = False
    forgotten_at: int | None = None
    order_id: str | None = None
    made_in: int = 0
    holder: str | None = None
    dated_skus: tuple[str, ...] = ()


def reply_of(reservation_id: str, kept: KeptReservation) -> Reply:
    """Return a reservation as it stands in a reply."""
    deadline = kept.expires if kept.state in {"held", "expired"} else 0
    lines = [(*line[:4], line.supply_id) if line.supply_id else line[:4] for line in kept.lines]
    reference = False if kept.reference is None else kept.reference
    channel = False if kept.channel is None else kept.channel
    promised_on = 0 if kept.promised_on is None else kept.promised_on.toordinal()
    promised = kept.promised or False
    return (
        "reservation",
        reservation_id,
        kept.state,
        deadline,
        lines,
        reference,
        channel,
        promised_on,
        False,
        promised,
    )


def held(hold: Hold, lines: tuple[Line, ...], now_ms: int) -> KeptReservation:
    """Return the reservation of a hold that begins now."""
    return KeptReservation(
        state="held",
        expires=now_ms + round(hold.ttl_seconds * 1000),
        lines=lines,
        asked=hold.lines,
        reference=hold.reference,
        channel=hold.channel,
        promised_on=hold.promised_on,
        promised=hold.promised,
        holder=None if hold.limit is None else hold.limit.holder,
    )


def held_again(reservation_id: str, known: KeptReservation, asked: Sequence[HoldLine]) -> Reply:
    """Return the reply to a hold whose id is known."""
    if known.state == "forestalled":
        return ("forestalled", reservation_id)
    if known.asked != asked:
        return ("taken", reservation_id)
    if known.state not in FIELD_OF:
        return ("past", reservation_id, known.state, "hold")
    return reply_of(reservation_id, known)


def units_by_place(lines: Sequence[Line]) -> dict[tuple[str, str], int]:
    """Return the units of lines by SKU and node."""
    units: dict[tuple[str, str], int] = {}
    for sku, node_id, quantity, *_ in lines:
        units[sku, node_id] = units.get((sku, node_id), 0) + quantity
    return units


def line_of(line: HoldLine, today: Mapping[str, int]) -> Line:
    """Return a line as it is kept: dated if it ships after its node's today."""
    day = line.ship_on.toordinal() if line.ship_on else 0
    dated = day > today[line.node_id]
    return Line(line.sku, line.node_id, line.quantity, day, dated, line.supply_id or "")


def split_lines(
    lines: Sequence[Line], wanted: Sequence[HoldLine]
) -> tuple[Sequence[Line], Sequence[Line], list[tuple[str, str, int, int]]]:
    """Return the lines taken out, those that stay, and (sku, node_id, asked, reserved) where it was too much."""
    if not wanted:
        return lines, (), []
    asked: dict[tuple[str, str, int | str], int] = {}
    for line in wanted:
        place = (line.sku, line.node_id, line.supply_id or (line.ship_on.toordinal() if line.ship_on else 0))
        asked[place] = asked.get(place, 0) + line.quantity
    left = dict(asked)
    taken_out: list[Line] = []
    stay: list[Line] = []
    for kept in lines:
        place = (kept.sku, kept.node_id, kept.supply_id or kept.ship_on)
        out = min(kept.quantity, left.get(place, 0))
        if out:
            left[place] -= out
            taken_out.append(kept._replace(quantity=out))
        if out < kept.quantity:
            stay.append(kept._replace(quantity=kept.quantity - out))
    too_many = [(*place[:2], asked[place], asked[place] - units) for place, units in left.items() if units]
    return taken_out, stay, too_many
