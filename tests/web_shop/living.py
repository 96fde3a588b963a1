"""Lives through recorded days of the web shop with an engine in memory: each order from its capture to its delivery.

Every evening the open orders are routed, released, picked, packed and handed to the carrier; they arrive two days
later. A credit note is looked up in what its customer has bought: what has not left yet is cancelled, what has arrived
or is under way comes back as a return, is inspected and put on the shelf; what no order has is counted apart.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.bootstrap import Engine, allot_engine
from engine.catalog.document import CatalogDocument
from engine.clock import SettableClock
from engine.config import Settings
from engine.integrations.online_retail import import_online_retail
from engine.inventory.model import PositionCount
from engine.network.document import NetworkDocument
from engine.orders.cancelling import NewCancellation
from engine.orders.capture import MOST_LINES
from engine.orders.destination import Destination
from engine.orders.facts.money import TenderKind
from engine.orders.facts.returns import Disposition
from engine.orders.facts.shipments import ShipmentState
from engine.orders.model import NewLine, NewOrder, NewTender, Order, OrderState
from engine.orders.states import units_by_state
from engine.returns.authorising import NewReturn, NewReturnLine
from engine.returns.inspecting import Inspected, NewInspection
from engine.returns.policy import ReturnPolicy, Terms
from engine.returns.receiving import NewReceipt
from engine.routing.run_model import RunRequest
from tests.web_shop.sales import SOURCE, Books, Credit, Sale

LONDON = ZoneInfo("Europe/London")
EVENING, ARRIVES = time(18), timedelta(days=2)
WAITING = (OrderState.CAPTURED, OrderState.VALIDATED, OrderState.PROMISED, OrderState.SOURCED, OrderState.BACKORDERED)


@dataclass(slots=True, kw_only=True)
class Told:
    """What the driver saw happen, in units and pence, to compare the engine's books with."""

    sold: int = 0
    cancelled: int = 0
    returned: int = 0
    credited: int = 0
    """What credit notes say that the shop gave back for units that were found in an order."""
    unknown_units: int = 0
    unknown: int = 0
    """And for units that were not."""


@dataclass(slots=True, kw_only=True)
class Life:
    """An engine in memory that lives through the days; `bought` are (order, SKU) of each customer, the latest last."""

    engine: Engine
    clock: SettableClock
    told: Told = field(default_factory=Told)
    bought: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    order_ids: list[str] = field(default_factory=list)
    on_its_way: list[tuple[datetime, str]] = field(default_factory=list)
    places: dict[str, Destination] = field(default_factory=dict)

    async def live(self, books: Books) -> None:
        """Let everything happen in the order in which it was recorded, evening by evening."""
        what: list[Sale | Credit] = [*books.sales, *books.credits]
        what.sort(key=lambda each: (each.at, isinstance(each, Credit), each.invoice))
        day = what[0].at.date()
        for each in what:
            while each.at >= datetime.combine(day, EVENING):
                await self.evening(day)
                day += timedelta(days=1)
            self._set(each.at)
            await (self.sell(each) if isinstance(each, Sale) else self.take_back(each))
        for _ in range(4):
            await self.evening(day)
            day += timedelta(days=1)

    async def sell(self, sale: Sale) -> None:
        """Capture an invoice as an order, or, as the longest of the year has 1,109 lines, as two."""
        skus = list(sale.units)
        for start in range(0, len(skus), MOST_LINES):
            await self._sell(sale, skus[start : start + MOST_LINES], start)
        self.told.sold += sale.total

    async def _sell(self, sale: Sale, skus: Sequence[str], start: int) -> None:
        """Capture lines of an invoice, paid by card; what repeated rows differ by is a discount."""
        lines = tuple(
            NewLine(
                sku=sku,
                quantity=sale.units[sku],
                unit_price_cents=sale.dearest[sku],
                discount_cents=sale.units[sku] * sale.dearest[sku] - sale.pence[sku],
            )
            for sku in skus
        )
        postage = 0 if start else sale.postage
        total = sum(sale.pence[sku] for sku in skus) + postage
        order = NewOrder(
            channel="web",
            channel_order_id=f"{sale.invoice}/{start}" if start else sale.invoice,
            customer_id=sale.customer or None,
            destination=self.places[sale.invoice],
            lines=lines,
            shipping_cents=postage,
            total_cents=total,
            currency="GBP",
            tenders=(NewTender(kind=TenderKind.CARD, token="tok_visa"),) if total else (),
        )
        captured = (await self.engine.orders.capture(order)).value
        self.order_ids.append(captured.order_id)
        for sku in skus:
            self.bought[sale.customer, sku].append(captured.order_id)

    async def take_back(self, credit: Credit) -> None:
        """Cancel what has not left yet, let come back what has, and count what is in no order of this customer."""
        for sku, units in credit.units.items():
            left = units
            for order_id in reversed(self.bought[credit.customer, sku] if credit.customer else []):
                if left:
                    left -= await self._take_back(order_id, sku, left)
            pence = credit.pence[sku] * left // units
            self.told.unknown_units += left
            self.told.unknown += pence
            self.told.credited += credit.pence[sku] - pence

    async def evening(self, day: date) -> None:
        """Route what is open, ship all of it, and deliver what was shipped two evenings ago."""
        self._set(datetime.combine(day, EVENING))
        engine = self.engine
        while self.on_its_way and self.on_its_way[0][0] <= self.clock.now():
            await engine.fulfillment.deliver(self.on_its_way.pop(0)[1])
        open_ids = [order.order_id for order in await engine.orders.open_orders()]
        if not open_ids:
            return
        run = await engine.routing_runs.execute(RunRequest(order_ids=tuple(open_ids), method="one_by_one"))
        assert run.status == "committed", run
        for order_id in open_ids:
            await self._ship(order_id)

    async def _ship(self, order_id: str) -> None:
        fulfillment = self.engine.fulfillment
        released = (await fulfillment.release(order_id)).value
        for shipment in released.life.shipments:
            if shipment.state is ShipmentState.RELEASED:
                await fulfillment.pick(shipment.shipment_id)
                await fulfillment.pack(shipment.shipment_id)
                await fulfillment.ship(shipment.shipment_id)
                self.on_its_way.append((self.clock.now() + ARRIVES, shipment.shipment_id))

    async def _take_back(self, order_id: str, sku: str, most: int) -> int:
        """Cancel or take back units of an order; return how many."""
        order = await self.engine.orders.get(order_id)
        line = next(line for line in order.lines if line.sku == sku)
        units = units_by_state(order)[line.line_id]
        waiting = sum(count for state, count in units.items() if state in WAITING)
        cancelled = min(most, waiting)
        if cancelled:
            new = NewCancellation(lines=((line.line_id, cancelled),), reason="credit note")
            await self.engine.cancellations.cancel(order_id, new)
            await self.engine.effects.settle(order_id)
            self.told.cancelled += cancelled
        back = min(most - cancelled, units.get(OrderState.SHIPPED, 0) + units.get(OrderState.DELIVERED, 0))
        if back:
            await self._return(order, line.line_id, sku, back)
            self.told.returned += back
        return cancelled + back

    async def _return(self, order: Order, line_id: str, sku: str, units: int) -> None:
        returns, by = self.engine.returns, "desk"
        new = NewReturn(lines=(NewReturnLine(line_id=line_id, quantity=units, reason="unwanted"),), by=by)
        order = (await returns.authorise(order.order_id, new)).value
        return_id = order.life.returns[-1].return_id
        await returns.receive(return_id, NewReceipt(units=((sku, units),), by=by, is_all=True))
        found = Inspected(sku=sku, disposition=Disposition.RESTOCK, quantity=units)
        await returns.inspect(return_id, NewInspection(units=(found,), by=by))

    def _set(self, at: datetime) -> None:
        self.clock.move_to(max(self.clock.now(), at.replace(tzinfo=LONDON).astimezone(UTC)))


@asynccontextmanager
async def opened(folder: Path, first: date, days: int) -> AsyncIterator[Life]:
    """Open the shop on the morning of a day, with all on its shelves that is ordered in so many days."""
    import_online_retail(SOURCE, folder, first, days)
    clock = SettableClock(datetime.combine(first, time(6), tzinfo=UTC))
    settings = Settings.model_construct(explanation_days=0, most_rejections=0)
    async with allot_engine(settings, memory=True, clock=clock) as engine:
        await engine.network.put(NetworkDocument.model_validate_json((folder / "network.json").read_bytes()))
        await engine.catalog.put(CatalogDocument.model_validate_json((folder / "catalog.json").read_bytes()))
        policy = ReturnPolicy(usual=Terms(window_days=400))
        await engine.return_policies.put(policy, ["warehouse"])
        rows = json.loads((folder / "positions.json").read_bytes())["positions"]
        for start in range(0, len(rows), 1000):
            await engine.inventory.put_positions([PositionCount(**row) for row in rows[start : start + 1000]])
        with gzip.open(folder / "orders.csv.gz", "rt", encoding="utf-8") as file:
            places = {
                row["order_id"]: Destination(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
                for row in csv.DictReader(file)
            }
        yield Life(engine=engine, clock=clock, places=places)
