"""The shortest ways to put, peg and receive supplies in a store under test."""

from __future__ import annotations

from datetime import date

from engine.inventory.model import Hold, HoldLine, Outcome, Reservation, Supply
from engine.inventory.receipts import AffectedLine, Receipt, Received
from tests.inventory.conftest import Stock


async def expect(
    stock: Stock,
    quantity: int,
    day: int,
    supply_id: str = "po-1",
    *,
    sku: str = "mug",
    node_id: str = "berlin",
) -> tuple[AffectedLine, ...]:
    """Put a supply for a day (today is day 1), and return the lines this affects."""
    supply = Supply(supply_id=supply_id, node_id=node_id, sku=sku, quantity=quantity, expected_on=stock.day(day))
    return (await stock.store.put_supplies([supply], today=stock.today)).value


def pegged(
    quantity: int,
    supply_id: str = "po-1",
    *,
    ship_on: date | None = None,
    sku: str = "mug",
    node_id: str = "berlin",
) -> HoldLine:
    """Return a line that names a supply."""
    return HoldLine(sku=sku, quantity=quantity, node_id=node_id, ship_on=ship_on, supply_id=supply_id)


async def hold(stock: Stock, name: str, *lines: HoldLine, ttl_seconds: float = 900) -> Reservation:
    """Hold lines under a name."""
    wanted = Hold(reservation_id=name, lines=lines, ttl_seconds=ttl_seconds)
    return (await stock.store.hold(wanted, today=stock.today)).value


async def receive(stock: Stock, quantity: int, supply_id: str = "po-1", reason: str = "") -> Received:
    """Receive units of a supply of mugs in Berlin."""
    receipt = Receipt(supply_id=supply_id, node_id="berlin", sku="mug", quantity=quantity, reason=reason)
    outcome: Outcome[Received] = await stock.store.receive([receipt], today=stock.today)
    return outcome.value


def told(lines: tuple[AffectedLine, ...], stock: Stock) -> list[tuple[str, int, int, int, int | None]]:
    """Return (reservation, day before, day, shortfall, day it is covered on), days as numbers, today is 1."""

    def number(day: date) -> int:
        return (day - stock.day(0)).days

    return [
        (
            line.reservation_id,
            number(line.ship_on_before),
            number(line.ship_on),
            line.shortfall,
            None if line.covered_on is None else number(line.covered_on),
        )
        for line in lines
    ]
