"""What an order still has to have done elsewhere: written down with the step that asks for it, done after that.

A process that dies between the two leaves it to the sweeper. Not here: doing it (engine/orders/effecting.py).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.orders.facts.bills import Bill


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to be done once at a payment provider, in stock, at a carrier, or for a customer.

    `effect_id` is the idempotency key under which it is done, so that twice is once; `kind` says by whom, as
    `payment.capture`; `target` is the id of what it is done to (a tender, an authorisation, a reservation), `subject`
    that of what it is done for (a shipment, a return), `amount_cents` how much money, `units` how many of a product. It
    is due at `due_at`, later after each of `tries` in vain; `last_error` says why that was. A `bill` waits in it for
    its number.
    """

    effect_id: str
    kind: str
    due_at: datetime
    target: str = ""
    subject: str = ""
    amount_cents: int = 0
    units: int = 0
    tries: int = 0
    last_error: str = ""
    bill: Bill | None = None
