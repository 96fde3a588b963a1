"""What availability tells for a day is what a hold for that day can take, unit for unit, whatever rules keep back.

Random positions with supplies, dated demand, safety stock, unlimited stock, buffers by kind and class, and channel
quotas. The seeded bugs: a buffer that one of the two forgets, adds to safety stock, or takes off supplies only; a quota
that one of the two forgets on later days, or takes a share for without the buffer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.availability.model import AskedLine, AvailabilityRequest
from engine.availability.reference import Reference
from engine.availability.service import AvailabilityService
from engine.catalog.document import CatalogDocument
from engine.catalog.service import CatalogService
from engine.clock import SettableClock
from engine.errors import InsufficientStock
from engine.inventory.memory_store import MemoryInventoryStore
from engine.inventory.model import HoldLine, PositionCount, Supply
from engine.inventory.quotas import PositionQuotas, Quota
from engine.inventory.redis_store import LIBRARY, RedisInventoryStore
from engine.inventory.service import InventoryService
from engine.inventory.store import InventoryStore
from engine.network.document import NetworkDocument
from engine.network.service import NetworkService
from engine.storage.client import MultiplexedClient
from engine.storage.documents import MemoryDocumentStore
from engine.storage.functions import ensure
from engine.storage.keys import Keys

TODAY = date(2026, 3, 4)
KINDS, CLASSES, CHANNELS = ("dc", "store"), ("fragile", "food", None), (None, "web", "shop")
SKUS = {f"sku-{name}": name for name in CLASSES}


@dataclass
class Shop:
    networks: NetworkService
    inventory: InventoryService
    availability: AvailabilityService

    async def keep_back(self, rng: random.Random) -> None:
        """Put a network with random rules."""
        rules = {(rng.choice((*KINDS, None)), rng.choice(CLASSES)): rng.randint(0, 6) for _ in range(rng.randint(0, 4))}
        node = {"latitude": 40, "longitude": -75, "time_zone": "UTC", "calendar": "daily"}
        document = {
            "nodes": [node | {"node_id": kind, "kind": kind} for kind in KINDS],
            "calendars": [{"calendar": "daily", "working_days": ["mon"]}],
            "policy": {
                "buffers": [
                    {"node_kind": kind, "sku_class": name, "units": units} for (kind, name), units in rules.items()
                ]
            },
        }
        await self.networks.put(NetworkDocument.model_validate(document))

    async def by_day(self, sku: str, node_id: str, channel: str | None) -> list[int]:
        """Return what availability tells of today and the next days at a node."""
        request = AvailabilityRequest(lines=(AskedLine(sku=sku),), node_ids=(node_id,), horizon_days=5, channel=channel)
        (line,) = (await self.availability.availability(request)).lines
        (at_node,) = line.nodes
        assert at_node.available_now == at_node.by_day[0].atp
        return [day.atp for day in at_node.by_day]


@pytest.fixture(params=["memory", "redis"])
async def shop(request: pytest.FixtureRequest, client: MultiplexedClient, keys: Keys) -> Shop:
    clock = SettableClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
    store: InventoryStore = MemoryInventoryStore(clock)
    if request.param == "redis":
        await ensure(client, [LIBRARY])
        store = RedisInventoryStore(client, keys)
    documents = MemoryDocumentStore()
    networks, catalogs = NetworkService(documents), CatalogService(documents)
    products = [{"sku": sku, "weight_g": 1, "class": name} for sku, name in SKUS.items()]
    await catalogs.put(CatalogDocument.model_validate({"products": products}))
    reference = Reference(documents, networks, catalogs)
    return Shop(
        networks=networks,
        inventory=InventoryService(store, world=reference.current, clock=clock),
        availability=AvailabilityService(reference=reference, inventory=store, clock=clock),
    )


def random_quotas(rng: random.Random) -> tuple[Quota, ...]:
    quotas = []
    for channel in rng.sample(("web", "shop"), rng.randint(0, 2)):
        is_share, units = rng.random() < 0.4, rng.randint(0, 6)
        release_at = rng.choice((None, None, datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)))
        quotas.append(
            Quota(
                channel=channel,
                reserve=None if is_share else units,
                share=rng.choice((25, 40, 50)) if is_share else None,
                overflow=rng.random() < 0.6,
                release_at=release_at,
            )
        )
    return tuple(quotas)


async def hold(shop: Shop, sku: str, node_id: str, quantity: int, day: int, channel: str | None) -> int | None:
    """Hold units for a day from today; return what was available if they were not there, else None."""
    ship_on = None if day == 0 else TODAY + timedelta(days=day)
    try:
        line = HoldLine(sku=sku, node_id=node_id, quantity=quantity, ship_on=ship_on)
        held = await shop.inventory.hold([line], channel=channel)
    except InsufficientStock as short:
        return short.lines[0].available
    await shop.inventory.cancel(held.value.reservation_id)
    return None


async def test_availability_is_what_holds_can_take_whatever_rules_keep_back(shop: Shop) -> None:
    rng, kept_back, differ = random.Random(7), 0, 0
    for _ in range(40):
        await shop.keep_back(rng)
        sku, node_id = rng.choice(list(SKUS)), rng.choice(KINDS)
        unlimited = rng.random() < 0.1
        await shop.inventory.put_positions(
            [
                PositionCount(
                    sku=sku,
                    node_id=node_id,
                    on_hand=None if unlimited else rng.randint(0, 12),
                    safety_stock=0 if unlimited else rng.randint(0, 4),
                    unlimited=unlimited,
                )
            ]
        )
        expected_on = TODAY + timedelta(days=rng.randint(-1, 4))
        supply = Supply(supply_id="po", sku=sku, node_id=node_id, quantity=rng.randint(0, 8), expected_on=expected_on)
        await shop.inventory.put_supplies([supply])
        quotas = random_quotas(rng)
        await shop.inventory.put_quotas([PositionQuotas(sku=sku, node_id=node_id, quotas=quotas)])
        told = await shop.by_day(sku, node_id, None)
        for channel in CHANNELS:
            for day, atp in enumerate(await shop.by_day(sku, node_id, channel)):
                if atp >= 10**6:
                    assert await hold(shop, sku, node_id, 10**6, day, channel) is None
                    continue
                assert await hold(shop, sku, node_id, max(atp, 0) + 1, day, channel) == atp
                if atp > 0:
                    assert await hold(shop, sku, node_id, atp, day, channel) is None
                differ += channel is not None and atp != told[day]
        position = next(one for one in await shop.inventory.positions(sku) if one.node_id == node_id)
        assert position.buffer is not None
        kept_back += position.buffer > position.safety_stock and told[0] > 0
        if told[0] > 1:
            line = HoldLine(sku=sku, node_id=node_id, quantity=1, ship_on=TODAY + timedelta(days=rng.randint(0, 3)))
            await shop.inventory.hold([line], channel=rng.choice(CHANNELS))
    assert kept_back > 3
    assert differ > 20


async def test_channels_together_can_take_no_more_than_there_is(shop: Shop) -> None:
    """What each has beyond everybody's, and everybody's, is the whole at most; so is what they take in any order.

    The seeded bug: a quota that is not kept from the channels that come before its own in the list.
    """
    rng, contested = random.Random(11), 0
    for _ in range(60):
        await shop.keep_back(rng)
        sku, node_id = rng.choice(list(SKUS)), rng.choice(KINDS)
        count = PositionCount(sku=sku, node_id=node_id, on_hand=rng.randint(0, 12), safety_stock=rng.randint(0, 4))
        await shop.inventory.put_positions([count])
        expected_on = TODAY + timedelta(days=rng.randint(0, 3))
        supply = Supply(supply_id="po", sku=sku, node_id=node_id, quantity=rng.randint(0, 8), expected_on=expected_on)
        await shop.inventory.put_supplies([supply])
        await shop.inventory.put_quotas([PositionQuotas(sku=sku, node_id=node_id, quotas=())])
        whole = await shop.by_day(sku, node_id, None)
        await shop.inventory.put_quotas([PositionQuotas(sku=sku, node_id=node_id, quotas=random_quotas(rng))])
        of = {channel: await shop.by_day(sku, node_id, channel) for channel in CHANNELS}
        for day, there in enumerate(whole):
            shared = max(0, of[None][day])
            own = sum(max(0, of[channel][day] - shared) for channel in CHANNELS)
            assert own + shared <= max(0, there)
            contested += own > 0
        taken, holds = 0, []
        for channel in rng.sample(CHANNELS, len(CHANNELS)):
            units = (await shop.by_day(sku, node_id, channel))[0]
            if units > 0:
                line = HoldLine(sku=sku, node_id=node_id, quantity=units)
                holds.append((await shop.inventory.hold([line], channel=channel)).value.reservation_id)
                taken += units
        assert taken <= max(0, whole[0])
        for reservation_id in holds:
            await shop.inventory.cancel(reservation_id)
    assert contested > 50
