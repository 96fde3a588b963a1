"""Pick-up orders stay at their store: with what it has, or with parcels that other nodes send there.

`soho` is a store between the two nodes of the world, a van of `east` goes there in a day, and far away in three.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine.delivery.promised import PromisedParcel, PromisedTerms, text_of
from engine.inventory.model import Hold, HoldLine
from engine.network.document import NetworkDocument
from engine.orders.changing import OrderChanges
from engine.orders.closing import NodeClosures
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.orders.steering_service import OrderSteering
from engine.promising.model import PromiseRequest, WantedLine
from engine.routing.run_model import RunRequest
from solvers.params import Method

if TYPE_CHECKING:
    from conftest import World

ALL = RunRequest()
FRIDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
async def shop(world: World, network_document: dict[str, Any]) -> World:
    rates = [
        {"zone": "near", "max_weight_g": 5000, "cost_cents": 200, "transit_days": 1},
        {"zone": "far", "max_weight_g": 5000, "cost_cents": 700, "transit_days": 3},
    ]
    van = {"service": "van", "carrier": "own", "service_level": "ship_to_store", "calendar": "weekdays"}
    network_document["services"].append(van | {"rates": rates})
    hours = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "10:00", "to": "18:00"}]
    place = {"latitude": 40.72, "longitude": -74.0, "time_zone": "America/New_York", "calendar": "weekdays"}
    network_document["nodes"].append(
        {"node_id": "soho", "kind": "store", **place, "store_pickup": {"hours": hours, "picking_minutes": 90}}
    )
    await world.networks.put(NetworkDocument.model_validate(network_document))
    return world


async def pick_up(world: World, order_id: str, *skus: str, **terms: Any) -> None:
    """Capture an order of one unit each, by a customer next to `east`, to be picked up in soho."""
    lines = tuple(NewLine(sku=sku, quantity=1) for sku in skus)
    place = Destination(latitude=40.7, longitude=-74.0)
    order = NewOrder(order_id=order_id, channel="web", destination=place, lines=lines, pickup_node_id="soho", **terms)
    await world.orders.capture(order)


async def rows(world: World, order_id: str) -> list[tuple[str, str | None, str | None, date | None]]:
    allocation = (await world.orders.get(order_id)).allocation
    return [(row.sku, row.node_id, row.service, row.ship_on) for row in allocation]


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_a_pick_up_is_handed_over_at_its_store(shop: World, method: Method) -> None:
    """East is nearer to the customer and has a mug too; catches a run that sends it to the customer."""
    await shop.count(soho={"MUG": 1}, east={"MUG": 1})
    await pick_up(shop, "o1", "MUG")
    run = await shop.runs().execute(RunRequest(method=method))
    assert run.unrouted == ()
    assert await rows(shop, "o1") == [("MUG", "soho", "pickup", FRIDAY)]
    assert (await shop.position("soho", "MUG")).confirmed == 1


async def test_what_the_store_lacks_comes_by_services_that_go_to_stores(shop: World) -> None:
    """Air is no way to a store, and ground is not either, though cheaper than nothing."""
    await shop.count(soho={"MUG": 1}, east={"TEA": 1})
    await pick_up(shop, "o1", "MUG", "TEA")
    await shop.runs().execute(ALL)
    assert await rows(shop, "o1") == [("MUG", "soho", "pickup", FRIDAY), ("TEA", "east", "van", FRIDAY)]


@pytest.mark.parametrize("method", [Method.AUTO, Method.ONE_BY_ONE, Method.NEAREST, Method.EXACT])
async def test_a_van_to_stores_brings_nothing_to_customers(shop: World, method: Method) -> None:
    """It is the cheapest service of all. Catches copies for pick-ups that other orders may use."""
    await shop.count(east={"MUG": 3}, soho={"POT": 1})
    await pick_up(shop, "o1", "MUG")
    await shop.order("o2", {"MUG": 1})
    await shop.order("o3", {"POT": 1})
    await shop.order("o4", {"MUG": 1}, service_level="expedited")
    await shop.runs().execute(RunRequest(method=method))
    assert [row[2] for row in await rows(shop, "o1")] == ["van"]
    assert [row[1] for row in await shop.sourced("o2")] == ["ground"]
    assert [row[:2] for row in await shop.sourced("o3")] == [("soho", "ground")]
    assert [row[1] for row in await shop.sourced("o4")] == ["air"]


@pytest.mark.parametrize(
    ("level", "expected"), [("pickup", (None, None)), ("ship_to_store", ("east", "van")), (None, ("east", "van"))]
)
async def test_the_service_level_of_a_pick_up_says_which_of_both(
    shop: World, level: str | None, expected: tuple[str | None, str | None]
) -> None:
    await shop.count(east={"MUG": 1})
    await pick_up(shop, "o1", "MUG", service_level=level)
    run = await shop.runs().execute(ALL)
    assert [row[1:3] for row in await rows(shop, "o1")] == [expected]
    assert [entry.reason for entry in run.unrouted] == ([] if expected[0] else ["no_eligible_node"])


async def test_a_pick_up_that_a_store_cannot_get_waits(shop: World, network_document: dict[str, Any]) -> None:
    """The west has a mug, and its van is not in the network any more: it goes to nobody."""
    network_document["services"].pop()
    await shop.networks.put(NetworkDocument.model_validate(network_document))
    await shop.count(west={"MUG": 1})
    await pick_up(shop, "o1", "MUG")
    run = await shop.runs().execute(ALL)
    assert [(entry.order_id, entry.reason) for entry in run.unrouted] == [("o1", "no_eligible_node")]


@pytest.mark.parametrize(("days", "service"), [(3, "van"), (2, None)])
async def test_a_parcel_to_a_store_is_there_when_the_store_has_taken_it_in(
    shop: World, days: int, service: str | None
) -> None:
    """It leaves on Friday, arrives on Monday, and may be picked up on Tuesday; catches the day of arrival itself."""
    await shop.count(east={"MUG": 1})
    await pick_up(shop, "o1", "MUG", need_by=FRIDAY + timedelta(days=days + 1))
    await shop.runs().execute(ALL)
    assert [row[2] for row in await rows(shop, "o1")] == [service]


async def test_after_closing_a_pick_up_is_for_the_next_day_of_opening(shop: World) -> None:
    """It is 17:00 on Friday, and picking takes 90 minutes: on Monday, though the node hands over until its cut-off."""
    shop.clock.advance(timedelta(hours=7))
    await shop.count(soho={"MUG": 1})
    await pick_up(shop, "o1", "MUG")
    await shop.runs().execute(ALL)
    assert await rows(shop, "o1") == [("MUG", "soho", "pickup", MONDAY)]


@pytest.mark.parametrize("stock", [{"soho": {"MUG": 1}}, {"east": {"MUG": 1}}, {"west": {"MUG": 1}}])
@pytest.mark.parametrize("hours", [0, 5, 9, 60])
async def test_a_pick_up_is_routed_as_it_was_promised(shop: World, stock: dict[str, Any], hours: int) -> None:
    """From option to order: node, service and day are those of the promise, by whichever way it comes."""
    shop.clock.advance(timedelta(hours=hours))
    await shop.count(**stock)
    request = PromiseRequest(lines=(WantedLine(sku="MUG", quantity=1),), pickup_node_id="soho")
    promise = await shop.promising.promise(request)
    option = promise.options[0]
    promised = await shop.promising.promised_hold(promise.promise_id, option.option_id)
    today = {line.node_id: FRIDAY.toordinal() for line in promised.lines}
    hold = Hold(
        reservation_id="res_1",
        lines=promised.lines,
        promised_on=promised.promised_on,
        promised=promised.promised,
    )
    await shop.stock.hold(hold, today=today)
    await shop.orders.capture(
        NewOrder(
            order_id="o1",
            channel="web",
            destination=Destination(),
            lines=(NewLine(sku="MUG", quantity=1),),
            reservation_id="res_1",
        )
    )
    await shop.runs().execute(ALL)
    (parcel,) = option.shipments
    assert await rows(shop, "o1") == [("MUG", parcel.node_id, parcel.service, parcel.ship_on)]


async def test_a_parcel_that_leaves_as_promised_keeps_its_promise_whatever_history_says_since(shop: World) -> None:
    """Promised for Monday by ground; before the run, history learns that ground takes until Wednesday.

    Catches a run that compares days of two histories: it sends the mug by air, or not at all from where it is held.
    """
    await shop.learn(5.0)
    await shop.count(east={"MUG": 1})
    parcel = PromisedParcel(node_id="east", service="ground", ship_on=FRIDAY, weight_g=400)
    terms = PromisedTerms(service_level="standard", p50=MONDAY, p90=MONDAY, parcels=(parcel,))
    line = HoldLine(sku="MUG", quantity=1, node_id="east")
    hold = Hold(reservation_id="res_1", lines=(line,), promised_on=MONDAY, promised=text_of(terms))
    await shop.stock.hold(hold, today={"east": FRIDAY.toordinal()})
    await shop.stock.confirm("res_1")
    await shop.order("o1", {"MUG": 1}, reservation_id="res_1")
    await shop.runs().execute(ALL)
    assert await shop.sourced("o1") == [("east", "ground", "2026-11-20")]


async def test_a_parcel_that_missed_its_day_is_upgraded_to_keep_the_promise(shop: World) -> None:
    """Promised for Tuesday by a parcel of Friday, routed on Monday: ground would come on Tuesday next, air in time."""
    await shop.count(west={"MUG": 1})
    parcel = PromisedParcel(node_id="west", service="ground", ship_on=FRIDAY, weight_g=400)
    terms = PromisedTerms(service_level="standard", p50=TUESDAY, p90=TUESDAY, parcels=(parcel,))
    line = HoldLine(sku="MUG", quantity=1, node_id="west")
    hold = Hold(reservation_id="res_1", lines=(line,), promised_on=TUESDAY, promised=text_of(terms))
    await shop.stock.hold(hold, today={"west": FRIDAY.toordinal()})
    await shop.stock.confirm("res_1")
    await shop.order("o1", {"MUG": 1}, reservation_id="res_1")
    shop.clock.advance(timedelta(days=3))
    await shop.runs().execute(ALL)
    assert await shop.sourced("o1") == [("west", "air", "2026-11-23")]


async def test_orders_to_be_picked_up_at_a_store_that_is_switched_off_are_told_to_people_and_sent_nowhere(
    shop: World,
) -> None:
    """One has its units there already, one was never routed.

    Catches closures that look at routed orders alone, and runs that send parcels to a store that is off.
    """
    await shop.count(soho={"MUG": 1}, east={"MUG": 9})
    await pick_up(shop, "o1", "MUG")
    await shop.runs().execute(ALL)
    await pick_up(shop, "o2", "MUG")
    await shop.order("o3", {"MUG": 1})
    steering = OrderSteering(OrderChanges(shop.book, shop.clock), shop.reference, most_rejections=1)
    closures = NodeClosures(shop.documents, shop.book, steering, shop.runs(), shop.reference, shop.clock)
    await closures.close("soho", "burst pipe")
    await closures.tend()
    found = await closures.find("soho")
    assert found is not None
    assert (found.opened_orders, found.pickup_orders, found.pickup_order_ids) == (1, 2, ("o1", "o2"))
    run = await shop.runs().execute(ALL)
    assert {(entry.order_id, entry.reason) for entry in run.unrouted} == {
        ("o1", "pickup_node_off"),
        ("o2", "pickup_node_off"),
    }
    assert [row[1] for name in ("o1", "o2", "o3") for row in await rows(shop, name)] == [None, "east"]
