"""The benchmark of the peak hour in a small form: real processes, and an audit that finds what is wrong."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from benchmarks.peak import Peak, measure, parser
from benchmarks.rush.audit import audit
from benchmarks.rush.report import failures
from benchmarks.rush.shoppers import Bought, Kept
from benchmarks.rush.world import build_world
from engine.bootstrap import allot_engine
from engine.config import Settings
from engine.integrations.documents_folder import Documents
from engine.integrations.load import put_documents
from engine.routing.run_model import RunRequest

SMALL = Peak(orders=300, windows=2, nodes=20, skus=150, supply=1.5, rate=40, seed=3, limit_seconds=1, target_gap=0.0)


@pytest.fixture(scope="module")
def measured():
    return asyncio.run(measure(SMALL))


def test_every_window_is_committed_while_shoppers_buy(measured):
    assert [window.status for window in measured.windows] == ["committed", "committed"]
    assert sum(window.summary["committed_orders"] for window in measured.windows) >= SMALL.orders
    kinds = {asked.kind for asked in measured.bought.asked}
    assert {"promise", "reserve", "confirm", "capture"} <= kinds
    assert [bar for bar in failures(measured) if "gap" not in bar] == []  # that takes more than a second


def test_a_run_tells_how_long_its_phases_took(measured):
    for window in measured.windows:
        took = window.summary["phase_seconds"]
        assert {"read", "build", "solve", "explain", "commit"} <= set(took)
        assert 0 < sum(took.values()) <= window.seconds


def test_the_audit_balances_every_position(measured):
    assert measured.audit.is_clean
    assert measured.audit.units_sold > SMALL.orders
    assert measured.audit.sourced + measured.audit.backordered + measured.audit.undecided >= SMALL.orders


def test_a_bar_that_is_missed_is_named(measured):
    slow = replace(measured.windows[0], ended=measured.windows[0].began + 61, summary={"gap": 0.0})
    far = replace(measured.windows[1], summary={"gap": 0.02})
    missed = failures(replace(measured, windows=[slow, far], audit=replace(measured.audit, oversold=1)))
    assert len(missed) == 3


def test_the_world_of_a_seed_is_the_same_again_and_its_windows_are_even():
    sizes = {"orders": 100, "windows": 3, "nodes": 10, "skus": 50, "supply": 2.0, "carts": 20, "seed": 5}
    one, other = (build_world(**sizes, today=date(2026, 11, 23)) for _ in range(2))
    assert one == other
    assert [len(window) for window in one.windows] == [33, 33, 34]
    assert len(one.carts) == 20


async def test_the_audit_finds_units_that_were_sold_twice_or_went_without_a_sale(tmp_path):
    """Each change is a seeded bug: a sale that took no stock, units taken without a sale, an order that is gone."""
    today = datetime.now(UTC).date()
    world = build_world(orders=40, windows=1, nodes=10, skus=30, supply=2.0, carts=10, seed=5, today=today)
    orders, positions = world.windows[0], world.positions
    names = [order.order_id for order in orders]
    async with allot_engine(Settings(data_dir=tmp_path), memory=True) as engine:
        await put_documents(Documents(network=world.network, catalog=world.catalog, positions=positions), engine)
        await engine.orders.capture_many(orders)
        await engine.routing_runs.execute(RunRequest())
        assert (await audit(engine.orders, engine.stock, positions, names, Bought())).is_clean
        first = positions[0]
        unseen = Kept("res_1", "confirmed", [(first.sku, first.node_id, first.on_hand + 1)])
        found = await audit(engine.orders, engine.stock, positions, names, Bought(kept=[unseen]))
        assert (found.oversold, found.unbalanced) == (1, 1)
        assert (await audit(engine.orders, engine.stock, positions, [*names, "gone"], Bought())).lost == 1
        fewer = [msgspec.structs.replace(first, on_hand=first.on_hand - 1), *positions[1:]]
        assert (await audit(engine.orders, engine.stock, fewer, names, Bought())).moved == 1


def test_every_option_is_in_the_reference():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    options = {name for action in parser()._actions for name in action.option_strings if name.startswith("--")}
    own = re.search(r"^allot bench peak$(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^  (--[a-z-]+)", own[1], re.MULTILINE)) == options - {"--help"}
