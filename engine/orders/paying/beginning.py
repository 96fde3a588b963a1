"""What a new order begins with that says by what it is to be paid: its tenders, and what has to be done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import msgspec

from engine.orders.model import NewOrder, Order
from engine.orders.paying.balancing import with_money
from engine.orders.paying.tendering import Tendering


def with_tenders(tendering: Tendering) -> Callable[[NewOrder, Order, datetime], Order]:
    """Return what lets an order begin with its tenders; raises InvalidInput for those that cannot be."""

    def begin(new: NewOrder, begun: Order, _at: datetime) -> Order:
        if not new.tenders:
            return begun
        money = begun.life.money
        tenders = tendering.tenders(new.tenders, money.prices)
        money = msgspec.structs.replace(money, tenders=tenders)
        # the store makes it so with the order itself
        known = replace(begun, reservation_id=begun.captured.reservation_id)
        paying = with_money(replace(known, life=msgspec.structs.replace(begun.life, money=money)))
        return replace(paying, reservation_id=begun.reservation_id)

    return begin
