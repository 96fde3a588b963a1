"""Orders know how they are delivered: what their reservation was promised, what they say themselves, and what is wrong.

On every store: in memory, in one partition and in four.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from engine.availability.reference import Reference
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.delivery.promised import PromisedParcel, PromisedTerms, terms_of, text_of
from engine.errors import InvalidInput
from engine.inventory.model import Hold, HoldLimit, HoldLine, PositionCount, Replay, Reservation
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.orders.service import OrderService
from engine.orders.store import OrderStore
from engine.routing.model import AllocationRow, OrderAllocation
from engine.storage.documents import MemoryDocumentStore

TODAY = date(2026, 11, 22)
SOON, LATER = TODAY + timedelta(days=2), TODAY + timedelta(days=4)
TERMS = PromisedTerms(
    service_level="ship_to_store",
    p50=SOON,
    p90=LATER,
    parcels=(PromisedParcel(node_id="south", service="van", ship_on=TODAY, weight_g=600),),
    pickup_node_id="north",
    wanted_level="ship_to_store",
    time_zone="America/Chicago",
)
DAYS = {"north": TODAY.toordinal(), "south": TODAY.toordinal()}
ORDER = NewOrder(channel="web", destination=Destination(), lines=(NewLine(sku="MUG", quantity=2),), order_id="o1")
HOME = Destination(latitude=44.9, longitude=-93.2)


def hold(reservation_id: str = "res_1", **more: Any) -> Hold:
    lines = (HoldLine(sku="MUG", quantity=2, node_id="south"), HoldLine(sku="TEA", quantity=1, node_id="south"))
    return Hold(reservation_id=reservation_id, lines=lines, promised_on=LATER, **more)


@pytest.fixture
def catalog_document() -> CatalogDocument:
    return CatalogDocument.model_validate(
        {
            "products": [
                {"sku": "MUG", "weight_g": 300},
                {"sku": "TEA", "weight_g": 100},
                {"sku": "NAIL", "weight_g": 1, "min_quantity": 20, "quantity_step": 10},
            ],
            "kits": [
                {"sku": "SET", "components": [{"sku": "MUG", "quantity": 2}, {"sku": "TEA", "quantity": 1}]},
                {"sku": "BOX", "components": [{"sku": "SET", "quantity": 1}], "ships_split": True},
            ],
        }
    )


@pytest.fixture
async def service(
    orders: OrderStore,
    inventory: InventoryStore,
    clock: SettableClock,
    network_document: NetworkDocument,
    catalog_document: CatalogDocument,
) -> OrderService:
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    vendor = network_document.nodes[1].model_copy(update={"node_id": "maker", "kind": "vendor"})
    await networks.put(network_document.model_copy(update={"nodes": (*network_document.nodes, vendor)}))
    await catalogs.put(catalog_document)
    counts = [PositionCount(node_id=n, sku=s, on_hand=9) for n in ("north", "south") for s in ("MUG", "TEA")]
    await inventory.put_positions(counts)
    return OrderService(orders, inventory, Reference(documents, networks, catalogs), clock)


async def test_a_reservation_keeps_what_its_promise_said_through_every_step(
    service: OrderService, inventory: InventoryStore
) -> None:
    """Catches each place where a reservation is put together anew: a reply, a key that comes again, a change of state.

    The second hold counts among the open ones of somebody, the third waits for a supply day by day.
    """
    text = text_of(TERMS)
    limit = HoldLimit(holder="web", most=5)
    dated = replace(hold("res_3"), lines=(HoldLine(sku="MUG", quantity=1, node_id="south", ship_on=LATER),))
    holds = [hold(promised=text), hold("res_2", promised=text, limit=limit), replace(dated, promised=text)]
    for number, wanted in enumerate(holds):
        replay = Replay(digest=f"key-{number}", fingerprint="same")
        for _ in range(2):
            held = (await inventory.hold(wanted, today=DAYS, replay=replay)).value
            assert (held.promised, held.promised_on) == (text, LATER)
        again = await inventory.hold(wanted, today=DAYS)
        assert again.value.promised == text
        name = held.reservation_id  # over several partitions, a key names a reservation of its own
        assert (await inventory.extend(name, 900)).value.promised == text
        assert (await inventory.confirm(name)).value.promised == text
        found = await inventory.get_reservation(name)
        assert terms_of(found.promised) == TERMS


async def test_holds_of_one_call_keep_what_was_promised_of_each(
    service: OrderService, inventory: InventoryStore
) -> None:
    text = text_of(TERMS)
    held = (await inventory.hold_many([hold("res_1", promised=text), hold("res_2")], today=DAYS)).value
    assert [one.promised if isinstance(one, Reservation) else one for one in held] == [text, None]
    assert [(await inventory.get_reservation(name)).promised for name in ("res_1", "res_2")] == [text, None]


async def test_an_order_takes_its_store_level_and_day_from_what_was_promised(
    service: OrderService, inventory: InventoryStore, orders: OrderStore
) -> None:
    """Without it the order had a destination, to which it was routed."""
    await inventory.hold(hold(promised=text_of(TERMS)), today=DAYS)
    order = (await service.capture(replace(ORDER, reservation_id="res_1"))).value
    assert (order.captured.picked_up_at, order.captured.wanted_level) == ("north", "ship_to_store")
    assert (order.captured.promised_on, order.captured.promised) == (LATER, TERMS)
    assert order.captured.destination.latitude == 45.0
    assert await service.get("o1") == order
    (seen,) = await orders.open_orders(["o1"])
    assert (seen.pickup_node_id, seen.service_level) == ("north", "ship_to_store")
    assert (seen.promised_on, seen.promised_parcels) == (LATER, TERMS.parcels)
    assert seen.time_zone == "America/Chicago"
    again = (await service.capture(replace(ORDER, reservation_id="res_1"))).value
    assert again == order


async def test_a_backordered_order_still_knows_its_store(
    service: OrderService, inventory: InventoryStore, orders: OrderStore
) -> None:
    """The run swaps its reservation for one of its own, which nobody promised; catches terms read from there."""
    await inventory.hold(hold(promised=text_of(TERMS)), today=DAYS)
    await service.capture(replace(ORDER, reservation_id="res_1", lines=(NewLine(sku="SET", quantity=1),)))
    rows = (
        AllocationRow(line_id="1/MUG", sku="MUG", quantity=2, node_id="north", service="pickup", ship_on=TODAY),
        AllocationRow(line_id="1/TEA", sku="TEA", quantity=1),
    )
    days = dict.fromkeys(DAYS, TODAY)
    await orders.commit("run_1", [OrderAllocation(order_id="o1", rows=rows)], capacities={}, today=days)
    assert (await service.get("o1")).reservation_id != "res_1"
    (seen,) = await orders.open_orders()
    assert (seen.pickup_node_id, seen.promised_on) == ("north", LATER)
    assert seen.whole == (frozenset({"1/MUG", "1/TEA"}),)


async def test_an_order_may_name_its_store_itself(service: OrderService, orders: OrderStore) -> None:
    await service.capture(replace(ORDER, pickup_node_id="north"))
    (seen,) = await orders.open_orders()
    assert (seen.pickup_node_id, seen.promised_on, seen.latitude) == ("north", None, 45.0)


async def test_an_order_says_what_kind_of_address_it_goes_to(service: OrderService, orders: OrderStore) -> None:
    place = replace(HOME, residential=True, is_po_box=True, time_zone="Asia/Tokyo")
    await service.capture(replace(ORDER, destination=place))
    (seen,) = await orders.open_orders()
    assert (seen.residential, seen.is_po_box, seen.time_zone) == (True, True, "Asia/Tokyo")


async def test_kits_stay_together_unless_they_may_be_split(service: OrderService, orders: OrderStore) -> None:
    for order_id, sku in (("o1", "SET"), ("o2", "BOX")):
        lines = (NewLine(sku=sku, quantity=1),)
        await service.capture(replace(ORDER, order_id=order_id, destination=HOME, lines=lines))
    assert [order.whole for order in await orders.open_orders()] == [(frozenset({"1/MUG", "1/TEA"}),), ()]


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        (
            {"pickup_node_id": "nort", "destination": HOME},
            "$.pickup_node_id",
            "unknown node 'nort'; did you mean 'north'?",
        ),
        (
            {"pickup_node_id": "maker"},
            "$.pickup_node_id",
            "'maker' is a vendor, which ships only; name a store, or leave it out",
        ),
        ({}, "$.destination", "give latitude and longitude, or postal_code and country"),
        (
            {"destination": HOME, "service_level": "pickup"},
            "$.pickup_node_id",
            "the service level 'pickup' needs a pickup_node_id; add it",
        ),
        (
            {"pickup_node_id": "north", "service_level": "standard"},
            "$.service_level",
            "'standard' goes to no store; a pick-up has the level 'pickup' or 'ship_to_store', or none",
        ),
        (
            {"destination": replace(HOME, time_zone="Mars/Base")},
            "$.destination.time_zone",
            "unknown time zone 'Mars/Base'",
        ),
        (
            {"destination": HOME, "lines": (NewLine(sku="NAIL", quantity=19),)},
            "$.lines[0].quantity",
            "19 of 'NAIL' is less than its least quantity; ask for 20 or more",
        ),
        (
            {"destination": HOME, "lines": (NewLine(sku="NAIL", quantity=25),)},
            "$.lines[0].quantity",
            "25 of 'NAIL' is no multiple of 10; ask for 30, or 20",
        ),
    ],
)
async def test_what_is_wrong_is_named(service: OrderService, wrong: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await service.capture(replace(ORDER, **wrong))
    (fault,) = refusal.value.faults
    assert fault.path == path
    assert fault.message.startswith(message)


@pytest.mark.parametrize(("promised", "said"), [("north", "picked up at 'north'"), (None, "delivered to an address")])
async def test_an_order_is_not_picked_up_elsewhere_than_promised(
    service: OrderService, inventory: InventoryStore, promised: str | None, said: str
) -> None:
    """Its stock is on the way to another place."""
    terms = PromisedTerms(service_level="pickup", p50=SOON, p90=SOON, pickup_node_id=promised)
    await inventory.hold(hold(promised=text_of(terms)), today=DAYS)
    with pytest.raises(InvalidInput, match=said):
        await service.capture(replace(ORDER, reservation_id="res_1", pickup_node_id="south"))


async def test_least_quantities_and_multiples_can_be_had(service: OrderService) -> None:
    for number, quantity in enumerate((20, 30)):
        lines = (NewLine(sku="NAIL", quantity=quantity),)
        await service.capture(replace(ORDER, order_id=f"n{number}", destination=HOME, lines=lines))
