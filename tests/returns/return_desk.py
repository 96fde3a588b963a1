"""A shop in memory whose orders have been delivered, and the shortest ways to have units of them come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.bootstrap import Engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.inventory.conditions import Condition
from engine.inventory.model import PositionCount, Replay
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.facts.money import EntryKind, LedgerEntry, LinePrice, Money, Prices, Tender, TenderKind
from engine.orders.facts.returns import Disposition, Return
from engine.orders.facts.shipments import Shipment, ShipmentLine, ShipmentState
from engine.orders.life import Life
from engine.orders.model import Captured, Order
from engine.returns.authorising import NewReturn, NewReturnLine
from engine.returns.inspecting import Inspected, NewInspection
from engine.returns.policy import ReturnPolicy
from engine.returns.receiving import NewReceipt
from engine.returns.refurbishing import NewRefurbishment, Refurbished, RefurbishedAs
from engine.returns.without_receipt import NewReturnWithoutReceipt, NewUnits
from engine.routing.model import OrderLine
from engine.stores import Stores

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PLACES = {"north": (45.0, -93.0), "south": (30.0, -95.0)}
SKUS = ("MUG", "TEA", "POT")
NOT_TOLD = {"return_stocked", "return_label_bought", "label_voided", "invoice_numbered", "credit_note_numbered"}


def network_document(**policy: object) -> NetworkDocument:
    place = {"kind": "dc", "time_zone": "UTC", "calendar": "daily"}
    rates = [
        {"zone": zone, "max_weight_g": 10_000, "cost_cents": cents, "transit_days": 2}
        for zone, cents in (("near", 500), ("far", 900))
    ]
    return NetworkDocument.model_validate(
        {
            "nodes": [
                {"node_id": node_id, "latitude": latitude, "longitude": longitude, **place}
                for node_id, (latitude, longitude) in PLACES.items()
            ],
            "calendars": [{"calendar": "daily", "working_days": WEEK}],
            "zones": [{"zone": "near", "max_km": 500}, {"zone": "far", "max_km": None}],
            "services": [
                {"service": "ground", "carrier": "C", "service_level": "standard", "calendar": "daily", "rates": rates}
            ],
            "policy": policy,
        }
    )


CATALOG = CatalogDocument.model_validate(
    {"products": [{"sku": sku, "weight_g": 300, "price_cents": 999} for sku in SKUS]}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An engine in memory, its clock, and a stock of 10 of everything in the north and 5 in the south."""

    engine: Engine
    stores: Stores
    clock: SettableClock

    async def open(self, **policy: object) -> None:
        await self.engine.network.put(network_document(**policy))
        await self.engine.catalog.put(CATALOG)
        await self.engine.inventory.put_positions(
            [
                PositionCount(node_id=node_id, sku=sku, on_hand=on_hand)
                for node_id, on_hand in (("north", 10), ("south", 5))
                for sku in SKUS
            ]
        )

    async def policy(self, policy: ReturnPolicy) -> None:
        await self.engine.return_policies.put(policy, list(PLACES))

    async def delivered(self, order_id: str, shipping_cents: int = 0, *, is_paid: bool = False, **cents: int) -> Order:
        """Have an order delivered: 3 MUG, 2 TEA; `cents` are totals of lines by SKU, all invoiced if it `is_paid`."""
        lines = tuple(
            OrderLine(line_id=str(place + 1), sku=sku, quantity=quantity)
            for place, (sku, quantity) in enumerate((("MUG", 3), ("TEA", 2)))
        )
        captured = Captured(
            order_id=order_id,
            channel="web",
            destination=Destination(latitude=44.0, longitude=-93.0),
            lines=lines,
            demand=lines,
            captured_at=NOON,
        )
        shipment = Shipment(
            shipment_id="shp_1",
            node_id="north",
            service="ground",
            ship_on=NOON.date(),
            lines=tuple(ShipmentLine(line_id=each.line_id, sku=each.sku, quantity=each.quantity) for each in lines),
            state=ShipmentState.DELIVERED,
            released_at=NOON,
            shipped_at=NOON,
            delivered_at=NOON,
        )
        money = Money() if not cents else Money(prices=_prices(lines, cents, shipping_cents))
        if is_paid:
            money = _paid(money)
        life = Life(shipments=(shipment,), money=money)
        return (await self.stores.orders.capture(captured, life=life)).value

    async def announce(
        self, order_id: str, *lines: tuple[str, int], reason: str = "unwanted", **more: object
    ) -> Return:
        node_id, instead = more.pop("node_id", None), more.pop("instead", None)
        new = NewReturn(
            lines=tuple(NewReturnLine(line_id=line_id, quantity=units, reason=reason) for line_id, units in lines),
            by="anna",
            **more,  # type: ignore[arg-type]
        )
        order = (await self.engine.returns.authorise(order_id, new, node_id=node_id, exchange=instead)).value  # type: ignore[arg-type]
        return order.life.returns[-1]

    async def take(self, *units: tuple[str, int], replay: Replay | None = None) -> Return:
        """Take units back of which nobody knows the order."""
        lines = tuple(NewUnits(sku=sku, quantity=count, reason="unwanted") for sku, count in units)
        new = NewReturnWithoutReceipt(lines=lines, node_id="south", by="anna")
        return (await self.engine.returns.take_without_receipt(new, replay=replay)).value.life.returns[-1]

    async def receive(self, return_id: str, *units: tuple[str, int], **more: object) -> Return:
        await self.engine.returns.receive(return_id, NewReceipt(units=units, by="bea", **more))  # type: ignore[arg-type]
        return await self.found(return_id)

    async def inspect(self, return_id: str, *units: tuple[str, int, str], percent: int | None = None) -> Return:
        found = tuple(
            Inspected(sku=sku, quantity=count, disposition=Disposition(what), refund_percent=percent)
            for sku, count, what in units
        )
        await self.engine.returns.inspect(return_id, NewInspection(units=found, by="bea"))
        return await self.found(return_id)

    async def refurbish(self, return_id: str, *units: tuple[str, int, str]) -> Return:
        done = tuple(Refurbished(sku=sku, quantity=count, outcome=RefurbishedAs(what)) for sku, count, what in units)
        await self.engine.returns.refurbish(return_id, NewRefurbishment(units=done, by="bea"))
        return await self.found(return_id)

    async def found(self, return_id: str) -> Return:
        return (await self.engine.returns.get(return_id))[1]

    async def stock(self, sku: str = "MUG", node_id: str = "north") -> tuple[int, int, int]:
        """Return the units on hand, in quality hold and damaged."""
        for position in await self.engine.inventory.positions(sku):
            if position.node_id == node_id:
                other = position.conditions or {}
                return position.on_hand, other.get(Condition.QUALITY_HOLD, 0), other.get(Condition.DAMAGED, 0)
        return 0, 0, 0

    async def events(self, order_id: str) -> list[str]:
        """Return what happened to an order, less what stock and carriers did."""
        steps = await self.engine.orders.history(order_id)
        found = [step.note.event for step in steps if step.note is not None]
        return [event for event in found if event not in NOT_TOLD]

    async def later(self, **time: int) -> None:
        """Let time pass, and what is due then be done."""
        self.clock.advance(timedelta(**time))
        await self.engine.effects.step()


def _paid(money: Money) -> Money:
    """Return money of which all was invoiced."""
    assert money.prices is not None, "only what has a price is paid"
    cents = money.prices.total_cents
    tender = Tender(tender_id="tender_1", kind=TenderKind.INVOICE, provider="terms", amount_cents=cents)
    set_aside = LedgerEntry(
        entry_id="pay_1", kind=EntryKind.AUTHORISED, tender_id="tender_1", amount_cents=cents, at=NOON, provider_id="t"
    )
    charged = LedgerEntry(
        entry_id="pay_2",
        kind=EntryKind.CAPTURED,
        tender_id="tender_1",
        amount_cents=cents,
        at=NOON,
        provider_id="i",
        authorisation_id="pay_1",
    )
    return Money(prices=money.prices, tenders=(tender,), ledger=(set_aside, charged))


def _prices(lines: tuple[OrderLine, ...], cents: dict[str, int], shipping_cents: int) -> Prices:
    found = tuple(
        LinePrice(
            line_id=line.line_id,
            quantity=line.quantity,
            unit_price_cents=cents.get(line.sku, 0) // line.quantity,
            total_cents=cents.get(line.sku, 0),
        )
        for line in lines
    )
    total = sum(each.total_cents for each in found) + shipping_cents
    return Prices(currency="USD", lines=found, total_cents=total, shipping_cents=shipping_cents)
