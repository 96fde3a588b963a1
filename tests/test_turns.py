"""Long work leaves the loop to others: every row once and in order, one piece a turn, whoever else works too."""

from __future__ import annotations

import asyncio
import weakref

import pytest

from engine.turns import ROWS, in_turns, let_go, taken_in_turns, turn


class Turns:
    """Counts the turns of the loop as long as the block lasts."""

    async def __aenter__(self) -> Turns:
        self.count = 0
        self._is_over = False
        asyncio.get_running_loop().call_soon(self._tick)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True

    def _tick(self) -> None:
        self.count += 1
        if not self._is_over:
            asyncio.get_running_loop().call_soon(self._tick)


@pytest.mark.parametrize("count", [0, 1, ROWS, ROWS + 1, 3 * ROWS, 10 * ROWS + 7])
async def test_pieces_are_all_rows_in_order_each_with_the_number_of_its_first(count: int) -> None:
    rows, seen = list(range(count)), list[int]()
    async for first, piece in in_turns(rows):
        assert first == len(seen)
        assert len(piece) <= ROWS
        seen += piece
    assert seen == rows
    taken = [row async for piece in taken_in_turns(rows) for row in piece]
    assert (taken, rows) == (seen, [])


async def test_pieces_weigh_no_more_than_they_may_unless_one_row_does() -> None:
    rows = [1, 2, 3, 10, 4, 4, 1, 1, 9]
    assert [list(piece) async for _, piece in in_turns(rows, 8, lambda row: row)] == [
        [1, 2, 3],
        [10],
        [4, 4],
        [1, 1],
        [9],
    ]


async def test_what_is_one_piece_is_done_at_once_and_more_lets_the_loop_go_on_before_each_piece() -> None:
    """Catches pieces that are done one after the other in one turn, as they would be without `turn`."""
    async with Turns() as turns:
        async for _ in in_turns(range(ROWS)):
            pass
        assert turns.count == 0
        seen = [turns.count async for _ in in_turns(range(5 * ROWS))]
    assert len(set(seen)) == 5


async def test_of_all_long_work_one_piece_is_done_in_a_turn_and_each_gets_on() -> None:
    """Catches long requests that each do a piece in every turn: sixteen of them would hold the others up together."""
    done: list[tuple[int, int]] = []

    async def work(who: int) -> None:
        done.extend([(turns.count, who) async for _ in in_turns(range(4 * ROWS))])

    async with Turns() as turns:
        await asyncio.gather(*map(work, range(16)))
    assert len({at for at, _ in done}) == len(done) == 64
    assert [who for _, who in sorted(done)] == [*range(16)] * 4


async def test_who_gives_up_while_waiting_holds_nobody_up() -> None:
    waiting = [asyncio.create_task(turn()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[3].cancel()
    async with asyncio.timeout(5):
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in found] == [True, False, False, True, False]
        await turn()


def test_each_loop_has_turns_of_its_own() -> None:
    for _ in range(3):
        asyncio.run(turn())


async def test_rows_that_are_let_go_are_freed_piece_by_piece() -> None:
    """Catches rows that are all freed in one turn, which takes milliseconds for ten thousand."""

    class Row:
        pass

    async with Turns() as turns:
        freed: list[int] = []
        rows = [Row() for _ in range(4 * ROWS)]
        kept = [weakref.ref(row, lambda _: freed.append(turns.count)) for row in rows]
        await let_go(rows)
    assert len(kept) == len(freed) == 4 * ROWS
    assert max(map(freed.count, set(freed))) == ROWS
