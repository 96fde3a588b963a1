"""Supplies in the in-memory store: pegging lines to them, following them when they change, receiving them.

A friend of MemoryInventoryStore, the twin of lua/pegs.lua, lua/coverage.lua and lua/receive.lua. Nothing here awaits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.inventory.memory_reservation import FIELD_OF, KeptReservation
from engine.inventory.memory_stock import Line
from engine.inventory.model import CONFIRMED, HELD, MAX_ON_HAND, MAX_UNITS, ON_HAND, SAFETY_STOCK, VERSION, Supply
from engine.inventory.receipts import Receipt
from engine.inventory.replies import Reply
from engine.inventory.store import MOST_SUPPLIES

if TYPE_CHECKING:
    from engine.inventory.memory_store import MemoryInventoryStore

Place = tuple[str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class _Dated:
    """A dated line of a reservation, and the day it was to ship before anything moved."""

    reservation_id: str
    kept: KeptReservation
    line: Line
    before: int

    def replace(self, *lines: Line) -> None:
        """Put lines in the place of this one in its reservation; the last one stands for it from now on."""
        at = next(i for i, line in enumerate(self.kept.lines) if line is self.line)
        self.kept.lines = (*self.kept.lines[:at], *lines, *self.kept.lines[at + 1 :])
        self.line = lines[-1]

    def row(self, short: int, covered_on: int) -> tuple[Any, ...]:
        """Return it as a row of lua/coverage.lua."""
        order_id, line = self.kept.order_id or "", self.line
        what = (line.sku, line.node_id, line.quantity, line.supply_id)
        return (self.reservation_id, order_id, self.kept.state, *what, self.before, line.ship_on, short, covered_on)


class MemorySupplies:
    """What the in-memory store does with supplies, on what that store keeps."""

    def __init__(self, inventory: MemoryInventoryStore) -> None:
        self._inventory = inventory
        self._stock = inventory._stock
        self._loaded: dict[str, dict[tuple[str, str], list[_Dated]]] = {}
        self._changed: set[Place] = set()

    def peg(self, lines: Sequence[Line], today: Mapping[str, int]) -> tuple[tuple[Line, ...], list[Any]]:
        """Return the lines with the pegged ones dated, and the rows of a refusal, if any."""
        asks: dict[tuple[str, str, str], list[int]] = {}
        placed: list[Line] = []
        for index, line in enumerate(lines):
            supply = self._supply((line.sku, line.node_id), line.supply_id)
            if line.supply_id:
                asks.setdefault((line.supply_id, line.sku, line.node_id), [index, 0])[1] += line.quantity
                if supply is not None:
                    ship_on = max(line.ship_on, supply[0])
                    line = line._replace(ship_on=ship_on, dated=True, not_before=line.ship_on)  # noqa: PLW2901
            placed.append(line)
        refused: list[Any] = []
        for (supply_id, sku, node_id), (index, units) in asks.items():
            supply = self._supply((sku, node_id), supply_id)
            left = 0 if supply is None else supply[1] - self._pegged((sku, node_id), supply_id)
            if supply is None:
                refused.append((index, "unknown", supply_id, sku, node_id, units, 0))
            elif supply[0] < today[node_id]:
                refused.append((index, "overdue", supply_id, sku, node_id, units, supply[0]))
            elif units > left:
                refused.append((index, "too_little", supply_id, sku, node_id, units, left))
        return tuple(placed), refused

    def put(self, supplies: Sequence[Supply], today: Mapping[str, int]) -> Reply:
        """Put supplies, and let the lines pegged to them follow."""
        followed: dict[Place, list[str]] = {}
        refused = self._too_many(supplies)
        if refused:
            return ("too_many_supplies", refused)
        moving = [self._put(supply) for supply in supplies]
        for supply, moves in zip(supplies, moving, strict=True):
            place = (supply.sku, supply.node_id)
            pegged = self._pegged(place, supply.supply_id)
            supply_ids = followed.setdefault(place, [])
            if pegged and (moves or supply.quantity < pegged):
                supply_ids.append(supply.supply_id)
        affected: list[Any] = []
        for place, supply_ids in followed.items():
            if supply_ids or self._is_any_short(place, today[place[1]]):
                self._load(place[0])
                for supply_id in supply_ids:
                    self._follow(place, supply_id, affected)
                self._tell_short(place, today[place[1]], affected)
        return ("affected", affected)

    def receive(self, receipts: Sequence[Receipt], today: Mapping[str, int]) -> Reply:
        """Take receipts into stock, all or none."""
        refused: list[Any] = []
        on_hand: dict[Place, int] = {}
        for index, receipt in enumerate(receipts):
            refused += self._problem(index, receipt, on_hand)
        if refused:
            return ("not_received", refused)
        for receipt in receipts:
            self._take_in(receipt)
        settled: list[Any] = []
        for receipt in receipts:
            if self._pegged((receipt.sku, receipt.node_id), receipt.supply_id):
                self._load(receipt.sku)
                self._hand_out(receipt, today[receipt.node_id], settled)
        return (
            "received",
            self._stock.position_rows([(receipt.sku, receipt.node_id) for receipt in receipts]),
            settled,
        )

    def _supply(self, place: Place, supply_id: str) -> tuple[int, int] | None:
        """Return the day and the units of a supply, None if there is no such one."""
        return self._stock.schedule(*place).supplies.get(supply_id)

    def _pegged(self, place: Place, supply_id: str) -> int:
        """Return how many units are pegged to a supply."""
        return self._stock.schedule(*place).pegged[supply_id]

    # Following supplies, as in lua/coverage.lua.

    def _too_many(self, supplies: Sequence[Supply]) -> list[Any]:
        """Return the new supplies that find no room beside those that stay, as lua/put_supplies.lua does."""
        stay = dict[Place, set[str]]()
        news = dict[Place, list[int]]()
        for index, supply in enumerate(supplies):
            place = (supply.sku, supply.node_id)
            known = stay.setdefault(place, set(self._stock.schedule(*place).supplies))
            if supply.supply_id in known:
                known -= {supply.supply_id} if not supply.quantity else set()
            elif supply.quantity:
                news.setdefault(place, []).append(index)
        refused = [
            (index, *place, len(stay[place]) + len(added), MOST_SUPPLIES)
            for place, added in news.items()
            for index in added[max(0, MOST_SUPPLIES - len(stay[place])) :]
        ]
        return sorted(refused)

    def _put(self, supply: Supply) -> bool:
        """Put a supply if it is not as it was; return whether its day is another one than before."""
        place, day = (supply.sku, supply.node_id), supply.expected_on.toordinal()
        known = self._supply(place, supply.supply_id)
        moves = known is None or known[0] != day
        if supply.quantity != (0 if known is None else known[1]) or (known is not None and moves):
            self._stock.put_supply(*place, supply.supply_id, day, supply.quantity)
            self._stock.because(*place, supply.supply_id)
            self._changed.add(place)
        return moves

    def _load(self, sku: str) -> None:
        """Look up the open reservations that have dated lines of a SKU, first come first; the due ones expire."""
        if sku in self._loaded:
            return
        inventory, found = self._inventory, []
        ids = inventory._dated.get(sku, set())
        for reservation_id in list(ids):
            kept = inventory._current(reservation_id, write=True)
            if kept is None or kept.state not in FIELD_OF or not any(_is_dated(line, sku) for line in kept.lines):
                ids.discard(reservation_id)
            else:
                found.append((kept.made_in, reservation_id, kept))
        by_place = self._loaded.setdefault(sku, {})
        for _, reservation_id, kept in sorted(found, key=lambda entry: entry[:2]):
            for line in kept.lines:
                if _is_dated(line, sku):
                    entry = _Dated(reservation_id=reservation_id, kept=kept, line=line, before=line.ship_on)
                    by_place.setdefault((line.node_id, line.supply_id), []).append(entry)

    def _dated_lines(self, place: Place, supply_id: str) -> list[_Dated]:
        """Return what was loaded of a position and is pegged to a supply (blank: to none), by day, first come first."""
        found = self._loaded[place[0]].get((place[1], supply_id), [])
        return sorted((entry for entry in found if entry.line.dated), key=lambda entry: entry.line.ship_on)

    def _follow(self, place: Place, supply_id: str, affected: list[Any]) -> None:
        supply = self._supply(place, supply_id)
        for entry in self._dated_lines(place, supply_id):
            line = entry.line
            day = line.ship_on if supply is None else max(line.not_before, supply[0])
            if day != line.ship_on:
                self._stock.add_dated_demand(*place, line.ship_on, -line.quantity, supply_id)
                self._stock.add_dated_demand(*place, day, line.quantity, supply_id)
                entry.replace(line._replace(ship_on=day))
        left = 0 if supply is None else supply[1]
        for entry in self._dated_lines(place, supply_id):
            short = max(0, entry.line.quantity - left)
            left = max(0, left - entry.line.quantity)
            if short or entry.line.ship_on != entry.before:
                self._tell(place, entry, short, 0 if short else entry.line.ship_on, affected)

    def _tell_short(self, place: Place, today: int, affected: list[Any]) -> None:
        found = self._dated_lines(place, "")
        wanted = [(entry.line.ship_on, entry.line.quantity) for entry in found]
        for entry, (short, covered_on) in zip(found, _shortfalls(self._free_by_day(place, today), wanted), strict=True):
            if short:
                self._tell(place, entry, short, covered_on, affected)

    def _tell(self, place: Place, entry: _Dated, short: int, covered_on: int, affected: list[Any]) -> None:
        affected.append(entry.row(short, covered_on))
        if place in self._changed:
            self._stock.because(*place, f"{'uncovered' if short else 're-dated'} {entry.reservation_id}")

    def _is_any_short(self, place: Place, today: int) -> bool:
        demand = self._stock.schedule(*place).demand
        wanted = sorted((day, units) for (day, supply_id), units in demand.items() if not supply_id)
        return any(short for short, _ in _shortfalls(self._free_by_day(place, today), wanted))

    def _free_by_day(self, place: Place, today: int) -> list[tuple[int, int]]:
        """Return (day, units there by then), today first: what lines that are not pegged may count on."""
        cell = self._stock.cell(*place)
        level = cell[ON_HAND] - cell[SAFETY_STOCK] - cell[HELD] - cell[CONFIRMED]
        steps = [(today, level)]
        coming = self._stock.schedule(*place).supplies
        for day, quantity, supply_id in sorted((day, units, supply_id) for supply_id, (day, units) in coming.items()):
            if day >= today:
                level += max(0, quantity - self._pegged(place, supply_id))
                steps.append((day, level))
        return steps

    # Receiving, as in lua/receive.lua.

    def _problem(self, index: int, receipt: Receipt, on_hand: dict[Place, int]) -> Iterable[Any]:
        """Yield what is wrong with a receipt, or add it to what will be on hand."""
        place = (receipt.sku, receipt.node_id)
        supply, before = self._supply(place, receipt.supply_id), self._stock.cell(*place)[ON_HAND]
        before = on_hand.setdefault(place, before)
        where = (receipt.supply_id, *place, receipt.quantity)
        if supply is None:
            yield (index, "unknown", *where, 0)
        elif receipt.quantity > supply[1]:
            yield (index, "too_much", *where, supply[1])
        elif before != MAX_UNITS and before + receipt.quantity > MAX_ON_HAND:
            yield (index, "out_of_range", *where, before)
        elif before != MAX_UNITS:
            on_hand[place] = before + receipt.quantity

    def _take_in(self, receipt: Receipt) -> None:
        place = (receipt.sku, receipt.node_id)
        supply = self._supply(place, receipt.supply_id)
        assert supply is not None, receipt
        self._stock.put_supply(*place, receipt.supply_id, supply[0], supply[1] - receipt.quantity)
        cell = self._stock.cell_to_change(*place)
        if cell[ON_HAND] != MAX_UNITS:
            cell[ON_HAND] += receipt.quantity
            cell[VERSION] += 1
        self._stock.because(*place, receipt.supply_id)
        if receipt.reason:
            self._stock.because(*place, receipt.reason)

    def _hand_out(self, receipt: Receipt, today: int, settled: list[Any]) -> None:
        left, place = receipt.quantity, (receipt.sku, receipt.node_id)
        for entry in self._dated_lines(place, receipt.supply_id):
            line, units = entry.line, min(left, entry.line.quantity)
            if not units:
                return
            self._stock.add_dated_demand(*place, line.ship_on, -units, line.supply_id)
            self._stock.cell_to_change(*place)[FIELD_OF[entry.kept.state]] += units
            self._stock.because(*place, f"received {entry.reservation_id}")
            come = line._replace(quantity=units, ship_on=max(line.not_before, today), dated=False)
            rest = line._replace(quantity=line.quantity - units)
            entry.replace(*([come, rest] if rest.quantity else [come]))
            order_id = entry.kept.order_id or ""
            settled.append((entry.reservation_id, order_id, entry.kept.state, *place, units, receipt.supply_id))
            left -= units


def _is_dated(line: Line, sku: str) -> bool:
    return line.dated and line.sku == sku


def _shortfalls(steps: Sequence[tuple[int, int]], wanted: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return, for (day, units) by day, how many are not there by then, and the first day they are, 0 if never.

    Levels and sums only rise, so one walk along the steps is enough.
    """
    found: list[tuple[int, int]] = []
    total = at = enough = 0
    for day, units in wanted:
        total += units
        while at + 1 < len(steps) and steps[at + 1][0] <= day:
            at += 1
        while enough < len(steps) and steps[enough][1] < total:
            enough += 1
        covered_on = steps[enough][0] if enough < len(steps) else 0
        found.append((min(units, max(0, total - steps[at][1])), covered_on))
    return found
