"""Units that were kept to be refurbished: sold again or scrapped in the end, once, and without money."""

from __future__ import annotations

import pytest

from engine.errors import IllegalState, InvalidInput
from engine.orders.facts.returns import ReturnState
from engine.returns.steps import STOCK
from engine.returns.stocking import ReturnStock
from tests.returns.return_desk import Desk
from tests.returns.test_return_crashes import Dying, Killed


async def to_be_refurbished(desk: Desk) -> str:
    """Have 3 mugs come back and kept as damaged; return the return's id, which is closed by then."""
    await desk.delivered("ord_1", MUG=3000)
    return_id = (await desk.announce("ord_1", ("1", 3))).return_id
    await desk.receive(return_id, ("MUG", 3))
    found = await desk.inspect(return_id, ("MUG", 3, "refurbish"))
    assert (found.state, found.refund_cents, await desk.stock()) == (ReturnState.CLOSED, 3000, (10, 0, 3))
    return return_id


async def test_what_is_mended_is_sold_again_and_the_rest_is_scrapped(desk: Desk) -> None:
    return_id = await to_be_refurbished(desk)
    found = await desk.refurbish(return_id, ("MUG", 1, "restock"))
    assert (found.lines[0].to_refurbish, await desk.stock()) == (2, (11, 0, 2))
    found = await desk.refurbish(return_id, ("MUG", 1, "restock"), ("MUG", 1, "scrap"))
    line = found.lines[0]
    assert (line.to_refurbish, line.mended, line.given_up, await desk.stock()) == (0, 2, 1, (12, 0, 0))
    assert (found.state, found.refund_cents) == (ReturnState.CLOSED, 3000), "it was paid for by the inspection"
    assert (await desk.engine.orders.get("ord_1")).life.effects == ()
    assert (await desk.events("ord_1"))[-2:] == ["return_refurbished", "return_refurbished"]


async def test_no_more_is_refurbished_than_was_kept_for_it(desk: Desk) -> None:
    return_id = await to_be_refurbished(desk)
    with pytest.raises(IllegalState, match="has 3 units of 'MUG' to refurbish, 4 are named"):
        await desk.refurbish(return_id, ("MUG", 2, "restock"), ("MUG", 2, "scrap"))
    with pytest.raises(InvalidInput, match="has no 'TEA'") as wrong:
        await desk.refurbish(return_id, ("TEA", 1, "restock"), ("MUG", 0, "scrap"))
    assert [fault.path for fault in wrong.value.faults] == ["$.lines[0].sku", "$.lines[1].quantity"]
    assert await desk.stock() == (10, 0, 3)


@pytest.mark.parametrize("how", ["before", "after"])
async def test_mended_units_are_sold_again_once_whenever_the_process_dies(desk: Desk, how: str) -> None:
    """Catches units that are counted as mended without the effect that moves them (seeded)."""
    return_id, stock = await to_be_refurbished(desk), Dying(desk.engine.inventory)
    stock.how = how
    effects, made = desk.engine.effects, ReturnStock(stock).make  # type: ignore[arg-type]
    handlers = effects._handlers
    kept, handlers[STOCK] = handlers[STOCK], made
    with pytest.raises(Killed):
        await desk.refurbish(return_id, ("MUG", 2, "restock"))
    handlers[STOCK] = kept
    assert (await desk.found(return_id)).lines[0].to_refurbish == 1, "it is written down first"
    await desk.later(seconds=2)
    assert await desk.stock() == (12, 0, 1)
