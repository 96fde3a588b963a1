"""Which supplies the lines of an option wait for: what its node has not got now, from what makes ATP rise by then.

Units that are there now come first, then those of each later day on which more can be promised, up to the day of
hand-over: from the supplies expected on that day, as far as nobody has pegged them. So a peg never asks for more than
the store will give, and a line counts on a receipt only as far as it needs it. A supply expected today counts as there.
Not here: pegging itself, which a reservation does (engine/inventory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from math import inf

import msgspec
from msgspec import UNSET

from engine.availability.atp import Step, atp_steps
from engine.availability.reference import View
from engine.availability.stock import AtpTable
from engine.inventory.model import StockView, Supply
from engine.promising.consolidating import held
from engine.promising.model import Option, Peg, PromiseLine, Shipment
from engine.promising.request import Asked

Options = tuple[Option, ...]
_Cell = tuple[int, int]


def with_pegs(options: Options, asked: Asked, stock: StockView, table: AtpTable, view: View) -> Options:
    """Return options whose lines name the supplies that they wait for; `table` is ATP of `stock`."""
    sku_of, node_ids, units = list(table.rows), view.network.node_ids, _units(asked)
    short = {
        (sku_of[row], node_ids[node])
        for (row, node), steps in table.later.items()
        if steps[0][1] < units.get(sku_of[row], inf)
    }
    if not short:
        return options
    known: dict[_Cell, tuple[Supply, ...]] = {}
    nodes = {node_id for _, node_id in short}
    return tuple(
        [
            _pegged(option, Pegs(stock, table, view, known), view)
            if _may_take(option, nodes) and _takes(option, short, view)
            else option
            for option in options
        ]
    )


def _units(asked: Asked) -> dict[str, int]:
    """Return how many units of each product an order takes at most, of those that nothing substitutes."""
    units: dict[str, int] = {}
    if not asked.terms.substitutes:
        for line, content in zip(asked.lines, asked.contents, strict=True):
            for sku, each in content.components:
                units[sku] = units.get(sku, 0) + line.quantity * each
    return units


def _may_take(option: Option, nodes: AbstractSet[str]) -> bool:
    """Say whether an option has anything of one of these nodes, or of a hub; far quicker to say than `_takes`."""
    return any([each.node_id in nodes or each.consolidates is not UNSET for each in option.shipments])  # noqa: C419


def _takes(option: Option, cells: AbstractSet[tuple[str, str]], view: View) -> bool:
    """Say whether an option takes units of any of these SKUs at these nodes."""
    return any(
        (sku, node_id) in cells
        for shipment in option.shipments
        for line, node_id, _ in held(shipment)
        for sku, _ in view.catalog.content[line.sku].components
    )


def has_pegs(option: Option) -> bool:
    """Return whether a line of an option waits for a supply."""
    return any(line.pegs for shipment in option.shipments for line in shipment.lines)


def _pegged(option: Option, pegs: Pegs, view: View) -> Option:
    shipments = tuple(_with_its_own(shipment, pegs, view) for shipment in option.shipments)
    if all(new is old for new, old in zip(shipments, option.shipments, strict=True)):
        return option
    return msgspec.structs.replace(option, shipments=shipments)


def _with_its_own(shipment: Shipment, pegs: Pegs, view: View) -> Shipment:
    """Return a parcel with the pegs of its lines, also of those that are sent to it."""
    named: dict[PromiseLine, PromiseLine] = {}
    for line, node_id, ship_on in held(shipment):
        found: list[Peg] = []
        for sku, each in view.catalog.content[line.sku].components:
            found += pegs.take(sku, node_id, ship_on, each * line.quantity)
        if found:
            named[line] = msgspec.structs.replace(line, pegs=tuple(found))
    if not named:
        return shipment
    sent = shipment.consolidates
    if sent is not UNSET:
        sent = tuple(msgspec.structs.replace(each, lines=_renamed(each.lines, named)) for each in sent)
    return msgspec.structs.replace(shipment, lines=_renamed(shipment.lines, named), consolidates=sent)


def _renamed(lines: Sequence[PromiseLine], named: Mapping[PromiseLine, PromiseLine]) -> tuple[PromiseLine, ...]:
    return tuple(named.get(line, line) for line in lines)


class Pegs:
    """What one option has not taken yet of what is there, and of what is coming."""

    def __init__(
        self, stock: StockView, table: AtpTable, view: View, known: dict[_Cell, tuple[Supply, ...]] | None = None
    ) -> None:
        self._stock, self._table, self._index = stock, table, view.network.index
        self._levels: dict[_Cell, list[list[int]]] = {}
        self._known = {} if known is None else known
        self._taken: dict[_Cell, int] = {}
        self._supplies: dict[tuple[_Cell, str], int] = {}

    def take(self, sku: str, node_id: str, ship_on: date, quantity: int) -> list[Peg]:
        """Take units of a SKU that leave a node on a day, and return those that wait for a supply."""
        node, row = self._index.get(node_id), self._table.rows.get(sku)
        if node is None or row is None or (row, node) not in self._table.scheduled:
            return []
        cell, by = (row, node), ship_on.toordinal()
        steps = self._steps(cell)
        if len(steps) < 2 or by < steps[1][0]:  # what leaves before anything comes waits for nothing
            self._taken[cell] = self._taken.get(cell, 0) + quantity
            return []
        if cell not in self._levels:
            self._levels[cell] = _rises(steps, self._taken.get(cell, 0))
        found = list[Peg]()
        for place, level in enumerate(self._levels[cell]):
            units = min(quantity, level[1])
            if level[0] > by or not quantity:
                break
            quantity, level[1] = quantity - units, level[1] - units
            found += self._peg(cell, sku, node_id, level[0], units) if place and units else []
        return found

    def _steps(self, cell: _Cell) -> Sequence[Step]:
        """Return the steps of ATP that supplies make: before a launch too, as that day brings nothing in."""
        if cell[0] in self._table.launches:
            return atp_steps(*self._table.scheduled[cell], int(self._table.local_day[cell[1]]))
        return self._table.later[cell]

    def _peg(self, cell: _Cell, sku: str, node_id: str, day: int, units: int) -> list[Peg]:
        """Return the pegs of units that come on a day; none of those whose supplies others have pegged."""
        found: list[Peg] = []
        if cell not in self._known:
            place = (self._stock.skus.index(sku), self._stock.node_ids.index(node_id))
            self._known[cell] = self._stock.supplies.get(place, ())
        for supply in self._known[cell]:
            if supply.expected_on.toordinal() != day or not units:
                continue
            left = self._supplies.get((cell, supply.supply_id), max(0, supply.unpegged))
            taken = min(left, units)
            self._supplies[cell, supply.supply_id], units = left - taken, units - taken
            if taken:
                peg = Peg(sku=sku, supply_id=supply.supply_id, quantity=taken, expected_on=supply.expected_on)
                found.append(peg)
        return found


def _rises(steps: Sequence[Step], taken: int) -> list[list[int]]:
    """Return [day, units that can be promised from that day on and not before], what is there today first.

    So many units are `taken` of what is there.
    """
    found, before = list[list[int]](), 0
    for day, level in steps:
        found.append([day, max(0, level) - before])
        before = max(0, level)
    found[0][1] = max(0, found[0][1] - taken)
    return found
