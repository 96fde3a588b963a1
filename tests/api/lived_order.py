"""An order that has lived: shipped in two parcels, one delivered, one unit returned, paid by two tenders, held once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec

from engine.orders.destination import Destination
from engine.orders.facts.checks import Approval, Checks, Finding
from engine.orders.facts.effects import Effect
from engine.orders.facts.links import Alert, Link, Notice
from engine.orders.facts.money import EntryKind, LedgerEntry, LinePrice, Money, Prices, Tender, TenderKind
from engine.orders.facts.returns import Return, ReturnLine, ReturnState, ReturnTerms
from engine.orders.facts.shipments import CarrierEvent, DocumentEntry, Shipment, ShipmentLine, ShipmentState
from engine.orders.life import Life
from engine.orders.model import Captured, HistoryEntry, Note, NotedLine, NotedMove, Order, OrderState
from engine.orders.steering import OrderHold, Steering
from engine.routing.model import OrderLine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINES = (
    OrderLine(line_id="1", sku="MUG-RED", quantity=2),
    OrderLine(line_id="2", sku="TEA-50-EARL-GREY-LOOSE", quantity=1),
)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def lived_order() -> Order:
    captured = Captured(
        order_id="ord_5f2c9a7e41b04c33",
        channel="web",
        destination=Destination(latitude=40.7, longitude=-74.0, postal_code="10001", country="US"),
        lines=LINES,
        demand=LINES,
        captured_at=NOON,
        service_level="standard",
        promised_on=date(2026, 11, 26),
    )
    shipments = (
        _shipment("shp_81c2", "chicago-dc", LINES[0], ShipmentState.DELIVERED),
        _shipment("shp_81c3", "newark-store", LINES[1], ShipmentState.SHIPPED),
    )
    life = Life(
        channel_order_id="W-2026-118273",
        customer_id="cus_ada",
        sealed="unreadable",
        checks=_checks(),
        money=_money(),
        shipments=shipments,
        returns=(_return(),),
        documents=(DocumentEntry(document="packing_slip", subject="shp_81c2", act="made", by="pick 1", at=at(5)),),
        notices=(Notice(notice_id="ntc_1", template="shipped", channel="email", at=at(6.5), outcome="sent"),),
        alerts=(Alert(alert_id="alr_1", severity="high", cause="carrier", at=at(50), message="2 days late at 80%"),),
        links=(Link(kind="exchanged_by", order_id="ord_7a"),),
        effects=(
            Effect(
                effect_id="eff_1", kind="payment.refund", due_at=at(99), subject="ret_9", tries=2, last_error="timeout"
            ),
        ),
    )
    hold = OrderHold(reason="call the customer", at=at(52), by="agent ann")
    return replace(
        Order(captured=captured, state=OrderState.SHIPPED, run_id="run_9d1"),
        life=life,
        steering=Steering(order_holds=(hold,)),
    )


def lived_history() -> list[HistoryEntry]:
    packed = Note(
        event="shipment_packed",
        by="pick 1",
        subject="shp_81c2",
        moves=(NotedMove(line_id="1", before="picking", after="packed", quantity=2),),
    )
    rejected = Note(
        event="short_pick",
        by="boston-store",
        node_id="boston-store",
        reason="bin empty",
        lines=(NotedLine(line_id="2", quantity=1),),
    )
    paid = Note(event="payment_captured", by="sweeper", subject="tnd_1", amount_cents=2400)
    return [
        HistoryEntry(at=NOON, state=OrderState.CAPTURED),
        HistoryEntry(at=at(1), state=OrderState.SOURCED, run_id="run_9d1"),
        HistoryEntry(at=at(2), state=OrderState.BACKORDERED, note=rejected),
        HistoryEntry(at=at(3), state=OrderState.SOURCED, run_id="run_9d2"),
        HistoryEntry(at=at(5), state=OrderState.PACKED, note=packed),
        HistoryEntry(at=at(6), state=OrderState.SHIPPED, note=paid),
    ]


def _shipment(shipment_id: str, node_id: str, line: OrderLine, state: ShipmentState) -> Shipment:
    return Shipment(
        shipment_id=shipment_id,
        node_id=node_id,
        service="ground",
        ship_on=date(2026, 11, 22),
        lines=(ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity),),
        state=state,
        released_at=at(4),
        shipped_at=at(6),
        delivered_at=at(48) if state is ShipmentState.DELIVERED else None,
        carrier="acme",
        tracking_number=f"1Z999AA1012345678{shipment_id[-1]}",
        events=(CarrierEvent(event="out_for_delivery", at=at(40), place="New York"),),
    )


def _checks() -> Checks:
    return Checks(
        policy_version=3,
        at=NOON,
        fraud_score=45,
        findings=(Finding(rule="new customer", message="the first order, of more than 40.00", score=45),),
        approvals=(Approval(rule="new customer", by="ann", at=at(0.5), is_approved=True),),
    )


def _money() -> Money:
    prices = Prices(
        currency="USD",
        lines=(
            LinePrice(line_id="1", quantity=2, unit_price_cents=1200, total_cents=2640, tax_cents=240),
            LinePrice(line_id="2", quantity=1, unit_price_cents=1590, total_cents=1749, tax_cents=159),
        ),
        total_cents=4889,
        shipping_cents=500,
    )
    card = Tender(tender_id="tnd_1", kind=TenderKind.CARD, provider="sandbox", amount_cents=3889, token="tok_visa")
    gift = Tender(tender_id="tnd_2", kind=TenderKind.GIFT_CARD, provider="sandbox", amount_cents=1000, token="gc_1")

    def entry(number: int, kind: EntryKind, tender: Tender, cents: int) -> LedgerEntry:
        return LedgerEntry(entry_id=f"ent_{number}", kind=kind, tender_id=tender.tender_id, amount_cents=cents, at=NOON)

    ledger = (
        entry(1, EntryKind.AUTHORISED, card, 3889),
        entry(2, EntryKind.CAPTURED, gift, 1000),
        entry(3, EntryKind.CAPTURED, card, 3889),
        entry(4, EntryKind.REFUNDED, card, 1320),
    )
    return Money(prices=prices, tenders=(gift, card), ledger=ledger)


def _return() -> Return:
    line = ReturnLine(
        line_id="1",
        sku="MUG-RED",
        quantity=1,
        reason="chipped",
        received=1,
        refund_cents=1320,
        terms=ReturnTerms(rule="usual"),
    )
    return Return(
        return_id="ret_9",
        node_id="chicago-dc",
        state=ReturnState.RECEIVED,
        lines=(line,),
        authorised_at=at(60),
        received_at=at(90),
        by="cus_ada",
        refund_cents=1320,
    )


def without_life(order: Order) -> Order:
    """The same order, of which nothing beside its capture is known."""
    return replace(order, life=msgspec.structs.replace(Life()), steering=Steering(), state=OrderState.CAPTURED)
