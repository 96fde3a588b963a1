"""The personal data that come with an order: sealed before it is kept, opened for those who may see them.

A store, the journal, the feed and backups have them sealed only (`Life.sealed`), and a digest by which the same order
again is known. Not here: keys, and how it is sealed (engine/customers).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

import msgspec

from engine.errors import Fault, InvalidInput
from engine.inventory.model import Replay
from engine.orders.life import Life
from engine.orders.model import NewOrder, Order


class Personal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed: `customer` and `payment` as the channel sent them, in any form."""

    customer: dict[str, Any] | None = None
    payment: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Tell nothing: what is written into logs must not name people."""
        return "Personal(…)"


NOTHING_PERSONAL = Personal()


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What an order keeps of its customer; the same data of the same customer have the same `digest`."""

    customer_id: str
    sealed: str
    digest: str


class Seal(Protocol):
    """Seals and opens the personal data of orders."""

    async def seal(
        self, personal: Personal, *, customer_id: str | None, order_id: str, at: datetime, replay: Replay | None
    ) -> Sealed:
        """Return what to keep; an order without a `customer_id` gets a customer of its own, the same for its retry.

        `replay` is given where the order has got an id of chance. Raises IllegalState if the customer was erased.
        """
        ...

    async def opened(self, life: Life) -> Personal | None:
        """Return the personal data of an order; None if it has none, or if its customer was erased."""
        ...


async def sealed_order(seal: Seal | None, order: NewOrder, begun: Order, replay: Replay | None) -> Order:
    """Return a new order with its personal data under seal; raises IllegalState if its customer was erased.

    Without anything that seals, none are taken.
    """
    if order.customer is None and order.customer_id is None and order.payment is None:
        return begun
    if seal is None:
        path = "$.payment" if order.customer is None and order.customer_id is None else "$.customer"
        raise InvalidInput(Fault(path=path, message="cannot be sealed here, so it is not taken; leave it out"))
    is_named = order.order_id is not None or order.channel_order_id is not None
    found = await seal.seal(
        Personal(
            customer=None if order.customer is None else dict(order.customer),
            payment=None if order.payment is None else dict(order.payment),
        ),
        customer_id=order.customer_id,
        order_id=begun.order_id,
        at=begun.captured.captured_at,
        replay=None if is_named else replay,
    )
    return replace(
        begun,
        captured=replace(begun.captured, customer_digest=found.digest, payment=None),
        life=msgspec.structs.replace(begun.life, customer_id=found.customer_id, sealed=found.sealed),
    )
