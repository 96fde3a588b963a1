"""Out-of-order calls: every order of hold, confirm and cancel, with duplicates; one by one, and racing each other."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

from faults.clients import several_stores
from faults.scale import SCALE

from engine.errors import IllegalState, NotFound
from engine.inventory.model import Hold, HoldLine, PositionCount
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import InventoryStore
from engine.storage.keys import Keys

NODE, SKU = "berlin", "mug"
TODAY = {NODE: 738_000}
ON_HAND = 10**6
VERBS = ("hold", "confirm", "cancel")
SEQUENCES = [
    sequence for length in range(1, SCALE.longest_sequence + 1) for sequence in itertools.product(VERBS, repeat=length)
]


async def call(store: InventoryStore, verb: str, name: str) -> bool:
    """Make one call; say whether it was done."""
    try:
        if verb == "hold":
            line = HoldLine(sku=SKU, quantity=1, node_id=NODE)
            await store.hold(Hold(reservation_id=name, lines=(line,)), today=TODAY)
        elif verb == "confirm":
            await store.confirm(name)
        else:
            await store.cancel(name)
    except (IllegalState, NotFound):
        return False
    return True


async def state_of(store: InventoryStore, name: str) -> str:
    try:
        return str((await store.get_reservation(name)).state)
    except NotFound:
        return "nothing"


def expected(sequence: tuple[str, ...]) -> str:
    """Return the state after a sequence: whatever comes after a cancel, and a cancel before its hold forestalls it."""
    state = "nothing"
    for verb in sequence:
        if verb == "hold" and state == "nothing":
            state = "held"
        elif verb == "confirm" and state == "held":
            state = "confirmed"
        elif verb == "cancel":
            state = "forestalled" if state in {"nothing", "forestalled"} else "cancelled"
    return "nothing" if state == "forestalled" else state


async def check_cells(store: InventoryStore, states: list[str]) -> None:
    position = (await store.read([SKU])).position(0, 0)
    assert (position.held, position.confirmed) == (states.count("held"), states.count("confirmed"))
    assert position.available == ON_HAND - position.reserved


async def test_every_order_of_calls_ends_as_its_model_says(
    redis_store: RedisInventoryStore, reached: Callable[..., None]
) -> None:
    """Catches a cancel without a tombstone: `cancel hold` ends with a unit that is held until its deadline.

    The sequences run side by side, each with a reservation of its own.
    """
    await redis_store.put_positions([PositionCount(sku=SKU, node_id=NODE, on_hand=ON_HAND)])

    async def run(number: int, sequence: tuple[str, ...]) -> str:
        for verb in sequence:
            await call(redis_store, verb, f"r{number}")
        return await state_of(redis_store, f"r{number}")

    states = await asyncio.gather(*(run(number, sequence) for number, sequence in enumerate(SEQUENCES)))
    for sequence, state in zip(SEQUENCES, states, strict=True):
        assert state == expected(sequence), f"{' '.join(sequence)} ended {state}"
    await check_cells(redis_store, list(states))
    reached("every order of calls", sequences=len(SEQUENCES), longest=SCALE.longest_sequence, stuck=0)


async def test_calls_that_race_each_other_leave_no_stuck_hold(
    redis_store: RedisInventoryStore, store_address: str, keys: Keys, reached: Callable[..., None]
) -> None:
    """Catches a confirm that wins after the cancel has answered: then the books and the answers disagree.

    The calls of a sequence leave over three connections with short delays, in whatever order they arrive.
    """
    await redis_store.put_positions([PositionCount(sku=SKU, node_id=NODE, on_hand=ON_HAND)])
    chance = random.Random(3)

    async def late(store: InventoryStore, verb: str, name: str, delay_seconds: float) -> bool:
        await asyncio.sleep(delay_seconds)
        return await call(store, verb, name)

    async def race(stores: list[RedisInventoryStore], number: int, sequence: tuple[str, ...]) -> str:
        name = f"r{number}"
        calls = [late(chance.choice(stores), verb, name, chance.uniform(0, 0.01)) for verb in sequence]
        done = list(zip(sequence, await asyncio.gather(*calls), strict=True))
        state = await state_of(redis_store, name)
        if "cancel" in sequence:
            assert state in {"nothing", "cancelled"}, (sequence, done)
        elif ("confirm", True) in done:
            assert state == "confirmed", (sequence, done)
        else:
            assert state == ("held" if "hold" in sequence else "nothing"), (sequence, done)
        return state

    states: list[str] = []
    async with several_stores(store_address, keys, 3) as stores:
        for start in range(0, len(SEQUENCES), 50):
            some = enumerate(SEQUENCES[start : start + 50], start)
            states += await asyncio.gather(*(race(stores, number, sequence) for number, sequence in some))
    await check_cells(redis_store, states)
    reached("calls that race", sequences=len(SEQUENCES), stuck=0)
