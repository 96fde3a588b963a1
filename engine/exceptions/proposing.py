"""The ways out for an order: its rest as promises would send it now, dated as its nodes really do, ranked.

Not here: asking for promises (dry.py), accepting (accepting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import prod

import msgspec
from msgspec import UNSET

from engine.availability.reference import View
from engine.exceptions.alternatives import Alternative, Kind, ProposedLine, ProposedParcel, id_of
from engine.exceptions.arriving import Arriving, Place
from engine.exceptions.judging import Cause, Outlook, outlook_of
from engine.exceptions.leaving import Leaving
from engine.exceptions.parcels import Parcel, unplaced, weight_of
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order
from engine.orders.revising import StockLine
from engine.promising.model import Option
from engine.routing.model import OrderLine

_BETTER = 0.05
"""By how much less likely late an alternative has to be, if it does not arrive earlier."""
_HANDLED = frozenset({ShipmentState.PICKING, ShipmentState.PACKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What an order is looked at with: the world, its place, the day that was promised, and how nodes are doing."""

    view: View
    place: Place
    due: date
    leaving: Leaving
    arriving: Arriving


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What of an order can still be sent otherwise.

    These lines, the units of each row of its allocation among them, and what it holds for them.
    """

    lines: tuple[OrderLine, ...]
    units: tuple[int, ...]
    own: tuple[StockLine, ...]


def rest_of(order: Order, held: Sequence[StockLine]) -> Rest:
    """Return what can still be sent otherwise: all that no node is picking or has packed; `held` is reserved for it.

    Kits that ship from one node, and what a hub packs, are moved as a whole or stay.
    """
    busy = {
        (line.line_id, shipment.node_id)
        for shipment in order.life.shipments
        if shipment.state in _HANDLED
        for line in shipment.lines
    }
    units = tuple(
        row.quantity
        if row.node_id is not None and row.hub is None and not any((row.line_id, node) in busy for node in row.node_ids)
        else 0
        for row in order.allocation
    )
    left = {line.line_id: line.quantity for line in unplaced(order)}
    for row, count in zip(order.allocation, units, strict=True):
        left[row.line_id] = left.get(row.line_id, 0) + count
    lines = tuple(
        msgspec.structs.replace(line, quantity=left[line.line_id])
        for line in order.demand
        if left.get(line.line_id, 0) > 0
    )
    staying: dict[tuple[str, str], int] = {}
    for row, count in zip(order.allocation, units, strict=True):
        if row.node_id is not None:
            place = (row.sku, row.node_id)
            staying[place] = staying.get(place, 0) + row.quantity - count
    own: list[StockLine] = []
    for sku, node_id, count, day in held:
        stays = min(count, staying.get((sku, node_id), 0))
        staying[sku, node_id] = staying.get((sku, node_id), 0) - stays
        if count > stays:
            own.append((sku, node_id, count - stays, day))
    return Rest(lines=lines, units=units, own=tuple(own))


def outlook_of_option(option: Option, order: Order, around: Around) -> list[Outlook]:
    """Return the outlook of each parcel of an option, dated as its node stands."""
    return [
        outlook_of(parcel, order, around.due, around.place, around.leaving, around.arriving)
        for parcel in _parcels(option, around.view)
    ]


def waiting(order: Order, outlooks: Sequence[Outlook], around: Around) -> Alternative:
    """Return the alternative to leave everything as it is."""
    return _alternative(order, Kind.WAIT, (), outlooks, around)


def proposed(
    order: Order, rest: Rest, options: Sequence[Option], wait: Alternative, around: Around
) -> list[Alternative]:
    """Return alternatives, the best first: those that keep the promise, by cost, then the others by their day."""
    current = {
        (row.node_id, row.service)
        for row, units in zip(order.allocation, rest.units, strict=True)
        if row.node_id is not None and row.service is not None and units
    }
    as_it_is = [option.total_cost_cents for option in options if _ways(option) == current]
    costs = min(as_it_is, default=None)
    found: dict[str, Alternative] = {}
    for option in options:
        if not _is_allowed(option, order) or _ways(option) == current:
            continue
        parcels, kind = _proposed_parcels(option), _kind(option, current)
        other = _alternative(order, kind, parcels, outlook_of_option(option, order, around), around)
        has_level = kind is Kind.FASTER_SERVICE or order.wanted_level is not None
        if has_level and len({parcel.service_level for parcel in parcels}) > 1:
            continue  # one level is all that an order can ask for
        if current and not _is_better(other, wait):
            continue
        cost = option.total_cost_cents
        extra = None if costs is None else cost - costs
        found[other.alternative_id] = replace(other, cost_cents=cost, extra_cents=extra)
    return sorted([*found.values(), wait], key=lambda each: _place(each, around.due, is_placed=bool(current)))


def _place(alternative: Alternative, due: date, *, is_placed: bool) -> tuple[bool, bool, int, date, str]:
    """Return the key of the order in which they are told; units without a node are rather sent than left to wait."""
    is_late = alternative.latest_on is None or alternative.latest_on > due
    is_left = alternative.kind is Kind.WAIT and not is_placed
    cost = 0 if alternative.cost_cents is None else alternative.cost_cents
    latest = alternative.latest_on or date.max
    return is_late, is_left, cost if not is_late else latest.toordinal(), latest, alternative.alternative_id


def _is_better(other: Alternative, wait: Alternative) -> bool:
    if other.latest_on is None:
        return False
    if wait.latest_on is None or other.latest_on < wait.latest_on:
        return True
    return other.late_probability <= wait.late_probability - _BETTER


def _alternative(
    order: Order, kind: Kind, parcels: tuple[ProposedParcel, ...], outlooks: Sequence[Outlook], around: Around
) -> Alternative:
    """Return an alternative whose parcels arrive when they do, each for itself."""
    predicted, latest = _last([each.predicted_on for each in outlooks]), _last([each.latest_on for each in outlooks])
    promised_on = around.due if latest is None else max(around.due, latest)
    return Alternative(
        alternative_id=id_of(order, kind, parcels, promised_on),
        kind=kind,
        parcels=parcels,
        predicted_on=predicted,
        latest_on=latest,
        late_probability=round(1 - prod(1 - each.late_probability for each in outlooks), 4),
        promised_on=promised_on,
    )


def _last(days: Sequence[date | None]) -> date | None:
    """Return the last of some days, None if any is not known."""
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _parcels(option: Option, view: View) -> list[Parcel]:
    return [
        Parcel(
            node_id=shipment.node_id,
            service=shipment.service,
            ship_on=shipment.ship_on,
            units={line.line_id: line.quantity for line in shipment.lines},
            weight_g=sum(weight_of(view.catalog, line.sku, line.quantity) for line in shipment.lines),
            node_ids=frozenset({shipment.node_id, *(each.node_id for each in shipment.consolidates or ())}),
        )
        for shipment in option.shipments
    ]


def _proposed_parcels(option: Option) -> tuple[ProposedParcel, ...]:
    return tuple(
        ProposedParcel(
            node_id=shipment.node_id,
            service=shipment.service,
            service_level=shipment.service_level,
            ship_on=shipment.ship_on,
            lines=tuple(
                ProposedLine(
                    line_id=line.line_id,
                    sku=line.sku,
                    quantity=line.quantity,
                    substitute_for=line.substitute_for or "",
                )
                for line in shipment.lines
            ),
        )
        for shipment in option.shipments
    )


def _ways(option: Option) -> set[tuple[str, str]]:
    return {(shipment.node_id, shipment.service) for shipment in option.shipments}


def _kind(option: Option, current: set[tuple[str, str]]) -> Kind:
    if any(line.substitute_for for shipment in option.shipments for line in shipment.lines):
        return Kind.SUBSTITUTE
    if len(option.shipments) > max(1, len(current)):
        return Kind.SPLIT
    if current and {shipment.node_id for shipment in option.shipments} <= {node for node, _ in current}:
        return Kind.FASTER_SERVICE
    return Kind.ANOTHER_NODE


def _is_allowed(option: Option, order: Order) -> bool:
    """Say whether an option can be had by saying where each line ships from, and nobody has refused that."""
    steering = order.steering
    refused = {(each.line_id, each.node_id) for each in steering.refused}
    at: dict[str, str] = {}
    for shipment in option.shipments:
        if shipment.consolidates is not UNSET or shipment.node_id in steering.forbidden_node_ids:
            return False
        for line in shipment.lines:
            if at.setdefault(line.line_id, shipment.node_id) != shipment.node_id:
                return False
            if (line.line_id, shipment.node_id) in refused or line.quantity == 0:
                return False
            others = {each.sku for each in order.demand if each.line_id != line.line_id}
            if line.substitute_for and (line.sku in others or "/" in line.line_id):
                return False
    return all(len({at.get(line_id) for line_id in group}) == 1 for group in order.whole)


def stock_outlook(order: Order, lines: Sequence[OrderLine], options: Sequence[Option], around: Around) -> Outlook:
    """Return the outlook of units that have no node and hold nothing: that of the best way to send them now."""
    units = sum(line.quantity for line in lines)
    skus = ", ".join(sorted({line.sku for line in lines}))
    nothing = Outlook(
        subject="",
        cause=Cause.STOCK,
        leaves_on=None,
        predicted_on=None,
        latest_on=None,
        late_probability=1.0,
        message=f"{units} units of {skus} have no node, and no supply is expected that would do.",
    )
    best: Outlook | None = None
    for option in options:
        found = outlook_of_option(option, order, around)
        days, latest = _last([each.predicted_on for each in found]), _last([each.latest_on for each in found])
        late = round(1 - prod(1 - each.late_probability for each in found), 4)
        waits = sorted({peg.supply_id for shipment in option.shipments for line in shipment.lines for peg in line.pegs})
        what = f"wait for the supply {', '.join(waits)}" if waits else "could be sent now"
        each = replace(
            nothing,
            leaves_on=_last([one.leaves_on for one in found]),
            predicted_on=days,
            latest_on=latest,
            late_probability=late,
            message=f"{units} units of {skus} have no node; they {what}.",
        )
        if best is None or (each.late_probability, each.latest_on or date.max) < (
            best.late_probability,
            best.latest_on or date.max,
        ):
            best = each
    return best or nothing
