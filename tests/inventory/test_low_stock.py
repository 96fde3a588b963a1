"""Positions that become low on stock or recover: what is told of them, and which are low, on both stores.

The world is that of low_stock_shop.py.
"""

from __future__ import annotations

import random

import pytest

from engine.errors import NotFound, Refused
from engine.inventory.model import Adjustment, Supply
from tests.inventory.conftest import Stock, stock_of
from tests.inventory.low_stock_shop import PRODUCTS, STORES, Shop, catalog, network, shop_of


@pytest.fixture(params=["memory", "redis", "redis in 4 partitions"])
def stock(request: pytest.FixtureRequest) -> Stock:
    """Stores with a journal, or one in each partition."""
    return stock_of(request)


@pytest.fixture
def shop(stock: Stock, request: pytest.FixtureRequest) -> Shop:
    return shop_of(stock, request)


async def test_falling_to_the_threshold_is_told_once_and_so_is_recovering(shop: Shop) -> None:
    await shop.count(9)
    await shop.read_on()
    for name, quantity in (("a", 3), ("b", 1), ("c", 2)):
        await shop.stock.hold(name, shop.stock.line(quantity, node_id="east"))
        await shop.read_on()
    assert await shop.low() == [("mug", "east", 3, 5)]
    await shop.stock.store.cancel("c")
    await shop.stock.store.cancel("b")
    await shop.read_on()
    assert await shop.low() == []
    assert await shop.told() == [("low", "mug", 5), ("recovered", "mug", 6)]
    low, recovered = await shop.events()
    history = {event.event: event.act for event in (await shop.stock.store.history("mug", "east")).events}
    assert (history[low.event], history[recovered.event]) == ("hold", "cancel")
    assert (low.number, low.threshold, recovered.number) == (1, 5, 2)


async def test_crossings_between_two_looks_are_each_told_in_order(shop: Shop) -> None:
    """The seeded bug: only the last state of a position is compared, and a dip that is over is never told."""
    await shop.count(9)
    await shop.read_on()
    for on_hand in (5, 6, 2, 9, 9, 4):
        await shop.count(on_hand)
    await shop.read_on()
    await shop.read_on()
    states = [(state, available) for state, _, available in await shop.told()]
    assert states == [("low", 5), ("recovered", 6), ("low", 2), ("recovered", 9), ("low", 4)]


async def test_a_backlog_is_read_in_steps_until_nothing_is_left(shop: Shop) -> None:
    """The seeded bug: a reader that has not caught up says that it has, and waits for the next second."""
    await shop.count(9)
    await shop.read_on()
    for _ in range(60):
        await shop.count(0)
        await shop.count(9)
    watch, steps = shop.watch(), 1
    while await watch.step():
        steps += 1
    assert 1 < steps < 60
    assert len((await watch.events(limit=1000))[0]) == 120


async def test_a_product_s_own_threshold_goes_before_rules_and_without_any_nothing_is_low(shop: Shop) -> None:
    await shop.count(3, "tea")  # its own threshold is 0
    await shop.count(0, "tea", "depot")
    await shop.count(3, "pot")  # 3 by the node's kind
    await shop.count(0, "pot", "depot")  # no rule
    await shop.count(4, "mug", "west")  # 5 by class
    await shop.read_on()
    assert sorted(await shop.low()) == [("mug", "west", 4, 5), ("pot", "east", 3, 3), ("tea", "depot", 0, 0)]


async def test_a_position_that_was_never_counted_is_not_low(shop: Shop) -> None:
    await shop.count(9)
    await shop.read_on()
    expected_on = shop.stock.day(4)
    supply = Supply(supply_id="po-1", node_id="east", sku="pot", quantity=5, expected_on=expected_on)
    await shop.stock.store.put_supplies([supply], today=shop.stock.today)
    await shop.read_on()
    assert await shop.low() == []
    await shop.count(0, "pot")
    await shop.read_on()
    assert await shop.told() == [("low", "pot", 0)]


async def test_new_thresholds_are_held_against_every_position(shop: Shop) -> None:
    for on_hand, sku in ((4, "mug"), (2, "pot"), (9, "tea")):
        await shop.count(on_hand, sku)
    await shop.read_on()
    shop.known.network = network(2, {"units": 2})
    await shop.read_on()
    shop.known.catalog = catalog(2, PRODUCTS[0], {"sku": "tea", "weight_g": 1, "low_stock_units": 9})
    await shop.read_on()
    expected = [
        ("low", "mug", 4),
        ("low", "pot", 2),
        ("recovered", "mug", 4),
        ("recovered", "pot", 2),
        ("low", "tea", 9),
    ]
    thresholds = {"mug": [5, 2], "pot": [3, None], "tea": [9]}
    for sku, of_sku in thresholds.items():
        assert [told for told in await shop.told() if told[1] == sku] == [told for told in expected if told[1] == sku]
        assert [event.threshold for event in await shop.events() if event.sku == sku] == of_sku


async def test_without_thresholds_nothing_is_read_and_what_was_low_is_not_any_more(shop: Shop) -> None:
    await shop.count(4)
    await shop.read_on()
    shop.known.network, shop.known.catalog = network(2), catalog(2, PRODUCTS[0])
    await shop.read_on()
    assert (await shop.told(), await shop.low()) == ([("low", "mug", 4), ("recovered", "mug", 4)], [])
    still = await shop.low_stock.cursor()
    await shop.count(0)
    await shop.read_on()
    assert await shop.low_stock.cursor() == still
    shop.known.network = network(3, STORES)
    await shop.read_on()
    assert (await shop.told())[2:] == [("low", "mug", 0)]


async def test_any_history_of_holds_ends_with_exactly_what_is_low(shop: Shop) -> None:
    rng = random.Random(8)
    skus, nodes = ("mug", "pot", "tea"), ("east", "west", "depot")
    for sku in skus:
        for node_id in nodes:
            await shop.count(8, sku, node_id)
    for number in range(120):
        sku, node_id = rng.choice(skus), rng.choice(nodes)
        try:
            act = rng.randrange(4)
            if act == 0:
                change = Adjustment(node_id=node_id, sku=sku, delta=rng.randint(-4, 5), reason="test")
                await shop.stock.store.adjust([change])
            elif act == 1:
                await shop.stock.store.cancel(f"r{rng.randrange(number + 1)}")
            else:
                await shop.stock.hold(f"r{number}", shop.stock.line(rng.randint(1, 4), sku, node_id))
        except (Refused, NotFound):
            pass
        if number % 13 == 0:
            await shop.read_on()
    await shop.read_on()
    view, thresholds = await shop.stock.store.read(skus), {("mug", 0): 5, ("pot", 0): 3, ("tea", 0): 0, ("tea", 1): 0}
    expected = set()
    for row, sku in enumerate(skus):
        for position in view.positions(row):
            threshold = thresholds.get((sku, int(position.node_id == "depot")))
            if threshold is not None and position.available <= threshold:
                expected.add((sku, position.node_id, position.available, threshold))
    assert set(await shop.low()) == expected
    open_now = set()
    for event in await shop.events():
        place = (event.sku, event.node_id)
        assert (place in open_now) == (event.state == "recovered")
        open_now ^= {place}
    assert open_now == {found[:2] for found in expected}


async def test_what_is_low_is_listed_page_by_page(shop: Shop) -> None:
    for node_id in ("east", "west"):
        for sku in ("mug", "pot", "tea"):
            await shop.count(0, sku, node_id)
    await shop.read_on()
    watch = shop.watch()
    first, has_more = await watch.low(limit=4)
    rest, at_end = await watch.low(limit=4, after=first[-1].number)
    assert [one.number for one in (*first, *rest)] == [1, 2, 3, 4, 5, 6]
    assert (has_more, at_end) == (True, False)
    newest, has_more = await watch.events(limit=4)
    oldest, at_end = await watch.events(limit=4, before=newest[-1].number)
    assert [event.number for event in (*newest, *oldest)] == [6, 5, 4, 3, 2, 1]
    assert (has_more, at_end) == (True, False)
