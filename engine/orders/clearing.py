"""What of an order is personal and not sealed, taken out of it once its customer was erased and it is over.

What is left says what was sold for how much, and about where: of a postal code its first three characters, of
coordinates one decimal (some 10 km). Pure. Not here: what is sealed (personal.py), and where orders are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from engine.orders.destination import Destination
from engine.orders.facts.checks import Checks
from engine.orders.facts.links import Link
from engine.orders.facts.money import Tender
from engine.orders.facts.returns import Return
from engine.orders.facts.shipments import CarrierEvent, Shipment
from engine.orders.life import NO_LIFE, Life
from engine.orders.model import Note, Order
from engine.orders.records import captured_of, document
from engine.orders.revising import kept_life
from engine.orders.steering import steering_document

CLEARED = "personal_data_cleared"
_POSTAL_MARKS, _DECIMALS = 3, 1
_FIELDS = 7
"""An order in a reply has so many: what was captured is the first, what has happened to it the last."""
_changed = msgspec.structs.replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """An order as it was seen, and without what was personal in it."""

    seen: Order
    to: Order

    @property
    def expected(self) -> tuple[str, str, str, int]:
        """The state, run, reservation and revision that the order has to have."""
        seen = self.seen
        return seen.state.value, seen.run_id or "", seen.reservation_id or "", seen.steering.revision

    @property
    def doc(self) -> str:
        """What was captured from now on, as JSON."""
        return document(self.to.captured).decode()

    @property
    def life(self) -> tuple[str, str, str]:
        """What has happened to it, what there is to route if that is not what was captured, and its state."""
        life, routed, _, _, told = kept_life(self.to)
        return life, routed, told

    @property
    def steering(self) -> str:
        """What was said of it, as JSON, with the next number."""
        said = self.to.steering
        return steering_document(replace(said, revision=said.revision + 1)).decode()

    @property
    def written(self) -> str:
        """The step that its history gets, as JSON."""
        return msgspec.json.encode(Note(event=CLEARED, by="erasure")).decode()


def answers_of(orders: Sequence[Order]) -> list[tuple[str, str, str]]:
    """Return each order as answers have it: its id as JSON, what was captured, what has happened to it."""
    return [
        (msgspec.json.encode(each.order_id).decode(), document(each.captured).decode(), kept_life(each)[0])
        for each in orders
    ]


def cleared_reply(reply: Sequence[Any], answers: Sequence[tuple[str, str, str]]) -> Sequence[Any]:
    """Return a store's reply that shows one of some orders as `answers_of` has it, any other reply as it is."""
    fields = reply[2] if len(reply) > 2 and isinstance(reply[2], tuple) else ()
    if len(fields) != _FIELDS:
        return reply
    known = {order_id: (doc, life) for order_id, doc, life in answers}
    found = known.get(msgspec.json.encode(captured_of(fields[0]).order_id).decode())
    return reply if found is None else (*reply[:2], (found[0], *fields[1:-1], found[1]), *reply[3:])


def cleared(order: Order) -> Order:
    """Return an order without what is personal; the same again changes nothing."""
    captured, life = order.captured, order.life
    codes = {captured.destination.postal_code or ""}
    if life.amendment is not None:
        codes.add(life.amendment.destination.postal_code or "")
    where = _about(captured.destination)
    return replace(
        order,
        captured=replace(captured, destination=where, payment=None),
        life=life if life == NO_LIFE else _life(life, frozenset(each for each in codes if len(each) > _POSTAL_MARKS)),
    )


def _about(place: Destination) -> Destination:
    code = place.postal_code
    return replace(
        place,
        latitude=None if place.latitude is None else round(place.latitude, _DECIMALS),
        longitude=None if place.longitude is None else round(place.longitude, _DECIMALS),
        postal_code=None if code is None else code[:_POSTAL_MARKS].strip(),
    )


def _life(life: Life, codes: frozenset[str]) -> Life:
    amended = life.amendment
    return _changed(
        life,
        sealed="",
        amendment=None if amended is None else _changed(amended, destination=_about(amended.destination)),
        checks=None if life.checks is None else _checks(life.checks, codes),
        money=_changed(life.money, tenders=tuple(map(_tender, life.money.tenders))),
        shipments=tuple(map(_shipment, life.shipments)),
        returns=tuple(map(_return, life.returns)),
        documents=tuple(_changed(each, detail="") for each in life.documents),
        links=tuple(map(_link, life.links)),
    )


def _tender(tender: Tender) -> Tender:
    return _changed(tender, token="")


def _checks(checks: Checks, codes: frozenset[str]) -> Checks:
    """Return what checks found, without messages that show a postal code."""
    found = tuple(
        _changed(each, message=each.rule) if any(code in each.message for code in codes) else each
        for each in checks.findings
    )
    return _changed(checks, findings=found)


def _shipment(shipment: Shipment) -> Shipment:
    return _changed(
        shipment,
        proof="",
        problem="",
        cartons=tuple(_changed(each, label_url="") for each in shipment.cartons),
        events=_events(shipment.events),
    )


def _events(events: tuple[CarrierEvent, ...]) -> tuple[CarrierEvent, ...]:
    return tuple(_changed(each, place="", detail="") for each in events)


def _return(given: Return) -> Return:
    exchange = given.exchange
    return _changed(
        given,
        label_url="",
        problem="",
        store_credit="",
        events=_events(given.events),
        lines=tuple(_changed(line, comment="") for line in given.lines),
        exchange=None if exchange is None else _changed(exchange, tenders=tuple(map(_tender, exchange.tenders))),
    )


def _link(link: Link) -> Link:
    begins = link.split_off
    if begins is None:
        return link
    tenders = tuple(map(_tender, begins.tenders))
    return _changed(link, split_off=_changed(begins, destination=_about(begins.destination), tenders=tenders))
