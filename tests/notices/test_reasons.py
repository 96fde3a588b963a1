"""What gives a reason for a notice: what a step has changed, never what was so before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
from order_shop import HOME, NOON

from engine.notices.reasons import beginning, delayed, with_notices
from engine.orders.facts.links import Alert
from engine.orders.facts.money import EntryKind, LedgerEntry, Money
from engine.orders.facts.shipments import ShipmentState
from engine.orders.life import Life
from engine.orders.model import Captured, NewOrder, Order, OrderState
from engine.orders.steering import OrderHold, Steering
from engine.routing.model import OrderLine
from tests.notices.test_sending import shipment

LINE = OrderLine(line_id="1", sku="mug", quantity=2)
CAPTURED = Captured(order_id="o-1", channel="web", destination=HOME, lines=(LINE,), demand=(LINE,), captured_at=NOON)
ORDER = Order(captured=CAPTURED, state=OrderState.CAPTURED, life=Life(customer_id="cus-1"))


def asked(seen: Order | None, to: Order) -> list[str]:
    effects = with_notices(seen, to, NOON).life.effects
    assert all(effect.due_at == NOON + timedelta(seconds=1) for effect in effects)
    return [effect.subject for effect in effects]


def with_shipment(state: ShipmentState) -> Order:
    return replace(ORDER, life=msgspec.structs.replace(ORDER.life, shipments=(shipment(state, NOON),)))


def test_a_step_asks_for_what_it_gives_a_reason_for():
    """Catches reasons that are compared with nothing: all that was shipped before notices were set would be told."""
    shipped, delivered = with_shipment(ShipmentState.SHIPPED), with_shipment(ShipmentState.DELIVERED)
    assert asked(None, ORDER) == ["order_confirmed:"]
    assert asked(ORDER, shipped) == ["shipped:shp_1"]
    assert asked(shipped, shipped) == []
    assert asked(shipped, delivered) == ["delivered:shp_1"]
    assert asked(with_shipment(ShipmentState.PACKED), with_shipment(ShipmentState.LOST)) == []
    assert asked(ORDER, replace(ORDER, state=OrderState.CANCELLED)) == ["cancelled:"]
    refund = LedgerEntry(entry_id="led_1", kind=EntryKind.REFUNDED, tender_id="t", amount_cents=5, at=NOON)
    refunded = replace(ORDER, life=msgspec.structs.replace(ORDER.life, money=Money(ledger=(refund,))))
    assert asked(ORDER, refunded) == ["refunded:led_1"]


def test_what_was_asked_for_is_not_asked_for_again():
    """Catches an order that is confirmed once more whenever it is stopped and released."""
    stopped = replace(ORDER, steering=Steering(order_holds=(OrderHold(kind="manual", reason="r", at=NOON, by="bo"),)))
    first = with_notices(stopped, ORDER, NOON)
    assert [effect.subject for effect in first.life.effects] == ["order_confirmed:"]
    assert with_notices(stopped, first, NOON) is first


def test_an_order_of_nobody_asks_for_nothing():
    nobody = replace(ORDER, life=Life())
    assert asked(None, nobody) == []
    new = NewOrder(channel="web", destination=HOME, lines=())
    assert beginning(new, nobody, NOON) is nobody
    assert beginning(replace(new, customer={"email": "a@b.test"}), nobody, NOON).life.effects != ()
    alert = Alert(alert_id="a", severity="major", cause="carrier", at=NOON)
    assert delayed(nobody, alert, NOON.date(), NOON) is None
    found = delayed(ORDER, alert, NOON.date(), NOON)
    assert found is not None
    assert found.subject == f"delayed:{NOON.date()}"
