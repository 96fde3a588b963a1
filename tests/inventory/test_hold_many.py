"""Many holds in one step: each all or none by itself, seeing what those before it took; in both stores."""

from __future__ import annotations

from engine.errors import IllegalState, InsufficientStock
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay, Reservation
from engine.inventory.redis_store import RedisInventoryStore
from engine.inventory.store import Verdict
from engine.storage.client import MultiplexedClient
from tests.inventory.conftest import Days, Stock


def hold(name: str, *lines: HoldLine, ttl_seconds: float = 900) -> Hold:
    return Hold(reservation_id=name, lines=lines, ttl_seconds=ttl_seconds, reference=f"cart {name}", channel="web")


async def all_of(stock: Stock, holds: list[Hold]) -> list[Verdict]:
    return (await stock.store.hold_many(holds, today=stock.today)).value


async def test_each_hold_gets_its_own_verdict(stock: Stock) -> None:
    await stock.count(5)
    await stock.count(1, sku="cup")
    holds = [
        hold("a", stock.line(3), stock.line(1, "cup")),
        hold("b", stock.line(1), stock.line(1, "cup")),  # no cup is left
        hold("c", stock.line(2)),
        hold("d", stock.line(1)),  # nor a mug
        hold("e", stock.line(1, "plate")),
    ]
    found = await all_of(stock, holds)
    assert [type(verdict) for verdict in found] == [
        Reservation,
        InsufficientStock,
        Reservation,
        InsufficientStock,
        InsufficientStock,
    ]
    short = found[1]
    assert isinstance(short, InsufficientStock)
    assert [(line.sku, line.quantity, line.available) for line in short.lines] == [("cup", 1, 0)]
    assert (await stock.position()).held == 5
    assert (await stock.position(sku="cup")).held == 1


async def test_a_verdict_is_the_reservation_that_can_be_read(stock: Stock) -> None:
    await stock.count(5)
    (verdict,) = await all_of(stock, [hold("a", stock.line(3))])
    assert verdict == await stock.store.get_reservation("a")


async def test_the_same_holds_again_are_answered_the_same_and_take_nothing(stock: Stock) -> None:
    await stock.count(5)
    holds = [hold("a", stock.line(3)), hold("c", stock.line(1), stock.line(1)), hold("b", stock.line(3))]
    first = await all_of(stock, holds)
    again = await all_of(stock, holds)
    assert [_known(verdict) for verdict in again] == [_known(verdict) for verdict in first]
    assert (await stock.position()).held == 5


async def test_an_id_with_other_lines_is_refused(stock: Stock) -> None:
    await stock.count(5)
    found = await all_of(stock, [hold("a", stock.line(1)), hold("a", stock.line(2))])
    assert isinstance(found[0], Reservation)
    assert isinstance(found[1], IllegalState)
    assert (await stock.position()).held == 1


async def test_a_line_that_is_short_leaves_the_lines_before_it_untouched(stock: Stock) -> None:
    """The seeded bug: lines taken one after another, without giving back when a later one is short."""
    await stock.count(5)
    await stock.count(0, sku="cup")
    holds = [hold(f"a{i}", stock.line(2), stock.line(2), stock.line(1, "cup")) for i in range(3)]
    found = await all_of(stock, [*holds, hold("b", stock.line(5))])
    assert [isinstance(verdict, Reservation) for verdict in found] == [False, False, False, True]
    assert (await stock.position()).held == 5


async def test_lines_of_one_position_are_summed(stock: Stock) -> None:
    await stock.count(5)
    twice = [hold("a", stock.line(3), stock.line(3)), hold("b", stock.line(3), stock.line(2))]
    found = await all_of(stock, twice)
    assert [isinstance(verdict, Reservation) for verdict in found] == [False, True]


async def test_a_batch_is_one_event_that_names_every_reservation(stock: Stock) -> None:
    await stock.count(5)
    await all_of(stock, [hold("a", stock.line(1)), hold("b", stock.line(2))])
    newest = (await stock.store.history("mug", "berlin")).events[0]
    assert (newest.act, newest.whys) == ("hold_many", ("a", "b"))
    assert (newest.before.held, newest.after.held) == (0, 3)


def _known(verdict: Verdict) -> object:
    return verdict if isinstance(verdict, Reservation) else str(verdict)


async def test_a_key_that_comes_back_gets_the_verdicts_of_the_first_time(stock: Stock) -> None:
    await stock.count(5)
    key = Replay(digest="k", fingerprint="f")
    holds = [hold("a", stock.line(3)), hold("b", stock.line(3))]
    first = await stock.store.hold_many(holds, today=stock.today, replay=key)
    await stock.store.cancel("a")
    again = await stock.store.hold_many(holds, today=stock.today, replay=key)
    assert (first.replayed, again.replayed) == (False, True)
    assert [_known(verdict) for verdict in again.value] == [_known(verdict) for verdict in first.value]
    assert (await stock.position()).held == 0


async def test_a_hold_that_has_expired_and_comes_again_in_a_batch_gives_its_units_back_once(stock: Stock) -> None:
    """The seeded bug: what the batch has expired is read anew, and expires once more."""
    await stock.count(5)
    await all_of(stock, [hold("a", stock.line(2), ttl_seconds=0.05), hold("b", stock.line(3))])
    await stock.wait(0.1)
    found = await all_of(stock, [hold("a", stock.line(2)), hold("c", stock.line(2)), hold("d", stock.line(2))])
    assert [type(verdict) for verdict in found] == [IllegalState, Reservation, InsufficientStock]
    assert (await stock.position()).held == 5


async def test_batches_leave_nothing_behind_in_the_memory_of_functions(
    redis_store: RedisInventoryStore, client: MultiplexedClient
) -> None:
    """The seeded bug: a batch that puts off the collection of its garbage, which the next batch puts off again.

    4 MiB of garbage may be there (GARBAGE_KB of holds.lua), beside the libraries that other tests have loaded.
    """
    await redis_store.put_positions([PositionCount(sku="mug", node_id="berlin", on_hand=10**6)])
    for batch in range(24):
        wanted = [
            Hold(reservation_id=f"r{batch}-{i}", lines=tuple(Stock.line(1) for _ in range(3))) for i in range(1000)
        ]
        await redis_store.hold_many(wanted, today=Days())
    text = (await client.call("INFO", "memory")).decode()
    used = int(next(line.split(":")[1] for line in text.splitlines() if line.startswith("used_memory_vm_functions:")))
    assert used < 8_000_000
