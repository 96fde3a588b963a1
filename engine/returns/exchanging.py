"""Exchanges: what a customer wants instead, as an order of its own with its own promise, tied to the return it is for.

What the return is to pay back is agreed on beforehand: so much of the new order is invoiced, and settled by what comes
back; the customer pays the difference by tenders of the new order, or is paid it. Not here: when an exchange is due
(authorising.py), the return's own money (paying.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from engine.availability.reference import View
from engine.errors import Fault, IllegalState, InvalidInput, NotFound
from engine.orders.beginning import prices_of
from engine.orders.capture import capture
from engine.orders.facts.money import Prices, Tender, TenderKind
from engine.orders.facts.returns import Exchange, OrderedLine, Return, ReturnState
from engine.orders.model import NewLine, NewOrder, NewTender, Order
from engine.orders.paying.taxes import Taxes
from engine.orders.paying.tendering import TERMS, Tendering
from engine.orders.remaining import to_route
from engine.orders.store import OrderStore
from engine.returns.amounts import units_value_cents

_AT = "$.exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExchange:
    """What a customer wants instead; `tenders` pay what it costs beyond what the return is to pay back."""

    lines: tuple[NewLine, ...]
    order_id: str | None = None
    service_level: str | None = None
    tenders: tuple[NewTender, ...] = ()


class ExchangeTerms:
    """Agrees on exchanges: checks what is wanted, and works its price out."""

    def __init__(
        self, orders: OrderStore, taxes: Callable[[int], Awaitable[Taxes | None]], tendering: Tendering
    ) -> None:
        self._orders, self._taxes, self._tendering = orders, taxes, tendering

    async def agreed(
        self, order: Order, made: Return, new: NewExchange, due: ReturnState, view: View, at: datetime
    ) -> Exchange:
        """Return what is agreed on for a return that is being announced; raises InvalidInput, IllegalState."""
        order_id = new.order_id or f"{order.order_id}-x{len(order.life.returns) + 1}"
        await self._check_new(order_id)
        wanted = new_order(order, order_id, new)
        try:
            captured = capture(wanted, order_id, at, view.network, view.catalog)
            prices = prices_of(wanted, captured, view, await self._taxes(view.epoch) if wanted.has_prices else None)
        except InvalidInput as error:
            moved = [Fault(path=f"{_AT}{fault.path[1:]}", message=fault.message) for fault in error.faults]
            raise InvalidInput(moved) from None
        agreed = 0 if prices is None else min(prices.total_cents, expected_cents(order, made))
        return Exchange(
            order_id=order_id,
            lines=tuple(
                OrderedLine(sku=line.sku, quantity=line.quantity, unit_price_cents=line.unit_price_cents)
                for line in new.lines
            ),
            due=due,
            service_level=new.service_level or "",
            prices=prices,
            tenders=self._tenders(order, made, new, prices, agreed),
            agreed_cents=agreed,
        )

    async def _check_new(self, order_id: str) -> None:
        try:
            await self._orders.get(order_id)
        except NotFound:
            return
        raise IllegalState(f"Order {order_id!r} is there already; give the exchange another order_id.")

    def _tenders(
        self, order: Order, made: Return, new: NewExchange, prices: Prices | None, agreed: int
    ) -> tuple[Tender, ...]:
        """Return by what the new order is paid: an invoice for what the return is to pay back, then the customer's."""
        if prices is None or not (order.life.money.tenders or new.tenders):
            return ()
        difference = prices.total_cents - agreed
        if difference > 0 and not new.tenders:
            message = f"is missing; {difference} cents are to be paid beyond what the return pays back"
            raise InvalidInput(Fault(path=f"{_AT}.tenders", message=message))
        invoice = NewTender(kind=TenderKind.INVOICE, token=made.return_id, provider=TERMS, amount_cents=agreed)
        wanted = (*((invoice,) if agreed else ()), *new.tenders)
        return self._tendering.tenders(wanted, prices, f"{_AT}.tenders")


def new_order(order: Order, order_id: str, new: NewExchange) -> NewOrder:
    """Return the order that is wanted instead, as it would be captured; for an order with prices it has some too."""
    prices = order.life.money.prices
    return NewOrder(
        channel=order.captured.channel,
        destination=to_route(order).destination,
        lines=new.lines,
        order_id=order_id,
        service_level=new.service_level,
        customer_class=order.captured.customer_class,
        currency=None if prices is None else prices.currency,
    )


def expected_cents(order: Order, made: Return) -> int:
    """Return what a return comes to if all of it comes back as announced and is as good as new."""
    gross = sum(
        units_value_cents(order, line.line_id, line.quantity) * (100 - line.terms.restocking_percent) // 100
        for line in made.lines
    )
    return max(0, gross - made.fee_cents)


def captured_again(exchange: Exchange, order: Order) -> NewOrder:
    """Return the order of an exchange as it is captured, with its tenders."""
    lines = tuple(
        NewLine(sku=line.sku, quantity=line.quantity, unit_price_cents=line.unit_price_cents) for line in exchange.lines
    )
    wanted = NewExchange(lines=lines, service_level=exchange.service_level or None)
    tenders = tuple(
        NewTender(kind=each.kind, token=each.token, provider=each.provider, amount_cents=each.amount_cents)
        for each in exchange.tenders
    )
    return replace(new_order(order, exchange.order_id, wanted), tenders=tenders)


def with_exchange(changed: Return, **fields: object) -> Return:
    """Return a return with its exchange changed."""
    assert changed.exchange is not None, "asked of a return with an exchange"
    exchange = msgspec.structs.replace(changed.exchange, **fields)
    return msgspec.structs.replace(changed, exchange=exchange)
