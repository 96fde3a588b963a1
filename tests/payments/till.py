"""A till to test payments with: orders, stock and the sandbox provider in memory, and processes that can be killed."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
from order_shop import HOME, NOON, ORDINALS, TODAY, Shop, rows

from engine.clock import SettableClock
from engine.errors import IllegalState
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.orders.changing import OrderChanges, Rule
from engine.orders.effecting import Effects, Handler
from engine.orders.facts.effects import Effect
from engine.orders.facts.money import EntryKind, Money, TenderKind
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import CancelledUnits, Life
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.model import Captured, NewTender, Note, Order, OrderState
from engine.orders.paying.balancing import with_money
from engine.orders.paying.ledger import sum_cents
from engine.orders.paying.pricing import StatedPrice, priced
from engine.orders.paying.tendering import SANDBOX, TERMS, Tendering
from engine.orders.remaining import remaining, units_left
from engine.orders.revising import Revision, StockLine, revision_of
from engine.payments.handling import PaymentEffects
from engine.payments.numbering import BillNumbers
from engine.payments.numbers import MemoryNumberBook
from engine.payments.provider import PaymentProvider, ProviderBalance
from engine.payments.sandbox import SandboxProvider
from engine.payments.terms import InvoiceTerms
from engine.routing.model import AllocationRow, OrderLine
from engine.storage.documents import MemoryDocumentStore

VISA = NewTender(kind=TenderKind.CARD, token="tok_visa")
LINE = OrderLine(line_id="1", sku="MUG", quantity=4)
TOTAL = 4 * 1000 + 500
"""Four mugs at 10.00, and 5.00 for shipping."""


class Killed(BaseException):
    """The process is dead."""


@dataclass(slots=True)
class Till:
    """A process that takes orders; `points` counts the places where it could die, and it does at `dies_at`."""

    dies_at: int = 0
    points: int = 0
    clock: SettableClock = field(default_factory=lambda: SettableClock(NOON))
    documents: MemoryDocumentStore = field(default_factory=MemoryDocumentStore)
    names: Iterator[int] = field(default_factory=itertools.count)
    more: dict[str, PaymentProvider] = field(default_factory=dict)
    stock: MemoryInventoryStore = field(init=False)
    orders: MemoryOrderStore = field(init=False)
    sandbox: SandboxProvider = field(init=False)
    changes: OrderChanges = field(init=False)
    effects: Effects = field(init=False)

    def __post_init__(self) -> None:
        self.stock = MemoryInventoryStore(self.clock)
        self.orders = MemoryOrderStore(self.stock, self.clock)
        self.sandbox = SandboxProvider(self.documents, self.clock)
        self.changes = OrderChanges(self.orders, self.clock)
        providers: dict[str, PaymentProvider] = {"sandbox": self.sandbox, "terms": InvoiceTerms(), **self.more}
        doing = PaymentEffects(providers, self.stock, lambda order_id, _: self.orders.cancel(order_id)).handlers()
        mortal = {kind: self._mortal(handler) for kind, handler in doing.items()}
        numbering = BillNumbers(MemoryNumberBook(), self.changes, self.clock).handlers()
        self.effects = Effects(self.orders, self.changes, {**mortal, **numbering}, self.clock)

    def point(self) -> None:
        """Die here, if it is to be."""
        self.points += 1
        if self.points == self.dies_at:
            raise Killed

    def _mortal(self, handler: Handler) -> Handler:
        async def handle(order: Order, effect: Effect) -> Rule:
            self.point()  # before it is done elsewhere
            rule = await handler(order, effect)
            self.point()  # done there, and not written down here
            return rule

        return handle

    @property
    def shop(self) -> Shop:
        return Shop(orders=self.orders, inventory=self.stock, wait=None)  # type: ignore[arg-type]

    async def stocked(self, units: int = 10) -> None:
        await self.stock.put_positions([PositionCount(node_id="north", sku="MUG", on_hand=units)])

    async def place(self, *tenders: NewTender, order_id: str = "ord_1", reserved: bool = True) -> None:
        """Reserve, and capture the order with its prices and tenders: what is to be done for it is written down."""
        reservation_id = None
        if reserved:
            reservation_id = f"res_{order_id}"
            line = HoldLine(sku="MUG", quantity=LINE.quantity, node_id="north")
            await self.stock.hold(Hold(reservation_id=reservation_id, lines=(line,), ttl_seconds=900), today=ORDINALS)
        captured = Captured(
            order_id=order_id,
            channel="web",
            destination=HOME,
            lines=(LINE,),
            demand=(LINE,),
            captured_at=self.clock.now(),
            reservation_id=reservation_id,
        )
        prices = priced(
            (LINE,), (StatedPrice(unit_price_cents=1000),), currency="EUR", destination=HOME, shipping_cents=500
        )
        money = Money(
            prices=prices, tenders=Tendering(known=(SANDBOX, TERMS, *self.more)).tenders(tenders or (VISA,), prices)
        )
        order = with_money(
            Order(captured=captured, state=OrderState.CAPTURED, reservation_id=reservation_id, life=Life(money=money))
        )
        await self.orders.capture(captured, life=order.life, steering=order.steering)

    async def settle(self, order_id: str = "ord_1") -> Order:
        return await self.effects.settle(order_id)

    async def paid(self, *tenders: NewTender) -> Order:
        """An order that is paid for, routed to the north."""
        await self.stocked()
        await self.place(*tenders)
        await self.settle()
        await self.route("run_1", (LINE.quantity, "north"))
        return await self.orders.get("ord_1")

    async def route(self, run_id: str, *parts: tuple[int, str | None], order_id: str = "ord_1") -> None:
        order = await self.orders.get(order_id)
        decided = replace(rows(order_id, *parts), revision=order.steering.revision)
        (verdict,) = await self.shop.commit(run_id, decided)
        assert verdict.outcome == "committed", verdict.reason

    async def route_what_is_left(self) -> None:
        order = await self.orders.get("ord_1")
        (line,) = remaining(order)
        decided = replace(rows("ord_1", (line.quantity, "north")), revision=order.steering.revision)
        await self.shop.commit(f"run_{next(self.names)}", decided)

    async def add(self, *tenders: NewTender) -> None:
        await self.changes.change("ord_1", lambda order, _: Tendering().added(order, tenders, "anna"))

    async def ship(self, units: int, order_id: str = "ord_1", then: ShipmentState = ShipmentState.SHIPPED) -> Order:
        """Let units leave the north."""
        shipment_id = f"shp_{next(self.names)}"
        await self.changes.change(order_id, lambda order, at: leaving(order, units, shipment_id, self.clock))
        if then is not ShipmentState.SHIPPED:
            await self.changes.change(order_id, lambda order, _: with_shipment(order, shipment_id, then))
        return await self.orders.get(order_id)

    async def cancel_the_rest(self, order_id: str = "ord_1", units: int | None = None) -> Order:
        await self.changes.change(order_id, lambda order, _: without_the_rest(order, units))
        return await self.orders.get(order_id)

    async def quiet(self, days: int = 0) -> None:
        """Let time pass, and the sweeper do its work, until nothing is due."""
        for hours in (0.0, 0.01, 0.1, 1.1, *[12.0] * (2 * days)):
            self.clock.advance(timedelta(hours=hours))
            for _ in range(20):
                with suppress(Killed):
                    if not await self.effects.step():
                        break

    async def balances(self) -> list[ProviderBalance]:
        found = await self.sandbox.balances(NOON - timedelta(days=1), NOON + timedelta(days=400))
        assert found is not None
        return found

    async def at_provider(self) -> tuple[int, int]:
        """(captured, refunded) in cents, by the provider's books."""
        found = await self.balances()
        return sum(each.captured_cents for each in found), sum(each.refunded_cents for each in found)


def leaving(order: Order, units: int, shipment_id: str, clock: SettableClock) -> Revision:
    """Return the revision by which units leave the north."""
    (row,) = [row for row in order.allocation if row.node_id == "north"][:1]
    after = () if row.quantity == units else (replace(row, quantity=row.quantity - units),)
    shipment = Shipment(
        shipment_id=shipment_id,
        node_id="north",
        service="ground",
        ship_on=TODAY,
        lines=(ShipmentLine(line_id="1", sku="MUG", quantity=units),),
        state=ShipmentState.PACKED,
        released_at=NOON,
    )
    packed = replace(order, life=msgspec.structs.replace(order.life, shipments=(*order.life.shipments, shipment)))
    shipped = msgspec.structs.replace(shipment, state=ShipmentState.SHIPPED, shipped_at=clock.now())
    life = msgspec.structs.replace(order.life, shipments=(*order.life.shipments, shipped))
    rest = tuple(each for each in order.allocation if each is not row)
    to = replace(order, allocation=(*after, *rest), life=life)
    lost = (("MUG", "north", units, TODAY.toordinal()),)
    note = Note(event="shipment_shipped", by="anna", subject=shipment_id)
    return replace(revision_of(packed, to, note, lost=lost, leaves=True, uses_change=True), seen=order)


def without_the_rest(order: Order, units: int | None = None) -> Revision:
    """Return the revision by which all is cancelled that has not left, or so many units; their stock is given back."""
    (left,) = units_left(order).values()
    off = left if units is None else units
    cancelled = sum(each.quantity for each in order.life.cancelled)
    life = msgspec.structs.replace(order.life, cancelled=(CancelledUnits(line_id="1", quantity=cancelled + off),))
    allocation, given, rest = list[AllocationRow](), list[StockLine](), off
    for row in reversed(order.allocation):
        gone = min(rest, row.quantity)
        rest -= gone
        if gone and row.node_id is not None:
            given.append((row.sku, row.node_id, gone, TODAY.toordinal()))
        if gone < row.quantity:
            allocation.append(replace(row, quantity=row.quantity - gone))
    to = replace(order, allocation=tuple(allocation), life=life)
    note = Note(event="lines_cancelled", by="anna")
    return revision_of(order, to, note, given_back=tuple(given), uses_change=True)


def with_shipment(order: Order, shipment_id: str, state: ShipmentState) -> Revision:
    """Return the revision by which a shipment comes into another state."""
    shipments = tuple(
        msgspec.structs.replace(each, state=state) if each.shipment_id == shipment_id else each
        for each in order.life.shipments
    )
    life = msgspec.structs.replace(order.life, shipments=shipments)
    return revision_of(order, replace(order, life=life), Note(event=f"shipment_{state}", by="carrier"))


def kinds(order: Order) -> list[str]:
    """Return what the ledger of an order says, in order."""
    return [f"{entry.kind.value} {entry.amount_cents}" for entry in order.life.money.ledger]


def captured_cents(order: Order) -> int:
    """Return what was captured of an order."""
    return sum_cents(order.life.money, EntryKind.CAPTURED)


def asked(order: Order) -> list[str]:
    """Return what an order asks to be done and is due soon."""
    return [effect.kind for effect in order.life.effects if effect.kind not in {"payment.renew", "payment.deadline"}]


async def refusal(call: Awaitable[Any]) -> str:
    """Return why a call was refused."""
    try:
        await call
    except IllegalState as error:
        return str(error)
    raise AssertionError("it was not refused")


def tokens(*values: str) -> Sequence[NewTender]:
    """Return cards with such tokens; the last takes the rest."""
    return tuple(NewTender(kind=TenderKind.CARD, token=value) for value in values)
