"""A run commits an order once, and only for whoever works on it now: on every order store."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from order_shop import DAYS, Shop, rows

from engine.errors import LeaseLost
from engine.inventory.model import Adjustment
from engine.routing.model import RUN_OVER, OrderAllocation


async def commit(shop: Shop, run_id: str, epoch: int, allocations: Sequence[OrderAllocation]) -> list[str]:
    verdicts = await shop.orders.commit(run_id, allocations, capacities={}, today=DAYS, epoch=epoch)
    return [verdict.outcome for verdict in verdicts]


async def test_whoever_lost_a_run_commits_nothing_for_it_any_more(shop: Shop) -> None:
    """The seeded bug: `pass_fence` never refuses; then the order is committed behind the back of the second worker."""
    for number in range(3):
        await shop.place(f"ord_{number}", 1)
    assert await commit(shop, "run_1", 1, [rows("ord_0", (1, "north"))]) == ["committed"]
    await shop.orders.fence("run_1", 2)
    with pytest.raises(LeaseLost, match="run_1"):
        await commit(shop, "run_1", 1, [rows("ord_1", (1, "north"))])
    assert (await shop.orders.get("ord_1")).state == "captured"
    assert await shop.counts("north") == (10, 0, 1)
    assert await commit(shop, "run_1", 2, [rows("ord_1", (1, "south"))]) == ["committed"]
    assert await commit(shop, "run_2", 1, [rows("ord_2", (1, "south"))]) == ["committed"]


async def test_a_fence_is_never_lowered(shop: Shop) -> None:
    await shop.place("ord_1", 1)
    await shop.orders.fence("run_1", 3)
    await shop.orders.fence("run_1", 1)
    with pytest.raises(LeaseLost):
        await commit(shop, "run_1", 2, [rows("ord_1", (1, "north"))])
    assert await commit(shop, "run_1", 3, [rows("ord_1", (1, "north"))]) == ["committed"]


async def test_a_run_that_is_over_commits_nothing_for_anybody(shop: Shop) -> None:
    """Catches a commit that was on its way while its run ended, and arrives when another run has had the order."""
    await shop.place("ord_1", 2)
    await shop.orders.fence("run_1", RUN_OVER)
    with pytest.raises(LeaseLost):
        await commit(shop, "run_1", 7, [rows("ord_1", (2, "north"))])
    assert (await shop.orders.get("ord_1")).run_id is None


async def test_what_a_run_has_committed_it_leaves_alone_though_another_run_has_had_it_since(shop: Shop) -> None:
    """The seeded bug: only the last run of an order is looked at; the first then takes its decision back."""
    await shop.place("ord_1", 3)
    half = rows("ord_1", (2, "south"), (1, None))
    assert await commit(shop, "run_1", 1, [half]) == ["committed"]
    other = rows("ord_1", (2, "north"), (1, None))
    assert await commit(shop, "run_2", 1, [other]) == ["committed"]
    await shop.orders.fence("run_1", 2)
    assert await commit(shop, "run_1", 2, [half]) == ["committed"]
    order = await shop.orders.get("ord_1")
    assert (order.run_id, order.allocation) == ("run_2", other.rows)
    assert (await shop.counts("north"), await shop.counts("south")) == ((10, 0, 2), (5, 0, 0))


async def test_a_run_that_is_taken_up_finds_done_what_has_no_stock_any_more(shop: Shop) -> None:
    """Catches a store that tries the lines of a committed order once more, and calls it moved."""
    await shop.place("ord_1", 5)
    await shop.place("ord_2", 1)
    batch = [rows("ord_1", (5, "south")), rows("ord_2", (1, "north"))]
    assert await commit(shop, "run_1", 1, batch[:1]) == ["committed"]
    await shop.inventory.adjust([Adjustment(node_id="north", sku="MUG", delta=-10, reason="broken")])
    await shop.orders.fence("run_1", 2)
    assert await commit(shop, "run_1", 2, batch) == ["committed", "moved"]
