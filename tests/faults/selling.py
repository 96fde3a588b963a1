"""The trial of "no oversell": several seller processes on a hot shelf, one of them killed every so often.

Afterwards the books are compared: every reservation that any seller may have made is read, and the units in the cells
must be exactly those of the reservations that are there; what a seller was told must be so.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faults.processes import Worker
from faults.seller import NODE, SKUS

from engine.errors import NotFound
from engine.inventory.model import PositionCount
from engine.inventory.redis_store import RedisInventoryStore

READ_TOGETHER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sellers asked for, and what they were told."""

    asked: dict[str, tuple[str, int]]
    held: set[str]
    given_up: set[str]
    gave: set[str]
    kills: int
    lowest_available: int

    def units_held(self) -> int:
        return sum(self.asked[reservation_id][1] for reservation_id in self.held - self.gave)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where the sellers sell: a server with the library loaded, and so many units of every hot SKU."""

    address: str
    tenant: str
    store: RedisInventoryStore
    on_hand: int

    async def fill(self) -> None:
        await self.store.put_positions([PositionCount(sku=sku, node_id=NODE, on_hand=self.on_hand) for sku in SKUS])

    async def lowest_available(self) -> int:
        return int((await self.store.read(SKUS)).available().min())


async def sell_out(
    shelf: Shelf,
    folder: Path,
    *,
    attempts: int,
    sellers: int,
    kill_seconds: float | None = None,
    most_kills: int = 10**9,
    variant: str = "whole",
) -> Told:
    """Let sellers make `attempts` in all, and return what they were told.

    With `kill_seconds`, they cancel half of what they hold, and one of them is killed that often and replaced, at most
    `most_kills` times.
    """
    await shelf.fill()
    numbers = itertools.count()
    keeps = int(kill_seconds is None)

    def start(share: int) -> Worker:
        name = f"s{next(numbers)}"
        printed = folder / f"{name}.txt"
        arguments = (shelf.address, shelf.tenant, name, share, keeps, variant)
        return Worker("faults.seller", *arguments, printed=printed)

    at_work = {start(attempts // sellers): attempts // sellers for _ in range(sellers)}
    done: list[Worker] = []
    kills, lowest = 0, shelf.on_hand
    next_kill = 0.0
    victims = itertools.count()
    try:
        while at_work:
            await asyncio.sleep(0.02)
            lowest = min(lowest, await shelf.lowest_available())
            for worker in [each for each in at_work if not each.is_running()]:
                worker.check()
                done.append(worker)
                del at_work[worker]
            now = asyncio.get_running_loop().time()
            if kill_seconds is None or kills == most_kills or not at_work or now < next_kill:
                continue
            victim = list(at_work)[next(victims) % len(at_work)]
            if not victim.has_printed():
                continue  # it has not begun yet, so its death would prove nothing
            next_kill = now + kill_seconds
            victim.kill()
            kills += 1
            done.append(victim)
            share = at_work.pop(victim) - sum(line.startswith("try") for line in victim.lines)
            if share > 0:
                at_work[start(share)] = share
    finally:
        for worker in at_work:
            worker.kill()
    return _told(done, kills, lowest)


def _told(workers: list[Worker], kills: int, lowest: int) -> Told:
    by_word: dict[str, list[list[str]]] = {}
    for worker in workers:
        for line in worker.lines:
            word, *rest = line.split()
            by_word.setdefault(word, []).append(rest)
    return Told(
        asked={row[0]: (row[1], int(row[2])) for row in by_word.get("try", [])},
        held={row[0] for row in by_word.get("held", [])},
        given_up={row[0] for row in by_word.get("give", [])},
        gave={row[0] for row in by_word.get("gave", [])},
        kills=kills,
        lowest_available=lowest,
    )


async def check_books(shelf: Shelf, told: Told) -> int:
    """Compare cells, reservations and what was told; return the units held."""
    assert told.lowest_available >= 0, f"oversold by {-told.lowest_available} units of one SKU"
    found: dict[str, str] = {}
    everything = list(told.asked)
    for start in range(0, len(everything), READ_TOGETHER):
        some = everything[start : start + READ_TOGETHER]
        states = await asyncio.gather(*(_state(shelf.store, name) for name in some))
        found.update(zip(some, states, strict=True))
    held: Counter[str] = Counter()
    for name, state in found.items():
        if state == "held":
            sku, quantity = told.asked[name]
            held[sku] += quantity
    view = await shelf.store.read(SKUS)
    for index, sku in enumerate(SKUS):
        position = view.position(index, view.node_ids.index(NODE))
        assert position.held == held[sku], f"{position.held} units of {sku} are held, {held[sku]} by reservations"
        assert position.available >= 0, f"{-position.available} units of {sku} are oversold"
    for name in told.held - told.given_up:
        assert found[name] == "held", f"{name} was acknowledged as held and is {found[name]}"
    for name in told.gave:
        assert found[name] == "cancelled", f"{name} was acknowledged as cancelled and is {found[name]}"
    return held.total()


async def _state(store: RedisInventoryStore, reservation_id: str) -> str:
    try:
        return str((await store.get_reservation(reservation_id)).state)
    except NotFound:
        return "nothing"
