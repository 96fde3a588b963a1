"""The bridge from orders and live stock to arrays."""

from __future__ import annotations

from typing import Any

import numba

from engine.availability.stock import StockReader
from engine.routing.batch import build_batch, demanded_skus
from solvers.__main__ import tiny_problem
from solvers.tables import compile_tables


async def test_a_live_batch_runs_on_the_kernels_that_set_up_compiled(world: Any) -> None:
    """Numba compiles per type, and a table in another memory order is another type.

    Seeded bug this catches: delivery days handed over column-major, which made the first run wait for a minute.
    """
    await world.count(east={"MUG": 3})
    await world.order("o1", {"MUG": 1})
    orders = await world.book.open_orders(None)
    view = await world.reference.current()
    now = world.clock.now()
    today = view.days.at(now)
    atp = StockReader().read(await world.stock.read(demanded_skus(orders)), view, today.local_day, now=now)
    live = compile_tables(build_batch(orders, view, atp, {}).problem).tables
    ready = compile_tables(tiny_problem(line_split=False)).tables
    assert numba.typeof(live) == numba.typeof(ready)
