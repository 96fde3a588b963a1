"""The live engine as a scenario, and the policy of a simulation taken live: on stores in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.bootstrap import Engine, allot_engine
from engine.clock import SettableClock
from engine.config import Settings
from engine.errors import InvalidInput, Refused
from engine.inventory.model import HoldLine, PositionCount, Supply
from engine.network.document import NetworkDocument
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.routing.run_model import RunRequest
from engine.scenarios.reading import read_story
from engine.simulation.promoting import promote, winner_of
from engine.simulation.running import run_story
from engine.simulation.snapshot import take_snapshot
from engine.simulation.snapshot_files import write_snapshot
from tests.simulation.small_world import Orders, network, story

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOURLY = """
extends: base.yaml
name: how often
policies:
  - {name: hourly, split_cost_cents: 300, dates_from: rate_card}
"""


@pytest.fixture
async def live() -> AsyncIterator[Engine]:
    """The small world with 100 units of everything everywhere, at noon."""
    clock = SettableClock(NOON)
    async with allot_engine(Settings(auth="off", workers=1), memory=True, clock=clock) as engine:
        world = story(Orders(placed=())).world
        await engine.network.put(world.network)
        await engine.catalog.put(world.catalog)
        await engine.inventory.put_positions(list(world.positions))
        yield engine


def order(order_id: str, cups: int, reservation_id: str | None = None) -> NewOrder:
    return NewOrder(
        order_id=order_id,
        channel="web",
        destination=Destination(latitude=40.0, longitude=-95.0),
        lines=(NewLine(sku="cup", quantity=cups),),
        reservation_id=reservation_id,
        need_by=date(2026, 3, 9),
    )


async def confirmed(engine: Engine, name: str, units: int) -> str:
    held = await engine.inventory.hold([HoldLine(sku="cup", quantity=units, node_id="dc")], reference=name)
    await engine.inventory.confirm(held.value.reservation_id)
    return held.value.reservation_id


async def test_open_orders_may_have_their_stock_and_what_others_have_is_gone(live: Engine, tmp_path: Path) -> None:
    """Seeded bugs this catches: stock of open orders taken off twice; that of orders being picked sold again."""
    await live.orders.capture(order("ord_picked", 7, await confirmed(live, "res_1", 7)))
    await live.routing_runs.execute(RunRequest(order_ids=("ord_picked",)))
    await live.orders.capture(order("ord_open", 5, await confirmed(live, "res_2", 5)))
    await confirmed(live, "res_3", 2)
    late, soon = date(2026, 3, 3), date(2026, 3, 5)
    await live.inventory.put_supplies(
        [
            Supply(supply_id="po-1", node_id="shop", sku="plate", quantity=9, expected_on=soon),
            Supply(supply_id="po-0", node_id="shop", sku="plate", quantity=9, expected_on=late),
        ]
    )
    await live.closures.close("shop", "flood")
    taken = await take_snapshot(live)
    write_snapshot(taken, tmp_path / "base.yaml")
    read = read_story(tmp_path / "base.yaml")
    stock = {(each.node_id, each.sku): each.on_hand for each in read.world.positions}
    assert stock == {("dc", "cup"): 91, ("dc", "plate"): 100, ("shop", "cup"): 100, ("shop", "plate"): 100}
    assert [each.supply_id for each in read.world.supplies] == ["po-1"]
    placed = read.demand.orders(0, 0)
    assert placed.order_ids == ("ord_open",)
    assert (placed.quantity.tolist(), placed.need_by_days.tolist()) == ([5], [5])
    assert len(read.changes) == 1
    assert read.world.network == (await live.network.current()).document


async def test_recorded_days_come_once_more_at_the_same_hour(live: Engine, tmp_path: Path) -> None:
    clock = live.clock
    assert isinstance(clock, SettableClock)
    clock.move_to(datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    await live.orders.capture(order("ord_old", 1))
    await live.orders.capture(order("ord_gone", 1))
    await live.orders.cancel("ord_gone")
    await live.routing_runs.execute(RunRequest(order_ids=("ord_old",)))
    clock.move_to(datetime(2026, 3, 6, 9, tzinfo=UTC))
    await live.orders.capture(order("ord_today", 2))
    write_snapshot(await take_snapshot(live, orders_days=7), tmp_path / "base.yaml")
    read = read_story(tmp_path / "base.yaml")
    assert (read.days, read.demand.orders(0, 0).order_ids) == (7, ("ord_today",))
    again = read.demand.orders(0, 5)
    assert again.order_ids == ("ord_old-again",)
    assert again.placed_s.tolist() == [5 * 86_400 + 15 * 3600 + 1800]
    assert again.need_by_days.tolist() == [5]


async def test_a_snapshot_runs_and_its_winner_goes_live_with_an_entry(live: Engine, tmp_path: Path) -> None:
    await live.orders.capture(order("ord_open", 5))
    write_snapshot(await take_snapshot(live), tmp_path / "base.yaml")
    (tmp_path / "hourly.yaml").write_text(HOURLY, encoding="utf-8")
    read = replace(read_story(tmp_path / "hourly.yaml"), days=3)
    results = await asyncio.to_thread(run_story, read, tmp_path / "out")
    assert results.values("hourly", "orders_shipped") == [1.0]
    winner = winner_of(tmp_path / "out", "hourly")
    done = await promote(live, winner, policy_id=None, who="ann", force=False)
    assert (await live.policies.get("hourly")).document.stated()["split_cost_cents"] == 300
    document = (await live.network.current()).document
    assert document.policy.dates_from == "rate_card"
    assert document.nodes == network().nodes
    assert await live.promotions.all() == [done]
    assert (done.who, done.version, done.forced) == ("ann", 1, False)
    assert done.results_sha256 == winner.results_sha256


async def test_promoting_is_refused_once_the_network_has_moved_unless_forced(live: Engine, tmp_path: Path) -> None:
    """Seeded bug this catches: the network of the results taken for the live one by its name or version."""
    write_snapshot(await take_snapshot(live), tmp_path / "base.yaml")
    (tmp_path / "hourly.yaml").write_text(HOURLY, encoding="utf-8")
    await asyncio.to_thread(run_story, replace(read_story(tmp_path / "hourly.yaml"), days=1), tmp_path / "out")
    winner = winner_of(tmp_path / "out", "hourly")
    moved: NetworkDocument = network(policy={"split_cost_cents": 76, "move_cost_cents": 5})
    await live.network.put(moved)
    with pytest.raises(Refused, match="moved since the snapshot"):
        await promote(live, winner, policy_id=None, who="ann", force=False)
    assert await live.promotions.all() == []
    done = await promote(live, winner, policy_id="peak", who="ann", force=True)
    assert (done.policy_id, done.forced) == ("peak", True)
    policy = (await live.network.current()).document.policy
    assert (policy.split_cost_cents, policy.move_cost_cents) == (300, 5)


async def test_what_is_no_policy_of_the_engine_is_refused(live: Engine, tmp_path: Path) -> None:
    write_snapshot(await take_snapshot(live), tmp_path / "base.yaml")
    rival = "extends: base.yaml\npolicies:\n  - {name: today, router: nearest}\n"
    (tmp_path / "rival.yaml").write_text(rival, encoding="utf-8")
    await asyncio.to_thread(run_story, replace(read_story(tmp_path / "rival.yaml"), days=1), tmp_path / "out")
    with pytest.raises(InvalidInput, match="a rule to compare with"):
        winner_of(tmp_path / "out", "today")
    with pytest.raises(InvalidInput, match="none of the results"):
        winner_of(tmp_path / "out", "todai")


async def test_a_snapshot_is_not_written_over_by_chance(live: Engine, tmp_path: Path) -> None:
    taken = await take_snapshot(live)
    write_snapshot(taken, tmp_path / "base.yaml")
    with pytest.raises(InvalidInput, match="exists"):
        write_snapshot(taken, tmp_path / "base.yaml")
    write_snapshot(taken, tmp_path / "base.yaml", replace=True)
    with pytest.raises(InvalidInput, match=r"end it in \.yaml"):
        write_snapshot(taken, tmp_path / "base.json")
    assert PositionCount(node_id="dc", sku="cup", on_hand=100) in taken.positions
