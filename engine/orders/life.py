"""What has happened to an order beside its routing, as one document that changes with the order's revision.

Each part has plain types of its own (facts/), and a capability that knows the rules. Where an order stands is worked
out from it and from its routing (states.py); it is not kept. Not here: how it changes (changing.py).
"""

from __future__ import annotations

from datetime import date

import msgspec

from engine.orders.destination import Destination
from engine.orders.facts.bills import Bill
from engine.orders.facts.checks import Checks
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Alert, Link, Notice
from engine.orders.facts.money import Money
from engine.orders.facts.returns import Return
from engine.orders.facts.shipments import DocumentEntry, Shipment
from engine.routing.model import OrderLine


class CancelledUnits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units of a line of an order's demand that were cancelled."""

    line_id: str
    quantity: int


class Amendment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The terms of an order since it was modified, in place of those it was captured with; all of them."""

    lines: tuple[OrderLine, ...]
    demand: tuple[OrderLine, ...]
    whole: tuple[tuple[str, ...], ...] = ()
    destination: Destination
    service_level: str | None = None
    need_by: date | None = None
    promised_on: date | None = None


class Life(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it for one order.

    `sealed` are the customer's personal data, to be read with the customer's key only; `customer_id` names it.
    """

    customer_id: str = ""
    sealed: str = ""
    channel_order_id: str = ""
    amendment: Amendment | None = None
    cancelled: tuple[CancelledUnits, ...] = ()
    checks: Checks | None = None
    money: Money = Money()
    bills: tuple[Bill, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    documents: tuple[DocumentEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    alerts: tuple[Alert, ...] = ()
    links: tuple[Link, ...] = ()
    effects: tuple[Effect, ...] = ()


NO_LIFE = Life()
_decode = msgspec.json.Decoder(Life).decode


def life_document(life: Life) -> bytes:
    """Return it as JSON; blank if nothing has happened."""
    return b"" if life == NO_LIFE else msgspec.json.encode(life)


def life_of(document: str | bytes | None) -> Life:
    """Return what was kept; blank or None stands for nothing."""
    return _decode(document) if document else NO_LIFE
