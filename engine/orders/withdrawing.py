"""Taking units off an order that have not left a node: those that are done least first, with what they have reserved.

First go units without a node, then those that no shipment has, then those of shipments, as far as the order policy lets
them be taken back. Pure. Not here: why they go (cancelling.py, modifying.py), and what becomes of the shipments they
were in (released.py, with every revision).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.inventory.model import HoldLine
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order
from engine.orders.rejecting import stock_lines
from engine.orders.remaining import units_left
from engine.orders.revising import StockLine
from engine.routing.model import AllocationRow

_STEPS = ("sourced", ShipmentState.RELEASED.value, ShipmentState.PICKING.value, ShipmentState.PACKED.value)
_Place = tuple[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """An order without some units, and the lines of its reservation that are given back."""

    order: Order
    given_back: tuple[StockLine, ...]


def free_units(order: Order, until: str) -> dict[str, int]:
    """Return how many units of each line of the demand may be taken off: those no further at a node than `until`."""
    kept = _kept_units(order, until)
    by_line: dict[str, int] = {}
    for (line_id, _), units in kept.items():
        by_line[line_id] = by_line.get(line_id, 0) + units
    return {line_id: max(0, units - by_line.get(line_id, 0)) for line_id, units in units_left(order).items()}


def withdrawn(order: Order, wanted: Mapping[str, int], until: str, reserved: Sequence[HoldLine]) -> Withdrawn:
    """Return an order without so many units of lines, of which it has as many (`free_units`).

    `reserved` is what its reservation keeps. Lines that wait for a supply stay reserved until it is routed again.
    """
    rows, taken = _taken_rows(order, wanted, until)
    changed: dict[AllocationRow, AllocationRow] = {}
    left: list[AllocationRow] = []
    for row, units in zip(rows, taken, strict=True):
        if units < row.quantity:
            changed[row] = row if not units else replace(row, quantity=row.quantity - units)
            left.append(changed[row])
    skus = {line.line_id: line.sku for line in order.demand}
    unplaced: dict[str, int] = {}
    for line_id, units in wanted.items():
        placed = sum(
            count for row, count in zip(rows, taken, strict=True) if row.line_id == line_id and row.node_id is not None
        )
        unplaced[skus[line_id]] = unplaced.get(skus[line_id], 0) + units - placed
    steering = replace(order.steering, kept=tuple(changed[row] for row in order.steering.kept if row in changed))
    to = replace(order, allocation=tuple(left), steering=steering)
    return Withdrawn(order=to, given_back=_summed([*stock_lines(order, taken), *_surplus(order, reserved, unplaced)]))


def _taken_rows(order: Order, wanted: Mapping[str, int], until: str) -> tuple[Sequence[AllocationRow], list[int]]:
    """Return the rows, and how many units of each are taken."""
    rows, rest = order.allocation, dict(wanted)
    kept, given = _kept_units(order, until), _given_units(order, _STEPS[1:])
    taken = [0] * len(rows)

    def take(index: int, most: int) -> None:
        row = rows[index]
        units = min(most, rest.get(row.line_id, 0))
        if units > 0:
            taken[index] += units
            rest[row.line_id] -= units

    for index, row in enumerate(rows):
        if row.node_id is None:
            take(index, row.quantity)
    for reach in (given, kept):
        held = dict(reach)
        for index, row in enumerate(rows):
            if row.node_id is None:
                continue
            place = (row.line_id, row.parcel)
            stays = min(row.quantity - taken[index], held.get(place, 0))
            held[place] = held.get(place, 0) - stays
            take(index, row.quantity - taken[index] - stays)
    return rows, taken


def _kept_units(order: Order, until: str) -> dict[_Place, int]:
    """Return the units that have come too far to be taken off, by line and parcel."""
    return _given_units(order, _STEPS[_STEPS.index(until) + 1 :])


def _given_units(order: Order, states: Sequence[str]) -> dict[_Place, int]:
    """Return the units in shipments of some states, by line and parcel."""
    found: dict[_Place, int] = {}
    for shipment in order.life.shipments:
        if shipment.state.value in states:
            for line in shipment.lines:
                place = (line.line_id, (shipment.node_id, shipment.service, shipment.ship_on))
                found[place] = found.get(place, 0) + line.quantity
    return found


def _surplus(order: Order, reserved: Sequence[HoldLine], wanted: Mapping[str, int]) -> list[StockLine]:
    """Return lines that are reserved for units without a node, of so many units of each product."""
    placed: dict[tuple[str, str, int], int] = {}
    for sku, node_id, units, day in stock_lines(order, [row.quantity for row in order.allocation]):
        placed[sku, node_id, day] = placed.get((sku, node_id, day), 0) + units
    rest, found = dict(wanted), list[StockLine]()
    for line in reversed([line for line in reserved if line.supply_id is None]):
        day = line.ship_on.toordinal() if line.ship_on is not None else 0
        used = min(line.quantity, placed.get((line.sku, line.node_id, day), 0))
        placed[line.sku, line.node_id, day] = placed.get((line.sku, line.node_id, day), 0) - used
        units = min(line.quantity - used, rest.get(line.sku, 0))
        if units > 0:
            rest[line.sku] -= units
            found.append((line.sku, line.node_id, units, day))
    return found


def _summed(lines: Sequence[StockLine]) -> tuple[StockLine, ...]:
    found: dict[tuple[str, str, int], int] = {}
    for sku, node_id, units, day in lines:
        found[sku, node_id, day] = found.get((sku, node_id, day), 0) + units
    return tuple((sku, node_id, units, day) for (sku, node_id, day), units in found.items())
