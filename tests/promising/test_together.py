"""Orders of one moment step by step together: what comes out is what each would get alone, and none harms another."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from engine.errors import InvalidInput
from engine.promising.model import Promise
from engine.promising.together import MOST_TOGETHER, Together

Done = list[tuple[str, int]]


class Refused(Exception):
    pass


def steps_that_note(done: Done, refused: int = -1) -> Together[int]:
    """Two steps that note what they do; the first refuses one piece of work."""

    def first(work: int) -> None:
        if work == refused:
            raise Refused
        done.append(("first", work))

    return Together([first, lambda work: done.append(("second", work))])


async def after_a_turn(together: Together[int], work: int) -> None:
    """Do work that has read something before, as promises do."""
    with together.underway():
        await asyncio.sleep(0)
        await together.do(work)


def without_names(promise: Promise) -> Promise:
    return msgspec.structs.replace(promise, promise_id="")


async def test_each_step_is_done_for_all_that_wait_before_the_next() -> None:
    done: Done = []
    together = steps_that_note(done)
    await asyncio.gather(*(after_a_turn(together, work) for work in range(3)))
    assert done == [(step, work) for step in ("first", "second") for work in range(3)]


async def test_who_is_alone_waits_for_no_turn_of_the_loop() -> None:
    done: Done = []
    together = steps_that_note(done)
    with together.underway(), pytest.raises(StopIteration):
        together.do(7).send(None)
    assert done == [("first", 7), ("second", 7)]


async def test_work_that_fails_stops_no_other_and_only_its_own_waiter_hears_of_it() -> None:
    done: Done = []
    together = steps_that_note(done, refused=1)
    found = await asyncio.gather(*(after_a_turn(together, work) for work in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [type(None), Refused, type(None)]
    assert done == [("first", 0), ("first", 2), ("second", 0), ("second", 2)]


async def test_work_that_nobody_waits_for_any_more_is_left_out() -> None:
    done: Done = []
    together = steps_that_note(done)
    tasks = [asyncio.create_task(after_a_turn(together, work)) for work in range(3)]
    for _ in range(2):  # all three have read, and wait
        await asyncio.sleep(0)
    assert done == []
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [work for _, work in done] == [0, 2, 0, 2]


async def test_more_than_fit_together_are_all_done() -> None:
    done: Done = []
    together = steps_that_note(done)
    count = 2 * MOST_TOGETHER + 1
    await asyncio.gather(*(after_a_turn(together, work) for work in range(count)))
    assert sorted(work for step, work in done if step == "second") == list(range(count))
    assert done.index(("second", 0)) == MOST_TOGETHER


@pytest.mark.parametrize("world", ["memory", "redis"], indirect=True)
async def test_orders_promised_together_get_what_each_gets_alone(world: Any) -> None:
    await world.stock(("a", "cup", 5), ("b", "cup", 9), ("b", "saucer", 2), ("c", "tray", 40))
    await world.supply("a", "saucer", 6, in_days=3)
    wanted: list[tuple[tuple[str, int], ...]] = [
        (("cup", 2),),
        (("cup", 1), ("saucer", 3)),
        (("saucer", 9),),
        (("cup", 9), ("tray", 3), ("saucer", 1)),
    ]
    alone = [await world.promise(*lines) for lines in wanted]
    together = await asyncio.gather(*(world.promise(*lines) for lines in wanted))
    assert [without_names(each) for each in together] == [without_names(each) for each in alone]
    assert len({each.promise_id for each in together}) == len(wanted)
    assert any(each.options for each in together)


async def test_a_bad_order_among_others_is_refused_by_itself(world: Any) -> None:
    await world.stock(("a", "cup", 5))
    good, bad, other = await asyncio.gather(
        world.promise(("cup", 1)), world.promise(("nothing", 1)), world.promise(("cup", 2)), return_exceptions=True
    )
    assert isinstance(bad, InvalidInput)
    assert good.options
    assert other.options


async def test_what_begins_after_the_epoch_was_asked_for_sees_a_later_network(world: Any, network: Any) -> None:
    """Reads of one turn share one look at the epoch; seeded bug: sharing it with those that begin later."""
    await world.stock(("a", "cup", 5))
    await world.promise(("cup", 1))
    before = asyncio.create_task(world.promise(("cup", 1)))
    await asyncio.sleep(0)  # it has asked
    for node in network["nodes"]:
        node["parcel_cost_cents"] = 7
    await world.put_network(network)
    after = await world.promise(("cup", 1))
    assert after.options[0].shipments[0].cost.handling_cents == 7
    await before
