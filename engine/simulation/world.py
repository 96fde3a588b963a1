"""The world of a story in an engine: put there as it begins, and changed as the story goes on.

Not here: when (simulator.py), what a change means to parcels that are under way (floor.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import TypeVar

from msgspec import structs

from engine.bootstrap import Engine
from engine.inventory.model import MAX_UNITS, Adjustment, Supply
from engine.inventory.receipts import Receipt
from engine.network.document import NetworkDocument, PolicyDocument
from engine.scenarios.story import PlannedSupply, PutNetwork, Story, StoryPolicy
from engine.simulation.facts import Names
from engine.simulation.times import StoryTime

T = TypeVar("T")
_AT_ONCE = 1000


def names_of(story: Story) -> Names:
    """Return what the numbers of facts stand for: also what comes with changes of the network."""
    networks = [story.world.network]
    networks += [each.action.network for each in story.changes if isinstance(each.action, PutNetwork)]
    nodes = dict.fromkeys(node.node_id for network in networks for node in network.nodes)
    services = dict.fromkeys(entry.service for network in networks for entry in network.services)
    zones = dict.fromkeys(entry.zone for network in networks for entry in network.zones)
    return Names(
        nodes=tuple(nodes), services=(*services, "pickup"), zones=tuple(zones), channels=tuple(story.demand.channels)
    )


def under(policy: StoryPolicy | None, network: NetworkDocument) -> NetworkDocument:
    """Return a network with what a policy states of the network's own policy."""
    if policy is None or not policy.network_fields:
        return network
    own = PolicyDocument.model_validate({**network.policy.model_dump(), **policy.network_fields})
    return network.model_copy(update={"policy": own})


async def put_world(engine: Engine, story: Story, times: StoryTime) -> int:
    """Put catalog, stock and supplies into an engine that has the network; return the units that are there."""
    await engine.catalog.put(story.world.catalog)
    for some in _batches(story.world.positions):
        await engine.inventory.put_positions(some)
    for planned in _batches(story.world.supplies):
        await engine.inventory.put_supplies([_supply(each, each.expected_s, times) for each in planned])
    return sum(each.units for each in story.world.positions if each.units != MAX_UNITS)


async def put_supply(engine: Engine, planned: PlannedSupply, expected_s: int, times: StoryTime) -> None:
    """Say that a supply is expected at another time now."""
    await engine.inventory.put_supplies([_supply(planned, expected_s, times)])


async def receive(engine: Engine, planned: PlannedSupply) -> None:
    """Take a supply into stock."""
    await engine.inventory.receive(
        [Receipt(supply_id=planned.supply_id, node_id=planned.node_id, sku=planned.sku, quantity=planned.quantity)]
    )


async def adjust(engine: Engine, adjustments: Sequence[Adjustment]) -> tuple[int, int]:
    """Change stock, as far as it is there; return the units that came and those that went.

    What is unlimited stays so.
    """
    done: list[Adjustment] = []
    left: dict[tuple[str, str], int | None] = {}
    for each in adjustments:
        place = (each.sku, each.node_id)
        if place not in left:
            left[place] = await on_hand(engine, *place)
        there = left[place]
        if there is None:
            continue
        delta = max(each.delta, -there)
        left[place] = there + delta
        if delta:
            done.append(structs.replace(each, delta=delta))
    for some in _batches(done):
        await engine.inventory.adjust(some)
    return sum(each.delta for each in done if each.delta > 0), -sum(each.delta for each in done if each.delta < 0)


async def on_hand(engine: Engine, sku: str, node_id: str) -> int | None:
    """Return what is counted of a position, None if it is unlimited."""
    found = [each for each in await engine.stock.positions(sku) if each.node_id == node_id]
    if found and found[0].unlimited:
        return None
    return found[0].on_hand if found else 0


def _supply(planned: PlannedSupply, expected_s: int, times: StoryTime) -> Supply:
    return Supply(
        supply_id=planned.supply_id,
        node_id=planned.node_id,
        sku=planned.sku,
        quantity=planned.quantity,
        expected_on=date.fromordinal(times.ordinal_of(expected_s)),
    )


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    found = iter(items)
    while some := list(islice(found, _AT_ONCE)):
        yield some
