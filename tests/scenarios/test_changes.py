"""Each change of a scenario comes to what its page says, at its instant, and is undone when its days are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.network.document import NetworkDocument
from engine.scenarios.reading import story_of
from engine.scenarios.story import (
    DAY_SECONDS,
    AdjustStock,
    CloseNode,
    Dated,
    OpenNode,
    PutNetwork,
    SetTransit,
    Story,
)

SMALL = """
version: 1
name: small
start: 2026-11-23
days: 6
time_zone: America/Chicago
nodes:
  - {node_id: west, capacity_parcels: 7}
  - {node_id: east, longitude: 10.0, capacity_units: 100}
carriers:
  - carrier: post
    services:
      - {service: ground, cost_cents: 505, transit_days: 2}
      - {service: air, cost_cents: 900, transit_days: 1}
products: [{sku: kettle}, {sku: pot}]
supplies:
  - {supply_id: truck, node_id: west, sku: kettle, quantity: 5, expected_on: 1}
  - {supply_id: ship, node_id: east, sku: pot, quantity: 5, expected_on: 2026-11-25}
generate: {orders_per_day: 1000, places: [{latitude: 0.0, longitude: 0.0}, {latitude: 0.0, longitude: 30.0}]}
changes:
"""


def with_change(*changes: str) -> Story:
    return story_of(SMALL + "".join(f"  - {change}\n" for change in changes))


def networks(story: Story) -> list[tuple[int, NetworkDocument]]:
    """Return the networks of a story from the first on, with the days on which they begin."""
    puts = [
        (each.at_s // DAY_SECONDS, each.action.network) for each in story.changes if isinstance(each.action, PutNetwork)
    ]
    return [(0, story.world.network), *puts]


def others(story: Story) -> Sequence[Dated]:
    return [each for each in story.changes if not isinstance(each.action, PutNetwork)]


def test_a_surprise_switches_a_node_off_and_on() -> None:
    story = with_change("close_node: {node_id: east, from_day: 1, at: '06:00', days: 2, reason: fire}")
    assert others(story) == [
        Dated(at_s=DAY_SECONDS + 6 * 3600, action=CloseNode(node_id="east", reason="fire")),
        Dated(at_s=3 * DAY_SECONDS + 6 * 3600, action=OpenNode(node_id="east")),
    ]


def test_an_announced_closing_is_days_off_of_the_network_from_the_day_it_is_told() -> None:
    story = with_change("close_node: {node_id: east, from_day: 3, days: 2, announced: true, told_day: 1}")
    (day, before), (told, after) = networks(story)
    assert (day, told, others(story)) == (0, 1, [])
    assert before.nodes[1].closures == ()
    (closure,) = after.nodes[1].closures
    assert (closure.from_, closure.to) == (date(2026, 11, 26), date(2026, 11, 27))


def test_announced_closings_that_touch_are_one() -> None:
    change = "close_node: {{node_id: east, from_day: {}, days: 3, announced: true}}"
    ((_, network),) = networks(with_change(change.format(1), change.format(2)))
    (closure,) = network.nodes[1].closures
    assert (closure.from_, closure.to) == (date(2026, 11, 24), date(2026, 11, 27))


def test_a_node_opens_in_the_middle_with_stock_and_in_the_time_zone_of_the_story() -> None:
    story = with_change("add_node: {from_day: 2, node: {node_id: shop}, stock: [{sku: pot, quantity: 4}]}")
    (_, before), (day, after) = networks(story)
    assert (len(before.nodes), day, after.nodes[2].node_id) == (2, 2, "shop")
    assert after.nodes[2].time_zone == "America/Chicago"
    (stocked,) = others(story)
    assert stocked.at_s == 2 * DAY_SECONDS
    assert isinstance(stocked.action, AdjustStock)
    assert [(each.node_id, each.sku, each.delta) for each in stocked.action.adjustments] == [("shop", "pot", 4)]


def test_stock_comes_goes_and_moves() -> None:
    story = with_change(
        "add_stock: {node_id: west, sku: pot, quantity: 3, day: 1}",
        "remove_stock: {node_id: west, sku: pot, quantity: 2, day: 1}",
        "move_stock: {sku: pot, quantity: 9, from_node_id: west, to_node_id: east, day: 2, transit_days: 2}",
        "move_stock: {sku: pot, quantity: 1, from_node_id: west, to_node_id: east, day: 3}",
    )
    deltas = [
        (each.at_s // DAY_SECONDS, change.node_id, change.delta)
        for each in story.changes
        if isinstance(each.action, AdjustStock)
        for change in each.action.adjustments
    ]
    assert deltas == [(1, "west", 3), (1, "west", -2), (2, "west", -9), (3, "west", -1), (3, "east", 1)]
    moved = story.world.supplies[-1]
    assert (moved.node_id, moved.quantity, moved.expected_s, moved.arrives_s) == (
        "east",
        9,
        4 * DAY_SECONDS,
        4 * DAY_SECONDS,
    )


def test_supplies_are_delayed_told_or_not() -> None:
    supplies = with_change(
        "delay_supplies: {days: 3, skus: [kettle]}", "delay_supplies: {days: 1, node_ids: [east], told_day: 1}"
    ).world.supplies
    six = 6 * 3600
    assert [(each.supply_id, each.expected_s, each.arrives_s, each.told_s) for each in supplies] == [
        ("truck", DAY_SECONDS + six, 4 * DAY_SECONDS + six, None),
        ("ship", 2 * DAY_SECONDS + six, 3 * DAY_SECONDS + six, DAY_SECONDS),
    ]


def test_capacities_and_cut_offs_change_for_some_days() -> None:
    story = with_change(
        "set_capacity: {factor: 0.5, from_day: 1, days: 2}",
        "set_capacity: {node_ids: [east], capacity_parcels: 3, from_day: 2}",
        "set_cut_off: {node_ids: [west], cut_off: '18:00', from_day: 3}",
    )
    told = [
        (day, [(node.capacity_units, node.capacity_parcels, node.cut_off) for node in network.nodes])
        for day, network in networks(story)
    ]
    assert told == [
        (0, [(None, 7, "15:00"), (100, None, "15:00")]),
        (1, [(None, 3, "15:00"), (50, None, "15:00")]),
        (2, [(None, 3, "15:00"), (50, 3, "15:00")]),
        (3, [(None, 7, "18:00"), (100, 3, "15:00")]),
    ]


def test_rates_rise_by_percent_rounded_half_up_then_by_cents() -> None:
    ((_, network),) = networks(with_change("change_rates: {services: [ground], percent: 10.0, cents: 20}"))
    assert [service.rates[0].cost_cents for service in network.services] == [576, 900]  # 505 · 1.1 = 555.5


def test_transit_is_longer_as_told_or_in_fact_only() -> None:
    told = with_change("change_transit: {extra_days: 2, services: [air], told: true, from_day: 1, days: 1}")
    assert [(day, network.services[1].rates[0].transit_days) for day, network in networks(told)] == [
        (0, 1),
        (1, 3),
        (2, 1),
    ]
    strike = with_change("change_transit: {extra_days: 2, carriers: [post], node_ids: [west], from_day: 1, days: 2}")
    assert others(strike) == [
        Dated(
            at_s=DAY_SECONDS,
            action=SetTransit(
                extra_days=2,
                services=frozenset({"air", "ground"}),
                node_ids=frozenset({"west"}),
                until_s=3 * DAY_SECONDS,
            ),
        )
    ]


def test_the_policy_of_the_network_changes_on_a_day() -> None:
    story = with_change("set_policy: {from_day: 4, split_cost_cents: 70}")
    assert [(day, network.policy.split_cost_cents) for day, network in networks(story)] == [(0, 0), (4, 70)]


def test_counts_are_wrong_as_the_story_begins() -> None:
    operations = with_change("miscount_stock: {share: 0.25, units: 3.0}").operations
    assert (operations.inaccurate_share, operations.inaccurate_units) == (0.25, 3.0)


def test_demand_doubles_around_a_place_and_a_spike_comes_on_top() -> None:
    usual = with_change("miscount_stock: {share: 0.0}").demand
    changed = with_change(
        "scale_demand: {factor: 2.0, from_day: 1, days: 1, near: {latitude: 0.0, longitude: 0.0, radius_km: 100.0}}",
        "add_orders: {orders: 300, day: 2, from: '10:00', to: '11:00', skus: [pot]}",
    ).demand
    before, after = usual.orders(0, 1), changed.orders(0, 1)
    near, far = int((before.longitude == 0).sum()), int((before.longitude > 0).sum())
    assert (int((after.longitude == 0).sum()), int((after.longitude > 0).sum())) == (2 * near, far)
    assert len(changed.orders(0, 2)) == len(usual.orders(0, 2)) + 300
    assert changed.orders(0, 0).key.tolist() == usual.orders(0, 0).key.tolist()
