"""Every change of a position is in the journal, with who, why, before and after; in both stores."""

from __future__ import annotations

import itertools

import pytest

from engine.errors import InsufficientStock
from engine.events.actor import acting_as
from engine.inventory import redis_history
from engine.inventory.model import Adjustment, PositionCount, Supply
from engine.inventory.redis_store import RedisInventoryStore
from engine.storage.client import MultiplexedClient
from engine.storage.keys import Keys
from tests.inventory.conftest import Stock


async def told(stock: Stock, sku: str = "mug", node_id: str = "berlin") -> list[tuple[str, str, tuple[str, ...]]]:
    """Return (act, who, whys) of a position, oldest first."""
    history = await stock.store.history(sku, node_id)
    assert not history.has_more
    assert not history.is_cut_off
    return [(event.act, event.who, event.whys) for event in reversed(history.events)]


async def test_a_history_says_who_changed_what_and_why(stock: Stock) -> None:
    with acting_as("key_counter"):
        await stock.count(10, safety_stock=1)
    with acting_as("key_shop"):
        await stock.hold("res_a", stock.line(3))
        await stock.store.confirm("res_a")
    with acting_as("key_dock"):
        await stock.store.consume("res_a")
        await stock.store.adjust([Adjustment(node_id="berlin", sku="mug", delta=-2, reason="damaged")])
    assert await told(stock) == [
        ("put_positions", "key_counter", ()),
        ("hold", "key_shop", ("res_a",)),
        ("confirm", "key_shop", ("res_a",)),
        ("consume", "key_dock", ("res_a",)),
        ("adjust", "key_dock", ("damaged",)),
    ]


async def test_each_event_begins_where_the_one_before_it_ended(stock: Stock) -> None:
    await stock.count(10)
    await stock.hold("res_a", stock.line(3))
    await stock.adjust(5)
    await stock.store.cancel("res_a")
    events = (await stock.store.history("mug", "berlin")).events
    assert [event.event for event in events] == sorted((event.event for event in events), reverse=True)
    for later, earlier in itertools.pairwise(events):
        assert later.before == earlier.after
    assert [(event.after.on_hand, event.after.held) for event in events] == [(15, 0), (15, 3), (10, 3), (10, 0)]
    assert events[-1].before.version == 0


async def test_units_of_an_expired_hold_say_so_whoever_gave_them_back(stock: Stock) -> None:
    await stock.count(1)
    await stock.hold("res_a", stock.line(1), ttl_seconds=0.05)
    await stock.wait(0.1)
    with acting_as("key_shop"):
        await stock.hold("res_b", stock.line(1))
    whys = [why for _, _, whys in await told(stock) for why in whys]
    assert whys == ["res_a", "expired res_a", "res_b"]


async def test_supplies_and_dated_demand_are_told_by_day(stock: Stock) -> None:
    await stock.count(1)
    supply = Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=10, expected_on=stock.day(5))
    await stock.store.put_supplies([supply], today=stock.today)
    await stock.hold("res_a", stock.line(4, ship_on=stock.day(6)))
    await stock.store.put_supplies(
        [Supply(supply_id="po-1", node_id="berlin", sku="mug", quantity=8, expected_on=stock.day(7))], today=stock.today
    )
    changes = [event.schedule for event in reversed((await stock.store.history("mug", "berlin")).events)]
    assert [[(change.day, change.supply_id, change.before, change.after) for change in of] for of in changes] == [
        [],
        [(stock.day(5), "po-1", 0, 10)],
        [(stock.day(6), None, 0, -4)],
        [(stock.day(5), "po-1", 10, 0), (stock.day(7), "po-1", 0, 8)],
    ]


async def test_a_long_history_is_read_page_by_page(stock: Stock) -> None:
    await stock.count(0)
    for _ in range(7):
        await stock.adjust(1)
    seen: list[int] = []
    last, has_more = None, True
    while has_more:
        page = await stock.store.history("mug", "berlin", limit=3, after_event=last)
        seen += [event.after.on_hand for event in page.events]
        last, has_more = page.events[-1].event, page.has_more
    assert seen == [7, 6, 5, 4, 3, 2, 1, 0]


async def test_what_never_happened_has_no_history(stock: Stock) -> None:
    await stock.count(1)
    assert (await stock.store.history("mug", "rome")).events == ()
    assert (await stock.store.history("cup", "berlin")).events == ()


async def test_a_refused_change_leaves_no_event(stock: Stock) -> None:
    await stock.count(1)
    with pytest.raises(InsufficientStock):
        await stock.hold("res_a", stock.line(2))
    await stock.store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=1)])
    assert len((await stock.store.history("mug", "berlin")).events) == 1


async def test_a_history_that_was_cut_off_says_so(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    for on_hand in (1, 2, 3):
        await redis_store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=on_hand)])
    await client.call("XTRIM", keys.journal, "MAXLEN", 2)
    history = await redis_store.history("mug", "berlin")
    assert [event.after.on_hand for event in history.events] == [3, 2]
    assert history.is_cut_off


async def test_the_journal_goes_on_when_the_epoch_was_lost(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: an entry whose id is not behind the last fails after other writes were made."""
    for on_hand in (1, 2):
        await redis_store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=on_hand)])
    await client.call("DEL", keys.stock_epoch)
    await redis_store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=3)])
    assert [event.after.on_hand for event in (await redis_store.history("mug", "berlin")).events] == [3, 2, 1]


async def test_a_page_of_large_entries_is_short_and_the_next_one_goes_on(
    redis_store: RedisInventoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded bug: a page bounded by events alone reads 100 batches of thousands of rows each."""
    monkeypatch.setattr(redis_history, "MOST_BYTES", 50_000)
    skus = [f"sku-{i}" for i in range(300)]
    for on_hand in range(1, 8):
        await redis_store.put_positions([PositionCount(node_id="berlin", sku=sku, on_hand=on_hand) for sku in skus])
    pages = [await redis_store.history("sku-7", "berlin", limit=100)]
    while pages[-1].has_more:
        last = pages[-1].events[-1].event
        pages.append(await redis_store.history("sku-7", "berlin", limit=100, after_event=last))
    assert [event.after.on_hand for page in pages for event in page.events] == [7, 6, 5, 4, 3, 2, 1]
    assert 2 <= len(pages[0].events) <= 4
    assert not any(page.is_cut_off for page in pages)


async def test_event_numbers_of_cells_go_round_and_the_chain_holds(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """A cell has 31 bits for the number of its last event, a busy store passes that within weeks."""
    await client.call("SET", keys.stock_epoch, 2**31 - 3)
    for on_hand in range(1, 6):
        await redis_store.put_positions([PositionCount(node_id="berlin", sku="mug", on_hand=on_hand)])
    history = await redis_store.history("mug", "berlin")
    assert [event.after.on_hand for event in history.events] == [5, 4, 3, 2, 1]
    assert [event.event for event in history.events] == [2**31 + 2 - n for n in range(5)]


async def test_the_journal_is_bounded_by_its_rows_and_forgets_the_oldest_first(
    redis_store: RedisInventoryStore, client: MultiplexedClient, keys: Keys
) -> None:
    """The seeded bug: a bound on the number of events lets large batches fill the memory of the server."""
    skus = [f"sku-{i}" for i in range(5_000)]

    async def count(on_hand: int) -> None:
        await redis_store.put_positions([PositionCount(node_id="berlin", sku=sku, on_hand=on_hand) for sku in skus])

    await count(1)
    await client.call("RPUSH", keys.journal_marks, *[f"0-{n}" for n in [0] * 99])  # as if a million rows had gone by
    for on_hand in range(2, 9):
        await count(on_hand)
    assert await client.call("LLEN", keys.journal_marks) == 100
    assert await client.call("XLEN", keys.journal) == 8
    await client.call("DEL", keys.journal_marks)
    await client.call("RPUSH", keys.journal_marks, *[f"0-{n}" for n in [6] * 100])
    for on_hand in (9, 10):
        await count(on_hand)
    history = await redis_store.history("sku-0", "berlin")
    assert [event.event for event in history.events] == [10, 9, 8, 7, 6]
    assert history.is_cut_off
