"""Customers: kept under seal, found by what only they know, exported, and erased for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from order_shop import HOME, NOON

from engine.customers.keys import CustomerKeys
from engine.customers.memory_store import MemoryCustomerStore
from engine.customers.model import Address, Profile
from engine.customers.sealing import new_key, opened, sealed
from engine.customers.service import CustomerService
from engine.customers.store import CustomersMoved, CustomerStore
from engine.errors import IllegalState, InvalidInput, NotFound, Unavailable
from engine.inventory.model import Replay
from engine.orders.destination import Destination
from engine.orders.life import Life
from engine.orders.memory_store import MemoryOrderStore
from engine.orders.model import Captured, Order
from engine.orders.personal import NOTHING_PERSONAL, Personal
from engine.routing.model import OrderLine
from tests.customers.conftest import SECRET

ANN = Profile(name="Ann", email="Ann@Example.com", phone="+1 (212) 555-0100", addresses=(Address(address_id="home"),))
HOUSE = Destination(latitude=44.04321, longitude=-93.1234, postal_code="55401", country="US")
TOLD = Personal(customer={"name": "Ann", "contact": {"email": "ann@example.com"}})


async def test_a_customer_is_shown_as_they_were_put(customers: CustomerService) -> None:
    first = await customers.put("cus-1", ANN)
    assert (first.version, first.profile) == (1, ANN)
    second = await customers.put("cus-1", Profile(name="Ann B"), expected_version=1)
    assert await customers.get("cus-1") == second
    assert second.version == 2
    with pytest.raises(IllegalState, match="at version 2, not 1"):
        await customers.put("cus-1", ANN, expected_version=1)
    with pytest.raises(NotFound, match="cus-9"):
        await customers.get("cus-9")


async def test_customers_are_found_by_address_and_number_however_they_are_written(customers: CustomerService) -> None:
    await customers.put("cus-1", ANN)
    await customers.put("cus-2", Profile(phone="0012125550100"))
    assert await customers.find(email=" ANN@example.com") == ["cus-1"]
    assert await customers.find(phone="1-212-555-0100") == ["cus-1", "cus-2"]
    assert await customers.find(phone="1-212-555-0100", email="ann@example.com") == ["cus-1"]
    assert await customers.find(email="bob@example.com") == []
    with pytest.raises(InvalidInput, match="give email or phone"):
        await customers.find()


async def test_an_erased_customer_is_gone_and_their_id_stays_so(
    customers: CustomerService, store: CustomerStore, clock
) -> None:
    """Catches a key made anew for a known id: what was sealed would stay lost, and the erased would be a customer."""
    await customers.put("cus-1", ANN)
    kept = await customers.seal.seal(TOLD, customer_id="cus-1", order_id="o-1", at=NOON, replay=None)
    life = Life(customer_id=kept.customer_id, sealed=kept.sealed)
    assert await customers.seal.opened(life) == TOLD
    erased = await customers.erase("cus-1")
    assert (erased.value.erased_at, erased.value.orders) == (clock.now(), 1)
    clock.move_to(clock.now().replace(hour=13))
    assert await customers.erase("cus-1") == erased
    assert await customers.seal.opened(life) is None
    assert await customers.find(email="ann@example.com") == []
    assert await customers.find_one("cus-1") is None
    for call in (
        customers.put("cus-1", ANN),
        customers.seal.seal(TOLD, customer_id="cus-1", order_id="o-2", at=NOON, replay=None),
    ):
        with pytest.raises(IllegalState, match="was erased"):
            await call
    with pytest.raises(NotFound, match="no customer 'cus-9'"):
        await customers.erase("cus-9")


async def test_an_erasure_is_answered_again_under_its_key(customers: CustomerService) -> None:
    await customers.put("cus-1", ANN)
    replay = Replay(digest="d1", fingerprint="f1")
    first = await customers.erase("cus-1", replay=replay)
    again = await customers.erase("cus-1", replay=replay)
    assert (first.value, first.replayed, again.replayed) == (again.value, False, True)


async def test_an_order_that_comes_while_its_customer_is_erased_is_looked_at(
    customers: CustomerService, store: CustomerStore
) -> None:
    """Catches an erasure that counts no orders: one captured after the check would lose its address on the way."""
    await customers.put("cus-1", ANN)
    await customers.seal.seal(TOLD, customer_id="cus-1", order_id="o-1", at=NOON, replay=None)
    with pytest.raises(CustomersMoved):
        await store.erase("cus-1", at_ms=1, orders=0)
    assert (await store.erase("cus-1", at_ms=1, orders=1)).value == 1


async def test_a_customer_with_open_orders_is_not_erased_unless_that_is_meant(
    customers: CustomerService, orders: MemoryOrderStore
) -> None:
    await customers.put("cus-1", ANN)
    await place(customers, orders, "o-1")
    with pytest.raises(IllegalState, match=r"1 orders that are not over \(o-1\)"):
        await customers.erase("cus-1")
    export = await customers.export("cus-1")
    assert (export.profile, export.orders[0].order_id, export.orders[0].customer) == (ANN, "o-1", TOLD.customer)
    assert (await customers.erase("cus-1", even_with_open_orders=True)).value.orders == 1


async def place(customers: CustomerService, orders: MemoryOrderStore, order_id: str) -> Order:
    kept = await customers.seal.seal(TOLD, customer_id="cus-1", order_id=order_id, at=NOON, replay=None)
    line = OrderLine(line_id="1", sku="MUG", quantity=1)
    captured = Captured(
        order_id=order_id, channel="web", destination=HOME, lines=(line,), demand=(line,), captured_at=NOON
    )
    life = Life(customer_id=kept.customer_id, sealed=kept.sealed)
    return (await orders.capture(captured, life=life)).value


async def test_the_same_data_of_the_same_customer_have_the_same_digest_and_another_seal(
    customers: CustomerService,
) -> None:
    async def seal(data: Personal, whose: str | None, order_id: str = "o-1"):
        return await customers.seal.seal(data, customer_id=whose, order_id=order_id, at=NOON, replay=None)

    first, again = await seal(TOLD, "cus-1"), await seal(TOLD, "cus-1")
    assert (first.digest, first.sealed != again.sealed) == (again.digest, True)
    assert (await seal(Personal(customer={"name": "Bob"}), "cus-1")).digest != first.digest
    assert (await seal(TOLD, "cus-2")).digest != first.digest
    guest = await seal(TOLD, None)
    assert guest.customer_id.startswith("guest_")
    assert (await seal(TOLD, None)).digest == guest.digest
    assert (await seal(TOLD, None, "o-2")).customer_id != guest.customer_id
    assert (await seal(NOTHING_PERSONAL, "cus-1")).sealed == ""
    assert await customers.find(email="ann@example.com") == sorted(
        {"cus-1", "cus-2", guest.customer_id, (await seal(TOLD, None, "o-2")).customer_id}
    )


async def test_what_is_sealed_opens_with_its_key_for_its_purpose_only() -> None:
    key = new_key()
    closed = sealed(key, b"Ann", "order")
    assert opened(key, closed, "order") == b"Ann"
    assert b"Ann" not in closed
    for other, bound_to in ((new_key(), "order"), (key, "customer")):
        with pytest.raises(Unavailable):
            opened(other, closed, bound_to)


async def test_wrapped_keys_need_the_secret(orders: MemoryOrderStore, clock) -> None:
    store = MemoryCustomerStore(clock)
    await CustomerService(store, CustomerKeys(store, "main", SECRET), orders, clock).put("cus-1", ANN)
    with pytest.raises(Unavailable, match="ALLOT_CUSTOMERS_SECRET"):
        await CustomerService(store, CustomerKeys(store, "main", None), orders, clock).get("cus-1")
    with pytest.raises(Unavailable, match="do not open"):
        await CustomerService(store, CustomerKeys(store, "main", b"another"), orders, clock).get("cus-1")


async def test_keys_without_a_secret_may_be_wrapped_later(orders: MemoryOrderStore, clock) -> None:
    store = MemoryCustomerStore(clock)
    await CustomerService(store, CustomerKeys(store, "main", None), orders, clock).put("cus-1", ANN)
    found = await CustomerService(store, CustomerKeys(store, "main", SECRET), orders, clock).get("cus-1")
    assert found.profile == ANN


async def test_faults_of_customers_name_their_place_and_show_nothing_personal(customers: CustomerService) -> None:
    wrong = Profile(
        name="x" * 401,
        email="ann at home",
        phone="call me",
        language="English",
        channels=("pigeon",),
        addresses=(Address(address_id="a", country="usa"), Address(address_id="a", city="\n")),
    )
    with pytest.raises(InvalidInput) as caught:
        await customers.put("cus-1", wrong)
    assert {fault.path: fault.message for fault in caught.value.faults} == {
        "$.name": "has 401 characters; give 400 at most",
        "$.email": "is no e-mail address; give one such as ann@example.com",
        "$.phone": "is no telephone number; give one such as +44 20 7946 0000",
        "$.language": "'English' is no language; give one such as en",
        "$.channels[0]": "'pigeon' is no channel; use one of: email, webhook",
        "$.addresses[0].country": "'usa' is no country; give two capital letters of ISO 3166, such as US",
        "$.addresses[1].city": "has control characters; leave them out",
        "$.addresses[1].address_id": "'a' repeats $.addresses[0].address_id; give each its own",
    }
    with pytest.raises(InvalidInput, match="ids are kept in the clear"):
        await customers.put("ann@example.com", ANN)


async def test_an_order_under_way_keeps_where_it_goes_until_it_is_over(
    customers: CustomerService, orders: MemoryOrderStore, clock
) -> None:
    """Catches an erasure that forgets the orders which were not over when it was asked for."""
    await customers.put("cus-1", ANN)
    kept = await customers.seal.seal(TOLD, customer_id="cus-1", order_id="o-1", at=NOON, replay=None)
    line = OrderLine(line_id="1", sku="MUG", quantity=1)
    captured = Captured(
        order_id="o-1", channel="web", destination=HOUSE, lines=(line,), demand=(line,), captured_at=NOON
    )
    replay = Replay(digest="d1", fingerprint="f1")
    life = Life(customer_id="cus-1", sealed=kept.sealed)
    await orders.capture(captured, life=life, replay=replay)
    await customers.erase("cus-1", even_with_open_orders=True)
    assert (await orders.get("o-1")).destination == HOUSE
    assert await customers.step() == 0
    await orders.cancel("o-1")
    clock.move_to(clock.now() + timedelta(hours=1))
    assert await customers.step() == 1
    for order in (await orders.get("o-1"), (await orders.capture(captured, life=life, replay=replay)).value):
        assert order.destination == Destination(latitude=44.0, longitude=-93.1, postal_code="554", country="US")
        assert order.life == Life(customer_id="cus-1")
    assert [each.note.event for each in await orders.history("o-1") if each.note] == ["personal_data_cleared"]
    clock.move_to(clock.now() + timedelta(hours=25))
    assert (await customers.step(), await customers.step()) == (1, 0)
