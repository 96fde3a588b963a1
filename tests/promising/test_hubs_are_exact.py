"""Options with hubs against every way of bringing the lines: which node ships or sends each, by which service.

Random small networks with one or two hubs, worked out day by day in plain Python: cost, day of arrival and parcels. The
options are the whole front of what is possible. Seeded bugs that this catches: a node that sends to a hub and ships
too, or sends twice; a hub that ships two parcels; a transfer that is there after the hub's cut-off, or after a service
has been there, and goes on the same day; units that are paid twice; own lines of a hub that wait like transfers.

In half of the networks units are worth something to later demand, where they are: options are ranked by that too, and
no cost has it. Seeded bugs: what is sent to a hub counts at the hub, or twice, or stands in what a transfer costs.

Where no service that comes to a node takes all lines, the node may ship a parcel by each service, unless lines share a
product: half of the products are of two classes, and services refuse one or none.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.availability.reference import Reference
from engine.bidding.document import BidPricesDocument
from engine.bidding.service import BidPriceService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import PositionCount, Supply
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.promising.model import Destination, Option, PromiseRequest, WantedLine
from engine.promising.service import PromiseService
from engine.promising.store import MemoryPromiseStore
from engine.storage.documents import MemoryDocumentStore
from tests.promising.hub_book import Book, Worth, every_plan
from tests.promising.hub_cases import NODES, Case, apart, random_case


def units_of(case: Case, served: frozenset[int]) -> int:
    return sum(case.lines[line][1] for line in served)


def front(worths: set[Worth]) -> list[Worth]:
    return sorted(
        one for one in worths if not any(o != one and all(a <= b for a, b in zip(o, one, strict=True)) for o in worths)
    )


async def answer(case: Case) -> tuple[tuple[Option, ...], Any]:
    clock = SettableClock(case.now)
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    await networks.put(NetworkDocument.model_validate(case.network))
    products = [
        {"sku": sku, "weight_g": weight_g, "handling_classes": [name] if (name := case.classes[sku]) else []}
        for sku, weight_g in case.weights.items()
    ]
    await catalogs.put(CatalogDocument.model_validate({"products": products}))
    bid_prices = BidPriceService(documents)
    rows = [{"node_id": node, "sku": sku, "price_cents": cents} for (node, sku), cents in case.prices.items()]
    await bid_prices.put(BidPricesDocument.model_validate({"prices": rows}))
    inventory = MemoryInventoryStore(clock)
    supplies = []
    for (node, sku), levels in case.stock.items():
        await inventory.put_positions([PositionCount(node_id=node, sku=sku, on_hand=levels[0][1])])
        supplies += [
            Supply(supply_id=f"{node}-{sku}", node_id=node, sku=sku, quantity=level - levels[0][1], expected_on=day)
            for day, level in levels[1:]
        ]
    await inventory.put_supplies(supplies, today=dict.fromkeys(NODES, case.today.toordinal()))
    service = PromiseService(
        reference=Reference(documents, networks, catalogs, bid_prices=bid_prices),
        inventory=inventory,
        promises=MemoryPromiseStore(clock),
        clock=clock,
    )
    lines = tuple(WantedLine(sku=sku, quantity=quantity) for sku, quantity in case.lines)
    place = Destination(latitude=40.0, longitude=-76.0)
    promise = await service.promise(PromiseRequest(lines=lines, destination=place, **case.request))
    held = [await service.promised_hold(promise.promise_id, option.option_id) for option in promise.options]
    return promise.options, held


def check(case: Case, option: Option) -> None:
    """An option sums up, and each of its parcels is by the book."""
    book, services = Book(case), {s["service"]: s for s in case.network["services"]}
    total = worth = 0
    for shipment in option.shipments:
        lines = {line.line_id: int(line.line_id) - 1 for line in shipment.lines}
        service = services[shipment.service]
        sources: dict[str, tuple[int, ...]] = {}
        for transfer in shipment.consolidates or ():
            sources[transfer.node_id] = tuple(lines.pop(line.line_id) for line in transfer.lines)
        worth += sum(book.worth(node, sent) for node, sent in sources.items())
        worth += book.worth(shipment.node_id, tuple(lines.values()))
        if sources:
            if lines:
                sources[shipment.node_id] = tuple(lines.values())
            found = book.by_hub(shipment.node_id, service, sources)
        else:
            found = book.direct(shipment.node_id, service, tuple(lines.values()))
        cost = shipment.cost
        cents = cost.shipping_cents + cost.handling_cents + cost.units_cents + cost.transfer_cents
        assert found == (cents, shipment.delivery.p90)
        total += cents
    assert option.total_cost_cents == total + option.cost.split_cents
    assert (option.stock_value_cents or 0) == worth
    assert option.cost.transfer_cents == sum(shipment.cost.transfer_cents for shipment in option.shipments)


async def compared(case: Case) -> tuple[int, int]:
    """Compare the options of a case with all plans; return how many have a parcel of a hub, and two of one node."""
    options, held = await answer(case)
    possible = every_plan(case)
    if not possible:
        assert options == ()
        return 0, 0
    most = max(units_of(case, served) for served, _ in possible)
    full = [plan for plan in possible if units_of(case, plan[0]) == most]
    found = [(o.total_cost_cents + (o.stock_value_cents or 0), o.promised_on, len(o.shipments)) for o in options]
    assert found[0] == min(worth for _, worth in full)
    lines = frozenset(int(line.line_id) - 1 for s in options[0].shipments for line in s.lines)
    assert sorted(found) == front({worth for served, worth in full if served == lines})
    for option, hold in zip(options, held, strict=True):
        check(case, option)
        assert sum(line.quantity for line in hold.lines) == most
    with_hub = sum(any(shipment.consolidates for shipment in option.shipments) for option in options)
    return with_hub, sum(len({s.node_id for s in o.shipments}) < len(o.shipments) for o in options)


@pytest.mark.parametrize("block", range(5))
async def test_the_options_are_the_whole_front_with_hubs(block: int) -> None:
    with_hub = [(await compared(random_case(seed)))[0] for seed in range(block * 50, block * 50 + 50)]
    assert sum(with_hub) > 7


@pytest.mark.parametrize("block", range(3))
async def test_a_node_ships_by_several_services_what_none_takes_together(block: int) -> None:
    twice = [(await compared(apart(random_case(seed), seed)))[1] for seed in range(block * 40, block * 40 + 40)]
    assert sum(twice) > 9
