"""Who does the effects that returns ask for. Not here: money, which is asked for by effects of payment."""

from __future__ import annotations

from engine.inventory.service import InventoryService
from engine.orders.changing import Rule
from engine.orders.effecting import Handler
from engine.orders.facts.effects import Effect
from engine.orders.model import Order
from engine.payments.store_credit import StoreCredit
from engine.returns.capturing import Exchanges
from engine.returns.ending import expired
from engine.returns.labelling import ReturnLabels
from engine.returns.refunding import PaidBack
from engine.returns.steps import BEGIN, CREDIT, EXCHANGE, EXPIRE, LABEL, REFUND, STOCK
from engine.returns.stocking import ReturnStock
from engine.returns.without_receipt import begun


def return_handlers(
    inventory: InventoryService, labels: ReturnLabels, exchanges: Exchanges, credit: StoreCredit
) -> dict[str, Handler]:
    """Return the handlers of returns, by kind of effect."""
    return {
        STOCK: ReturnStock(inventory).make,
        LABEL: labels.buy,
        EXCHANGE: exchanges.capture,
        CREDIT: exchanges.credit,
        EXPIRE: _expire,
        REFUND: PaidBack(credit).pay_back,
        BEGIN: _begin,
    }


async def _begin(_: Order, effect: Effect) -> Rule:
    """Return the rule that lets an order without a receipt begin; nothing has to be done for it."""
    return lambda seen, _: begun(seen, effect)


async def _expire(_: Order, effect: Effect) -> Rule:
    """Return the rule that ends a return whose units had to be there by now; nothing has to be done for it."""
    return lambda seen, at: expired(seen, effect.subject, at)
