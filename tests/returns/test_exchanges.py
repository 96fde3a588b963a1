"""Exchanges: an order of its own, promised and reserved, settled by what comes back, its difference to the cent."""

from __future__ import annotations

from contextlib import suppress

import pytest

from engine.errors import IllegalState, InvalidInput, Unavailable
from engine.inventory.model import PositionCount
from engine.orders.cancelling import NewCancellation
from engine.orders.changing import OrderChanges
from engine.orders.facts.links import Link
from engine.orders.facts.money import EntryKind, TenderKind
from engine.orders.facts.returns import Exchange, Return
from engine.orders.model import NewLine, NewTender, Order
from engine.orders.service import OrderService
from engine.returns.exchanging import NewExchange
from engine.returns.policy import RefundShares, ReturnPolicy
from engine.routing.run_model import RunRequest
from tests.returns.return_desk import Desk

CARD = NewTender(kind=TenderKind.CARD, token="tok_visa")


def wanted(sku: str, quantity: int, price: int | None = None, *tenders: NewTender) -> NewExchange:
    return NewExchange(lines=(NewLine(sku=sku, quantity=quantity, unit_price_cents=price),), tenders=tenders)


async def exchanged(desk: Desk, instead: NewExchange, units: int = 3) -> tuple[Return, Exchange]:
    await desk.announce("ord_1", ("1", units), instead=instead)
    found = await desk.found("ret_1_ord_1")
    assert found.exchange is not None
    return found, found.exchange


def charged(order: Order) -> dict[str, int]:
    """Return what each kind of entry in the ledger of an order comes to."""
    found: dict[str, int] = {}
    for entry in order.life.money.ledger:
        found[entry.kind.value] = found.get(entry.kind.value, 0) + entry.amount_cents
    return found


async def come_back(desk: Desk, units: int = 3, disposition: str = "restock") -> Return:
    await desk.receive("ret_1_ord_1", ("MUG", units), is_all=True)
    return await desk.inspect("ret_1_ord_1", ("MUG", units, disposition))


async def test_an_exchange_is_an_order_of_its_own_with_stock_and_a_promise_and_both_say_so(desk: Desk) -> None:
    await desk.delivered("ord_1")
    _, exchange = await exchanged(desk, wanted("POT", 2))
    assert (exchange.order_id, str(exchange.promised_on)) == ("ord_1-x1", "2026-11-24")
    new, old = await desk.engine.orders.get("ord_1-x1"), await desk.engine.orders.get("ord_1")
    assert new.life.links == (Link(kind="exchange_for", order_id="ord_1"),)
    assert old.life.links == (Link(kind="exchanged_by", order_id="ord_1-x1"),)
    assert new.captured.destination == old.captured.destination
    position = next(each for each in await desk.engine.inventory.positions("POT") if each.node_id == "north")
    assert position.reserved == 2, "it has its stock"
    assert await desk.events("ord_1") == ["return_authorised", "exchange_captured"]
    assert old.life.effects[0].kind == "return.expire"


async def test_an_even_exchange_moves_no_money_and_a_cheaper_one_pays_the_difference_back(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    _, exchange = await exchanged(desk, wanted("POT", 2, 1100))
    assert (exchange.agreed_cents, exchange.difference_cents) == (2200, 0)
    found = await come_back(desk)
    assert found.exchange is not None
    assert (found.refund_cents, found.exchange.credit_cents) == (3000, 2200)
    old, new = await desk.engine.orders.get("ord_1"), await desk.engine.orders.get("ord_1-x1")
    assert charged(old) == {"authorised": 3000, "captured": 3000, "refunded": 800}
    assert [(each.kind, each.amount_cents) for each in new.life.money.tenders] == [(TenderKind.INVOICE, 2200)]
    steps = [each.note for each in await desk.engine.orders.history("ord_1") if each.note is not None]
    assert [note.amount_cents for note in steps if note.event == "exchange_credited"] == [2200]


async def test_what_an_exchange_costs_more_is_paid_by_tenders_of_its_own(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    with pytest.raises(InvalidInput, match=r"\$.exchange.tenders: is missing; 600 cents are to be paid"):
        await desk.announce("ord_1", ("1", 3), instead=wanted("POT", 3, 1200))
    _, exchange = await exchanged(desk, wanted("POT", 3, 1200, CARD))
    assert exchange.difference_cents == 600
    new = await desk.engine.orders.get("ord_1-x1")
    assert [(each.kind, each.amount_cents) for each in new.life.money.tenders] == [
        (TenderKind.INVOICE, 3000),
        (TenderKind.CARD, 600),
    ]
    found = await come_back(desk)
    assert found.exchange is not None
    assert (found.refund_cents, found.exchange.credit_cents) == (3000, 3000)
    assert "refunded" not in charged(await desk.engine.orders.get("ord_1"))


async def test_what_comes_back_as_less_than_agreed_stays_on_the_invoice(desk: Desk) -> None:
    await desk.policy(ReturnPolicy(refund_shares=RefundShares(scrap=50)))
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    await exchanged(desk, wanted("POT", 3, 1000))
    found = await come_back(desk, disposition="scrap")
    assert found.exchange is not None
    assert (found.exchange.agreed_cents, found.exchange.credit_cents) == (3000, 1500)


@pytest.mark.parametrize("due", ["received", "inspected"])
async def test_an_exchange_may_wait_for_what_comes_back(desk: Desk, due: str) -> None:
    await desk.policy(ReturnPolicy(exchange_at=due))  # type: ignore[arg-type]
    await desk.delivered("ord_1")
    _, exchange = await exchanged(desk, wanted("POT", 1))
    assert not exchange.is_captured
    found = await desk.receive("ret_1_ord_1", ("MUG", 3))
    assert bool(found.exchange_order_id) is (due == "received")
    found = await desk.inspect("ret_1_ord_1", ("MUG", 3, "restock"))
    assert found.exchange_order_id == "ord_1-x1"
    assert (await desk.events("ord_1")).count("exchange_captured") == 1


@pytest.mark.parametrize("dies_at", ["hold", "capture", "link"])
async def test_an_exchange_is_captured_once_whenever_the_process_dies(
    desk: Desk, dies_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a second reservation for an exchange whose first was not captured: one that is held under no key."""
    await desk.delivered("ord_1")
    change, capture, left = OrderChanges.change, OrderService.capture, [1]

    async def not_captured(self: OrderService, *arguments: object, **named: object) -> object:
        if left and dies_at == "hold":
            left.pop()
            raise Unavailable("gone")
        return await capture(self, *arguments, **named)  # type: ignore[arg-type]

    async def unanswered(self: OrderChanges, order_id: str, *rest: object, **named: object) -> object:
        if order_id == "ord_1-x1" and left and dies_at == "capture":
            left.pop()
            raise Unavailable("gone")
        answer = await change(self, order_id, *rest, **named)  # type: ignore[arg-type]
        if order_id == "ord_1-x1" and left and dies_at == "link":
            left.pop()
            raise Unavailable("gone")
        return answer

    monkeypatch.setattr(OrderChanges, "change", unanswered)
    monkeypatch.setattr(OrderService, "capture", not_captured)
    _, exchange = await exchanged(desk, wanted("POT", 2))
    assert not exchange.is_captured
    await desk.later(seconds=2)
    assert (await desk.found("ret_1_ord_1")).exchange_order_id == "ord_1-x1"
    new = await desk.engine.orders.get("ord_1-x1")
    assert new.life.links == (Link(kind="exchange_for", order_id="ord_1"),)
    position = next(each for each in await desk.engine.inventory.positions("POT") if each.node_id == "north")
    assert position.reserved == 2


async def test_an_order_that_was_captured_without_stock_is_the_exchange_also_when_stock_has_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches an exchange that is refused since its own order is there: one that does not look for it first."""
    await desk.delivered("ord_1")
    change, left = OrderChanges.change, [1]

    async def unanswered(self: OrderChanges, order_id: str, *rest: object, **named: object) -> object:
        if order_id == "ord_1-x1" and left:
            left.pop()
            raise Unavailable("gone")
        return await change(self, order_id, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(OrderChanges, "change", unanswered)
    await exchanged(desk, wanted("POT", 20))
    await desk.engine.inventory.put_positions([PositionCount(node_id="north", sku="POT", on_hand=200)])
    await desk.later(seconds=2)
    assert (await desk.found("ret_1_ord_1")).exchange_order_id == "ord_1-x1"


async def test_without_stock_the_exchange_is_captured_without_a_promise(desk: Desk) -> None:
    await desk.delivered("ord_1")
    _, exchange = await exchanged(desk, wanted("POT", 20))
    assert (exchange.is_captured, exchange.promised_on) == (True, None)


async def test_a_return_is_not_cancelled_while_its_exchange_ships_and_a_cancelled_one_is_paid_back(desk: Desk) -> None:
    """Catches money that neither settles an order nor goes back."""
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    await exchanged(desk, wanted("POT", 3, 1000))
    with pytest.raises(IllegalState, match="'ord_1-x1' was made in exchange for it; cancel that first"):
        await desk.engine.returns.cancel("ret_1_ord_1", "anna")
    await desk.engine.orders.cancel("ord_1-x1")
    found = await come_back(desk)
    assert found.exchange is not None
    assert (found.refund_cents, found.exchange.credit_cents) == (3000, 0)
    assert charged(await desk.engine.orders.get("ord_1"))[EntryKind.REFUNDED.value] == 3000


async def test_what_is_wrong_with_an_exchange_is_named_and_nothing_is_announced(desk: Desk) -> None:
    await desk.delivered("ord_1")
    with pytest.raises(InvalidInput, match=r"\$.exchange.lines\[0\].sku: unknown SKU 'PAN'"):
        await desk.announce("ord_1", ("1", 3), instead=wanted("PAN", 1))
    taken = NewExchange(lines=(NewLine(sku="POT", quantity=1),), order_id="ord_1")
    with pytest.raises(IllegalState, match="Order 'ord_1' is there already"):
        await desk.announce("ord_1", ("1", 3), instead=taken)
    assert (await desk.engine.orders.get("ord_1")).life.returns == ()


async def test_what_was_paid_goes_back_to_who_paid(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000, TEA=1000, shipping_cents=500, is_paid=True)
    await desk.announce("ord_1", ("1", 3))
    assert (await come_back(desk)).refund_cents == 3000
    old = await desk.engine.orders.get("ord_1")
    assert charged(old) == {"authorised": 4500, "captured": 4500, "refunded": 3000}
    assert [entry.subject for entry in old.life.money.ledger if entry.kind is EntryKind.REFUNDED] == ["ret_1_ord_1"]


async def test_an_exchange_that_is_cancelled_after_its_credit_was_used_is_paid_back(desk: Desk) -> None:
    """Catches the credit of an order that is off staying with nobody, and a credit that is paid back twice."""
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    await exchanged(desk, wanted("POT", 3, 1000))
    found = await come_back(desk)
    assert found.exchange is not None
    assert (found.exchange.credit_cents, charged(await desk.engine.orders.get("ord_1")).get("refunded")) == (3000, None)
    for _ in range(2):
        with suppress(IllegalState):
            await desk.engine.cancellations.cancel("ord_1-x1", NewCancellation(reason="changed my mind"))
        await desk.engine.effects.settle("ord_1-x1")
        await desk.engine.effects.settle("ord_1")
    found = await desk.found("ret_1_ord_1")
    assert found.exchange is not None
    assert (found.refund_cents, found.exchange.agreed_cents, found.exchange.credit_cents) == (3000, 0, 0)
    old = await desk.engine.orders.get("ord_1")
    assert charged(old) == {"authorised": 3000, "captured": 3000, "refunded": 3000}
    steps = [each.note for each in await desk.engine.orders.history("ord_1") if each.note is not None]
    assert [note.amount_cents for note in steps if note.event == "exchange_settled"] == [3000]


async def test_what_is_not_needed_of_an_exchange_is_paid_back_also_when_its_units_come_in_later(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    await exchanged(desk, wanted("POT", 3, 1000))
    await desk.engine.cancellations.cancel("ord_1-x1", NewCancellation(reason="changed my mind"))
    await desk.engine.effects.settle("ord_1-x1")
    assert charged(await desk.engine.orders.get("ord_1")).get("refunded") is None
    await come_back(desk)
    assert charged(await desk.engine.orders.get("ord_1"))["refunded"] == 3000


async def test_an_exchange_that_ships_in_part_takes_that_part_of_its_credit(desk: Desk) -> None:
    await desk.delivered("ord_1", MUG=3000, is_paid=True)
    await exchanged(desk, wanted("POT", 3, 1000))
    await come_back(desk)
    part = NewCancellation(reason="one less", lines=(("1", 1),))
    await desk.engine.cancellations.cancel("ord_1-x1", part)
    await desk.engine.effects.settle("ord_1-x1")
    run = await desk.engine.routing_runs.execute(RunRequest(order_ids=("ord_1-x1",)))
    assert run.status == "committed"
    (shipment,) = (await desk.engine.fulfillment.release("ord_1-x1")).value.life.shipments
    name = shipment.shipment_id
    await desk.engine.fulfillment.pack(name)
    await desk.engine.effects.settle("ord_1-x1")
    await desk.engine.fulfillment.ship(name)
    for order_id in ("ord_1-x1", "ord_1"):
        await desk.engine.effects.settle(order_id)
    assert charged(await desk.engine.orders.get("ord_1-x1"))["captured"] == 2000
    assert charged(await desk.engine.orders.get("ord_1"))["refunded"] == 1000
