"""What is wrong with a request about stock, by JSON path: unknown SKUs and nodes, numbers out of range, duplicates.

Only the current network and catalog are looked at. Not here: whether there is enough stock (the store says that).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Protocol

from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput
from engine.faults import nearest
from engine.inventory.conditions import ConditionChange
from engine.inventory.model import (
    MAX_ON_HAND,
    MAX_TTL_SECONDS,
    MAX_UNITS,
    Adjustment,
    Hold,
    HoldLine,
    PositionCount,
    Supply,
)
from engine.inventory.quotas import MOST_QUOTAS, PositionQuotas, Quota
from engine.inventory.receipts import Receipt
from engine.inventory.store import MOST_HOLDS
from engine.network.days import NetworkDays
from engine.network.model import Network

MAX_QUANTITY = 10**6
MAX_FAULTS = 50
"""At most so many faults are named; what comes after them would not be read."""
LAST_SHIP_DAYS = 730
_SUGGESTIONS = 5
_CANDIDATES = 500


class World(Protocol):
    """The network and the catalog of one moment."""

    @property
    def network(self) -> Network:
        """The network."""
        ...

    @property
    def days(self) -> NetworkDays:
        """Its days."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The catalog."""
        ...


class WorldOfEpoch(World, Protocol):
    """One that says of which epoch of the documents it is."""

    @property
    def epoch(self) -> int:
        """The epoch."""
        ...


class RequestChecks:
    """Gathers the faults of one request against one world; `finish` raises them all.

    Rows may come in pieces, each with the number of its first row, as long as they are of one kind.
    """

    def __init__(self, world: World) -> None:
        self._nodes = world.network.index
        self._catalog = world.catalog
        self._launches = world.catalog.launches
        self._faults: list[Fault] = []
        self._suggested = 0
        self._seen: dict[Hashable, int] = {}

    def finish(self) -> None:
        """Raise InvalidInput with every fault found, if there is one."""
        if self._faults:
            raise InvalidInput(self._faults)

    def positions(self, counts: Sequence[PositionCount], first: int = 0) -> None:
        """Check counts; each (node_id, sku) once."""
        for i, count in enumerate(counts, first):
            path = f"$.positions[{i}]"
            self.place(path, count.sku, count.node_id)
            self._on_hand(path, count)
            if count.expected_version is not None:
                self._within(path, "expected_version", count.expected_version, 0, MAX_UNITS)
            if self._seen.setdefault((count.node_id, count.sku), i) != i:
                self._twice(path, (count.node_id, count.sku), "position", f"{count.sku} at {count.node_id}")

    def adjustments(self, adjustments: Sequence[Adjustment], first: int = 0) -> None:
        """Check adjustments; a position may be named several times."""
        for i, change in enumerate(adjustments, first):
            path = f"$.adjustments[{i}]"
            self.place(path, change.sku, change.node_id)
            self._within(path, "delta", change.delta, -MAX_UNITS, MAX_UNITS)
            if change.delta == 0:
                self._add(f"{path}.delta", "0 changes nothing; leave the line out")
            self._reason(path, change.reason)

    def condition_changes(self, changes: Sequence[ConditionChange], first: int = 0) -> None:
        """Check changes of condition; a position may be named several times."""
        for i, change in enumerate(changes, first):
            path = f"$.changes[{i}]"
            self.place(path, change.sku, change.node_id)
            self._within(path, "quantity", change.quantity, 1, MAX_ON_HAND)
            if change.from_condition == change.to_condition:
                message = f"the units are {change.to_condition} already; leave the line out"
                self._add(f"{path}.to_condition", message)
            self._reason(path, change.reason)

    def supplies(self, supplies: Sequence[Supply], first: int = 0) -> None:
        """Check supplies; each supply_id once per (node_id, sku)."""
        for i, supply in enumerate(supplies, first):
            path = f"$.supplies[{i}]"
            self.place(path, supply.sku, supply.node_id)
            self._within(path, "quantity", supply.quantity, 0, MAX_QUANTITY)
            if not supply.supply_id:
                self._add(f"{path}.supply_id", "it must not be empty; give the id of the purchase order or transfer")
            place = (supply.supply_id, supply.node_id, supply.sku)
            if self._seen.setdefault(place, i) != i:
                self._twice(path, place, "supply", supply.supply_id)

    def quotas(self, positions: Sequence[PositionQuotas], first: int = 0) -> None:
        """Check channel quotas; each position once, and there each channel once."""
        for i, position in enumerate(positions, first):
            path = f"$.positions[{i}]"
            self.place(path, position.sku, position.node_id)
            if self._seen.setdefault((position.node_id, position.sku), i) != i:
                self._twice(path, (position.node_id, position.sku), "position", f"{position.sku} at {position.node_id}")
            if len(position.quotas) > MOST_QUOTAS:
                self._add(f"{path}.quotas", f"{len(position.quotas)} are too many; give at most {MOST_QUOTAS}")
            channels: dict[Hashable, int] = {}
            for j, quota in enumerate(position.quotas):
                self._quota(f"{path}.quotas[{j}]", quota)
                if (earlier := channels.setdefault(quota.channel, j)) != j:
                    self._add(f"{path}.quotas[{j}]", _twice("channel", quota.channel, earlier))
            shares = sum(quota.share or 0 for quota in position.quotas)
            if shares > 100:
                self._add(f"{path}.quotas", f"the shares add up to {shares} percent; give at most 100 together")

    def receipts(self, receipts: Sequence[Receipt], first: int = 0) -> None:
        """Check receipts; each supply once."""
        for i, receipt in enumerate(receipts, first):
            path = f"$.receipts[{i}]"
            self.place(path, receipt.sku, receipt.node_id)
            self._within(path, "quantity", receipt.quantity, 1, MAX_QUANTITY)
            place = (receipt.supply_id, receipt.node_id, receipt.sku)
            if self._seen.setdefault(place, i) != i:
                self._twice(path, place, "receipt of", receipt.supply_id)

    def lines(self, lines: Sequence[HoldLine], today: Mapping[str, int] | None = None, *, at: str = "$") -> None:
        """Check lines of a hold, which may repeat; with `today`, also that they ship neither too early nor too late."""
        if not lines:
            self._add(f"{at}.lines", "is empty; give at least one line")
        for i, line in enumerate(lines):
            path = f"{at}.lines[{i}]"
            self.place(path, line.sku, line.node_id)
            self._within(path, "quantity", line.quantity, 1, MAX_QUANTITY)
            if line.supply_id == "":
                self._add(f"{path}.supply_id", "it must not be empty; name a supply, or leave it out")
            if today is not None and line.ship_on is not None and line.node_id in today:
                self._ship_on(f"{path}.ship_on", line.ship_on, today[line.node_id])
            if today is not None and self._launches and line.node_id in today:
                self._launched(f"{path}.ship_on", line, today[line.node_id])

    def number(self, holds: int) -> None:
        """Check how many holds there are in a request."""
        if holds > MOST_HOLDS:
            self._add("$.reservations", f"{holds} are too many; send at most {MOST_HOLDS} in a request")

    def holds(self, holds: Sequence[Hold], today: Mapping[str, int], first: int = 0) -> None:
        """Check many holds; each reservation_id once."""
        for i, hold in enumerate(holds, first):
            path = f"$.reservations[{i}]"
            self.lines(hold.lines, today, at=path)
            self._within(path, "ttl_seconds", hold.ttl_seconds, 1, MAX_TTL_SECONDS)
            if self._seen.setdefault(hold.reservation_id, i) != i:
                self._twice(path, hold.reservation_id, "reservation", hold.reservation_id)

    def ttl(self, ttl_seconds: float) -> None:
        """Check a time to live."""
        self._faults += ttl_faults(ttl_seconds)

    def place(self, path: str, sku: str, node_id: str) -> None:
        """Check that a SKU has stock of its own, and that its node is known."""
        if node_id not in self._nodes:
            hint = self._suggestion(node_id, lambda: list(self._nodes))
            self._add(f"{path}.node_id", f"there is no node {node_id!r}; {hint}")
        if sku in self._catalog.kits:
            parts = ", ".join(f"{units} × {part}" for part, units in self._catalog.content[sku].components)
            self._add(f"{path}.sku", f"{sku!r} is a kit and has no stock of its own; name its products: {parts}")
        elif sku not in self._catalog.content:
            hint = self._suggestion(sku, lambda: candidates(sku, self._catalog))
            self._add(f"{path}.sku", f"there is no product {sku!r}; {hint}")

    def _quota(self, path: str, quota: Quota) -> None:
        if (quota.reserve is None) == (quota.share is None):
            self._add(path, "give either reserve (units) or share (percent), and not both")
        if quota.reserve is not None:
            self._within(path, "reserve", quota.reserve, 0, MAX_ON_HAND)
        if quota.share is not None:
            self._within(path, "share", quota.share, 0, 100)
        if not quota.channel:
            self._add(f"{path}.channel", "it must not be empty; name the channel")
        if quota.release_at is not None and quota.release_at.tzinfo is None:
            self._add(f"{path}.release_at", f"{quota.release_at} has no offset; add one, such as Z")

    def _reason(self, path: str, reason: str) -> None:
        if not reason.strip():
            self._add(f"{path}.reason", f"{reason!r} says nothing; give a reason such as 'damaged'")

    def _on_hand(self, path: str, count: PositionCount) -> None:
        self._within(path, "safety_stock", count.safety_stock, 0, MAX_ON_HAND)
        if not count.unlimited:
            if count.on_hand is None:
                self._add(f"{path}.on_hand", 'it is missing; give a count, or say "unlimited": true')
            elif count.on_hand == MAX_UNITS:
                self._add(f"{path}.on_hand", f'{MAX_UNITS} stands for unlimited; say "unlimited": true')
            else:
                self._within(path, "on_hand", count.on_hand, 0, MAX_ON_HAND)
            return
        if count.on_hand not in {None, MAX_UNITS}:
            self._add(f"{path}.on_hand", f'{count.on_hand} is a count, but "unlimited" is true; leave one of them out')
        if count.safety_stock:
            message = f"{count.safety_stock} cannot be kept back of unlimited stock; leave it out"
            self._add(f"{path}.safety_stock", message)

    def _ship_on(self, path: str, ship_on: date, today: int) -> None:
        # Yesterday is let through as today: a promise may be taken up just after midnight.
        if not today - 1 <= ship_on.toordinal() <= today + LAST_SHIP_DAYS:
            first, last = date.fromordinal(today), date.fromordinal(today + LAST_SHIP_DAYS)
            self._add(path, f"{ship_on} is out of reach; give a date from {first} (today at the node) to {last}")

    def _launched(self, path: str, line: HoldLine, today: int) -> None:
        launch = self._launches.get(line.sku, 0)
        ship_on = today if line.ship_on is None else max(today, line.ship_on.toordinal())
        if ship_on < launch:
            first = date.fromordinal(launch)
            self._add(
                path, f"{line.sku!r} is launched on {first}; give a ship_on from that day, which makes it a preorder"
            )

    def _within(self, path: str, name: str, value: float, least: int, most: int) -> None:
        if not least <= value <= most:
            self._add(f"{path}.{name}", _range(value, least, most))

    def _twice(self, path: str, place: Hashable, what: str, name: str) -> None:
        self._add(path, _twice(what, name, self._seen[place]))

    def _suggestion(self, value: str, choices: Callable[[], list[str]]) -> str:
        """Return what may have been meant; for the first few only, as it takes a while."""
        self._suggested += 1
        known = choices() if self._suggested <= _SUGGESTIONS else []
        return nearest(value, known) if known else "check the spelling, or add it first"

    def _add(self, path: str, message: str) -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(Fault(path=path, message=message))


def candidates(sku: str, catalog: Catalog) -> list[str]:
    """Return a bounded number of SKUs that may have been meant: comparing with a whole catalog would take seconds."""
    start, length = sku[:2].casefold(), len(sku)
    alike = (known for known in catalog.content if abs(len(known) - length) <= 2 and known[:2].casefold() == start)
    return list(islice(alike, _CANDIDATES))


def range_faults(path: str, value: float, least: int, most: int) -> list[Fault]:
    """Return the fault of a number that is not within `least` and `most`, if it is not."""
    if least <= value <= most:
        return []
    return [Fault(path=path, message=_range(value, least, most))]


def _range(value: float, least: int, most: int) -> str:
    return f"{value} is out of range; give a whole number from {least} to {most}"


def _twice(what: str, name: str, first: int) -> str:
    return f"the {what} {name} is in this request already, at index {first}; send it once"


def ttl_faults(ttl_seconds: float) -> list[Fault]:
    """Return the fault of a time to live."""
    return range_faults("$.ttl_seconds", ttl_seconds, 1, MAX_TTL_SECONDS)


def part_faults(lines: Sequence[HoldLine]) -> list[Fault]:
    """Return the faults of the lines that name a part of a reservation."""
    return [
        fault
        for i, line in enumerate(lines)
        for fault in range_faults(f"$.lines[{i}].quantity", line.quantity, 1, MAX_QUANTITY)
    ]
