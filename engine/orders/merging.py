"""Merging an order into another of the same customer that goes the same way: pure rules.

The order that goes is stopped first, with the effect that does the rest; then its lines join the other; then it is
cancelled. If the other cannot take them any more by then, the order goes on as it was. So units are never in both, nor
in none. Not here: making it (regrouping.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import msgspec

from engine.catalog.model import Catalog
from engine.orders.cancelling import closed
from engine.orders.capture import demand_of_lines
from engine.orders.effecting import with_effects, without_effect
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Link
from engine.orders.facts.money import LinePrice, Money, Prices
from engine.orders.life import Amendment
from engine.orders.model import Note, Order, OrderState
from engine.orders.modifying import with_more
from engine.orders.order_holds import being_merged, with_holds, without_kind
from engine.orders.remaining import units_left
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.steering import MERGING, OrderHold
from engine.routing.model import OrderLine

MERGE = "order.merge"
"""The effect that merges an order into another."""


def offered(order: Order, into: Order, reason: str | None, at: datetime, by: str) -> Revision:
    """Return an order that is to be merged into another, stopped until it is."""
    note = Note(event="merging", by=by, reason=reason, subject=into.order_id)
    why = _source_refusal(order) or mismatch(order, into)
    if why:
        return refused(order, note, why)
    hold = OrderHold(kind=MERGING, reason=f"joins {into.order_id}", at=at, by=by)
    effect = Effect(effect_id=f"{MERGE}:{into.order_id}", kind=MERGE, due_at=at, target=into.order_id)
    to = with_holds(order, [*without_kind(order, MERGING), hold])
    return revision_of(order, replace(to, life=with_effects(to.life, effect)), note)


def joined(order: Order, other: Order, by: str, catalog: Catalog, *, moves_stock: bool = False) -> Revision | None:
    """Return an order with the lines of another one, None if it has them already; refused if it cannot take them.

    With `moves_stock`, what the other has reserved is reserved for this one from then on.
    """
    if any(link.kind == "merged_from" and link.order_id == other.order_id for link in order.life.links):
        return None
    note = Note(event="merged", by=by, subject=other.order_id)
    why = mismatch(other, order)
    if why:
        return refused(order, note, why)
    names = _names(order, other.lines)
    lines = _joined_lines(order.lines, other.lines, names)
    demand, whole = demand_of_lines(lines, catalog, {line.sku: line.line_id for line in order.demand})
    amendment = Amendment(
        lines=lines,
        demand=demand,
        whole=whole,
        destination=order.destination,
        service_level=order.wanted_level,
        need_by=order.need_by,
        promised_on=order.promised_on,
    )
    life = msgspec.structs.replace(
        order.life,
        amendment=amendment,
        money=_joined_money(order.life.money, other.life.money, names),
        links=(*order.life.links, Link(kind="merged_from", order_id=other.order_id)),
    )
    joins = None
    if moves_stock and other.reservation_id is not None:
        name = sha256(f"{order.order_id} joined by {other.order_id}".encode()).hexdigest()[:32]
        joins = (other.reservation_id, other.order_id, f"res_{name}", order.order_id)
    return revision_of(order, with_more(replace(order, life=life)), note, joins=joins, uses_change=True)


def gone(order: Order, effect: Effect, by: str) -> Revision:
    """Return an order whose lines are another's now: cancelled."""
    note = Note(event="merged_into", by=by, subject=effect.target)
    life = without_effect(order.life, effect.effect_id)
    life = msgspec.structs.replace(life, links=(*life.links, Link(kind="merged_into", order_id=effect.target)))
    left = {line_id: units for line_id, units in units_left(order).items() if units > 0}
    return closed(order, replace(order, life=life), left, note)


def not_merged(order: Order, effect: Effect, why: str, by: str) -> Revision:
    """Return an order that stays by itself, and goes on, since the other could not take it."""
    note = Note(event="not_merged", by=by, reason=why[:200], subject=effect.target)
    to = replace(order, life=without_effect(order.life, effect.effect_id))
    return revision_of(order, with_holds(to, without_kind(to, MERGING)), note)


def mismatch(order: Order, into: Order) -> str:
    """Return why an order cannot be merged into another, blank if it can."""
    name = f"Order {order.order_id!r} cannot join {into.order_id!r}"
    if order.order_id == into.order_id:
        return f"{name}, which it is; name another one."
    if into.is_cancelled or not any(units > 0 for units in units_left(into).values()):
        return f"{name}, of which nothing is left to ship."
    for what, mine, theirs in (
        ("channel", order.captured.channel, into.captured.channel),
        ("customer", order.life.customer_id, into.life.customer_id),
        ("destination", order.destination, into.destination),
        ("store", order.captured.picked_up_at, into.captured.picked_up_at),
        ("service level", order.wanted_level, into.wanted_level),
        ("need-by date", order.need_by, into.need_by),
    ):
        if mine != theirs:
            return f"{name}: it has another {what}."
    return _price_mismatch(order, into, name)


def _price_mismatch(order: Order, into: Order, name: str) -> str:
    mine, theirs = order.life.money.prices, into.life.money.prices
    if (mine is None) != (theirs is None):
        return f"{name}: only one of them has prices."
    if mine is None or theirs is None:
        return ""
    if (mine.currency, mine.is_tax_included) != (theirs.currency, theirs.is_tax_included):
        return f"{name}: it has another currency, or tax is included in the prices of one only."
    skus = {line.line_id: line.sku for line in into.lines}
    paid = {skus[price.line_id]: (price.unit_price_cents, price.tax_code) for price in theirs.lines}
    for line in order.lines:
        price = next(each for each in mine.lines if each.line_id == line.line_id)
        if paid.get(line.sku, (price.unit_price_cents, price.tax_code)) != (price.unit_price_cents, price.tax_code):
            return f"{name}: {line.sku!r} has another price there."
    return ""


def _source_refusal(order: Order) -> str:
    name = f"Order {order.order_id!r}"
    if order.state not in {OrderState.CAPTURED, OrderState.BACKORDERED, OrderState.SOURCED}:
        return f"{name} is {order.state.value}, and joins no other."
    if why := being_merged(order):
        return why
    if order.life.shipments or order.life.cancelled or order.life.money.ledger:
        return f"{name} is with nodes, was cancelled in part, or money was set aside for it; it joins no other."
    if any(link.kind == "split_to" and link.split_off is not None for link in order.life.links):
        return f"{name} is being split; send it again."
    return ""


def _names(order: Order, lines: Sequence[OrderLine]) -> dict[str, str]:
    """Return the id that each line of another order gets: that of the same product, else its own or a free number."""
    skus, taken = {line.sku: line.line_id for line in order.lines}, {line.line_id for line in order.lines}
    names: dict[str, str] = {}
    for line in lines:
        name, number = skus.get(line.sku, line.line_id), len(order.lines)
        while line.sku not in skus and name in taken:
            number += 1
            name = str(number)
        taken.add(name)
        names[line.line_id] = name
    return names


def _joined_lines(
    lines: Sequence[OrderLine], others: Sequence[OrderLine], names: dict[str, str]
) -> tuple[OrderLine, ...]:
    found = {line.line_id: line for line in lines}
    for line in others:
        name = names[line.line_id]
        before = found[name].quantity if name in found else 0
        found[name] = OrderLine(line_id=name, sku=line.sku, quantity=before + line.quantity)
    return tuple(found.values())


def _joined_money(money: Money, other: Money, names: dict[str, str]) -> Money:
    """Return money of two orders together: prices summed, and the tenders of both."""
    if money.prices is None or other.prices is None:
        return money
    tenders = [
        msgspec.structs.replace(tender, tender_id=f"tender_{len(money.tenders) + number}")
        for number, tender in enumerate(other.tenders, start=1)
    ]
    prices = _joined_prices(money.prices, other.prices, names)
    return msgspec.structs.replace(money, prices=prices, tenders=(*money.tenders, *tenders))


def _joined_prices(prices: Prices, other: Prices, names: dict[str, str]) -> Prices:
    found = {line.line_id: line for line in prices.lines}
    for line in other.lines:
        name = names[line.line_id]
        found[name] = _summed(found[name], line) if name in found else msgspec.structs.replace(line, line_id=name)
    return msgspec.structs.replace(
        prices,
        lines=tuple(found.values()),
        total_cents=prices.total_cents + other.total_cents,
        shipping_cents=prices.shipping_cents + other.shipping_cents,
        shipping_tax_cents=prices.shipping_tax_cents + other.shipping_tax_cents,
    )


def _summed(line: LinePrice, other: LinePrice) -> LinePrice:
    return msgspec.structs.replace(
        line,
        quantity=line.quantity + other.quantity,
        discount_cents=line.discount_cents + other.discount_cents,
        tax_cents=line.tax_cents + other.tax_cents,
        total_cents=line.total_cents + other.total_cents,
    )
