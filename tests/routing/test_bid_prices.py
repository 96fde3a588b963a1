"""Bid prices in routing runs: the last unit stays where it will be needed, and nobody pays for that or waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import World

from engine.bidding.document import BidPricesDocument
from engine.routing.run_model import Run, RunRequest


async def publish(world: World, *prices: tuple[str, str, int]) -> None:
    rows = [{"node_id": node, "sku": sku, "price_cents": cents} for node, sku, cents in prices]
    await world.bid_prices.put(BidPricesDocument.model_validate({"prices": rows}))


async def routed(world: World, *order_ids: str) -> Run:
    return await world.runs().execute(RunRequest(order_ids=order_ids))


async def shipped_from(world: World, order_id: str) -> list[str | None]:
    return [node for node, _, _ in await world.sourced(order_id)]


@pytest.mark.parametrize(("cents", "node"), [(None, "east"), (399, "east"), (401, "west")])
async def test_the_last_unit_stays_where_it_is_worth_more_than_it_saves(
    world: World, cents: int | None, node: str
) -> None:
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    if cents is not None:
        await publish(world, ("east", "MUG", cents))
    await world.order("o1", {"MUG": 1})
    run = await routed(world, "o1")
    assert await shipped_from(world, "o1") == [node]
    summary: dict[str, Any] = run.summary
    paid = 500 if node == "east" else 900
    assert (summary["total_cost_cents"], sum(summary["costs"].values())) == (paid, paid)
    assert (summary["lower_bound_cents"], summary["gap"]) == (paid, 0)
    assert "value" not in summary["costs"]


async def test_prices_let_no_order_wait(world: World) -> None:
    """Seeded bug: without what a backorder costs more, the order waits for a unit that does not come."""
    await world.count(east={"MUG": 1})
    await publish(world, ("east", "MUG", 1_000_000))
    await world.order("o1", {"MUG": 1})
    await routed(world, "o1")
    assert await shipped_from(world, "o1") == ["east"]


async def test_prices_of_nodes_and_skus_that_are_not_there_change_nothing(world: World) -> None:
    await world.count(east={"MUG": 1}, west={"MUG": 1})
    await publish(world, ("mars", "MUG", 5000), ("east", "SPACESHIP", 5000))
    await world.order("o1", {"MUG": 1})
    await routed(world, "o1")
    assert await shipped_from(world, "o1") == ["east"]


async def test_each_line_of_an_order_is_worth_what_its_sku_is_worth(world: World) -> None:
    await world.count(east={"MUG": 1, "TEA": 1}, west={"MUG": 1, "TEA": 1})
    await publish(world, ("east", "MUG", 2000), ("west", "TEA", 2000))
    await world.order("o1", {"MUG": 1, "TEA": 1})
    run = await routed(world, "o1")
    assert await shipped_from(world, "o1") == ["west", "east"]
    assert run.summary["total_cost_cents"] == 900 + 500 + 100
