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

import itertools
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CALENDARS = {"daily": WEEK, "weekdays": WEEK[:5], "odd": ["mon", "wed", "fri"]}
SKUS = ["p0", "p1", "p2"]
NODES = ["n0", "n1", "n2", "n3"]


@dataclass
class Case:
    """A random business, and what may be said of it without asking the engine."""

    network: dict[str, Any]
    weights: dict[str, int]
    classes: dict[str, str]
    stock: dict[tuple[str, str], list[tuple[date, int]]]
    lines: list[tuple[str, int]]
    now: datetime
    request: dict[str, Any]
    prices: dict[tuple[str, str], int]

    @property
    def today(self) -> date:
        return self.now.date()


def random_case(seed: int) -> Case:
    rng = random.Random(seed)
    now = datetime(2026, 3, 2 + rng.randrange(7), rng.choice([8, 11, 16]), 30, tzinfo=UTC)
    names = NODES[: rng.randint(2, 4)]
    hubs = names[: rng.randint(1, 2)] if rng.random() < 0.8 else [names[-1]]
    nodes = [
        {
            "node_id": name,
            "kind": "dc",
            "latitude": 40.0,
            "longitude": -75.0 - 3 * number,
            "time_zone": "UTC",
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice(["09:00", "12:00", "17:00"]),
            "processing_days": rng.choice([0, 0, 0, 1]),
            "services": rng.choice([None, None, ["ground"]]),
            "parcel_cost_cents": rng.randint(0, 400),
            "unit_cost_cents": rng.randint(0, 20),
            "hub": {"processing_days": rng.choice([0, 0, 1]), "unit_cost_cents": rng.randint(0, 20)}
            if name in hubs
            else None,
        }
        for number, name in enumerate(names)
    ]
    services = [
        {
            "service": name,
            "carrier": "acme",
            "service_level": "standard",
            "refuses": rng.choice([[], [], ["hazmat"], ["cold"]]),
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice([None, "10:00", "15:00"]),
            "rates": [
                {
                    "zone": "all",
                    "max_weight_g": weight_g,
                    "cost_cents": rng.randint(300, 600) * (1 + place),
                    "transit_days": rng.randint(0, 3),
                }
                for place, weight_g in enumerate((1000, 4000))
            ],
        }
        for name in ("ground", "air")[: rng.randint(1, 2)]
    ]
    transfers = [
        {
            "from_node_id": source,
            "to_node_id": hub,
            "calendar": rng.choice(list(CALENDARS)),
            "cut_off": rng.choice([None, "08:00", "14:00"]),
            "transit_days": rng.randint(0, 2),
            "arrives_at": rng.choice(["07:00", "10:00", "12:30", "18:00"]),
            "cost_cents": rng.randint(0, 99),
            "kg_cost_cents": rng.choice([0, 33]),
            "unit_cost_cents": rng.choice([0, 7]),
        }
        for source in names
        for hub in hubs
        if source != hub and rng.random() < 0.9
    ]
    chosen = rng.choices(SKUS, k=rng.randint(1, 3)) if rng.random() < 0.3 else rng.sample(SKUS, rng.randint(1, 3))
    stock = {}
    for name, sku in itertools.product(names, SKUS):
        if rng.random() < 0.5:
            levels = [(now.date(), rng.choice([0, 1, 3]))]
            if rng.random() < 0.4:
                levels.append((now.date() + timedelta(days=rng.randint(1, 6)), levels[0][1] + rng.randint(1, 3)))
            stock[name, sku] = levels
    of_prices = random.Random(10_000 + seed)
    positions = list(itertools.product(names, SKUS)) if seed % 2 else []
    request: dict[str, Any] = {}
    if rng.random() < 0.25:
        request["need_by"] = now.date() + timedelta(days=rng.randint(1, 9))
    if rng.random() < 0.2:
        request["max_shipments"] = rng.randint(1, 2)
    return Case(
        network={
            "nodes": nodes,
            "calendars": [{"calendar": name, "working_days": days} for name, days in CALENDARS.items()],
            "zones": [{"zone": "all", "max_km": None}],
            "services": services,
            "transfers": transfers,
            "policy": {"split_cost_cents": rng.choice([0, 50])},
        },
        classes={sku: rng.choice(["", "", "hazmat", "cold"]) for sku in SKUS},
        weights={sku: rng.choice([300, 700, 1234]) for sku in SKUS},
        stock=stock,
        lines=[(sku, rng.randint(1, 2)) for sku in chosen],
        now=now,
        request=request,
        prices={position: of_prices.choice([1, 90, 400]) for position in positions if of_prices.random() < 0.6},
    )


# The rules, day by day.


def works(calendar: str, day: date) -> bool:
    return WEEK[day.weekday()] in CALENDARS[calendar]


def working_from(calendars: list[str], day: date) -> date:
    while not all(works(calendar, day) for calendar in calendars):
        day += timedelta(days=1)
    return day


def after_working_days(calendar: str, day: date, count: int) -> date:
    day = working_from([calendar], day)
    for _ in range(count):
        day = working_from([calendar], day + timedelta(days=1))
    return day


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def arrives(calendar: str, day: date, transit_days: int) -> date:
    for _ in range(transit_days):
        day = working_from([calendar], day + timedelta(days=1))
    return working_from([calendar], day)


class Book:
    """What a case says, by name."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.nodes = {node["node_id"]: node for node in case.network["nodes"]}
        self.transfers = {(t["from_node_id"], t["to_node_id"]): t for t in case.network["transfers"]}
        self.clock = case.now.hour * 60 + case.now.minute

    def covered(self, node: str, lines: tuple[int, ...]) -> date | None:
        wanted: dict[str, int] = {}
        for line in lines:
            sku, quantity = self.case.lines[line]
            wanted[sku] = wanted.get(sku, 0) + quantity
        latest = self.case.today
        for sku, quantity in wanted.items():
            day = next((d for d, level in self.case.stock.get((node, sku), []) if level >= quantity), None)
            if day is None:
                return None
            latest = max(latest, day)
        return latest

    def ready(self, node: dict[str, Any], pick_up: str | None) -> date:
        """The first day on which an order of now could leave a node, picked up at a time."""
        start = self.case.today + timedelta(days=self.clock >= minutes(node["cut_off"]))
        day = after_working_days(node["calendar"], start, node["processing_days"])
        is_today = day == self.case.today and node["processing_days"] == 0
        return day + timedelta(days=is_today and pick_up is not None and self.clock >= minutes(pick_up))

    def weight_g(self, lines: tuple[int, ...]) -> int:
        return sum(self.case.weights[self.case.lines[line][0]] * self.case.lines[line][1] for line in lines)

    def ships_apart(self, node: str) -> bool:
        """Whether no service that comes to a node takes all lines, which share no product."""
        skus = [sku for sku, _ in self.case.lines]
        classes = {self.case.classes[sku] for sku in skus}
        here = self.nodes[node]["services"]
        coming = [s for s in self.case.network["services"] if here is None or s["service"] in here]
        return len(set(skus)) == len(skus) > 1 and all(classes & set(service["refuses"]) for service in coming)

    def worth(self, node: str, lines: tuple[int, ...]) -> int:
        """What units are worth at a node to later demand."""
        wanted = [self.case.lines[line] for line in lines]
        return sum(self.case.prices.get((node, sku), 0) * quantity for sku, quantity in wanted)

    def units(self, lines: tuple[int, ...]) -> int:
        return sum(self.case.lines[line][1] for line in lines)

    def carried(self, node: str, service: dict[str, Any], lines: tuple[int, ...], day: date) -> tuple[int, date] | None:
        """What a parcel costs without its units, and when it arrives, if it could leave from a day on."""
        if any(self.case.classes[self.case.lines[line][0]] in service["refuses"] for line in lines):
            return None
        if service["service"] not in (self.nodes[node]["services"] or (service["service"],)):
            return None
        rate = next((r for r in service["rates"] if r["max_weight_g"] >= self.weight_g(lines)), None)
        if rate is None:
            return None
        leaves = working_from([self.nodes[node]["calendar"], service["calendar"]], day)
        arrival = arrives(service["calendar"], leaves, rate["transit_days"])
        return rate["cost_cents"] + self.nodes[node]["parcel_cost_cents"], arrival

    def direct(self, node: str, service: dict[str, Any], lines: tuple[int, ...]) -> tuple[int, date] | None:
        covered = self.covered(node, lines)
        if covered is None:
            return None
        day = max(covered, self.ready(self.nodes[node], service["cut_off"]))
        found = self.carried(node, service, lines, day)
        return found and (found[0] + self.nodes[node]["unit_cost_cents"] * self.units(lines), found[1])

    def by_hub(self, hub: str, service: dict[str, Any], sources: dict[str, tuple[int, ...]]) -> tuple[int, date] | None:
        """What a parcel of a hub costs, and when it arrives; `sources` are the lines by the node that has them."""
        cents, day = 0, date.min
        for source, lines in sources.items():
            covered = self.covered(source, lines)
            if covered is None:
                return None
            node, units = self.nodes[source], self.units(lines)
            cents += node["unit_cost_cents"] * units
            if source == hub:
                day = max(day, covered, self.ready(node, service["cut_off"]))
                continue
            transfer = self.transfers.get((source, hub))
            if transfer is None:
                return None
            leaves = working_from(
                [node["calendar"], transfer["calendar"]], max(covered, self.ready(node, transfer["cut_off"]))
            )
            each = transfer["unit_cost_cents"] + self.nodes[hub]["hub"]["unit_cost_cents"]
            cents += transfer["cost_cents"] + each * units
            cents += (self.weight_g(lines) * transfer["kg_cost_cents"] + 500) // 1000
            day = max(day, self.packed(hub, transfer, service, leaves))
        lines = tuple(sorted(line for part in sources.values() for line in part))
        found = self.carried(hub, service, lines, day)
        return found and (found[0] + cents, found[1])

    def packed(self, hub: str, transfer: dict[str, Any], service: dict[str, Any], leaves: date) -> date:
        """The day on which a service could take what left on a day."""
        node, at = self.nodes[hub], minutes(transfer["arrives_at"])
        arrival = arrives(transfer["calendar"], leaves, transfer["transit_days"])
        start = working_from([node["calendar"]], arrival + timedelta(days=at >= minutes(node["cut_off"])))
        if node["hub"]["processing_days"]:
            return after_working_days(node["calendar"], start, node["hub"]["processing_days"])
        is_gone = start == arrival and service["cut_off"] is not None and at >= minutes(service["cut_off"])
        return start + timedelta(days=is_gone)


Worth = tuple[int, date, int]


Way = tuple[str, str | None, str | None]
"""The node that has a line, the hub it is sent to if any, and the service, if nodes may ship by several."""


def every_plan(case: Case) -> list[tuple[frozenset[int], Worth]]:
    """The lines and the (cost with values, last day, parcels) of every way in which they could be brought."""
    book, split = Book(case), case.network["policy"]["split_cost_cents"]
    every = [s["service"] for s in case.network["services"]]
    names = {node: every if book.ships_apart(node) else [None] for node in book.nodes}
    hubs = sorted({hub for _, hub in book.transfers})
    ways: list[Way] = [(node, hub, name) for hub in hubs for node in book.nodes for name in names[hub]]
    ways += [(node, None, name) for node in book.nodes for name in names[node]]
    most = case.request.get("max_shipments", 9)
    plans = []
    for assigned in itertools.product([None, *ways], repeat=len(case.lines)):
        served = frozenset(line for line, way in enumerate(assigned) if way is not None)
        used: dict[Way, tuple[int, ...]] = {}
        for line, way in enumerate(assigned):
            if way is not None:
                used[way] = (*used.get(way, ()), line)
        senders = [node for node, hub, name in used if hub is not None or name is None]
        packing = sorted({(hub, name) for _, hub, name in used if hub is not None}, key=str)
        direct = [(node, name) for node, hub, name in used if hub is None]
        shippers = direct + packing
        if not used or len(set(senders)) < len(senders) or len(set(shippers)) < len(shippers) or len(shippers) > most:
            continue
        choices: list[list[tuple[int, date]]] = []
        for node, name in direct:
            services = [s for s in case.network["services"] if name in (None, s["service"])]
            found = [book.direct(node, service, used[node, None, name]) for service in services]
            choices.append([one for one in found if one is not None])
        for hub, name in packing:
            services = [s for s in case.network["services"] if name in (None, s["service"])]
            sources = {node: lines for (node, *to), lines in used.items() if to == [hub, name]}
            found = [book.by_hub(hub, service, sources) for service in services]
            choices.append([one for one in found if one is not None])
        worth = sum(book.worth(node, lines) for (node, _, _), lines in used.items())
        for chosen in itertools.product(*choices):
            last = max(day for _, day in chosen)
            if last <= case.request.get("need_by", date.max):
                cost = sum(c for c, _ in chosen) + split * (len(chosen) - 1)
                plans.append((served, (cost + worth, last, len(chosen))))
    return plans


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


def apart(case: Case, seed: int) -> Case:
    """The same, with lines that no one service takes together; few other nodes have them, and some of the hubs none."""
    rng = random.Random(seed)
    ground = case.network["services"][0] | {"refuses": ["cold"]}
    case.network["services"] = [ground, ground | {"service": "air", "refuses": ["hazmat"], "calendar": "daily"}]
    case.classes |= {"p0": "hazmat", "p1": "cold"}
    case.lines[:] = [("p0", 1), ("p1", 1), ("p2", 1)][: rng.randint(2, 3)]
    case.stock |= {("n1", sku): [(case.today, 3)] for sku in ("p0", "p1")}
    for key in [key for key in case.stock if key[0] != "n1" and rng.random() < 0.7]:
        del case.stock[key]
    if rng.random() < 0.5:
        case.network["transfers"] = []
    return case


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
