"""Splitting an order in two: units that are to go elsewhere, or by themselves, become an order of their own. Pure.

The first step takes them off the order and writes down what the other begins with; the second, an effect, captures
that. Prices are divided to the cent, and so is what tenders are good for. Not here: making it (regrouping.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import msgspec

from engine.catalog.model import Catalog
from engine.inventory.model import HoldLine
from engine.orders.cancelling import check_named, units_of
from engine.orders.capture import demand_of_lines
from engine.orders.destination import Destination
from engine.orders.effecting import with_effects
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Link, SplitOff
from engine.orders.facts.money import EntryKind, LinePrice, Money, Prices, Tender
from engine.orders.life import Amendment, Life
from engine.orders.model import Captured, Note, NotedLine, Order, OrderState
from engine.orders.order_holds import being_merged, with_holds
from engine.orders.paying.balancing import PAYMENT, with_money
from engine.orders.remaining import units_left
from engine.orders.revising import Revision, refused, revision_of
from engine.orders.withdrawing import free_units, withdrawn
from engine.routing.model import OrderLine

SPLIT = "order.split"
"""The effect by which the order that was split off is captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSplit:
    """Units of the customer's lines (None: all that are left) for an order of their own, to another place perhaps."""

    lines: tuple[tuple[str, int | None], ...]
    destination: Destination | None = None
    reason: str | None = None


def split(
    order: Order,
    new: NewSplit,
    at: datetime,
    by: str,
    *,
    catalog: Catalog,
    until: str,
    reserved: Sequence[HoldLine],
    is_confirmed: bool,
    moves_stock: bool = False,
) -> Revision:
    """Return an order without the units that another is to have, and the effect that captures that one.

    Raises InvalidInput with every fault. `is_confirmed` says whether what is `reserved` never expires,
    `moves_stock` whether it can be moved to a reservation of the other order in the same step.
    """
    check_named(order, new.lines)
    number = 1 + sum(link.kind == "split_to" for link in order.life.links)
    name = sha256(f"{order.order_id} split {number}".encode()).hexdigest()[:32]
    other_id, quantities = f"ord_{name}", dict(new.lines)
    note = Note(event="split", by=by, reason=new.reason, subject=other_id)
    wanted, short = units_of(order, new.lines, free_units(order, until), catalog)
    why = short.replace("cancelled", "split off") or _refusal(order, wanted) or being_merged(order)
    if why:
        return refused(order, note, why)
    parts = {line.line_id: line for line in order.lines if line.line_id in quantities}
    taken = tuple(
        msgspec.structs.replace(line, quantity=_asked(order, line, quantities[line_id], wanted, catalog))
        for line_id, line in parts.items()
    )
    found = withdrawn(order, wanted, until, reserved)
    life, kept_prices, other_prices = found.order.life, None, None
    if life.money.prices is not None:
        kept_prices, other_prices = divided(life.money.prices, {line.line_id: line.quantity for line in taken})
    kept_tenders, other_tenders = divided_tenders(
        life.money.tenders, 0 if other_prices is None else other_prices.total_cents
    )
    goes_to = (f"res_{name}", other_id) if moves_stock and found.given_back else None
    begins = SplitOff(
        lines=taken,
        destination=new.destination or order.destination,
        stock=found.given_back,
        is_confirmed=is_confirmed,
        reservation_id="" if goes_to is None else goes_to[0],
        prices=other_prices,
        tenders=other_tenders,
    )
    life = msgspec.structs.replace(
        life,
        amendment=_less(order, taken, wanted),
        money=msgspec.structs.replace(life.money, prices=kept_prices, tenders=kept_tenders),
        links=(*life.links, Link(kind="split_to", order_id=other_id, split_off=begins)),
    )
    effect = Effect(effect_id=f"{SPLIT}:{other_id}", kind=SPLIT, due_at=at, target=other_id)
    to = replace(found.order, life=with_effects(life, effect))
    lines = tuple(NotedLine(line_id=line.line_id, quantity=line.quantity) for line in taken)
    return revision_of(
        order, to, replace(note, lines=lines), given_back=found.given_back, goes_to=goes_to, uses_change=True
    )


def begun(order: Order, other_id: str, begins: SplitOff, at: datetime, catalog: Catalog) -> Order:
    """Return the order that is split off another one, as it is captured."""
    demand, whole = demand_of_lines(begins.lines, catalog)
    seen = order.captured
    captured = Captured(
        order_id=other_id,
        channel=seen.channel,
        destination=begins.destination,
        lines=begins.lines,
        demand=demand,
        whole=whole,
        captured_at=at,
        service_level=order.wanted_level,
        need_by=order.need_by,
        promised_on=order.promised_on,
        payment=seen.payment,
        pickup_node_id=seen.picked_up_at,
        priority=order.priority,
        customer_class=seen.customer_class,
        customer_digest=seen.customer_digest,
    )
    life = Life(
        customer_id=order.life.customer_id,
        sealed=order.life.sealed,
        checks=order.life.checks,
        money=Money(prices=begins.prices, tenders=begins.tenders),
        links=(Link(kind="split_from", order_id=order.order_id),),
    )
    new = Order(captured=captured, state=OrderState.CAPTURED, life=life)
    holds = [hold for hold in order.steering.order_holds if hold.kind != PAYMENT]
    return with_money(with_holds(new, holds) if holds else new)


def divided(prices: Prices, taken: Mapping[str, int]) -> tuple[Prices, Prices]:
    """Return prices without so many units of lines, and those of these units; both sum to what they were.

    Shipping stays with the first.
    """
    kept, gone = list[LinePrice](), list[LinePrice]()
    for line in prices.lines:
        units = taken.get(line.line_id, 0)
        part = _part(line, units, is_tax_included=prices.is_tax_included)
        if units:
            gone.append(part)
        if units < line.quantity:
            kept.append(
                msgspec.structs.replace(
                    line,
                    quantity=line.quantity - units,
                    discount_cents=line.discount_cents - part.discount_cents,
                    tax_cents=line.tax_cents - part.tax_cents,
                    total_cents=line.total_cents - part.total_cents,
                )
            )
    total = sum(line.total_cents for line in gone)
    stays = msgspec.structs.replace(prices, lines=tuple(kept), total_cents=prices.total_cents - total)
    goes = msgspec.structs.replace(prices, lines=tuple(gone), total_cents=total, shipping_cents=0, shipping_tax_cents=0)
    return stays, goes


def _part(line: LinePrice, units: int, *, is_tax_included: bool) -> LinePrice:
    discount = line.discount_cents * units // line.quantity
    tax = line.tax_cents * units // line.quantity
    total = units * line.unit_price_cents - discount + (0 if is_tax_included else tax)
    return msgspec.structs.replace(line, quantity=units, discount_cents=discount, tax_cents=tax, total_cents=total)


def divided_tenders(tenders: Sequence[Tender], cents: int) -> tuple[tuple[Tender, ...], tuple[Tender, ...]]:
    """Return tenders that are good for less, and those that are good for the difference; the last pays first."""
    kept, gone, left = list[Tender](), list[Tender](), cents
    for tender in reversed(tenders):
        part = min(left, tender.amount_cents)
        left -= part
        kept.append(msgspec.structs.replace(tender, amount_cents=tender.amount_cents - part))
        if part:
            gone.append(msgspec.structs.replace(tender, amount_cents=part))
    return tuple(reversed(kept)), tuple(reversed(gone))


def _less(order: Order, taken: Sequence[OrderLine], wanted: Mapping[str, int]) -> Amendment:
    """Return the terms of an order without units of its lines, and of its demand."""
    less = {line.line_id: line.quantity for line in taken}
    demand = _lowered(order.demand, wanted)
    ids = {line.line_id for line in demand}
    whole = tuple(kept for group in order.whole if len(kept := tuple(each for each in group if each in ids)) > 1)
    return Amendment(
        lines=_lowered(order.lines, less),
        demand=demand,
        whole=whole,
        destination=order.destination,
        service_level=order.wanted_level,
        need_by=order.need_by,
        promised_on=order.promised_on,
    )


def _lowered(lines: Sequence[OrderLine], less: Mapping[str, int]) -> tuple[OrderLine, ...]:
    left = [msgspec.structs.replace(line, quantity=line.quantity - less.get(line.line_id, 0)) for line in lines]
    return tuple(line for line in left if line.quantity)


def _asked(order: Order, line: OrderLine, quantity: int | None, wanted: Mapping[str, int], catalog: Catalog) -> int:
    """Return how many units of a customer's line are meant, all that are left of it for None."""
    if quantity is not None:
        return quantity
    in_demand = {each.line_id for each in order.demand}
    if line.line_id in in_demand:
        return wanted[line.line_id]
    units = dict(catalog.content[line.sku].components)
    return min(
        wanted[each.line_id] // units[each.sku] for each in order.demand if each.sku in units and each.line_id in wanted
    )


def _refusal(order: Order, wanted: Mapping[str, int]) -> str:
    name = f"Order {order.order_id!r}"
    if all(wanted.get(line_id, 0) >= units for line_id, units in units_left(order).items()):
        return f"{name} has no other units left; name fewer of them, or modify the order."
    charged = {EntryKind.CAPTURED, EntryKind.REFUNDED}
    if any(entry.kind in charged for entry in order.life.money.ledger):
        return f"{name} was charged in part, and is not split any more; cancel those lines, and capture them anew."
    return ""
