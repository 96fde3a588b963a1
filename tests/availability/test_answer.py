"""The answer of many SKUs at once is what each cell says by itself, and its JSON is that of its structs.

Random stock of products and kits with supplies and dated demand, in three time zones, in memory. Seeded bugs that this
catches: a sum that begins on the day of another node, a kit that forgets the supplies of one part, a step that is
dropped on the last day, a comma that is missing after a SKU without nodes.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from engine.availability.atp import atp_on, kit_steps, sum_steps
from engine.availability.model import AskedLine, Availability, AvailabilityRequest
from engine.availability.reference import Reference
from engine.availability.service import AvailabilityService
from engine.availability.stock import AtpTable, StockReader
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.errors import InvalidInput
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import Hold, HoldLine, PositionCount, Supply
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.documents import MemoryDocumentStore

NODES = {"east": "America/New_York", "west": "America/Los_Angeles", "japan": "Asia/Tokyo", 'a "b" é': "UTC"}
PRODUCTS = [f"p{i}" for i in range(6)]
KITS = {"pair": [("p0", 2)], "set": [("p1", 1), ("p2", 3)], "nested": [("set", 1), ("p3", 2)]}
NOW = datetime(2026, 3, 5, 4, tzinfo=UTC)
"""Still the 4th in New York and Los Angeles, the 5th in London and Tokyo."""


class Shop:
    def __init__(self) -> None:
        self.clock = SettableClock(NOW)
        self.inventory = MemoryInventoryStore(self.clock)
        documents = MemoryDocumentStore()
        self.networks, self.catalogs = NetworkService(documents), CatalogService(documents)
        self.reference = Reference(documents, self.networks, self.catalogs)
        self.service = AvailabilityService(reference=self.reference, inventory=self.inventory, clock=self.clock)

    async def today(self) -> dict[str, int]:
        return dict((await self.reference.current()).days.at(self.clock.now()).by_node)

    async def fill(self, rng: random.Random) -> None:
        node = {"kind": "dc", "latitude": 40, "longitude": -75, "calendar": "daily"}
        network = {
            "nodes": [{"node_id": name, "time_zone": zone, **node} for name, zone in NODES.items()],
            "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
            "channels": [{"channel": "web"}],
        }
        kits = [
            {"sku": sku, "components": [{"sku": part, "quantity": units} for part, units in parts]}
            for sku, parts in KITS.items()
        ]
        products = [{"sku": sku, "weight_g": 1} for sku in PRODUCTS]
        products[5]["launch_on"] = "2026-03-07"
        await self.networks.put(NetworkDocument.model_validate(network))
        await self.catalogs.put(CatalogDocument.model_validate({"products": products, "kits": kits}))
        today = await self.today()
        for sku in PRODUCTS:
            for node_id in NODES:
                if rng.random() < 0.4:
                    continue
                on_hand, kept = rng.randint(0, 9), rng.randint(0, 2)
                count = PositionCount(node_id=node_id, sku=sku, on_hand=on_hand, safety_stock=kept)
                await self.inventory.put_positions([count])
                for number in range(rng.choice([0, 0, 1, 1, 2])):
                    on = date(2026, 3, 3) + timedelta(days=rng.randint(0, 9))
                    supply = Supply(
                        supply_id=f"po-{number}", node_id=node_id, sku=sku, quantity=rng.randint(1, 5), expected_on=on
                    )
                    await self.inventory.put_supplies([supply], today={node_id: today[node_id]})
                if on_hand > kept and rng.random() < 0.3:
                    on = date.fromordinal(today[node_id]) + timedelta(days=rng.randint(0, 6))
                    line = HoldLine(sku=sku, quantity=1, node_id=node_id, ship_on=on)
                    await self.inventory.hold(Hold(reservation_id=f"res_{sku}_{node_id}", lines=(line,)), today=today)


async def by_hand(shop: Shop, sku: str, nodes: list[str], horizon: int) -> tuple[int, list[tuple[int, int]], dict]:
    """What is available of a SKU, cell by cell, from the formula."""
    view = await shop.reference.current()
    content = view.catalog.content[sku]
    stock = await shop.inventory.read(sorted(product for product, _ in content.components))
    local_day = view.days.at(NOW).local_day
    table: AtpTable = StockReader().read(stock, view, local_day, now=NOW)
    of_nodes = {}
    for node_id in nodes:
        node = view.network.index[node_id]
        if any(table.known[table.rows[product], node] for product, _ in content.components):
            parts = [(table.steps(product, node), units) for product, units in content.components]
            of_nodes[node_id] = kit_steps(parts)
    summed = sum_steps(of_nodes.values()) or [(int(local_day.min()), 0)]
    days = [(day, atp_on(summed, day)) for day in range(summed[0][0], summed[0][0] + horizon)]
    by_node = {
        node_id: [(day, atp_on(steps, day)) for day in range(steps[0][0], steps[0][0] + horizon)]
        for node_id, steps in of_nodes.items()
    }
    return sum(max(0, steps[0][1]) for steps in of_nodes.values()), days, by_node


@pytest.mark.parametrize("seed", range(30))
async def test_many_skus_at_once_are_each_what_the_formula_says(seed: int) -> None:
    rng, shop = random.Random(seed), Shop()
    await shop.fill(rng)
    skus = rng.choices([*PRODUCTS, *KITS], k=8)
    horizon, nodes = rng.choice([1, 2, 7]), [node for node in NODES if rng.random() < 0.8] or ["east"]
    lines = tuple(AskedLine(sku=sku) for sku in skus)
    request = AvailabilityRequest(lines=lines, node_ids=tuple(nodes), horizon_days=horizon)
    answer = await shop.service.availability(request)
    for sku, line in zip(skus, answer.lines, strict=True):
        now, days, by_node = await by_hand(shop, sku, nodes, horizon)
        assert (line.sku, line.available_now) == (sku, now)
        assert [(day.date.toordinal(), day.atp) for day in line.by_day] == days
        found = {node.node_id: [(day.date.toordinal(), day.atp) for day in node.by_day] for node in line.nodes}
        assert found == by_node
        assert all(node.available_now == node.by_day[0].atp for node in line.nodes)
    written = await shop.service.document(request)
    assert written == msgspec.json.encode(answer)
    assert msgspec.json.decode(written, type=Availability) == answer
    sums = msgspec.json.decode(await shop.service.document(msgspec.structs.replace(request, by_node=False)))
    assert [line["nodes"] for line in sums["lines"]] == [[]] * len(skus)
    assert [line["by_day"] for line in sums["lines"]] == [
        [msgspec.to_builtins(day) for day in line.by_day] for line in answer.lines
    ]


async def test_a_call_that_would_answer_too_much_is_refused_with_what_to_leave_out() -> None:
    shop = Shop()
    await shop.fill(random.Random(1))
    lines = tuple(AskedLine(sku="p0") for _ in range(501))
    with pytest.raises(InvalidInput, match="at most 500"):
        await shop.service.availability(AvailabilityRequest(lines=lines))
    most = AvailabilityRequest(lines=lines[:500], horizon_days=365)
    assert len((await shop.service.availability(most)).lines) == 500
    network = (await shop.networks.current()).document
    nodes = tuple(network.nodes[0].model_copy(update={"node_id": f"n{i}"}) for i in range(22))
    await shop.networks.put(network.model_copy(update={"nodes": nodes}))
    with pytest.raises(InvalidInput, match=r"500 SKUs × 22 nodes × 365 days are 4,015,000; .* by_node false"):
        await shop.service.availability(most)
    sums = await shop.service.availability(msgspec.structs.replace(most, by_node=False))
    assert len(sums.lines) == 500


async def test_an_unknown_channel_is_refused_where_the_network_names_its_channels() -> None:
    shop = Shop()
    await shop.fill(random.Random(1))
    with pytest.raises(InvalidInput, match=r"unknown channel 'wbe'; did you mean 'web'\?"):
        await shop.service.availability(AvailabilityRequest(lines=(AskedLine(sku="p0"),), channel="wbe"))
