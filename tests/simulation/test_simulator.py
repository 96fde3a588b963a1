"""The simulator, on days that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import BooksDisagree
from engine.inventory.model import Adjustment, PositionCount
from engine.scenarios.story import (
    DAY_SECONDS,
    AdjustStock,
    CloseNode,
    Customers,
    Dated,
    OpenNode,
    Operations,
    PlannedSupply,
    PutNetwork,
    SetTransit,
    StoryPolicy,
)
from engine.simulation import changing
from engine.simulation.facts import Ending
from tests.simulation.small_world import AT_DC, AT_SHOP, HOUR, Orders, network, rows, story, told_by

DC, SHOP = 0, 1
ONE = Orders(placed=[(10 * HOUR, {"cup": 2}, AT_DC)])
OF_DC = {("dc", "cup"): 10}


def test_an_order_goes_from_checkout_to_door_as_worked_out_by_hand() -> None:
    """Ordered at 10:00, routed at 11:00, picked at once, two days under way; 500 + 100 + 2 · 20 = 640 cents."""
    told = told_by(story(ONE))
    order = told.by_key[0]
    (parcel,) = order.pop("sent")
    assert order == {
        "key": 0,
        "placed_s": 10 * HOUR,
        "latitude": 40.0,
        "longitude": -95.0,
        "channel": 0,
        "ending": Ending.DELIVERED,
        "lines": 1,
        "units": 2,
        "lines_shipped": 1,
        "units_shipped": 2,
        "units_cancelled": 0,
        "units_backordered": 0,
        "units_returned": 0,
        "revenue_cents": 2000,
        "lost_cents": 0,
        "charged_cents": 0,
        "refund_cents": 0,
        "promised_day": 2,
        "expected_day": 2,
        "requested_day": -1,
        "promised_parcels": 1,
        "promised_cost_cents": 640,
        "parcels": 1,
        "rejections": 0,
        "reroutes": 0,
        "routed_s": 11 * HOUR,
        "shipped_s": 11 * HOUR,
        "delivered_s": 2 * DAY_SECONDS + 18 * HOUR,
        "delivered_day": 2,
        "cost_cents": 640,
    }
    assert (parcel["node"], parcel["due_day"], parcel["promised_day"]) == (DC, 0, 2)
    assert (parcel["shipping_cents"], parcel["handling_cents"], parcel["units_cents"]) == (500, 100, 40)
    assert (parcel["zone"], parcel["distance_m"], parcel["weight_g"]) == (0, 0, 1000)
    assert told.ledger is not None
    assert (told.ledger.start_units, told.ledger.shipped_units, told.ledger.end_units) == (400, 2, 398)
    assert (told.ledger.revenue_cents, told.ledger.cost_cents) == (2000, 640)
    assert told.ledger.end_value_cents == 198 * 500 + 200 * 350
    (day, *_), (nodes, *_), (windows, *_) = told.days, told.nodes, told.windows
    assert rows(day)[0]["placed_units"] == 2
    assert [(row["node"], row["units"], row["parcels"]) for row in rows(nodes)] == [(DC, 2, 1), (SHOP, 0, 0)]
    assert [(row["at_s"], row["orders"], row["cost_cents"]) for row in rows(windows)] == [(11 * HOUR, 1, 640)]


def test_an_order_after_the_cut_off_leaves_on_the_next_day() -> None:
    told = told_by(story(Orders(placed=[(16 * HOUR, {"cup": 1}, AT_DC)])))
    assert told.by_key[0]["shipped_s"] == DAY_SECONDS + 8 * HOUR
    assert told.by_key[0]["delivered_day"] == told.by_key[0]["promised_day"] == 3


def test_a_node_that_is_full_picks_on_in_the_hours_that_follow() -> None:
    """Four parcels a day are one in 2.5 of the ten hours: four of them leave by 18:00, promised as they are kept."""
    full = network().model_dump(mode="json", by_alias=True)
    full["nodes"][0] |= {"capacity_parcels": 4}
    full["nodes"][1] |= {"capacity_parcels": 0}
    many = Orders(placed=[(HOUR * 6 + n, {"cup": 1}, AT_DC) for n in range(5)])
    told = told_by(story(many, network=network(nodes=full["nodes"])))
    assert [told.by_key[n]["shipped_s"] for n in range(4)] == [(8 + 2.5 * (n + 1)) * HOUR for n in range(4)]
    assert told.by_key[4]["shipped_s"] == DAY_SECONDS + 10.5 * HOUR
    assert [told.by_key[n]["promised_day"] for n in range(5)] == [2, 2, 2, 2, 3]
    assert all(each["delivered_day"] == each["promised_day"] for each in told.by_key.values())


@pytest.mark.parametrize(("minutes", "routed_s"), [(0, 10 * HOUR), (5, 10 * HOUR + 300), (240, 12 * HOUR)])
def test_orders_are_routed_at_the_end_of_their_window(minutes: int, routed_s: int) -> None:
    told = told_by(story(ONE), StoryPolicy(name="p", window_minutes=minutes))
    assert told.by_key[0]["routed_s"] == routed_s


def test_what_is_sold_out_is_lost_and_what_is_under_way_is_promised() -> None:
    """Of 10 cups two orders of 6: the second waits for the supply of day 1, and ships when it comes at noon."""
    two = Orders(placed=[(9 * HOUR, {"cup": 6}, AT_DC), (10 * HOUR, {"cup": 6}, AT_DC)])
    told = told_by(story(two, OF_DC))
    assert [told.by_key[n]["ending"] for n in (0, 1)] == [Ending.DELIVERED, Ending.NO_OFFER]
    assert told.by_key[1]["lost_cents"] == 6000
    noon = DAY_SECONDS + 12 * HOUR
    supply = PlannedSupply(supply_id="po", node_id="dc", sku="cup", quantity=9, expected_s=noon)
    told = told_by(story(two, OF_DC, supplies=[supply], days=6))
    second = told.by_key[1]
    assert (second["promised_day"], second["shipped_s"], second["delivered_day"]) == (3, noon, 3)
    assert told.ledger is not None
    assert (told.ledger.received_units, told.ledger.end_units) == (9, 7)


def test_a_late_supply_makes_late_what_waits_for_it() -> None:
    two = Orders(placed=[(9 * HOUR, {"cup": 6}, AT_DC), (10 * HOUR, {"cup": 6}, AT_DC)])
    supply = PlannedSupply(
        supply_id="po",
        node_id="dc",
        sku="cup",
        quantity=9,
        expected_s=DAY_SECONDS + 9 * HOUR,
        arrives_s=3 * DAY_SECONDS + 9 * HOUR,
    )
    second = told_by(story(two, OF_DC, supplies=[supply], days=7)).by_key[1]
    assert (second["promised_day"], second["delivered_day"]) == (3, 5)


def test_a_node_that_is_closed_without_notice_gives_its_orders_to_others_until_it_opens() -> None:
    """Closed at 10:30 on day 0, before the run; open again on day 1: two days from the shop cost 900 + 200 + 2 · 50."""
    changes = [
        Dated(at_s=10 * HOUR + 1800, action=CloseNode(node_id="dc", reason="fire")),
        Dated(at_s=DAY_SECONDS, action=OpenNode(node_id="dc")),
    ]
    orders = Orders(placed=[*ONE.placed, (DAY_SECONDS + 9 * HOUR, {"cup": 1}, AT_DC)])
    told = told_by(story(orders, changes=changes))
    assert [told.by_key[n]["sent"][0]["node"] for n in (0, 1)] == [SHOP, DC]
    assert told.by_key[0]["cost_cents"] == 1200


def test_what_a_closed_node_has_to_ship_is_routed_again() -> None:
    """Routed at 16:00 for day 1; the node burns at 20:00, the shop ships it on day 1."""
    late = Orders(placed=[(15 * HOUR + 1800, {"cup": 2}, AT_DC)])
    fire = Dated(at_s=20 * HOUR, action=CloseNode(node_id="dc", reason="fire"))
    order = told_by(story(late, changes=[fire])).by_key[0]
    assert [parcel["node"] for parcel in order["sent"]] == [SHOP]
    assert (order["reroutes"], order["delivered_day"]) == (1, 3)


def test_a_strike_delays_parcels_that_leave_meanwhile() -> None:
    strike = Dated(at_s=0, action=SetTransit(extra_days=2, services=frozenset({"ground"}), until_s=DAY_SECONDS))
    orders = Orders(placed=[*ONE.placed, (DAY_SECONDS + 10 * HOUR, {"cup": 1}, AT_DC)])
    told = told_by(story(orders, changes=[strike], days=6))
    assert [told.by_key[n]["delivered_day"] - told.by_key[n]["promised_day"] for n in (0, 1)] == [2, 0]


@pytest.mark.parametrize("service", ["ground", "*"])
def test_transit_is_drawn_from_the_shares_of_a_service(service: str) -> None:
    """A tenth a day early, six in ten on the day, three in ten two days late: of 300 parcels within four deviations."""
    shares = {service: {-1: 0.1, 2: 0.3}}
    many = Orders(placed=[(9 * HOUR + n, {"cup": 1}, AT_DC) for n in range(300)])
    drawn = story(many, {("dc", "cup"): 300}, days=1, operations=Operations(transit_deviations=shares))
    late = [each["delivered_day"] - each["promised_day"] for each in told_by(drawn).by_key.values()]
    assert set(late) == {-1, 0, 2}
    for days, share in ((-1, 0.1), (0, 0.6), (2, 0.3)):
        assert abs(late.count(days) - 300 * share) < 4 * (300 * share * (1 - share)) ** 0.5


def test_a_new_network_counts_from_its_day_on() -> None:
    dearer = network().model_dump(mode="json", by_alias=True)
    for rate in dearer["services"][0]["rates"]:
        rate["cost_cents"] += 100
    change = Dated(at_s=DAY_SECONDS, action=PutNetwork(network=network(services=dearer["services"])))
    orders = Orders(placed=[*ONE.placed, (DAY_SECONDS + 10 * HOUR, {"cup": 2}, AT_DC)])
    told = told_by(story(orders, changes=[change]))
    assert [told.by_key[n]["cost_cents"] for n in (0, 1)] == [640, 740]


def test_a_node_that_refuses_everything_ships_nothing() -> None:
    """The DC refuses, and then the shop: the order waits for a node, and is given up when it has waited too long."""
    refusing = Operations(rejection_share=1.0)
    told = told_by(story(ONE, operations=refusing, customers=Customers(waits_days=0.5)))
    order = told.by_key[0]
    assert (order["ending"], order["rejections"], order["units_cancelled"]) == (Ending.CANCELLED, 2, 2)
    assert order["lost_cents"] == 2000
    assert sum(row["refused"] for day in told.nodes for row in rows(day)) == 2


def test_units_that_are_not_there_are_found_missing_and_taken_off_the_count() -> None:
    """All counts are wrong by one; where a unit is missing, it comes from the shop."""
    wrong = Operations(inaccurate_share=1.0)
    missing = story(ONE, {("dc", "cup"): 2, ("shop", "cup"): 50}, operations=wrong)
    outcomes = set()
    for replication in range(6):
        told = told_by(missing, replication=replication)
        nodes = tuple(parcel["node"] for parcel in told.by_key[0]["sent"])
        assert told.ledger is not None
        outcomes.add((nodes, told.by_key[0]["rejections"], told.ledger.lost_units))
    assert outcomes == {((DC,), 0, 0), ((DC, SHOP), 1, 1)}


def test_stock_that_is_moved_is_somewhere_else() -> None:
    deltas = [("dc", -10), ("shop", 10)]
    move = AdjustStock(
        adjustments=[Adjustment(node_id=node, sku="cup", delta=delta, reason="moved") for node, delta in deltas]
    )
    told = told_by(story(ONE, OF_DC, changes=[Dated(at_s=HOUR, action=move)]))
    assert told.by_key[0]["sent"][0]["node"] == SHOP
    assert told.ledger is not None
    assert (told.ledger.found_units, told.ledger.lost_units, told.ledger.end_units) == (10, 10, 8)


def test_all_that_comes_back_is_refunded_and_restocked() -> None:
    returning = Operations(return_share=1.0, return_days=0.1)
    told = told_by(story(ONE, operations=returning, days=7))
    order = told.by_key[0]
    assert (order["units_returned"], order["refund_cents"]) == (2, 2000)
    assert told.ledger is not None
    assert (told.ledger.restocked_units, told.ledger.scrapped_units, told.ledger.end_units) == (2, 0, 400)
    scrapped = replace(returning, restock_share=0.0)
    ledger = told_by(story(ONE, operations=scrapped, days=7)).ledger
    assert ledger is not None
    assert (ledger.restocked_units, ledger.scrapped_units, ledger.end_units) == (0, 2, 398)


def test_recorded_returns_come_back_on_their_days_and_hours() -> None:
    """What comes back at one is there for the customer who comes at two, to whom nothing could be promised before."""
    sold_out = {("dc", "cup"): 2, ("dc", "plate"): 0}
    orders = Orders(
        placed=[*ONE.placed, (DAY_SECONDS + 2 * HOUR, {"plate": 3}, AT_DC)], back=[(DAY_SECONDS + HOUR, "plate", 3)]
    )
    told = told_by(story(orders, sold_out))
    assert [rows(day)[0]["returned_units"] for day in told.days] == [0, 3, 0, 0]
    assert told.by_key[1]["ending"] == Ending.DELIVERED


def test_a_vendor_who_always_has_more_balances_the_books() -> None:
    """Units of an unlimited position come from nowhere, and what comes back goes there."""
    of = story(ONE, OF_DC, operations=Operations(return_share=1.0, return_days=0.1), days=7)
    vendor = PositionCount(node_id="dc", sku="cup", unlimited=True)
    told = told_by(replace(of, world=replace(of.world, positions=[vendor])))
    assert told.by_key[0]["ending"] == Ending.DELIVERED
    assert told.ledger is not None
    assert (told.ledger.received_units, told.ledger.shipped_units, told.ledger.end_units) == (2, 2, 0)
    assert (told.ledger.restocked_units, told.ledger.scrapped_units) == (0, 2)


def test_a_policy_of_a_later_day_counts_from_then_on() -> None:
    """The network's own policy routes at 11:00; the one of day 1 every four hours."""
    orders = Orders(placed=[*ONE.placed, (DAY_SECONDS + 10 * HOUR, {"cup": 2}, AT_DC)])
    told = told_by(story(orders), StoryPolicy(name="p", window_minutes=240, from_s=DAY_SECONDS))
    assert [told.by_key[n]["routed_s"] for n in (0, 1)] == [11 * HOUR, DAY_SECONDS + 12 * HOUR]


def test_customers_who_do_not_want_to_wait_or_pay_leave() -> None:
    impatient = Customers(patience_days=1, leave_share_per_day=1.0)
    assert told_by(story(ONE, customers=impatient)).by_key[0]["ending"] == Ending.TOO_LATE
    mean = Customers(charge_share=1.0, pays_cents=1.0)
    assert told_by(story(ONE, customers=mean)).by_key[0]["ending"] == Ending.TOO_DEAR
    paying = told_by(story(ONE, customers=Customers(charge_share=0.5))).by_key[0]
    assert (paying["ending"], paying["charged_cents"]) == (Ending.DELIVERED, 320)


def test_cancelled_orders_give_their_units_back() -> None:
    told = told_by(story(Orders(placed=[(20 * HOUR, {"cup": 2}, AT_DC)]), customers=Customers(cancel_share=1.0)))
    assert told.by_key[0]["ending"] in {Ending.CANCELLED, Ending.DELIVERED}
    assert told.ledger is not None
    assert told.ledger.shipped_units == told.by_key[0]["units_shipped"]


def test_without_reservations_orders_get_stock_when_they_are_routed() -> None:
    """Both customers see 10 cups; the run gives them to one, and the other waits until it is given up."""
    two = Orders(placed=[(9 * HOUR, {"cup": 6}, AT_DC), (9 * HOUR + 60, {"cup": 6}, AT_DC)])
    greedy = StoryPolicy(name="p", reserves=False)
    told = told_by(story(two, OF_DC, customers=Customers(waits_days=0.5)), greedy)
    assert sorted(told.by_key[n]["ending"] for n in (0, 1)) == [Ending.DELIVERED, Ending.CANCELLED]
    assert max(told.by_key[n]["units_backordered"] for n in (0, 1)) == 6


def test_lines_at_different_nodes_are_two_parcels() -> None:
    apart = {("dc", "cup"): 5, ("shop", "plate"): 5}
    order = told_by(story(Orders(placed=[(9 * HOUR, {"cup": 1, "plate": 1}, AT_SHOP)]), apart)).by_key[0]
    assert [(parcel["node"], parcel["units"]) for parcel in order["sent"]] == [(DC, 1), (SHOP, 1)]
    assert order["cost_cents"] == (900 + 100 + 20) + (500 + 200 + 50)


@pytest.mark.parametrize(
    ("bid_prices", "nodes", "cents"), [(False, [DC, SHOP, SHOP], 3320), (True, [SHOP, DC, SHOP], 2920)]
)
def test_bid_prices_keep_the_last_unit_for_the_order_that_needs_it_more(
    bid_prices: bool, nodes: list[int], cents: int
) -> None:
    """Far from both nodes, the DC is 130 cents cheaper; to those at its door, who come next, it is 530."""
    stock = {("dc", "cup"): 1, ("shop", "cup"): 5}
    placed = [(hour * HOUR, {"cup": 1}, where) for hour, where in ((9, (40.0, -90.0)), (11, AT_DC), (13, AT_DC))]
    told = told_by(story(Orders(placed=placed), stock), StoryPolicy(name="p", bid_prices=bid_prices))
    assert [told.by_key[n]["sent"][0]["node"] for n in range(3)] == nodes
    assert sum(order["cost_cents"] for order in told.by_key.values()) == cents


def test_books_that_do_not_balance_are_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supply that comes without being counted is found out at the end."""

    async def uncounted(self: Any, _: int, planned: PlannedSupply) -> None:
        await changing.receive(self._engine, planned)

    monkeypatch.setattr(changing.Changing, "_supply_comes", uncounted)
    supply = PlannedSupply(supply_id="po", node_id="dc", sku="cup", quantity=9, expected_s=HOUR)
    with pytest.raises(BooksDisagree, match="counted 398 units, and 407 are in stock"):
        told_by(story(ONE, supplies=[supply]))
