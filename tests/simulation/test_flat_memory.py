"""Memory does not grow with the days of a story that is the same every day: counted in objects that are kept."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from engine.inventory.memory_stock import MemoryStock
from engine.scenarios.story import DAY_SECONDS, Customers, Story, StoryPolicy
from engine.simulation import simulator
from engine.simulation.facts import DayFacts, Ending, NodeDayFacts, OrderFacts, ParcelFacts, WindowFacts
from engine.simulation.orders import SimOrder
from tests.simulation.small_world import AT_DC, AT_SHOP, HOUR, Orders, network, story

DAYS = 10
"""After so many, the story goes on for as many again."""
WHAT_WAS_USED_DAYS = 4
"""The simulator keeps what was used of nodes for longer than this story lasts."""
MOST_GROWTH = 1.03


@dataclass
class Kept:
    """What a simulation keeps at the end of a day."""

    objects: int
    orders_over: set[str]
    """Orders that it holds anywhere, and that are at their end."""
    orders_in_stores: set[str]
    orders_to_ship: set[str]
    reservations: Counter[str]
    """By state."""
    dated: set[str]
    """Reservations that are listed as having dated lines, and have none."""
    steps: int
    """Of orders, in their histories."""


@dataclass
class Heard:
    """Counts orders, and keeps nothing else of what it is told."""

    endings: Counter[int] = field(default_factory=Counter)
    waited: int = 0
    days: list[Kept] = field(default_factory=list)

    def orders(self, orders: OrderFacts, parcels: ParcelFacts) -> None:
        """Count orders."""
        self.endings.update(orders.ending.tolist())
        self.waited += int(np.count_nonzero(orders.units_backordered > 0))

    def day(self, day: DayFacts, nodes: NodeDayFacts, windows: WindowFacts) -> None:
        """Keep nothing."""


def steady() -> Story:
    """Return a story with the same orders each day; plates lie at a DC that can do four parcels a day only."""
    lines, places = [{"cup": 1}, {"cup": 2, "plate": 1}, {"plate": 1}], [AT_DC, AT_SHOP]
    placed = [
        (day * DAY_SECONDS + hour * HOUR + 60, lines[number % 3], places[number % 2])
        for day in range(2 * DAYS)
        for number, hour in enumerate((8, 9, 10, 11, 13, 14, 16, 18, 20))
    ]
    document = network().model_dump(mode="json", by_alias=True)
    nodes = [{**node, "capacity_parcels": {"dc": 4, "shop": None}[node["node_id"]]} for node in document["nodes"]]
    return story(
        Orders(placed=placed),
        {("dc", "cup"): 9_000, ("dc", "plate"): 9_000, ("shop", "cup"): 9_000},
        network=network(nodes=nodes),
        days=2 * DAYS,
        drain_days=30,
        customers=Customers(waits_days=9, patience_days=3, leave_share_per_day=1.0),
    )


def reached(simulation: Any) -> list[Any]:
    """Return every object that a simulation keeps, but for the story, who hears of it, and what is code."""
    seen, left = dict[int, Any](), [simulation]
    while left:
        found = left.pop()
        if id(found) not in seen and not isinstance(found, (type, ModuleType, FunctionType, Story, Heard)):
            seen[id(found)] = found
            left.extend(gc.get_referents(found))
    return list(seen.values())


def kept_by(simulation: Any) -> Kept:
    """Return what a simulation keeps now."""
    all_of_it = reached(simulation)
    stock, orders = simulation._stores._stock, simulation._stores._orders
    open_orders = simulation._open
    held = {found.order_id for found in all_of_it if isinstance(found, SimOrder)}
    return Kept(
        objects=len(all_of_it),
        orders_over=held - set(open_orders),
        orders_in_stores=set(orders._orders),
        orders_to_ship={name for name, order in open_orders.items() if not order.is_shipped},
        reservations=Counter(kept.state for kept in stock._reservations.values()),
        dated={
            name
            for sku, names in stock._dated.items()
            for name in names
            if name not in stock._reservations
            or not any(line.dated and line.sku == sku for line in stock._reservations[name].lines)
        },
        steps=sum(len(kept.history) for kept in orders._orders.values()),
    )


@pytest.fixture(scope="module")
def heard() -> Heard:
    """A steady story, lived through by the clock of its days."""
    heard = Heard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "_DAYS_KEPT", WHAT_WAS_USED_DAYS)
        simulation = simulator._Simulation(steady(), StoryPolicy(name="allot", window_minutes=120), 0, heard)
        asyncio.run(simulation.run(lambda _: heard.days.append(kept_by(simulation))))
    return heard


def test_the_story_is_steady_and_some_of_it_waits(heard: Heard) -> None:
    """All of what follows would say little of a story in which nothing waits, or more every day."""
    assert len(heard.days) == 2 * DAYS
    assert heard.endings[Ending.DELIVERED] > 3 * heard.endings[Ending.TOO_LATE] > 0
    assert heard.waited > 2 * DAYS
    waiting = [len(day.orders_to_ship) for day in heard.days[3:]]
    assert 0 < min(waiting) <= max(waiting) < 12
    assert sum(day.reservations["confirmed"] for day in heard.days) > 0


def test_twice_the_days_keep_no_more_objects(heard: Heard) -> None:
    """Seeded bugs: a journal of the stock; a list of dated lines from which reservations that are over do not go."""
    first, second = heard.days[DAYS - 4 : DAYS], heard.days[-4:]
    most = max(day.objects for day in first)
    assert most > 1_000
    assert max(day.objects for day in second) <= MOST_GROWTH * most


def test_no_order_is_held_that_is_over(heard: Heard) -> None:
    """Seeded bug: each order has an event of its own for when its customer gives up, nine days after the promise."""
    assert [day.orders_over for day in heard.days] == [set()] * len(heard.days)


def test_stores_know_orders_until_they_have_left(heard: Heard) -> None:
    """Seeded bug: they are forgotten when they are delivered, or their last unit may have come back."""
    assert [day.orders_in_stores for day in heard.days] == [day.orders_to_ship for day in heard.days]


def test_reservations_that_were_given_back_are_not_kept(heard: Heard) -> None:
    """Each window makes a new one of what waits. Seeded bug: the old one is kept for a day."""
    assert {state for day in heard.days for state in day.reservations} == {"confirmed", "consumed"}
    assert [day.dated for day in heard.days] == [set()] * len(heard.days)


def test_nothing_is_kept_to_look_back_at(heard: Heard) -> None:
    """Seeded bug: orders keep a step for each window in which they wait."""
    assert [day.steps for day in heard.days] == [0] * len(heard.days)


def test_a_schedule_goes_with_what_was_scheduled() -> None:
    """Seeded bugs: it stays at every position that ever had one; so does the count of a supply that lines wait for."""
    stock = MemoryStock()
    for units in (3, -3):
        stock.add_dated_demand("cup", "dc", 739_000, units)
        stock.add_dated_demand("cup", "shop", 739_000, units, "po")
        assert [len(stock.schedule("cup", node).pegged) for node in ("dc", "shop")] == [0, units > 0]
    assert not any(stock._schedules.values())
