from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from engine.availability.reference import Reference
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.customers.keys import CustomerKeys
from engine.customers.memory_store import MemoryCustomerStore
from engine.customers.order_seal import CustomerSeal
from engine.errors import IllegalState, InvalidInput, NotFound
from engine.inventory.model import Hold, HoldLine, PositionCount, Replay
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.orders.destination import Destination
from engine.orders.model import NewLine, NewOrder
from engine.orders.service import OrderService
from engine.orders.store import OrderStore
from engine.storage.documents import MemoryDocumentStore

HOME = Destination(postal_code="55414", country="US")
ORDER = NewOrder(channel="web", destination=HOME, lines=(NewLine(sku="MUG", quantity=2),))


@pytest.fixture
def empty(orders: OrderStore, inventory: InventoryStore, clock: SettableClock) -> OrderService:
    documents = MemoryDocumentStore()
    return OrderService(
        orders, inventory, Reference(documents, NetworkService(documents), CatalogService(documents)), clock
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
    await networks.put(network_document)
    await catalogs.put(catalog_document)
    seal = CustomerSeal(CustomerKeys(MemoryCustomerStore(clock), "main", None))
    return OrderService(orders, inventory, Reference(documents, networks, catalogs), clock, seal=seal)


async def test_an_order_without_an_id_gets_one(service: OrderService, clock: SettableClock) -> None:
    first, second = [(await service.capture(ORDER)).value for _ in range(2)]
    assert first.order_id.startswith("ord_")
    assert first.order_id != second.order_id
    assert first.captured.captured_at == clock.now()
    assert first.captured.destination.latitude == 44.9
    assert await service.get(first.order_id) == first
    assert len(await service.history(first.order_id)) == 1


async def test_a_retry_of_an_order_without_an_id_gets_the_same_id(service: OrderService) -> None:
    """Catches an id that is made anew on a retry: the customer would get two parcels."""
    key = Replay(digest="d" * 64, fingerprint="f" * 64)
    first, again = [await service.capture(ORDER, replay=key) for _ in range(2)]
    assert (first.replayed, again.replayed) == (False, True)
    assert first.value == again.value


async def test_a_retry_gets_the_first_answer_even_if_the_catalog_has_moved(
    orders: OrderStore,
    inventory: InventoryStore,
    clock: SettableClock,
    network_document: NetworkDocument,
    catalog_document: CatalogDocument,
) -> None:
    """Catches a check that comes before the idempotency record: the shop would be told 400 about an order it has."""
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    await networks.put(network_document)
    await catalogs.put(catalog_document)
    service = OrderService(orders, inventory, Reference(documents, networks, catalogs), clock)
    key = Replay(digest="e" * 64, fingerprint="f" * 64)
    first = await service.capture(ORDER, replay=key)
    await catalogs.put(CatalogDocument.model_validate({"products": [{"sku": "OTHER", "weight_g": 1}]}))
    again = await service.capture(ORDER, replay=key)
    assert (again.replayed, again.value) == (True, first.value)
    with pytest.raises(InvalidInput):
        await service.capture(ORDER, replay=Replay(digest="a" * 64, fingerprint="f" * 64))


async def test_an_order_is_due_when_its_reservation_was_promised(
    service: OrderService, orders: OrderStore, inventory: InventoryStore
) -> None:
    """Seeded bug this catches: the promise forgotten at the order, and express stock sent by ground."""
    await inventory.put_positions([PositionCount(node_id="north", sku="MUG", on_hand=9)])
    for order_id, need_by in (("kept", None), ("sooner", date(2026, 12, 1))):
        line = HoldLine(sku="MUG", quantity=2, node_id="north")
        hold = Hold(reservation_id=f"res_{order_id}", lines=(line,), promised_on=date(2026, 12, 4))
        await inventory.hold(hold, today={"north": date(2026, 11, 22).toordinal()})
        order = replace(ORDER, order_id=order_id, reservation_id=f"res_{order_id}", need_by=need_by)
        first = (await service.capture(order)).value
        assert first.captured.promised_on == date(2026, 12, 4)
        assert (await service.capture(order)).value == first
    assert {order.order_id: (order.need_by, order.promised_on) for order in await orders.open_orders()} == {
        "kept": (None, date(2026, 12, 4)),
        "sooner": (date(2026, 12, 1), date(2026, 12, 4)),
    }


async def test_an_order_that_is_wrong_is_not_kept(service: OrderService) -> None:
    with pytest.raises(InvalidInput):
        await service.capture(replace(ORDER, order_id="ord_1", lines=(NewLine(sku="CUP", quantity=1),)))
    with pytest.raises(NotFound):
        await service.get("ord_1")


async def test_of_many_orders_none_is_kept_if_one_is_wrong(service: OrderService, orders: OrderStore) -> None:
    wrong = replace(ORDER, lines=(NewLine(sku="MUG", quantity=1), NewLine(sku="CUP", quantity=1)))
    with pytest.raises(InvalidInput) as caught:
        await service.capture_many([ORDER, wrong, replace(wrong, destination=Destination())])
    assert [fault.path for fault in caught.value.faults] == [
        "$[1].lines[1].sku",
        "$[2].destination",
        "$[2].lines[1].sku",
    ]
    assert await orders.open_orders() == []


async def test_many_orders_are_kept_in_their_order(service: OrderService, orders: OrderStore) -> None:
    many = [replace(ORDER, order_id=f"ord_{number}") for number in range(600)]
    kept = await service.capture_many(many)
    assert [order.order_id for order in kept] == [order.order_id for order in many]
    assert [order.order_id for order in await orders.open_orders()] == [order.order_id for order in many]


async def test_an_order_is_cancelled_once(service: OrderService) -> None:
    order = (await service.capture(ORDER)).value
    assert (await service.cancel(order.order_id)).value.state == "cancelled"
    assert (await service.cancel(order.order_id)).value.state == "cancelled"
    with pytest.raises(IllegalState, match="another order"):
        await service.capture(replace(ORDER, order_id=order.order_id, channel="phone"))


async def test_without_a_network_and_a_catalog_nothing_is_captured(empty: OrderService) -> None:
    with pytest.raises(NotFound, match="network"):
        await empty.capture(ORDER)


@pytest.mark.parametrize(
    "change",
    [
        lambda order: replace(order, channel="phone"),
        lambda order: replace(order, lines=(NewLine(sku="MUG", quantity=3),)),
        lambda order: replace(order, customer={"name": "Zoë"}),
        lambda order: replace(order, destination=Destination(latitude=1.0, longitude=2.0)),
    ],
)
async def test_any_difference_makes_it_another_order(
    service: OrderService, change: Callable[[NewOrder], NewOrder]
) -> None:
    order = replace(ORDER, order_id="ord_1", customer={"a": 1, "b": [1, 2]})
    await service.capture(order)
    await service.capture(replace(order, customer={"b": [1, 2], "a": 1}))
    with pytest.raises(IllegalState):
        await service.capture(change(order))
