"""What an order begins with beside what it asks for: whose it is, its prices, what its checks found, order holds.

Without an order policy, prices and a customer that is nothing, and costs nothing. Not here: the checks (checking/), the
rules of capture that no policy can leave out (capture.py), keeping it (service.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import msgspec

from engine.availability.reference import View
from engine.catalog.model import Catalog
from engine.errors import Fault, InvalidInput, Refused
from engine.orders.checking.checks import checked
from engine.orders.checking.model import NO_RECENT, CheckedOrder
from engine.orders.checking.recent import RecentBook, to_note
from engine.orders.checking.service import OrderPolicies, OrderPolicy
from engine.orders.contact import contact_of
from engine.orders.facts.money import Money, Prices
from engine.orders.life import NO_LIFE, Life
from engine.orders.model import Captured, NewLine, NewOrder, Order, OrderState
from engine.orders.order_holds import with_holds
from engine.orders.paying.pricing import StatedPrice, priced
from engine.orders.paying.taxes import STANDARD, Taxes

Beginning = Callable[[NewOrder, Order, datetime], Order]
"""What one capability lets a new order begin with; pure."""
TaxesAt = Callable[[int], Awaitable[Taxes | None]]
"""The tax table at an epoch of documents."""


class OrderBeginnings:
    """Lets orders begin, by the order policy and the tax table in force."""

    def __init__(
        self,
        policies: OrderPolicies,
        recent: RecentBook,
        taxes: TaxesAt | None = None,
        others: Sequence[Beginning] = (),
    ) -> None:
        self._policies, self._recent, self._taxes, self._others = policies, recent, taxes, others

    async def policy(self, view: View) -> OrderPolicy:
        """Return the order policy in force."""
        return await self._policies.at(view.epoch)

    async def begin(self, order: NewOrder, captured: Captured, view: View, policy: OrderPolicy, at: datetime) -> Order:
        """Return a new order with what it begins with.

        Raises InvalidInput with every fault that the policy lets no order have, Refused for one that it refuses.
        """
        taxes = await self._taxes(view.epoch) if self._taxes is not None and order.has_prices else None
        prices = prices_of(order, captured, view, taxes)
        begun = Order(captured=captured, state=OrderState.CAPTURED, life=_life(order, prices))
        if policy.version:
            begun = await self._checked(order, begun, view, policy, at)
        for each in self._others:
            begun = each(order, begun, at)
        return begun

    async def _checked(self, order: NewOrder, begun: Order, view: View, policy: OrderPolicy, at: datetime) -> Order:
        seen = CheckedOrder(
            captured=begun.captured,
            network=view.network,
            catalog=view.catalog,
            customer_id=order.customer_id or "",
            contact=contact_of(order.customer),
            prices=begun.life.money.prices,
            stated_total_cents=order.total_cents,
        )
        recent = await self._recent.note(to_note(seen, policy.back, at)) if policy.back else NO_RECENT
        found = checked(seen, policy.document, policy.version, at, recent)
        if found.faults:
            raise InvalidInput(found.faults)
        if found.refusal:
            raise Refused(found.refusal)
        begun = replace(begun, life=msgspec.structs.replace(begun.life, checks=found.checks))
        return with_holds(begun, found.holds) if found.holds else begun


def prices_of(order: NewOrder, captured: Captured, view: View, taxes: Taxes | None) -> Prices | None:
    """Return the prices of a new order, None if it comes without; raises InvalidInput with every fault.

    A line without a price has that of the catalog.
    """
    if not order.has_prices:
        return None
    faults: list[Fault] = []
    stated = [stated_price(index, line, view.catalog, faults) for index, line in enumerate(order.lines)]
    if faults:
        raise InvalidInput(faults)
    return priced(
        captured.lines,
        [each for each in stated if each is not None],
        currency=order.currency or view.network.document.currency,
        destination=captured.destination,
        taxes=taxes,
        shipping_cents=order.shipping_cents,
    )


def stated_price(index: int, line: NewLine, catalog: Catalog, faults: list[Fault]) -> StatedPrice | None:
    """Return the price of a line as it was stated, or as in the catalog; None, and a fault, if it has none at all."""
    price = catalog.prices.get(line.sku) if line.unit_price_cents is None else line.unit_price_cents
    if price is None:
        message = f"{line.sku!r} has no price in the catalog either; give one, or none for the whole order"
        faults.append(Fault(path=f"$.lines[{index}].unit_price_cents", message=message))
        return None
    return StatedPrice(
        unit_price_cents=price,
        discount_cents=line.discount_cents,
        tax_code=line.tax_code or STANDARD,
        unit_cost_cents=catalog.costs.get(line.sku) if line.unit_cost_cents is None else line.unit_cost_cents,
    )


def terms_digest(order: NewOrder) -> str | None:
    """Return the digest of whose an order is and of its prices; None if it says nothing of either."""
    if order.customer_id is None and not order.has_prices and not order.tenders:
        return None
    lines = [(line.unit_price_cents, line.discount_cents, line.tax_code, line.unit_cost_cents) for line in order.lines]
    said: tuple[object, ...] = (order.customer_id, order.currency, order.shipping_cents, order.total_cents, lines)
    if order.tenders:
        said = (*said, order.tenders)
    return sha256(msgspec.msgpack.encode(said)).hexdigest()[:32]


def _life(order: NewOrder, prices: Prices | None) -> Life:
    if prices is None and order.channel_order_id is None and order.customer_id is None:
        return NO_LIFE
    return Life(
        customer_id=order.customer_id or "",
        channel_order_id=order.channel_order_id or "",
        money=Money() if prices is None else Money(prices=prices),
    )
