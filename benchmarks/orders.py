"""Question: how many orders can be taken, how fast is one found among a million, and what does one cost that is over.

Orders of three lines are held, checked (catalog, network, prices, an order policy) and captured with their reservation
through the service layer of one process on the embedded server, every write synced, 64 in flight, without and with the
customer's data under seal; CPU beside the rate, since the store and whatever else runs need their cores too. Then some
are cancelled and archived: memory of the store for each before and after, bytes of the file, and what the entry of an
archived order takes where there are a million. Then an index of a year's orders is made, each kind of search is asked
many times, newest page and later ones, and the index follows more.

    allot bench orders [--captures N] [--runs N] [--orders N] [--searches N]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha1
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.orders_world import BEGAN, YEAR, Year, email_of, new_order, open_shop, phone_of
from engine.bootstrap import Engine, allot_engine
from engine.config import Settings
from engine.search.files import IndexFolder
from engine.search.index import IndexWriter
from engine.search.model import Question
from engine.search.service import OrderSearch
from engine.search.terms import KEY_BYTES, Terms
from engine.storage.keys import Keys

IN_FLIGHT, AT_ONCE, FOLLOWED = 64, 500, 4000
ASKED_PER_SECOND, ASKED_P99_MS = 1500, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Orders a second in one run, and microseconds of CPU of each: of this process, and of the store."""

    per_second: float
    ours_us: float
    store_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Bytes of an order that is over: in the store before and after it is archived, and in its file."""

    before: float
    after: float
    in_file: float
    archived_per_second: float


async def rate(calls: list[Callable[[], Awaitable[object]]]) -> float:
    """Return calls per second, so many in flight."""
    waiting = iter(calls)

    async def worker() -> None:
        for call in waiting:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return len(calls) / (time.perf_counter() - began)


async def taken(engine: Engine, luck: random.Random, first: int, count: int, *, is_told_who: bool) -> Taken:
    """Hold, check and capture so many orders."""

    async def take(number: int) -> None:
        lines, order = new_order(luck, number, is_told_who=is_told_who)
        held = await engine.inventory.hold(lines, channel="web")
        fields = {name: getattr(order, name) for name in order.__slots__}
        await engine.orders.capture(type(order)(**fields | {"reservation_id": held.value.reservation_id}))

    ours, store = time.process_time(), await store_seconds(engine)
    per_second = await rate([lambda number=number: take(number) for number in range(first, first + count)])  # type: ignore[misc]
    return Taken(
        per_second=per_second,
        ours_us=1e6 * (time.process_time() - ours) / count,
        store_us=1e6 * (await store_seconds(engine) - store) / count,
    )


async def store_seconds(engine: Engine) -> float:
    """Return the seconds of CPU that the store has used."""
    assert engine.client is not None
    info = bytes(await engine.client.call("INFO", "cpu")).decode()
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    return float(lines["used_cpu_sys"]) + float(lines["used_cpu_user"])


async def captures(data: Path, count: int, runs: int) -> tuple[list[Taken], list[Taken], Costs]:
    """Return rates without and with customers, of runs in turn, and what orders that are over cost."""
    settings = Settings(data_dir=data, redis_url=None)
    luck = random.Random(1)
    async with allot_engine(settings) as engine:
        await open_shop(engine)
        plain, told = [], []
        await taken(engine, luck, 0, 500, is_told_who=False)
        for run in range(runs):
            first = 10**6 + 2 * run * count
            plain.append(await taken(engine, luck, first, count, is_told_who=False))
            told.append(await taken(engine, luck, first + count, count, is_told_who=True))
        return plain, told, await costs(engine, data, count)


async def costs(engine: Engine, data: Path, count: int) -> Costs:
    """Cancel orders, archive them, and return what they take before and after."""
    assert engine.client is not None
    assert engine.desk is not None
    luck, desk = random.Random(2), engine.desk
    await desk.index.catch_up()
    empty = await memory(engine)
    ids: list[str] = []
    for number in range(count):
        _, order = new_order(luck, 10**8 + number, is_told_who=False)
        ids.append((await engine.orders.capture(order)).value.order_id)
    await asyncio.gather(*(engine.orders.cancel(order_id) for order_id in ids))
    full = await memory(engine)
    await desk.index.catch_up()
    began, archived = time.perf_counter(), 0
    while found := await desk.archive.step(0):
        archived += found
        await desk.index.catch_up()
    seconds = time.perf_counter() - began
    files = sum(path.stat().st_size for path in (data / "archive").rglob("*.parquet"))
    return Costs(
        before=(full - empty) / count,
        after=await entry_bytes(engine, 10**6),
        in_file=files / archived,
        archived_per_second=archived / seconds,
    )


async def entry_bytes(engine: Engine, count: int) -> float:
    """Return what the store keeps of an archived order, where there are so many."""
    assert engine.client is not None
    keys, before = Keys(engine.tenant), await memory(engine)
    for first in range(0, count, 5000):
        ids = [sha1(b"%d" % number, usedforsecurity=False).digest() for number in range(first, first + 5000)]
        await engine.client.pipeline(
            [("HSET", keys.archived(digest[:2].hex()), digest[2:10], first // 5000 + 1) for digest in ids]
        )
    return (await memory(engine) - before) / count


async def memory(engine: Engine) -> int:
    """Return the bytes of the store's data, without its streams of events, which are bounded."""
    assert engine.client is not None
    prefix = f"{{{engine.tenant}:p0}}:"
    info = bytes(await engine.client.call("INFO", "memory")).decode()
    used = int(next(line for line in info.splitlines() if line.startswith("used_memory:")).partition(":")[2])
    for stream in ("events", "journal"):
        used -= int(await engine.client.call("MEMORY", "USAGE", f"{prefix}{stream}", "SAMPLES", 0) or 0)
    return used


def questions(year: Year, luck: random.Random) -> dict[str, Callable[[], Question]]:
    """Return what is asked, by its name in the table."""

    def day() -> dict[str, object]:
        at = BEGAN + YEAR * luck.random()
        return {"from_at": at, "until": at + timedelta(days=7)}

    return {
        "number": lambda: Question(number=f"W{luck.randrange(year.orders):08d}"),
        "customer": lambda: Question(customer=f"cus_{year.customer()}"),
        "phone": lambda: Question(phone=phone_of(year.customer())),
        "e-mail": lambda: Question(email=email_of(year.customer())),
        "product": lambda: Question(sku=year.sku()),
        "product, a rare state": lambda: Question(sku=year.sku(), states=("on_hold", "backordered")),
        "product, a common state": lambda: Question(sku=year.sku(), states=("delivered",)),
        "two states, a week": lambda: Question(states=("shipped", "cancelled"), **day()),  # type: ignore[arg-type]
        "product, channel, a week": lambda: Question(sku=year.sku(), channel="store", **day()),  # type: ignore[arg-type]
        "nothing, a page of 100": lambda: Question(limit=100, **day()),  # type: ignore[arg-type]
        "a later page of a product": lambda: Question(
            sku=f"sku-{luck.randrange(50)}", starting_after=f"ord_{luck.randrange(year.orders):016x}", limit=100
        ),
        "no order: rare with common": lambda: Question(states=("on_hold",), sku=f"sku-{19_000 + luck.randrange(900)}"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """An index of so many orders: how it was made and follows, and milliseconds of searches by what was asked."""

    made_per_second: float
    followed_per_second: float
    bytes_per_order: float
    times_ms: dict[str, list[float]]


async def searches(data: Path, orders: int, each: int) -> Searched:
    """Make an index, ask, and let it follow."""
    terms = Terms(b"k" * KEY_BYTES)
    year, folder = Year(orders, terms), IndexFolder(data / "index")
    folder.take()
    path = folder.begin()
    writer, spent = IndexWriter(path, is_new=True), 0.0
    for first in range(0, orders, AT_ONCE):
        entries = list(year.entries(first, min(orders, first + AT_ONCE)))
        began = time.perf_counter()
        writer.apply(entries)
        spent += time.perf_counter() - began
    began = time.perf_counter()
    writer.finish()
    spent += time.perf_counter() - began
    folder.use(path)

    async def known() -> Terms:
        return terms

    async def never(order_id: str) -> object:
        raise AssertionError(order_id)

    search, luck = OrderSearch(folder, known, never), random.Random(3)  # type: ignore[arg-type]
    times: dict[str, list[float]] = {name: [] for name in questions(year, luck)}
    for _ in range(each):  # kinds in turn: a slow moment of the machine is everybody's
        for name, ask in questions(year, luck).items():
            question = ask()
            began = time.perf_counter()
            await search.find(question)
            times[name].append(1000 * (time.perf_counter() - began))
    search.stop()
    size, following, rates = path.stat().st_size, IndexWriter(path), []
    for first in range(orders, orders + FOLLOWED, AT_ONCE):
        entries = list(year.entries(first, first + AT_ONCE))
        began = time.perf_counter()
        following.apply(entries)
        rates.append(AT_ONCE / (time.perf_counter() - began))
    following.close()
    return Searched(
        made_per_second=orders / spent,
        followed_per_second=statistics.median(rates),
        bytes_per_order=size / orders,
        times_ms=times,
    )


def p99(times: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(times)[min(len(times) - 1, int(0.99 * len(times)))]


def print_captures(out: Console, plain: list[Taken], told: list[Taken], found: Costs) -> None:
    """Print rates, and what an order that is over costs."""
    out.print(f"Orders of three lines, held, checked and captured, {IN_FLIGHT} in flight")
    table = Table("", "orders a second", "lowest", "highest", "CPU µs", "of the store")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, runs in (("with prices", plain), ("with the customer sealed too", told)):
        rates = [run.per_second for run in runs]
        cpu = (statistics.median(run.ours_us for run in runs), statistics.median(run.store_us for run in runs))
        table.add_row(name, *(f"{figure:,.0f}" for figure in (statistics.median(rates), min(rates), max(rates), *cpu)))
    out.print(table)
    out.print(f"asked: {ASKED_PER_SECOND:,} orders a second of one process")
    out.print(
        f"An order that is over: {found.before:,.0f} bytes of the store, {found.after:,.0f} once it is archived (of a "
        f"million), {found.in_file:,.0f} in its file; {found.archived_per_second:,.0f} archived a second"
    )


def print_searches(out: Console, orders: int, found: Searched) -> None:
    """Print times of searches by what was asked."""
    out.print(f"Searches among {orders:,} orders, milliseconds")
    table = Table("asked for")
    for heading in ("median", "p99", "most"):
        table.add_column(heading, justify="right")
    everything = [time for times in found.times_ms.values() for time in times]
    for name, times in (*found.times_ms.items(), ("all of these", everything)):
        table.add_row(name, f"{statistics.median(times):.2f}", f"{p99(times):.2f}", f"{max(times):.2f}")
    out.print(table)
    out.print(f"asked: p99 of {ASKED_P99_MS} ms")
    out.print(
        f"The index: {found.bytes_per_order:,.0f} bytes an order, made at {found.made_per_second:,.0f} orders a "
        f"second, follows at {found.followed_per_second:,.0f}"
    )


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(prog="allot bench orders")
    parser.add_argument("--captures", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=400)
    chosen = parser.parse_args()
    out = Console(width=110)
    out.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        if chosen.captures:
            print_captures(out, *asyncio.run(captures(Path(folder), chosen.captures, chosen.runs)))
        if chosen.orders:
            print_searches(out, chosen.orders, asyncio.run(searches(Path(folder), chosen.orders, chosen.searches)))


if __name__ == "__main__":
    main()
