"""What any life of orders keeps: units, money, reservations, and a history that tells how it came to that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from engine.bootstrap import Engine
from engine.errors import NotFound
from engine.orders.facts.money import EntryKind
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import Order, OrderState
from engine.orders.paying.billing import billed_cents
from engine.orders.paying.ledger import net_charged_cents, sum_cents
from engine.orders.paying.values import charged_for_cents, wanted_cents
from engine.orders.states import state_of, units_by_state
from engine.payments.sandbox import SandboxProvider

S = OrderState
WAITING = {S.CAPTURED, S.VALIDATED, S.ON_HOLD, S.PROMISED, S.BACKORDERED, S.SOURCED}
"""Among these units move with routing runs and order holds too, which tell no moves."""
TOLD_AMOUNTS = (
    ("payment_authorised", EntryKind.AUTHORISED),
    ("payment_captured", EntryKind.CAPTURED),
    ("payment_refunded", EntryKind.REFUNDED),
)


def check_units(order: Order) -> None:
    """Assert that no unit is in two states, or in none."""
    units = units_by_state(order)
    assert {line_id: sum(counts.values()) for line_id, counts in units.items()} == {
        line.line_id: line.quantity for line in order.demand
    }
    assert all(count >= 0 for counts in units.values() for count in counts.values())


def check_money(order: Order) -> None:
    """Assert that nobody is charged for more than has left, and everybody for all of it once nothing is under way."""
    money = order.life.money
    if money.prices is not None:
        assert billed_cents(order) == charged_for_cents(order), "bills sum to what is charged"
    if not money.tenders:
        assert not money.ledger
        return
    captured, net = sum_cents(money, EntryKind.CAPTURED), net_charged_cents(order)
    assert sum_cents(money, EntryKind.REFUNDED) <= captured <= sum_cents(money, EntryKind.AUTHORISED)
    if any(effect.kind.startswith("payment.") for effect in order.life.effects):
        return
    due = charged_for_cents(order)
    was_lost = any(each.state is ShipmentState.LOST for each in order.life.shipments)
    most = max(due, wanted_cents(order)) if was_lost else due  # what is sent again is paid for already
    assert due <= net <= most, "what has left is not what was paid for"


def check_numbers(orders: list[Order]) -> None:
    """Assert that the bills of all orders have the numbers from 1 on, each once."""
    for prefix in ("INV", "CN"):
        numbers = [bill.number for order in orders for bill in order.life.bills if bill.number.startswith(prefix)]
        found = sorted(int(number.rpartition("-")[2]) for number in numbers)
        assert found == list(range(1, len(found) + 1)), "a number is missing, or of two bills"


async def check_reservations(
    engine: Engine, orders: Sequence[Order], held_ids: Sequence[str], skus: Sequence[str]
) -> None:
    """Assert that each reserved unit of a position is one of a reservation that is known."""
    named = {*held_ids, *(each for order in orders for each in order.waiting_reservation_ids)}
    named |= {order.reservation_id for order in orders if order.reservation_id is not None}
    reserved = Counter[tuple[str, str | None]]()
    for name in named:
        with suppress(NotFound):  # it is long over
            reservation = await engine.stock.get_reservation(name)
            for line in reservation.lines if reservation.state in {"held", "confirmed"} else ():
                reserved[line.sku, line.node_id] += line.quantity
    for sku in skus:
        for position in await engine.stock.positions(sku):
            found = position.held + position.confirmed + sum(each.quantity for each in position.dated)
            assert found == reserved[sku, position.node_id], f"reserved of {sku} at {position.node_id}"


async def check_history(engine: Engine, order: Order) -> None:
    """Assert that the moves and amounts of its history end where the order is."""
    beyond, amounts = Counter[tuple[str, str]](), Counter[str]()
    history = await engine.orders.history(order.order_id)
    assert history[-1].state == state_of(order), order.order_id
    for entry in history:
        for move in () if entry.note is None else entry.note.moves:
            beyond[move.line_id, move.before] -= move.quantity
            beyond[move.line_id, move.after] += move.quantity
        if entry.note is not None and entry.note.amount_cents is not None:
            amounts[entry.note.event] += entry.note.amount_cents
    told = {place: count for place, count in beyond.items() if count and place[1] not in {"", *WAITING}}
    found = {
        (line_id, state.value): count
        for line_id, units in units_by_state(order).items()
        for state, count in units.items()
        if state not in WAITING and count
    }
    assert told == found, order.order_id
    for event, kind in TOLD_AMOUNTS:
        assert amounts[event] == sum_cents(order.life.money, kind), (order.order_id, event)


async def check_provider(sandbox: SandboxProvider, orders: Sequence[Order], since: datetime) -> None:
    """Assert that the provider has taken and given back what the ledgers say, where no answer is on its way."""
    balances = await sandbox.balances(since - timedelta(days=1), since + timedelta(days=9999)) or []
    for order in orders:
        if any(effect.kind.startswith("payment.") for effect in order.life.effects):
            continue
        mine = [each for each in balances if each.order_id == order.order_id]
        money = order.life.money
        assert sum(each.captured_cents for each in mine) == sum_cents(money, EntryKind.CAPTURED)
        assert sum(each.refunded_cents for each in mine) == sum_cents(money, EntryKind.REFUNDED)
