"""A process that dies at any point between two effects of payment: money and stock agree in the end, and always enough.

Never charged without stock: at every moment the provider has captured no more than what has left is worth. Never stock
without charge: once all is quiet it has captured exactly that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec
import pytest

from engine.orders.facts.money import EntryKind, TenderKind
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import NewTender, Order, OrderState
from engine.orders.paying.ledger import sum_cents
from engine.orders.paying.values import charged_for_cents
from tests.payments.till import TOTAL, VISA, Killed, Till, tokens

Story = Callable[[Till], Awaitable[None]]
GIFT = NewTender(kind=TenderKind.GIFT_CARD, token="gift_1200", amount_cents=2000)
REST = NewTender(kind=TenderKind.CARD, token="tok_one_capture", amount_cents=TOTAL)


async def agreed(till: Till) -> None:
    """Assert that nobody is charged for what has not left."""
    order = await till.orders.get("ord_1")
    captured, refunded = await till.at_provider()
    lost = sum(
        1000 * line.quantity
        for shipment in order.life.shipments
        if shipment.state is ShipmentState.LOST
        for line in shipment.lines
    )
    assert captured - refunded <= charged_for_cents(order) + lost


async def step(till: Till, act: Callable[[], Awaitable[object]]) -> None:
    """Do something as a careful caller: when the process dies, another one takes over where it was."""
    try:
        await act()
        await agreed(till)
        await till.settle()
    except Killed:
        await agreed(till)
    await agreed(till)
    await till.quiet()
    await agreed(till)


def story(*tenders: NewTender) -> Story:
    """Four are ordered; one is shipped, two are shipped and lost, and the rest is cancelled."""

    async def tell(till: Till) -> None:
        await till.stocked()
        await step(till, lambda: till.place(*tenders))
        await till.route("run_1", (4, "north"))
        await step(till, lambda: till.ship(1))
        await step(till, lambda: till.ship(2, then=ShipmentState.LOST))
        await step(till, till.cancel_the_rest)
        till.clock.advance(timedelta(days=8))
        await till.quiet()

    return tell


def outcome(order: Order) -> dict[str, int]:
    money = order.life.money
    return {kind.value: sum_cents(money, kind) for kind in (EntryKind.CAPTURED, EntryKind.REFUNDED)}


STORIES: Sequence[tuple[str, Sequence[NewTender]]] = (
    ("a card", [VISA]),
    ("a card that captures once only", tokens("tok_one_capture")),
    ("a provider that does it and answers too late", tokens("tok_timeout")),
    ("a gift card with too little on it, and a card", [GIFT, REST]),
)


@pytest.mark.parametrize("tenders", [tenders for _, tenders in STORIES], ids=[name for name, _ in STORIES])
async def test_a_process_that_dies_between_any_two_effects_leaves_money_and_stock_in_agreement(
    tenders: Sequence[NewTender],
) -> None:
    """Catches a capture under a new key on each try, and an effect that is off the order before it is done.

    Also a capture that is asked for after the step by which units leave, and stock confirmed before the money is there.
    """
    tell, whole = story(*tenders), Till()
    await tell(whole)
    expected = outcome(await whole.orders.get("ord_1"))
    assert expected == {"captured": 3500, "refunded": 2000}
    for at in range(1, whole.points + 1):
        till = Till(dies_at=at)
        await tell(till)
        order = await till.orders.get("ord_1")
        assert outcome(order) == expected, f"killed at point {at} of {whole.points}"
        assert await till.at_provider() == (3500, 2000), f"killed at point {at} of {whole.points}"
        assert order.life.effects == (), f"killed at point {at}: {order.life.effects}"
        assert all(each.authorised_cents >= each.captured_cents for each in await till.balances())
        assert await till.shop.counts("north") == (7, 0, 0), "one has left, two are lost, one was given back"


async def test_an_order_whose_card_is_declined_gives_its_stock_back_whenever_the_process_dies() -> None:
    """Catches stock that stays confirmed, or held, for an order that nobody pays."""
    whole = Till()

    async def tell(till: Till) -> Order:
        await till.stocked()
        await step(till, lambda: till.place(*tokens("tok_declined")))
        return await till.orders.get("ord_1")

    await tell(whole)
    for at in range(1, whole.points + 1):
        till = Till(dies_at=at)
        order = await tell(till)
        assert (order.state, order.life.effects) == (OrderState.CANCELLED, ()), f"killed at point {at}"
        assert await till.shop.counts("north") == (10, 0, 0)


async def test_an_order_whose_stock_is_gone_lets_the_money_go_whenever_the_process_dies() -> None:
    """Catches money that stays set aside for an order without stock: reserve, authorise, confirm, else let go."""
    whole = Till()

    async def tell(till: Till) -> Order:
        await till.stocked(4)
        await till.place()
        till.clock.advance(timedelta(seconds=901))
        await step(till, lambda: asyncio.sleep(0))
        return await till.orders.get("ord_1")

    await tell(whole)
    for at in range(1, whole.points + 1):
        till = Till(dies_at=at)
        order = await tell(till)
        money = order.life.money
        assert order.state is OrderState.CANCELLED, f"killed at point {at}"
        assert sum_cents(money, EntryKind.VOIDED) == sum_cents(money, EntryKind.AUTHORISED) == TOTAL
        assert (await till.at_provider(), order.life.effects) == ((0, 0), ())


async def test_several_processes_that_do_the_same_at_once_charge_once() -> None:
    """Catches results that are written down without looking whether the order still waits for them."""
    till = Till()
    await till.stocked()
    await till.place(*tokens("tok_one_capture"))
    await asyncio.gather(*(till.effects.settle("ord_1") for _ in range(4)))
    await till.route("run_1", (4, "north"))
    await till.ship(1)
    await till.ship(2)
    await asyncio.gather(*(till.effects.settle("ord_1") for _ in range(4)))
    await till.quiet()
    assert await till.at_provider() == (3500, 0)
    assert outcome(await till.orders.get("ord_1")) == {"captured": 3500, "refunded": 0}


async def test_an_order_that_is_cancelled_while_its_card_is_asked_lets_the_money_go() -> None:
    """Catches an authorisation that comes back to an order which is over, and stays."""
    till = Till()
    await till.stocked()
    await till.place()
    order = await till.orders.get("ord_1")
    (effect, *_) = [each for each in order.life.effects if each.kind == "payment.authorise"]
    await till.orders.cancel("ord_1")
    order = await till.settle()
    assert [entry.kind.value for entry in order.life.money.ledger] == ["authorised", "voided"]
    assert msgspec.structs.replace(effect, tries=0) == effect
    assert await till.shop.counts("north") == (10, 0, 0)
