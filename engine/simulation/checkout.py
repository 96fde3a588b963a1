"""Customers at the checkout: each asks for a promise, buys or leaves, and what is bought is reserved and captured.

The calls are those of a checkout over HTTP: promise, reserve an option, confirm, capture. Not here: who decides what to
buy (customers.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np

from engine.bootstrap import Engine
from engine.orders.destination import Destination as OrderDestination
from engine.orders.model import NewLine, NewOrder
from engine.promising.model import MOST_LINES, Destination, Option, PromiseRequest, WantedLine
from engine.scenarios.orders import OrderTable
from engine.scenarios.story import Story
from engine.simulation.carriage import Place
from engine.simulation.customers import Draws, choose
from engine.simulation.facts import Ending
from engine.simulation.luck import Luck
from engine.simulation.orders import SimOrder
from engine.simulation.times import StoryTime


class Checkout:
    """Serves the customers of one replication."""

    def __init__(self, engine: Engine, story: Story, luck: Luck, times: StoryTime) -> None:
        self._engine, self._story, self._luck, self._times = engine, story, luck, times
        prices = {product.sku: product.price_cents or 0 for product in story.world.catalog.products}
        prices.update({kit.sku: kit.price_cents or 0 for kit in story.world.catalog.kits if kit.price_cents})
        self._prices = prices

    def customers(self, table: OrderTable, channels: dict[str, int]) -> Iterator[tuple[SimOrder, Draws, float]]:
        """Yield the customers of a day with their luck; the last number decides whether they cancel."""
        names = ("fast", "leaves", "pays", "cancels")
        drawn = [self._luck.of_each(f"customers: {name}", table.key) for name in names]
        fast, leaves, pays, cancels = (each.tolist() for each in drawn)
        radians = np.radians(np.stack([table.latitude, table.longitude])).T.tolist()
        first, sku, quantity = table.first_line.tolist(), table.sku.tolist(), table.quantity.tolist()
        for i, (key, placed_s) in enumerate(zip(table.key.tolist(), table.placed_s.tolist(), strict=True)):
            lines = [(table.skus[sku[k]], quantity[k]) for k in range(first[i], first[i + 1])]
            code = table.postal_codes[table.place[i]] if table.place[i] >= 0 else (None, None)
            need_by = int(table.need_by_days[i])
            order = SimOrder(
                key=key,
                order_id=f"o{key}" if table.order_ids is None else table.order_ids[i],
                placed_s=placed_s,
                latitude=float(table.latitude[i]),
                longitude=float(table.longitude[i]),
                channel=channels[table.channels[int(table.channel[i])]],
                place=Place(*radians[i], *code),
                lines=lines,
                prices=[self._prices.get(name, 0) for name, _ in lines],
                requested_day=-1 if need_by < 0 else self._today(placed_s) + need_by,
            )
            yield order, Draws(fast[i], leaves[i], pays[i]), cancels[i]

    async def serve(self, order: SimOrder, channel: str, draws: Draws, *, reserves: bool) -> bool:
        """Serve one customer now; return whether something was bought, with the order's `ending` if not.

        An order of more lines than a promise takes asks for several; the latest counts, and it reserves nothing.
        """
        promises = [
            await self._engine.promising.promise(self._request(order, channel, order.lines[first : first + MOST_LINES]))
            for first in range(0, len(order.lines), MOST_LINES)
        ]
        today, options = self._times.ordinal_of(order.placed_s), list[Option]()
        charged_cents = 0
        for promise in promises:
            option, order.ending, more_cents = choose(promise, today, self._story.customers, draws)
            if option is None:
                return False
            options.append(option)
            charged_cents += more_cents
        order.charged_cents = charged_cents
        order.promised_day = self._times.day(max(option.promised_on.toordinal() for option in options))
        order.expected_day = self._times.day(max(option.delivery.p50.toordinal() for option in options))
        order.promised_parcels = sum(len(option.shipments) for option in options)
        order.promised_cost_cents = sum(option.total_cost_cents for option in options)
        reservation_id = None
        if reserves and len(promises) == 1:
            inventory = self._engine.inventory
            hold = await self._engine.promising.promised_hold(promises[0].promise_id, options[0].option_id)
            held = await inventory.hold(
                hold.lines, channel=hold.channel, promised_on=hold.promised_on, promised=hold.promised
            )
            reservation_id = held.value.reservation_id
            await inventory.confirm(reservation_id)
        await self._engine.orders.capture(self._captured(order, channel, reservation_id))
        order.ending, order.is_kept = Ending.OPEN, True
        return True

    def _request(self, order: SimOrder, channel: str, lines: Sequence[tuple[str, int]]) -> PromiseRequest:
        return PromiseRequest(
            lines=tuple([WantedLine(sku=sku, quantity=quantity) for sku, quantity in lines]),
            destination=Destination(
                latitude=order.latitude,
                longitude=order.longitude,
                country=order.place.country,
                postal_code=order.place.postal_code,
            ),
            channel=channel,
            need_by=self._need_by(order),
        )

    def _captured(self, order: SimOrder, channel: str, reservation_id: str | None) -> NewOrder:
        return NewOrder(
            channel=channel,
            destination=OrderDestination(
                latitude=order.latitude,
                longitude=order.longitude,
                country=order.place.country,
                postal_code=order.place.postal_code,
            ),
            lines=tuple([NewLine(sku=sku, quantity=quantity) for sku, quantity in order.lines]),
            order_id=order.order_id,
            reservation_id=reservation_id,
            need_by=self._need_by(order),
        )

    def _need_by(self, order: SimOrder) -> date | None:
        if order.requested_day < 0:
            return None
        return date.fromordinal(order.requested_day + self._times.first_ordinal)

    def _today(self, seconds: int) -> int:
        return self._times.day(self._times.ordinal_of(seconds))
