"""The reservations of orders in the in-memory inventory: looked at, claimed, swapped, given back.

A friend of MemoryInventoryStore, as lua/ here includes the inventory's snippets: it works on what that store keeps, so
that an order and its stock change in one step. Nothing here awaits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from engine.inventory.buffers import Kept
from engine.inventory.conditions import Condition
from engine.inventory.memory_reservation import FIELD_OF, KeptReservation, split_lines
from engine.inventory.memory_stock import Line
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import MAX_UNITS, HoldLine
from engine.orders.batch import Entry
from engine.orders.open import OwnLine
from engine.orders.revising import StockLine


class MemoryReservations:
    """What the order store needs of reservations; a blank id stands for none."""

    def __init__(self, inventory: MemoryInventoryStore) -> None:
        self._inventory = inventory

    def lines(self, reservation_id: str) -> list[OwnLine]:
        """Return what a reservation keeps now."""
        kept = self._inventory._current(reservation_id)
        if kept is None or kept.state not in FIELD_OF:
            return []
        return [(line.sku, line.node_id, line.quantity, line.ship_on if line.dated else 0) for line in kept.lines]

    def claim(self, reservation_id: str, order_id: str) -> tuple[str, str] | None:
        """Make a reservation that of an order, or return the verdict and detail of the refusal."""
        kept = self._inventory._current(reservation_id, write=True)
        if kept is None:
            return ("no_reservation", "")
        if kept.state not in FIELD_OF or kept.consumed:
            return ("past", "consumed" if kept.consumed else kept.state)
        if kept.order_id not in {None, order_id}:
            return ("taken", str(kept.order_id))
        kept.order_id = order_id
        return None

    def has_left(self, reservation_id: str, *, is_allocated: bool) -> bool:
        """Say whether units have left a node; of an allocated order also if its reservation is forgotten."""
        kept = self._inventory._current(reservation_id)
        return is_allocated if kept is None else kept.consumed

    def cancel(self, reservation_id: str) -> None:
        """Give back what a reservation keeps, if anything."""
        kept = self._live(reservation_id)
        if kept is not None:
            self._close(reservation_id, kept)

    def record(self, act: str) -> None:
        """Write what was changed into the journal."""
        self._inventory.record(act)

    def swap(
        self,
        reservation_id: str,
        entry: Entry,
        channel: str,
        today: Mapping[str, int],
        buffers: Kept,
        *,
        is_allowed: bool,
    ) -> list[tuple[str, str, int, int]]:
        """Give back a reservation and take the lines of `entry` as a confirmed one, or return the short lines.

        What it has for a later day stays reserved, unless units of that SKU are shipped. Nothing is changed if lines
        are short or it is not allowed.
        """
        inventory, kept = self._inventory, self._live(reservation_id)
        lines = tuple(Line(sku, node, units, day, day > today[node]) for sku, node, units, day in entry.lines)
        shipped = {line.sku for line in lines}
        own = () if kept is None else kept.lines
        staying = tuple(line for line in own if line.dated and line.sku not in shipped)
        given = tuple(line for line in own if not line.dated or line.sku in shipped)
        if kept is not None:
            inventory._take(kept, given, -1, entry.order_id)
        short = inventory._stock.short_lines(lines, today, buffers, channel, inventory._clock.now(), given)
        if kept is not None:
            inventory._take(kept, given, 1, entry.order_id)
        if short or not is_allowed:
            return short
        if kept is not None:
            inventory._take(kept, given, -1, f"cancelled {reservation_id}")
            inventory._settle(reservation_id, kept, given, (), "cancelled")
        fresh = KeptReservation(
            state="confirmed",
            expires=0,
            lines=(*lines, *staying),
            reference=entry.order_id,
            channel=channel,
            order_id=entry.order_id,
        )
        inventory._take(fresh, lines, 1, entry.order_id)
        if kept is not None and kept.channel != channel:
            for line in staying:
                inventory._stock.cell_to_change(line.sku, line.node_id)
                inventory._stock.because(line.sku, line.node_id, entry.order_id)
                inventory._stock.count_used(line.sku, line.node_id, kept.channel, -line.quantity)
                inventory._stock.count_used(line.sku, line.node_id, channel, line.quantity)
        inventory.keep(entry.reservation_id, fresh, made_in=kept.made_in if kept is not None and staying else None)
        return []

    def has_just(self, reservation_id: str, lines: Sequence[StockLine], channel: str, today: Mapping[str, int]) -> bool:
        """Say whether a reservation keeps just these lines for good, and else what stays for a later day."""
        kept = self._live(reservation_id)
        if kept is None or kept.state != "confirmed" or kept.channel != channel:
            return False
        shipped, left = {sku for sku, *_ in lines}, Counter[tuple[str, str, int]]()
        for sku, node_id, units, day in lines:
            left[sku, node_id, day] += units
        for line in kept.lines:
            if line.dated and line.ship_on <= today.get(line.node_id, 0):
                return False
            if line.sku in shipped:
                left[line.sku, line.node_id, line.ship_on] -= line.quantity
            elif not line.dated:
                return False
        return not any(left.values())

    def join(self, reservation_id: str, joins: tuple[str, str, str, str]) -> str:
        """Move all lines of another order's reservation to one, or to a new one; return the id of that.

        `joins` is as in `Revision`. Nothing moves where one is held and one confirmed.
        """
        other_id, owner, new_id, order_id = joins
        own, other, inventory = self._live(reservation_id), self._live(other_id), self._inventory
        if other is None or other.consumed or other.order_id != owner:
            return reservation_id
        if own is not None and (own.state, own.channel) != (other.state, other.channel):
            return reservation_id
        name, lines = (new_id, other.lines) if own is None else (reservation_id, (*own.lines, *other.lines))
        first = other if own is None else own
        moved = replace(first, lines=lines, expires=min(first.expires, other.expires))
        if own is None:
            moved.asked, moved.reference, moved.order_id, moved.holder = (), order_id, order_id, None
        inventory.keep(name, moved, made_in=first.made_in)
        inventory._settle(other_id, other, other.lines, (), "cancelled")
        return name

    def take_out(
        self,
        reservation_id: str,
        given: Sequence[StockLine],
        lost: Sequence[StockLine],
        order_id: str,
        *,
        leaves: bool = False,
        goes_to: tuple[str, str] | None = None,
    ) -> bool | None:
        """Give lines of a reservation back, and take those that are lost off on_hand, as far as there is any.

        Lost lines were not there, or, if it `leaves`, have left the node; both of a confirmed reservation only. Lines
        that are given back stay reserved if they go to a new reservation of another order (`goes_to`: the ids of both).

        Return whether it still keeps something (True if nothing was asked), None if it does not have the lines.
        """
        kept, inventory = self._live(reservation_id), self._inventory
        if not given and not lost:
            return True
        if kept is None or (lost and kept.state != "confirmed"):
            return None
        wanted = [
            HoldLine(sku=sku, node_id=node_id, quantity=units, ship_on=date.fromordinal(day) if day else None)
            for sku, node_id, units, day in (*given, *lost)
        ]
        taken_out, stay, too_many = split_lines(kept.lines, wanted)
        if too_many:
            return None
        why = f"{'shipped' if leaves else 'short_pick' if lost else 'rejected'} {order_id}"
        if goes_to is None:
            inventory._take(kept, taken_out, -1, why)
        else:
            other_id, other = goes_to
            moved = replace(kept, lines=tuple(taken_out), asked=(), reference=other, order_id=other, holder=None)
            inventory.keep(other_id, moved, made_in=kept.made_in)
        for sku, node_id, units, _ in lost:
            on_hand = inventory._stock.units_in(sku, node_id, Condition.SELLABLE)
            if on_hand != MAX_UNITS:
                inventory._stock.set_units(sku, node_id, Condition.SELLABLE, on_hand - min(on_hand, units))
                inventory._stock.because(sku, node_id, why)
        inventory._settle(reservation_id, kept, taken_out, stay, "consumed" if leaves else "cancelled")
        return bool(stay)

    def expire_due(self) -> None:
        """Give back what is due, whoever holds it."""
        self._inventory._expire_due(None)

    def _live(self, reservation_id: str) -> KeptReservation | None:
        kept = self._inventory._current(reservation_id, write=True)
        return kept if kept is not None and kept.state in FIELD_OF else None

    def _close(self, reservation_id: str, kept: KeptReservation) -> None:
        self._inventory._take(kept, kept.lines, -1, f"cancelled {reservation_id}")
        self._inventory._settle(reservation_id, kept, kept.lines, (), "cancelled")
