"""The stores of a simulation: in memory, and forgetful, so that memory does not grow with the days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from engine.clock import Clock
from engine.inventory.memory_load import MemoryLoadBook
from engine.inventory.memory_store import MemoryInventoryStore
from engine.orders.memory_store import MemoryOrderStore
from engine.routing.memory_run_store import MemoryRunStore
from engine.stores import memory_stores


class Stores:
    """The stores of one simulation."""

    def __init__(self, clock: Clock) -> None:
        self._stock = MemoryInventoryStore(clock, is_forgetful=True)
        self._orders = MemoryOrderStore(self._stock, clock)
        self._runs = MemoryRunStore(clock)
        self.all = replace(
            memory_stores(clock, explanation_days=0),
            inventory=self._stock,
            low_stock=(),
            orders=self._orders,
            load=MemoryLoadBook(clock, self._orders.uses),
            runs=self._runs,
        )

    def forget(self, order_ids: Sequence[str], run_ids: Sequence[str], before: date) -> None:
        """Forget orders and runs that are over, reservations that have been for a day, and what was used before."""
        self._orders.forget(order_ids, run_ids, before)
        self._runs.forget(run_ids)
        self._stock.forget_over()
