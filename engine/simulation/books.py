"""The books of a simulation: facts of orders that have ended, of days that are over, and the ledger of units and money.

Not here: the columns themselves (facts.py), KPIs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import BooksDisagree
from engine.inventory.model import CONFIRMED, HELD, MAX_UNITS, ON_HAND, SAFETY_STOCK, VERSION, StockView
from engine.network.model import Network
from engine.simulation.facts import (
    DayFacts,
    FactSink,
    Ledger,
    NodeDayFacts,
    OrderFacts,
    ParcelFacts,
    WindowFacts,
    gathered,
)
from engine.simulation.orders import SimOrder


@dataclass(slots=True, kw_only=True)
class Units:
    """The units that came and went, as the simulator counted them."""

    start: int = 0
    received: int = 0
    found: int = 0
    restocked: int = 0
    scrapped: int = 0
    shipped: int = 0
    lost: int = 0

    @property
    def end(self) -> int:
        """What has to be there now."""
        return self.start + self.received + self.found + self.restocked - self.shipped - self.lost


@dataclass(slots=True, kw_only=True)
class _Money:
    orders: int = 0
    revenue: int = 0
    charged: int = 0
    refund: int = 0
    cost: int = 0


@dataclass(slots=True, kw_only=True)
class _Day:
    """What is counted within a day."""

    placed_orders: int = 0
    placed_units: int = 0
    returned_units: int = 0
    left: Counter[tuple[int, str]] = field(default_factory=Counter)
    """By node: `units`, `parcels`, `refused`."""
    windows: list[dict[str, int]] = field(default_factory=list)


class Books:
    """Keeps the facts of a replication until they can be told, and tells them to a sink."""

    def __init__(self, sink: FactSink, first_ordinal: int) -> None:
        self._sink, self._first_ordinal = sink, first_ordinal
        self._ended: list[SimOrder] = []
        self.units, self._money, self._day = Units(), _Money(), _Day()

    def placed(self, order: SimOrder) -> None:
        """Note a customer who comes."""
        self._day.placed_orders += 1
        self._day.placed_units += order.units

    def left(self, node: int, units: int) -> None:
        """Note a parcel that leaves a node."""
        self.units.shipped += units
        self._day.left[node, "units"] += units
        self._day.left[node, "parcels"] += 1

    def refused(self, node: int) -> None:
        """Note a parcel that a node refuses, or a short pick."""
        self._day.left[node, "refused"] += 1

    def returned(self, units: int) -> None:
        """Note units that come back."""
        self._day.returned_units += units

    def window(self, at_s: int, orders: int, cost_cents: int, bound_cents: int, unrouted_units: int) -> None:
        """Note a routing run."""
        self._day.windows.append(
            {
                "at_s": at_s,
                "orders": orders,
                "cost_cents": cost_cents,
                "bound_cents": bound_cents,
                "unrouted_units": unrouted_units,
            }
        )

    def ended(self, order: SimOrder) -> None:
        """Note an order to which nothing more can happen."""
        self._ended.append(order)

    def tell_orders(self) -> list[str]:
        """Tell the orders that have ended, and return their ids."""
        rows = [order.row() for order in self._ended]
        self._money.orders += len(rows)
        self._money.revenue += sum(int(row["revenue_cents"]) for row in rows)
        self._money.charged += sum(int(row["charged_cents"]) for row in rows)
        self._money.refund += sum(int(row["refund_cents"]) for row in rows)
        self._money.cost += sum(int(row["cost_cents"]) for row in rows)
        parcels = [
            {**parcel.row(number), "due_day": parcel.ship_on - self._first_ordinal}
            for number, order in enumerate(self._ended)
            for parcel in order.parcels
            if parcel.shipped_s >= 0
        ]
        told = [order.order_id for order in self._ended if order.is_kept]
        self._ended = []
        if rows:
            self._sink.orders(gathered(OrderFacts, rows), gathered(ParcelFacts, parcels))
        return told

    def tell_day(
        self,
        day: int,
        stock: StockView,
        network: Network,
        numbers: dict[str, int],
        backlog: dict[int, tuple[int, int]],
        waiting: Sequence[SimOrder],
        open_orders: int,
    ) -> None:
        """Tell a day that is over, and begin the next."""
        counted = stock.cells.astype(np.int64)
        known = counted[:, :, VERSION] > 0
        sellable = counted[:, :, ON_HAND] - counted[:, :, HELD] - counted[:, :, CONFIRMED] - counted[:, :, SAFETY_STOCK]
        on_hand = np.where(counted[:, :, ON_HAND] == MAX_UNITS, 0, counted[:, :, ON_HAND])
        day_row = {
            "day": day,
            "positions": int(known.sum()),
            "stocked_out": int((known & (sellable <= 0)).sum()),
            "units_on_hand": int(on_hand.sum()),
            "open_orders": open_orders,
            "waiting_units": sum(order.units for order in waiting),
            "placed_orders": self._day.placed_orders,
            "placed_units": self._day.placed_units,
            "returned_units": self._day.returned_units,
        }
        node_rows = []
        for index, node_id in enumerate(network.node_ids):
            number = numbers[node_id]
            units, parcels = backlog.get(number, (0, 0))
            node_rows.append(
                {
                    "day": day,
                    "node": number,
                    "capacity_units": int(network.capacity_units[index]),
                    "capacity_parcels": int(network.capacity_parcels[index]),
                    "units": self._day.left[number, "units"],
                    "parcels": self._day.left[number, "parcels"],
                    "backlog_units": units,
                    "backlog_parcels": parcels,
                    "refused": self._day.left[number, "refused"],
                }
            )
        windows = gathered(WindowFacts, self._day.windows)
        self._sink.day(gathered(DayFacts, [day_row]), gathered(NodeDayFacts, node_rows), windows)
        self._day = _Day()

    def ledger(self, stock: StockView, costs: dict[str, int]) -> Ledger:
        """Close the books against the stock that is there; raises BooksDisagree if it is not what was counted."""
        on_hand = stock.cells[:, :, ON_HAND].astype(np.int64)
        on_hand[on_hand == MAX_UNITS] = 0
        of_sku = on_hand.sum(axis=1)
        there = int(of_sku.sum())
        if there != self.units.end:
            raise BooksDisagree(
                f"The simulator counted {self.units.end} units, and {there} are in stock: {self.units}. "
                "This is a bug; please report it with the scenario file."
            )
        value = sum(costs.get(sku, 0) * int(units) for sku, units in zip(stock.skus, of_sku.tolist(), strict=True))
        return Ledger(
            start_units=self.units.start,
            received_units=self.units.received,
            found_units=self.units.found,
            restocked_units=self.units.restocked,
            scrapped_units=self.units.scrapped,
            shipped_units=self.units.shipped,
            lost_units=self.units.lost,
            end_units=there,
            end_value_cents=value,
            orders=self._money.orders,
            revenue_cents=self._money.revenue,
            charged_cents=self._money.charged,
            refund_cents=self._money.refund,
            cost_cents=self._money.cost,
        )
