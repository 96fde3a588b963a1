"""Question: what does it cost to watch a hundred thousand orders under way, and is anybody kept waiting by it.

Orders that a run has decided on are put on the embedded server as copies of a few that were captured and routed, all in
time. A round is measured that begins with nothing known, one two minutes later in which nothing has happened, one after
some orders have changed, and one an hour after that, in which all are due, as all are to leave on that day: CPU of this
process and of the store, and of the longest turns of the event loop, which is what others wait for.

    allot bench watch [--orders N] [--changed N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.orders import store_seconds
from benchmarks.orders_world import NODES, SKUS, open_shop
from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.exceptions.watch import JeopardyWatch
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder, Note, Order
from engine.orders.revising import Revision, revision_of
from engine.routing.run_model import RunRequest, RunStatus
from engine.storage.keys import Keys

TEMPLATES, AT_ONCE = 200, 500
DUE_DAYS = 12
ASKED_TURN_MS = 2
GC_THRESHOLD = 10_000, 20, 20
"""As servers have it (api/cli/serve_one.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round: seconds by the clock, CPU seconds of this process and of the store, CPU of the longest turns in ms."""

    name: str
    seconds: float
    ours: float
    store: float
    longest_ms: float
    p999_ms: float


async def open_orders(engine: Engine, count: int) -> list[str]:
    """Put so many orders that are routed, and return their ids; all but a few are copies."""
    client, keys, luck = engine.client, Keys(engine.tenant), random.Random(5)
    assert client is not None
    templates = [await _captured(engine, luck, number) for number in range(min(count, TEMPLATES))]
    run = await engine.routing_runs.execute(RunRequest())
    assert run.status == RunStatus.COMMITTED, run.failure
    pairs = {name: await client.call("HGETALL", keys.order(name)) for name in templates}
    steps = {name: await client.call("LRANGE", keys.order_history(name), 0, -1) for name in templates}
    scores = {name: await client.call("ZSCORE", keys.named("allocated"), name) for name in templates}
    found = list(templates)
    for first in range(len(templates), count, AT_ONCE):
        commands: list[tuple[object, ...]] = []
        for number in range(first, min(count, first + AT_ONCE)):
            source, name = templates[number % len(templates)], f"ord_copy_{number}"
            fields = [bytes(each).replace(source.encode(), name.encode()) for each in pairs[source]]
            commands.append(("HSET", keys.order(name), *fields))
            commands.append(("RPUSH", keys.order_history(name), *steps[source]))
            commands.append(("ZADD", keys.named("allocated"), float(scores[source]) + number / 100, name))
            found.append(name)
        await client.pipeline(commands)  # type: ignore[arg-type]
    return found


async def _captured(engine: Engine, luck: random.Random, number: int) -> str:
    """Capture an order that is due in time."""
    lines = tuple(NewLine(sku=sku, quantity=1) for sku in {f"sku-{luck.randrange(SKUS)}" for _ in range(2)})
    node = number % NODES
    order = NewOrder(
        order_id=f"ord_first_{number}_",
        channel="web",
        destination=Destination(latitude=30.5 + node, longitude=-119.5 + 2 * node),
        lines=lines,
        need_by=(engine.clock.now() + timedelta(days=DUE_DAYS)).date(),
    )
    return (await engine.orders.capture(order)).value.order_id


@contextmanager
def turns(found: list[float]) -> Iterator[None]:
    """Note the CPU of each turn of the loop, from one wait to the next, in ms."""
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    wait, last = selector.select, time.thread_time()

    def select(timeout: float | None = None) -> object:
        nonlocal last
        found.append(1000 * (time.thread_time() - last))
        ready = wait(timeout)
        last = time.thread_time()
        return ready

    selector.select = select
    try:
        yield
    finally:
        del selector.select


class Story:
    """The same rounds, of whatever is measured of them."""

    def __init__(self, engine: Engine, clock: SettableClock, orders: list[str], changed: int) -> None:
        self._engine, self._clock, self._orders, self._changed = engine, clock, orders, changed
        self._luck = random.Random(7)

    async def told(
        self, watch: JeopardyWatch, measured: Callable[[str, Awaitable[None]], Awaitable[Round]]
    ) -> list[Round]:
        """Return what was measured of each round."""
        found = [await measured("nothing known yet", watch.round())]
        self._clock.advance(timedelta(minutes=2))
        found.append(await measured("nothing has happened", watch.round()))
        for order_id in self._luck.sample(self._orders, min(len(self._orders), self._changed)):
            await self._engine.changes.change(order_id, _noted)
        self._clock.advance(timedelta(minutes=2))
        found.append(await measured(f"{self._changed:,} orders changed", watch.round()))
        self._clock.advance(timedelta(hours=1))
        found.append(await measured("an hour later, all due", watch.round()))
        return found


def _noted(order: Order, _at: datetime) -> Revision:
    return revision_of(order, order, Note(event="noted", by="benchmark"))


def _print(out: Console, count: int, rounds: list[Round]) -> None:
    table = Table("a round in which", "seconds", "CPU s", "of the store", "longest turn, ms", "one in 1,000")
    for column in table.columns[1:]:
        column.justify = "right"
    for each in rounds:
        figures = (f"{each.seconds:.2f}", f"{each.ours:.3f}", f"{each.store:.3f}")
        table.add_row(each.name, *figures, f"{each.longest_ms:.2f}", f"{each.p999_ms:.2f}")
    out.print(f"Rounds of the watch over {count:,} orders under way")
    out.print(table)
    out.print(f"asked: no turn over {ASKED_TURN_MS} ms, and CPU in proportion to what has changed or come due")


async def measure(data: Path, count: int, changed: int) -> list[Round]:
    """Return the rounds."""
    clock = SettableClock(datetime.now(UTC))
    async with allot_engine(Settings(data_dir=data, redis_url=None), clock=clock) as engine:
        await open_shop(engine)
        orders = await open_orders(engine, count)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)

        async def measured(name: str, work: Awaitable[None]) -> Round:
            found: list[float] = []
            began, ours, store = time.perf_counter(), time.process_time(), await store_seconds(engine)
            with turns(found):
                await work
            found.sort()
            return Round(
                name=name,
                seconds=time.perf_counter() - began,
                ours=time.process_time() - ours,
                store=await store_seconds(engine) - store,
                longest_ms=found[-1],
                p999_ms=found[int(0.999 * len(found))],
            )

        return await Story(engine, clock, orders, changed).told(engine.jeopardy, measured)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="allot bench watch")
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--changed", type=int, default=1000)
    chosen = parser.parse_args()
    out = Console(width=110)
    out.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        _print(out, chosen.orders, asyncio.run(measure(Path(folder), chosen.orders, chosen.changed)))


if __name__ == "__main__":
    main()
