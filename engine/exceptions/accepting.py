"""What becomes of an order when people accept an alternative: pins, the new terms, and a run that is asked for.

All of it is one step; the units keep their stock until the run has found them what was accepted. Not here: the run
(rerouting.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from engine.exceptions.alerting import terms_of
from engine.exceptions.alternatives import Alternative, Kind, id_of, pins_of
from engine.exceptions.rerouting import reason_of
from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.folding import folded_overrides
from engine.orders.life import Amendment
from engine.orders.model import Note, NotedLine, Order
from engine.orders.rejecting import stock_lines
from engine.orders.revising import Revision, StockLine, refused, reopened, revision_of, with_the_rest
from engine.orders.steering import Override
from engine.routing.model import LineNode, OrderLine

REROUTE = "exceptions.reroute"
"""The kind of effect that routes an order of which an alternative was accepted."""
STALE = "is stale: the order, its stock or its dates have moved since it was proposed. Take one that is proposed now."


def accepted(order: Order, alternative: Alternative, at: datetime, by: str) -> Revision:
    """Return what becomes of an order; an alternative that is not of the order as it is now is refused."""
    note = Note(
        event="alternative_accepted",
        by=by,
        reason=f"{alternative.kind.value}, promised for {alternative.promised_on}",
        subject=alternative.alternative_id,
    )
    name = id_of(order, alternative.kind, alternative.parcels, alternative.promised_on)
    if order.is_cancelled or name != alternative.alternative_id:
        return refused(order, note, f"Alternative {alternative.alternative_id!r} {STALE}")
    terms = _terms(order, alternative)
    alerts = tuple(
        each if each.closed_at is not None else msgspec.structs.replace(each, outcome=alternative.kind.value)
        for each in order.life.alerts
    )
    life = msgspec.structs.replace(order.life, amendment=terms, alerts=alerts)
    if alternative.kind is Kind.WAIT:
        return revision_of(order, replace(order, life=life), note)
    reroute = Effect(
        effect_id=f"reroute_{alternative.alternative_id}", kind=REROUTE, due_at=at, subject=alternative.alternative_id
    )
    life = with_effects(life, reroute)
    opened = with_the_rest(order, _moved(order, alternative))
    to = replace(reopened(order, opened) if any(opened) else order, life=life)
    to, given_back = _substituted(order, to, opened, alternative)
    to = replace(to, steering=replace(to.steering, overrides=_pinned(order, alternative, at, by)))
    lines: dict[str, int] = {}
    for row, units in zip(order.allocation, opened, strict=True):
        if units:
            lines[row.line_id] = lines.get(row.line_id, 0) + units
    noted = tuple(NotedLine(line_id=line_id, quantity=units) for line_id, units in lines.items())
    return revision_of(order, to, replace(note, lines=noted), given_back=given_back)


def _terms(order: Order, alternative: Alternative) -> Amendment:
    """Return the terms from now on: the new day, a level that is faster, products in place of others."""
    terms, day = terms_of(order), alternative.promised_on
    terms = msgspec.structs.replace(
        terms,
        promised_on=day if terms.promised_on is None else max(day, terms.promised_on),
        need_by=None if terms.need_by is None else max(day, terms.need_by),
    )
    levels = {parcel.service_level for parcel in alternative.parcels}
    if len(levels) == 1 and (order.wanted_level is not None or alternative.kind is Kind.FASTER_SERVICE):
        terms = msgspec.structs.replace(terms, service_level=levels.pop())
    instead = _instead(alternative)
    if instead:
        terms = msgspec.structs.replace(
            terms, lines=_exchanged(terms.lines, instead), demand=_exchanged(terms.demand, instead)
        )
    return terms


def _exchanged(lines: tuple[OrderLine, ...], instead: dict[str, str]) -> tuple[OrderLine, ...]:
    return tuple(msgspec.structs.replace(line, sku=instead.get(line.line_id, line.sku)) for line in lines)


def _instead(alternative: Alternative) -> dict[str, str]:
    """Return the product that is sent for a line instead of its own, by line id."""
    return {
        line.line_id: line.sku for parcel in alternative.parcels for line in parcel.lines if line.substitute_for != ""
    }


def _moved(order: Order, alternative: Alternative) -> list[int]:
    """Return the units of each row that are sent otherwise."""
    ways = {line.line_id: (parcel.node_id, parcel.service) for parcel in alternative.parcels for line in parcel.lines}
    instead = _instead(alternative)
    return [
        row.quantity
        if row.node_id is not None
        and row.line_id in ways
        and (row.line_id in instead or ways[row.line_id] != (row.node_id, row.service))
        else 0
        for row in order.allocation
    ]


def _substituted(
    order: Order, to: Order, opened: list[int], alternative: Alternative
) -> tuple[Order, tuple[StockLine, ...]]:
    """Return an order whose open rows are of the products that are sent instead, and what it gives back for that."""
    instead = _instead(alternative)
    if not instead:
        return to, ()
    given = [units if row.line_id in instead else 0 for row, units in zip(order.allocation, opened, strict=True)]
    rows = tuple(
        replace(row, sku=instead[row.line_id]) if row.node_id is None and row.line_id in instead else row
        for row in to.allocation
    )
    return replace(to, allocation=rows), stock_lines(order, given)


def _pinned(order: Order, alternative: Alternative, at: datetime, by: str) -> tuple[Override, ...]:
    pins = tuple(LineNode(line_id=line_id, node_id=node_id) for line_id, node_id in pins_of(alternative).items())
    override = Override(reason=reason_of(alternative.alternative_id), at=at, by=by, pins=pins)
    return folded_overrides((*order.steering.overrides, override))
