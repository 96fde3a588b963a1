"""Routing runs where channels have quotas: each gets what it may take, and the summary says what the bound means."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engine.inventory.model import Hold, HoldLine, Position
from engine.inventory.quotas import PositionQuotas, Quota
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest, RunStatus

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()


async def put(world: World, node_id: str, *quotas: Quota, sku: str = "MUG") -> None:
    await world.stock.put_quotas([PositionQuotas(sku=sku, node_id=node_id, quotas=quotas)])


async def order(
    world: World, order_id: str, channel: str, quantity: int = 1, reservation_id: str | None = None
) -> None:
    await world.orders.capture(
        NewOrder(
            order_id=order_id,
            channel=channel,
            destination=Destination(latitude=40.8, longitude=-73.9),
            lines=(NewLine(sku="MUG", quantity=quantity),),
            reservation_id=reservation_id,
        )
    )


async def sourced(world: World) -> dict[str, str | None]:
    """Return the node of every order that is not open any more."""
    still_open = {found.order_id for found in await world.book.open_orders(None)}
    names = set(world.book._orders) - still_open
    return {name: (await world.sourced(name))[0][0] for name in sorted(names)}


async def test_a_run_gives_each_channel_what_it_may_take(world: World) -> None:
    """The seeded bug: one number of units for all orders, of which the first ones take what is kept for others."""
    await world.count(east={"MUG": 3}, west={"MUG": 1})
    await put(world, "east", Quota(channel="web", reserve=2))
    for number in (1, 2, 3):
        await order(world, f"shop-{number}", "shop")
    for number in (1, 2):
        await order(world, f"web-{number}", "web")
    run = await world.runs().execute(ALL)
    found = await sourced(world)
    assert {name: node for name, node in found.items() if name.startswith("web")} == {"web-1": "east", "web-2": "east"}
    assert sorted(str(node) for name, node in found.items() if name.startswith("shop")) == ["east", "west"]
    assert run.summary["channels_in_turn"] == [None, "web"]
    assert (run.summary["rounds"], run.summary["moved_orders"], run.summary["committed_orders"]) == (1, 0, 5)
    assert (run.summary["orders"], run.summary["parcels"], run.summary["backordered_units"]) == (5, 4, 1)
    assert run.summary["lower_bound_cents"] <= run.summary["total_cost_cents"]
    assert run.summary["solve_status"] == "feasible"


async def test_a_dry_run_plans_what_the_run_then_commits(world: World) -> None:
    """The seeded bug: turns of a dry run that do not know of each other plan the same units twice."""
    await world.count(east={"MUG": 4}, west={"MUG": 6})
    await world.stock.hold(
        Hold(reservation_id="res_1", lines=(HoldLine(sku="MUG", quantity=1, node_id="east"),), channel="shop"),
        today={"east": 739_940},
    )
    await put(world, "east", Quota(channel="web", reserve=2, overflow=False), Quota(channel="fair", share=25))
    await order(world, "own", "shop", reservation_id="res_1")
    for number in range(4):
        for channel in ("shop", "web", "fair"):
            await order(world, f"{channel}-{number}", channel)
    planned = await world.runs().execute(RunRequest(dry_run=True))
    assert planned.status is RunStatus.DRY_RUN
    assert planned.summary["channels_in_turn"] == [None, "web", "fair"]
    run = await world.runs().execute(ALL)
    for name in ("total_cost_cents", "lower_bound_cents", "parcels", "backordered_units", "channels_in_turn"):
        assert planned.summary[name] == run.summary[name]


@pytest.mark.parametrize("release_at", [None, datetime(2026, 1, 1, tzinfo=UTC)])
async def test_the_bound_is_of_the_whole_batch_where_all_orders_may_take_the_same(
    world: World, release_at: datetime | None
) -> None:
    await world.count(east={"MUG": 3})
    await put(world, "east", Quota(channel="fair", reserve=1, release_at=release_at))
    for channel in ("shop", "web"):
        await order(world, channel, channel)
    run = await world.runs().execute(ALL)
    assert "channels_in_turn" not in run.summary
    assert run.summary["solve_status"] == "optimal"
    assert len(await sourced(world)) == 2


async def test_a_reservation_stays_its_orders_own_whatever_quotas_keep_for_others(world: World) -> None:
    await world.count(east={"MUG": 2})
    await world.hold("res_1", "east", MUG=2)
    await put(world, "east", Quota(channel="fair", reserve=2), Quota(channel="web", reserve=0, overflow=False))
    await order(world, "own", "web", 2, "res_1")
    await world.runs().execute(ALL)
    assert await sourced(world) == {"own": "east"}


async def test_no_run_takes_what_is_kept_for_another_channel(world: World) -> None:
    rng = random.Random(4)
    for batch in range(12):
        await world.count(east={"MUG": rng.randint(2, 9)}, west={"MUG": rng.randint(2, 9)})
        for node_id in ("east", "west"):
            await put(world, node_id)
            quotas = [
                Quota(channel=channel, reserve=rng.randint(0, 4), overflow=rng.random() < 0.5)
                for channel in ("web", "fair")
            ]
            await put(world, node_id, *quotas)
        before = {node_id: await world.position(node_id, "MUG") for node_id in ("east", "west")}
        for number in range(rng.randint(1, 9)):
            await order(world, f"o{batch}-{number}", rng.choice(("web", "shop")), rng.randint(1, 3))
        run = await world.runs().execute(ALL)
        assert run.summary["moved_orders"] == 0
        for node_id, earlier in before.items():
            position = await world.position(node_id, "MUG")
            assert position.available >= _part(earlier) or position.available == earlier.available
        for found in await world.book.open_orders(None):
            await world.orders.cancel(found.order_id)


def _part(position: Position) -> int:
    """Return what is there for `fair`, which is listed behind `web` and is used by nobody."""
    web, fair = position.quotas or ()
    return min(fair.reserve or 0, max(0, position.available - max(0, (web.reserve or 0) - web.used)))
